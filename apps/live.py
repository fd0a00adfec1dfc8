"""Serve the live pages on loopback, behind the token of the other pages: one process for all viewers.

``python -m apps.live [--port N]`` prints one line, ``ready: URL`` with the token in it, once the pages answer, and
serves until SIGTERM or SIGINT.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from apps.access import guard
from apps.serve import LOOPBACK, page_token
from bifrost_lib.core.errors import BifrostError, EnvironmentProblem, SourceUnavailable
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.hub import read_registry

FIRST = "chain"
#: A viewer who is gone this long is forgotten, with everything that was kept for him.
UNUSED_MS = 15_000


def panel_pages() -> list[tuple[str, str]]:
    """Return title and name of the pages that this process serves, in the registry's order."""
    return [(page.title, page.name) for page in read_registry() if page.kind == "panel"]


@contextmanager
def live_pages(settings: Settings) -> Iterator[dict[str, Callable[[], Any]]]:
    """Yield the pages by name, each a function that makes one viewer's; all of them share a desk and a feed.

    How they are served is not their business: behind a token here, behind a hub elsewhere.
    """
    from apps.panel.boards import Boards
    from apps.panel.chain import chain_page
    from apps.panel.operations import DeskWatch, operations_page
    from bifrost_lib.workflows import live, open_desk

    links = panel_pages()
    with open_desk(settings=settings) as desk, live.LiveFeed(desk) as feed:
        boards, watch = Boards(desk, feed), DeskWatch(desk, watchers=feed.watchers)
        # Panel calls functions, and takes any other callable for content.
        yield {
            "chain": lambda: chain_page(boards, links=links),
            "operations": lambda: operations_page(watch, links=links),
        }


def serve_live(settings: Settings, *, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    SourceUnavailable
        If the port is taken, or the database does not answer.
    """
    import panel

    pn: Any = panel
    with live_pages(settings) as pages:
        origins = [f"{LOOPBACK}:{port}", f"localhost:{port}"]
        titles = {name: f"{title} · Bifrost" for title, name in panel_pages()}
        try:
            server = pn.serve(
                dict(pages), port=port, address=LOOPBACK, websocket_origin=origins, show=False, start=False, warm=True,
                verbose=False, use_index=True, location=False, title=titles,
                check_unused_sessions_milliseconds=UNUSED_MS, unused_session_lifetime_milliseconds=UNUSED_MS,
            )  # fmt: skip
        except OSError as error:
            problem = f"{error.strerror or error}; choose another with --port"
            raise SourceUnavailable(f"port {port}", problem) from None
        token = page_token(settings.home)
        guard(server, token, cookie=f"bifrost-live-{port}", start=f"/{FIRST}")
        signal.signal(signal.SIGTERM, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
        signal.signal(signal.SIGINT, lambda *_: server.io_loop.add_callback_from_signal(server.io_loop.stop))
        _forget_closed_sockets(server.io_loop)
        server.start()
        server.io_loop.add_callback(_announce, f"http://{LOOPBACK}:{port}/{FIRST}?token={token}")
        server.io_loop.start()
        server.stop()


def _forget_closed_sockets(loop: Any) -> None:
    # A viewer who leaves while quotes are on their way is no problem, and no line in a log.
    from tornado.websocket import WebSocketClosedError

    def handle(running: Any, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), WebSocketClosedError):
            running.default_exception_handler(context)

    loop.asyncio_loop.set_exception_handler(handle)
    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)


def _announce(address: str) -> None:
    sys.stdout.write(f"ready: {address}\n")
    sys.stdout.flush()
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # nobody reads on: later output must not fill the pipe


def main() -> int:
    """Serve the pages; problems are one line on standard error."""
    parser = argparse.ArgumentParser(prog="live", description="Serve Bifrost's live pages on this machine.")
    parser.add_argument("--port", type=int, help="default: the port after setting page_port")
    asked = parser.parse_args()
    try:
        settings = load_settings()
        serve_live(settings, port=asked.port or settings.page_port + 1)
    except ImportError as problem:
        return _refuse(EnvironmentProblem(str(problem), "install the extra 'notebooks'"))
    except BifrostError as problem:
        return _refuse(problem)
    return 0


def _refuse(problem: BifrostError) -> int:
    sys.stderr.write(f"{problem}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
