"""Serve the live pages, each behind the hub's login at its own address: one process for all pages and viewers.

``python -m apps.live`` listens where `bifrost up` chose, prints ``ready`` once the pages answer, and serves until
SIGTERM or SIGINT. A new page is a line in `live_pages` and an entry of the registry.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from apps.links import page_links
from apps.process import announce, run
from apps.report_files import ADDRESS as REPORT_FILE
from apps.report_files import ReportFile
from apps.turns import Turns
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.hub import LOOPBACK, Page, Places, read_registry, shared_secret

if TYPE_CHECKING:
    from apps.panel.visit import Visit

Routes = list[tuple[str, type[Any], dict[str, Any]]]

#: A viewer who is gone this long is forgotten, with everything that was kept for him.
UNUSED_MS = 15_000
#: What is drawn for those who may come waits for those who are there.
NICE = 10


def panel_pages() -> list[Page]:
    """Return the pages that this process serves, in the registry's order."""
    return [page for page in read_registry() if page.kind == "panel"]


@dataclass(frozen=True)
class LivePages:
    """The pages by name, each a function that returns a viewer's layout; what draws ahead for those who come; and what
    else is answered below a page."""

    made: dict[str, Callable[[Visit], Any]]
    draw_ahead: Callable[[], None]
    own: dict[str, Routes]


@contextmanager
def live_pages(settings: Settings) -> Iterator[LivePages]:
    """Yield the pages; all of them share a desk and a feed."""
    from apps.panel.backtest_boards import BacktestBoards
    from apps.panel.backtest_desk import BacktestDesk
    from apps.panel.backtest_runs import BacktestRuns
    from apps.panel.backtests import backtests_page
    from apps.panel.boards import Boards
    from apps.panel.calibration import calibration_page
    from apps.panel.chain import chain_page
    from apps.panel.history import history_page
    from apps.panel.history_boards import HistoryBoards
    from apps.panel.operations import DeskWatch, operations_page
    from bifrost_lib.workflows import live, open_desk, report_file

    with open_desk(settings=settings) as desk, live.LiveFeed(desk) as feed:
        boards, watch = Boards(desk, feed), DeskWatch(desk, watchers=feed.watchers)
        past, runs = HistoryBoards(desk), BacktestRuns(desk.settings)
        tested = BacktestBoards(BacktestDesk(desk, runs))
        ended = threading.Event()
        ahead = threading.Thread(target=_after_others, args=[past.keep_ahead, ended], name="ahead", daemon=True)
        made = {
            "chain": lambda visit: chain_page(boards, visit),
            "history": lambda visit: history_page(past, visit),
            "backtests": lambda visit: backtests_page(tested, runs, visit),
            "calibration": lambda visit: calibration_page(desk, visit),
            "operations": lambda visit: operations_page(watch, visit),
        }
        files = (REPORT_FILE, ReportFile, {"find": partial(report_file, desk)})
        yield LivePages(made, ahead.start, {"operations": [files]})
        ended.set()
        if ahead.ident is not None:
            ahead.join()  # it reads from the desk, which closes now


def _after_others(work: Callable[[threading.Event], None], ended: threading.Event) -> None:
    """Work in this thread with what the rest of the platform leaves of the machine."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
    work(ended)


def serve_live(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises
    ------
    SourceUnavailable
        If a port is taken, or the database does not answer.
    """
    from tornado.ioloop import IOLoop

    places = Places.read(settings.home)
    loop = IOLoop.current()
    with live_pages(settings) as pages:
        turns = Turns()
        servers = [_page_server(page, pages, turns, settings, places) for page in panel_pages()]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: loop.add_callback_from_signal(loop.stop))
        forget_closed_sockets(loop)
        for server in servers:
            server.start()
        loop.add_callback(announce)
        loop.add_callback(pages.draw_ahead)  # last: the platform waits for this process
        loop.start()
        for server in servers:
            server.stop()


def _page_server(page: Page, pages: LivePages, turns: Turns, settings: Settings, places: Places) -> Any:
    import panel
    from panel.io.resources import COMPONENT_PATH
    from panel.io.server import ComponentResourceHandler
    from tornado.web import RedirectHandler

    from apps.access import ROLE_HEADER, USER_HEADER, HubLogin, hub_oauth, known_only
    from apps.first_paint import paint_first, session_maker

    pn: Any = panel
    login = HubLogin(hub_oauth(page.name, home=settings.home, places=places))

    def links_for(headers: Mapping[str, str]) -> list[tuple[str, str]]:
        return page_links(headers.get(ROLE_HEADER))

    make = pages.made[page.name]
    viewers_page = session_maker(make, links_for)
    secret = shared_secret(settings.home, f"sessions {page.name}")
    options: dict[str, Any] = {
        "port": places.pages[page.name], "address": LOOPBACK, "prefix": f"/services/{page.name}",
        "websocket_origin": allowed_origins(settings, places), "auth_provider": login,
        "extra_patterns": [login.callback], "cookie_secret": secret, "secret_key": secret.encode(),
        "sign_sessions": True, "title": f"{page.title} · Bifrost",
        "include_headers": [USER_HEADER, ROLE_HEADER], "include_cookies": ["bf-theme"],  # no cookie of the login's
        "show": False, "start": False, "verbose": False, "use_index": False, "location": False,
        "check_unused_sessions_milliseconds": UNUSED_MS, "unused_session_lifetime_milliseconds": UNUSED_MS,
    }  # fmt: skip
    try:
        try:
            server = pn.serve({"/": viewers_page}, warm=True, **options)
        except RuntimeError as trouble:  # Panel's tidying after the trial run stumbles when a callback registers late
            logging.getLogger(__name__).warning("%s is not warmed up: %s", page.name, trouble)
            server = pn.serve({"/": viewers_page}, warm=False, **options)
    except OSError as error:
        raise SourceUnavailable(f"port {places.pages[page.name]}", error.strerror or str(error)) from None
    # Panel gives a component's files to whoever asks, and imports the module that the address names.
    behind_login: Routes = [(rf"{COMPONENT_PATH}(.*)", ComponentResourceHandler, {}), *pages.own.get(page.name, [])]
    bare = f"/services/{page.name}"  # from there Panel's relative address of the login would lead astray
    server._tornado.add_handlers(
        r".*",
        [
            *((f"{bare}/{path}", known_only(handler, login.hub), given) for path, handler, given in behind_login),
            (bare, RedirectHandler, {"url": f"{bare}/"}),
        ],
    )
    # After `bare`, which it would answer as well.
    paint_first(server, "/", make, links_for, title=f"{page.title} · Bifrost", turns=turns)
    return server


def allowed_origins(settings: Settings, places: Places) -> list[str]:
    """Return the hosts whose pages may open a websocket."""
    named = [settings.hub_host, f"{settings.hub_host}:443"] if settings.hub_host else []
    return [*places.origins, *named]


def forget_closed_sockets(loop: Any) -> None:
    """Keep silent about viewers who leave while quotes are on their way: that is no problem, and no line in a log."""
    from tornado.websocket import WebSocketClosedError

    def handle(running: Any, context: dict[str, Any]) -> None:
        if not isinstance(context.get("exception"), WebSocketClosedError):
            running.default_exception_handler(context)

    loop.asyncio_loop.set_exception_handler(handle)
    logging.getLogger("bokeh.server.views.ws").setLevel(logging.ERROR)


if __name__ == "__main__":
    sys.exit(run(serve_live))
