"""The files of report runs, for those who may see the page that lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from tornado.web import HTTPError, RequestHandler

from bifrost_lib.core.errors import BifrostError, NoDataError

#: Run and file, as `views.live.reports_grid` links them below the page.
ADDRESS = r"reports/([0-9]{1,18})/([a-z.]{1,40})"
_KINDS = {".html": "text/html", ".pdf": "application/pdf", ".ipynb": "application/x-ipynb+json", ".log": "text/plain"}


class ReportFile(RequestHandler):
    """One file; a report's page may run its own scripts, and neither ask nor read anything as its reader."""

    def initialize(self, *, find: Callable[[int, str], Path]) -> None:
        self._find = find

    async def get(self, run: str, name: str) -> None:
        """Send the file."""
        try:
            path = await asyncio.to_thread(self._find, int(run), name)
            content = await asyncio.to_thread(path.read_bytes)
        except NoDataError:
            raise HTTPError(404, reason="There is no such report file") from None
        except (BifrostError, OSError) as problem:
            raise HTTPError(503, str(problem), reason="The report cannot be read now") from None
        self.set_header("Content-Type", f"{_KINDS[path.suffix]}; charset=UTF-8")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        if path.suffix == ".html":
            self.set_header("Content-Security-Policy", "sandbox allow-scripts; default-src 'unsafe-inline' data: blob:")
        if path.suffix == ".ipynb":
            self.set_header("Content-Disposition", f'attachment; filename="{run}-{name}"')
        self.finish(content)
