"""Serve pages without a hub, for tests of what is on them: nobody has to log in, and one part starts instead of eight.

``python pages_alone.py live PORT`` or ``python pages_alone.py PAGE PORT`` prints ``ready: URL`` of the first page.
The live pages tell under ``/kept`` what their viewers hold in this process.
"""

from __future__ import annotations

import ctypes
import gc
import re
import signal
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows.hub import LOOPBACK

CONFIG_SECRET = "00" * 32


def serve_live(port: int) -> None:
    """Serve all live pages side by side."""
    import panel

    from apps.first_paint import paint_first, session_maker
    from apps.live import forget_closed_sockets, live_pages, panel_pages
    from apps.turns import Turns

    pn: Any = panel
    links, turns = [(page.title, page.name) for page in panel_pages()], Turns()
    with live_pages(load_settings()) as pages:
        server = pn.serve(
            {name: session_maker(make, lambda _: links) for name, make in pages.made.items()},
            port=port, address=LOOPBACK, websocket_origin=[f"{LOOPBACK}:{port}"], show=False, start=False, warm=True,
            verbose=False, location=False, title={page.name: f"{page.title} · Bifrost" for page in panel_pages()},
            check_unused_sessions_milliseconds=1000, unused_session_lifetime_milliseconds=1000,
        )  # fmt: skip
        for page in panel_pages():
            title = f"{page.title} · Bifrost"
            paint_first(server, f"/{page.name}", pages.made[page.name], lambda _: links, title=title, turns=turns)
        server._tornado.add_handlers(r".*", [("/kept", kept_by(server))])
        forget_closed_sockets(server.io_loop)
        server.start()
        server.io_loop.add_callback(_ready, f"http://{LOOPBACK}:{port}/chain")
        server.io_loop.add_callback(pages.draw_ahead)
        _run(server.io_loop)


def kept_by(server: Any) -> type[Any]:
    """Return what answers with the sessions and documents that a server holds, and with its memory in MB."""
    from bokeh.document import Document
    from tornado.web import RequestHandler

    class Kept(RequestHandler):
        def get(self) -> None:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system, and what is held is counted
            status = Path("/proc/self/status").read_text(encoding="utf-8")
            found = re.search(r"VmRSS:\s+(\d+) kB", status)
            self.write({
                "sessions": sum(len(server.get_sessions(f"/{name}")) for name in names),
                "documents": sum(type(one) is Document for one in gc.get_objects()),
                "memory_mb": int(found[1]) / 1000 if found else None,
            })  # fmt: skip

    names = [page.lstrip("/") for page in server._tornado._applications]
    return Kept


def serve_notebook(name: str, port: int) -> None:
    """Serve one page that is a notebook."""
    from tornado.ioloop import IOLoop
    from voila.app import Voila

    from apps.forked_kernels import Nursery, take_kernels_from
    from apps.serve import begin_listening, keep_jupyter_at_home, page_config, voila_pages
    from apps.turns import Turns

    keep_jupyter_at_home(load_settings().home)
    page = next(page for page in voila_pages() if page.name == name)
    config, nursery = page_config(page, port=port, secret=CONFIG_SECRET), Nursery([page.path])
    take_kernels_from(nursery, config)
    server = Voila(config=config)
    server.initialize([str(page.path)])
    begin_listening(server, page, nursery, port=port, turns=Turns())
    IOLoop.current().add_callback(_ready, f"http://{LOOPBACK}:{port}/services/{name}/")
    _run(IOLoop.current())
    server.stop()
    nursery.close()


def _run(loop: Any) -> None:
    signal.signal(signal.SIGTERM, lambda *_: loop.add_callback_from_signal(loop.stop))
    loop.start()


def _ready(url: str) -> None:
    print(f"ready: {url}", flush=True)


if __name__ == "__main__":
    what, port = sys.argv[1], int(sys.argv[2])
    if what == "live":
        serve_live(port)
    else:
        serve_notebook(what, port)
