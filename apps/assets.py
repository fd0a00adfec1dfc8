"""The scripts of the pages that are notebooks: from this machine, loaded while the kernel works, and kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bokeh
from tornado.web import StaticFileHandler
from voila.static_file_handler import MultiStaticFileHandler

#: BokehJS without what the pages do not use; grids are of the third.
BOKEH = ("bokeh", "bokeh-widgets", "bokeh-tables")
FOLDER = Path(bokeh.__file__).parent / "server" / "static" / "js"
#: Voilà's own scripts have names that outlive a version of it, so a browser asks again after this long.
KEPT_S = 3600


class KeptFiles(MultiStaticFileHandler):  # type: ignore[misc]
    """Voilà's own scripts, of which a page needs ninety: the browser keeps them instead of asking for each again."""

    def get_cache_time(self, *_: Any) -> int:
        """Return for how many seconds a browser may keep a file."""
        return KEPT_S


def page_scripts() -> list[str]:
    """Return the addresses of BokehJS below a page's own; they change with its version, and are kept for years."""
    return [f"voila/bokeh/{name}.min.js?v={bokeh.__version__}" for name in BOKEH]


def with_assets(handlers: list[tuple[Any, ...]], *, base_url: str) -> list[tuple[Any, ...]]:
    """Return a page's handlers, those of BokehJS before them, and scripts kept by the browser."""
    names = "|".join(BOKEH)
    own = (rf"{base_url}voila/bokeh/((?:{names})\.min\.js)", StaticFileHandler, {"path": str(FOLDER)})
    kept = [
        (pattern, KeptFiles if handler is MultiStaticFileHandler else handler, *rest)
        for pattern, handler, *rest in handlers
    ]
    return [own, *kept]
