"""The scripts of the pages that are notebooks: one file with all that a page uses, packed once, kept for years.

Voilà's front end comes in a hundred pieces, and a browser would ask for each in turn. Pieces that have been read before
Voilà's own script starts are there for it; one that is not among them it still asks for.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import bokeh
from jupyter_server.base.handlers import FileFindHandler
from tornado.web import RequestHandler
from voila.static_file_handler import MultiStaticFileHandler

#: BokehJS without what the pages do not use; grids are of the third.
BOKEH = ("bokeh", "bokeh-widgets", "bokeh-tables")
BOKEH_FOLDER = Path(bokeh.__file__).parent / "server" / "static" / "js"
JUPYTER = Path(sys.prefix) / "share" / "jupyter"
#: Where the pieces lie that pages use, and their names; `pieces.txt` is a page's own account of what it asked for.
PIECES = Path(__file__).with_name("pieces.txt")
#: The widgets' manager asks a busy kernel for all widgets at once, gives up after 4 s, and asks for each of hundreds.
IMPATIENT, PATIENT = b'"Control comm did not respond in time"),4e3)', b'"Control comm did not respond in time"),6e4)'
#: Voilà's own scripts have names that outlive a version of it, so a browser asks again after this long.
KEPT_S = 3600
KEPT_FOR_YEARS = "max-age=31536000, immutable"
#: How a file is called whose name changes with what is in it.
HASHED = re.compile(r"\.[0-9a-f]{16,}\.js$")


@dataclass(frozen=True)
class Bundle:
    """All scripts of a page as one; its name changes with what is in it."""

    name: str
    text: bytes
    packed: bytes


@cache
def bundle() -> Bundle:
    """Return the scripts that every page uses: BokehJS, Voilà's pieces, and those of the widgets."""
    pieces = [JUPYTER / line for line in PIECES.read_text(encoding="utf-8").split()]
    paths = [*(BOKEH_FOLDER / f"{name}.min.js" for name in BOKEH), *(path for path in pieces if path.is_file())]
    text = b"\n;\n".join(path.read_bytes() for path in paths).replace(IMPATIENT, PATIENT)
    return Bundle(f"{hashlib.sha256(text).hexdigest()[:32]}.js", text, gzip.compress(text, compresslevel=6, mtime=0))


class BundleFile(RequestHandler):
    """Sends the bundle, packed where a browser can unpack it."""

    def get(self, name: str) -> None:
        """Send it."""
        found = bundle()
        if name != found.name:
            self.send_error(404)
            return
        self.set_header("Content-Type", "text/javascript; charset=UTF-8")
        self.set_header("Cache-Control", KEPT_FOR_YEARS)
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(found.packed)
        else:
            self.finish(found.text)


class KeptFiles(MultiStaticFileHandler):  # type: ignore[misc]
    """Voilà's own scripts: the browser keeps them instead of asking for each again."""

    def get_cache_time(self, *_: Any) -> int:
        """Return for how many seconds a browser may keep a file."""
        return KEPT_S


class KeptExtensions(FileFindHandler):
    """Scripts of widgets, most of which change their names with what is in them."""

    def set_headers(self) -> None:
        """Let a browser keep those for years."""
        super().set_headers()
        if HASHED.search(self.request.path):
            self.set_header("Cache-Control", KEPT_FOR_YEARS)


def page_script() -> str:
    """Return the address of the bundle below a page's own."""
    return f"voila/bundle/{bundle().name}"


def with_assets(handlers: list[tuple[Any, ...]], *, base_url: str) -> list[tuple[Any, ...]]:
    """Return a page's handlers, that of the bundle before them, and scripts kept by the browser."""
    kept = {MultiStaticFileHandler: KeptFiles, FileFindHandler: KeptExtensions}
    return [
        (rf"{base_url}voila/bundle/([0-9a-f]+\.js)", BundleFile),
        *((pattern, kept.get(handler, handler), *rest) for pattern, handler, *rest in handlers),
    ]
