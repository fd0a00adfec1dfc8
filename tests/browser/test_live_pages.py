"""The live pages as people look at them: quotes move while they watch, time goes back."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.calendar import exchange_date, previous_session
from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.vocabulary import SNAPSHOT_COLUMNS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

    from bifrost_lib.core.settings import Settings
    from bifrost_lib.workflows import Desk

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(tempfile.gettempdir()) / "bifrost-screenshots"
READY_MS = 60_000
LAPTOP: Any = {"width": 1366, "height": 768}


@pytest.fixture(scope="module")
def desk(database_settings: Settings, store_sessions: Any) -> Iterator[Desk]:
    """A desk whose store holds two simulated sessions of two symbols; its database is the page server's too."""
    from bifrost_lib.workflows import open_desk

    last = previous_session(exchange_date(SystemClock().now()))
    with open_desk(settings=database_settings) as opened:
        store_sessions(opened, symbols=("SIM", "SIMX"), start=previous_session(last), end=last)
        yield opened


@pytest.fixture(scope="module")
def url(desk: Desk, serve: Any) -> Iterator[str]:
    """The address of the live pages, served without a hub."""
    with serve("pages_alone.py", "live", settings=desk.settings) as address:
        yield address


@dataclass
class Watched:
    """A page in the browser, with everything that it complained about and asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def cells(self) -> list[str]:
        """The text of all cells of the ladder."""
        self.page.locator("td.bid").first.wait_for()
        return self.page.locator("td.mid, td.bid, td.ask").all_inner_texts()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        deadline = time.monotonic() + READY_MS / 1000
        while not is_so():
            assert time.monotonic() < deadline, "it did not happen in time"
            self.page.wait_for_timeout(50)

    def spot(self) -> str:
        return self.page.locator("header .spot").inner_text()

    def badge(self) -> str:
        return self.page.locator("header").get_attribute("data-freshness") or ""

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"live_{name}.png")


def opened(browser: Browser, *, scheme: Any = "light") -> Page:
    """An empty tab of its own window; whatever is waited for in it has as long as a busy machine needs."""
    context = browser.new_context(viewport=LAPTOP, color_scheme=scheme)
    context.set_default_timeout(READY_MS)
    return context.new_page()


def look_at(browser: Browser, url: str, *, scheme: Any = "light") -> Watched:
    """Open the chain and wait for the ladder."""
    watched = Watched(opened(browser, scheme=scheme))
    page = watched.page
    page.on("console", lambda said: watched.problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.problems.append(str(error)))
    page.on("request", lambda request: watched.requests.append(request.url))
    page.goto(url)
    watched.cells()
    page.locator("#bf-sketch").wait_for(state="detached")
    page.locator(".bk-Figure canvas").first.wait_for()
    return watched


@pytest.fixture(scope="module")
def watched(browser: Browser, url: str) -> Watched:
    return look_at(browser, url)


def requoted(desk: Desk, move: float, *, age: timedelta = timedelta(0), expiry: int = 0) -> pd.DataFrame:
    """Quotes of now for the contracts of one expiry that lie nearest the money, moved by `move`."""
    from bifrost_lib.workflows import read_chain

    chain = read_chain(desk, "SIM")
    day = chain["expiry"].drop_duplicates().iloc[expiry]
    near = chain[(chain["expiry"] == day) & (chain["quality"] == "ok")]
    order = np.argsort((near["strike"] - near["spot"]).abs().to_numpy(), kind="stable")[:6]
    found = near.iloc[np.sort(order)][list(SNAPSHOT_COLUMNS)]
    stamp = pd.Timestamp(desk.clock.now() - age).as_unit("us")
    moved = {name: found[name] + move for name in ("bid", "ask", "spot")}
    quotes: pd.DataFrame = found.assign(**moved, ts=pd.Series(stamp, index=found.index, dtype="datetime64[us, UTC]"))
    return quotes


def publish(desk: Desk, quotes: pd.DataFrame) -> None:
    from bifrost_lib.store import publish_quotes

    assert publish_quotes(desk.store, quotes, source="simulated") == len(quotes)


def test_the_chain_is_shown_with_its_age_and_as_simulated(watched: Watched) -> None:
    page = watched.page
    page.get_by_text("SIMULATED").wait_for()
    watched.wait_until(lambda: watched.badge() == "stale")  # yesterday's close, or Friday's
    page.locator("tr.at-spot").wait_for()
    page.locator("tr.choosable").nth(4).wait_for()
    align = "el => getComputedStyle(el).textAlign"
    assert page.locator("td.bid").first.evaluate(align) == "right"
    watched.keep("chain_light")


def test_what_is_chosen_before_the_session_is_there_is_shown_by_it(browser: Browser, url: str) -> None:
    watched = Watched(opened(browser))
    page, chosen = watched.page, threading.Event()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if chosen.is_set():
            route.continue_()
        else:
            held.append(route)

    page.route("**/panel.min.js*", hold)  # no session without it
    page.goto(url, wait_until="commit")
    row = page.locator("#bf-sketch tr.choosable").nth(2)
    row.click()
    wanted = row.inner_text()
    chosen.set()
    for route in held:
        route.continue_()
    page.locator("#bf-sketch").wait_for(state="detached")
    expiry = page.get_by_label("Expiry")
    watched.wait_until(lambda: bool(expiry.evaluate("el => el.selectedIndex") == 2))  # the server has heard of it
    assert page.locator("tr.choosable.chosen").inner_text().split("\t")[0] == wanted.split("\t")[0]
    page.context.close()


def test_charts_are_seen_before_their_library_has_come(browser: Browser, url: str) -> None:
    page = opened(browser)
    page.route("**/bokeh.min.js*", lambda route: None)
    page.goto(url, wait_until="commit")
    page.locator("#bf-sketch canvas").wait_for(timeout=READY_MS)
    assert not page.evaluate("'Bokeh' in window")
    page.screenshot(path=SCREENSHOTS / "chain_sketched.png")
    page.context.close()


def test_a_quote_moves_while_the_page_is_open(watched: Watched, desk: Desk) -> None:
    before = watched.cells()
    quotes = requoted(desk, 0.37)
    bid = f"{quotes['bid'].iloc[0]:,.2f}"
    publish(desk, quotes)
    watched.wait_until(lambda: watched.cells() != before and bid in watched.cells())
    watched.wait_until(lambda: watched.badge() == "fresh" and watched.spot() == f"{quotes['spot'].iloc[0]:,.2f}")


def test_a_tick_is_a_pixel_soon_after(watched: Watched, desk: Desk) -> None:
    # The whole ladder, which is drawn anew when another strike comes nearest to the money.
    watching = """el => new MutationObserver(() => window.seen_ms = Date.now())
        .observe(el.closest(".box"), {childList: true, characterData: true, subtree: true})"""
    watched.page.locator("tr.at-spot").evaluate(watching)
    took = []
    for turn in range(7):
        quotes = requoted(desk, 0.4 + turn / 100)
        watched.page.evaluate("window.seen_ms = null")
        begun = time.time()
        publish(desk, quotes)
        watched.page.wait_for_function("window.seen_ms")
        took.append(watched.page.evaluate("window.seen_ms") / 1000 - begun)
    print(f"from published to seen: {', '.join(f'{one * 1000:.0f}' for one in took)} ms")
    assert np.median(took) < 5.0  # 0.1 where nothing else runs; more than that is a poll, not a push


def test_the_badge_turns_as_quotes_grow_old(browser: Browser, url: str, desk: Desk) -> None:
    watched = Watched(opened(browser))
    watched.page.clock.install()
    watched.page.goto(url)
    watched.page.locator("#bf-sketch").wait_for(state="detached")
    watched.page.locator("tr.choosable").nth(3).click()
    watched.wait_until(lambda: watched.badge() == "stale")
    publish(desk, requoted(desk, 0.5, expiry=3))
    for kind, later_s in (("fresh", 60), ("ageing", 600), ("stale", 0)):
        watched.wait_until(lambda kind=kind: watched.badge() == kind)  # type: ignore[misc]
        watched.page.clock.fast_forward(1000 * later_s)
    watched.page.context.close()


def test_time_travels_by_keyboard_and_back_to_live(browser: Browser, url: str) -> None:
    watched = look_at(browser, url)
    page = watched.page
    now, spot = watched.cells(), watched.spot()
    slider = page.get_by_role("slider", name="Stored moment")
    slider.focus()
    for _ in range(4):
        slider.press("ArrowLeft")
    page.get_by_text("REPLAY").wait_for()
    watched.wait_until(lambda: watched.cells() != now)
    page.locator("button.live[aria-pressed=false]").wait_for()
    watched.wait_until(lambda: watched.badge() == "fresh")  # as old as it was then
    badge = page.locator("header .badge")
    there, then = page.locator("output").inner_text(), badge.inner_text()
    slider.press("PageDown")
    watched.wait_until(lambda: page.locator("output").inner_text() != there and badge.inner_text() != then)
    watched.keep("chain_past")
    page.get_by_label("follow the newest quotes").click()
    watched.wait_until(lambda: watched.spot() == spot)
    page.get_by_text("REPLAY").wait_for(state="hidden")
    page.context.close()


def test_expiries_symbols_and_references_are_chosen(browser: Browser, url: str) -> None:
    watched = look_at(browser, url)
    page = watched.page
    before = watched.cells()
    page.locator("tr.choosable").nth(2).press("Enter")
    watched.wait_until(lambda: watched.cells() != before)
    page.locator("tr.choosable:nth-child(3).chosen").wait_for()
    page.get_by_label("Symbol").select_option(label="SIMX")
    watched.wait_until(lambda: page.locator("header .what").inner_text() == "SIMX")
    watched.wait_until(lambda: float(watched.spot().replace(",", "")) > 1000)
    page.get_by_label("Change since").select_option(label="1 week ago")
    watched.wait_until(lambda: "against" in page.locator("header .note").inner_text())
    page.get_by_label("Columns").select_option(label="Greeks")
    page.locator("th", has_text="Vega").first.wait_for()
    assert any(text.startswith("0.0") for text in page.locator("td.gamma").all_inner_texts())
    watched.keep("chain_greeks")
    assert watched.problems == []
    page.context.close()


def test_the_chain_downloads_as_csv(watched: Watched) -> None:
    with watched.page.expect_download() as download:
        watched.page.get_by_text("CSV").click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.startswith("SIM_chain_")
    assert text.startswith("ts (New York),symbol,") and len(text.splitlines()) > 500


def test_a_page_whose_server_has_gone_says_so_and_comes_back_with_it(browser: Browser, url: str) -> None:
    watched = Watched(opened(browser))
    page, sockets = watched.page, list[Any]()

    def through(socket: Any) -> None:
        socket.connect_to_server()
        sockets.append(socket)

    page.route_web_socket("**/ws*", through)
    page.goto(f"{url}?symbol=SIMX")
    page.locator("#bf-sketch").wait_for(state="detached")
    page.route("**/chain*", lambda route: route.abort())
    sockets[0].close()
    told = page.get_by_role("alert").get_by_text("The connection is lost")
    told.wait_for()
    page.unroute("**/chain*")
    watched.wait_until(lambda: len(sockets) > 1)  # of the page that was loaded again
    told.wait_for(state="detached")
    page.locator("#bf-sketch").wait_for(state="detached")
    watched.wait_until(lambda: page.locator("header .what").inner_text() == "SIMX")
    page.context.close()


def test_everything_fits_on_a_laptop(watched: Watched) -> None:
    size = watched.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size[0] <= LAPTOP["width"] and size[1] <= LAPTOP["height"]


def test_dark_follows_the_browser_and_light_is_a_click_away(browser: Browser, url: str) -> None:
    watched = look_at(browser, url, scheme="dark")
    page = watched.page
    page.locator("html[data-theme=dark]").wait_for(state="attached")
    watched.keep("chain_dark")
    page.get_by_role("button", name="Light").click()
    page.locator("html[data-theme=light]").wait_for(state="attached")
    watched.cells()
    page.context.close()


def test_operations_show_the_ledger(browser: Browser, url: str, desk: Desk) -> None:
    from bifrost_lib.store import RunOutcome, Watch, begin_run, finish_run, save_watch

    watched = look_at(browser, url)
    page = watched.page
    save_watch(desk.store, Watch("SIM"))
    page.get_by_role("link", name="Operations").click()
    page.locator("#bf-page").get_by_text("Watchlist and age of data").wait_for()
    now = desk.clock.now()
    run = begin_run(desk.store, collector="option_chain", source="simulated", symbol="SIM", started=now)
    outcome = RunOutcome(expected=40, received=37, missing={"timed_out": 3}, lines_peak=12, seconds=2.0)
    finish_run(desk.store, run, outcome, finished=now)
    shown = page.locator("#bf-page")
    shown.get_by_text("3 timed_out").wait_for()  # it refreshes itself
    shown.get_by_text("92.5% of what was expected came").wait_for()
    shown.get_by_text("Kernels and cluster").wait_for()
    shown.get_by_text("No report was made yet").wait_for()
    watched.keep("operations_light")
    assert watched.problems == []
    page.context.close()


def test_nothing_went_wrong_and_nothing_left_the_machine(watched: Watched) -> None:
    assert watched.problems == []
    local = ("data:", "blob:")
    hosts = {urlsplit(request).hostname for request in watched.requests if not request.startswith(local)}
    assert hosts == {"127.0.0.1"}
