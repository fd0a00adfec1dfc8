"""The strategy finder as a trader sees it: served by `bifrost up`'s own means, looked at with Chromium."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bifrost_lib.core.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENSHOTS = Path(tempfile.gettempdir()) / "bifrost-screenshots"
READY_MS = 120_000
SIZES = {"laptop": (1366, 768), "desk": (1920, 1080)}


@pytest.fixture(scope="module")
def simulated_home(database_settings: Settings, store_sessions: Any) -> Settings:
    """A home whose store holds the last two simulated sessions."""
    from bifrost_lib.workflows import open_desk

    with open_desk(settings=database_settings) as desk:
        store_sessions(desk, start=date(2026, 9, 29))
    return database_settings


@pytest.fixture(scope="module")
def url(simulated_home: Settings, serve: Any) -> Iterator[str]:
    """The address of the page, served without a hub."""
    with serve("pages_alone.py", "strategy_finder", settings=simulated_home) as address:
        yield address


@dataclass
class Watched:
    """A page in the browser, with everything that it complained about and asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def rows(self) -> list[str]:
        return [" ".join(text.split()) for text in self.page.locator(".slick-row").all_inner_texts()]

    def choose(self, label: str, value: str) -> None:
        """Choose in the dropdown under `label`, and wait until the table has changed."""
        before = self.rows()
        self.page.locator(".bf-field", has_text=label).locator("select").select_option(label=value)
        self.wait_for_change(before)

    def wait_for_change(self, before: list[str]) -> None:
        deadline = time.monotonic() + READY_MS / 1000
        while time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
            rows = self.rows()
            if rows and rows != before:
                return
        pytest.fail("the table did not change")

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"strategy_finder_{name}.png")


def look_at(browser: Browser, url: str, size: str) -> Watched:
    """Open the page and wait for its table and its chart."""
    width, height = SIZES[size]
    watched = Watched(browser.new_page(viewport={"width": width, "height": height}))
    page = watched.page
    page.set_default_timeout(READY_MS)
    page.on("console", lambda said: watched.problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: watched.problems.append(str(error)))
    page.on("request", lambda request: watched.requests.append(request.url))
    page.goto(url, wait_until="commit", timeout=READY_MS)
    page.locator("#bf-opening").wait_for(state="detached", timeout=READY_MS)
    page.locator(".slick-row").first.wait_for(timeout=READY_MS)
    page.locator(".bk-Figure canvas").first.wait_for(timeout=READY_MS)
    return watched


@pytest.fixture(scope="module")
def watched(browser: Browser, url: str) -> Watched:
    return look_at(browser, url, "laptop")


def test_the_page_shows_ranked_candidates_and_a_payoff_chart(watched: Watched) -> None:
    page = watched.page
    page.get_by_text("SIMULATED").wait_for()
    page.get_by_text("days old").wait_for()
    rows = watched.rows()
    assert len(rows) == 10
    assert [row.split()[0] for row in rows] == [str(rank) for rank in range(1, 11)]
    scores = [float(row.split()[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    chart = page.locator(".bk-Figure").bounding_box()
    assert chart is not None and chart["width"] > 400 and chart["height"] > 200
    watched.keep("light")


def test_the_same_data_is_there_before_any_script_and_nothing_moves_when_they_come(
    browser: Browser, url: str, watched: Watched
) -> None:
    page = browser.new_page(viewport={"width": SIZES["laptop"][0], "height": SIZES["laptop"][1]})
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(url, wait_until="commit", timeout=READY_MS)
    still = page.locator("#bf-still")
    lines = still.locator(".bf-ranked tbody tr")
    lines.nth(9).wait_for(timeout=READY_MS)
    assert [" ".join(text.split()) for text in lines.all_inner_texts()] == watched.rows()
    assert "days old" in still.inner_text() and "SIMULATED" in still.inner_text()
    assert still.get_attribute("inert") is not None
    for part in (".bf-header", ".bf-controls", ".bf-lower"):
        before, after = still.locator(part).bounding_box(), watched.page.locator(part).bounding_box()
        assert before is not None and after is not None
        moved = {side: abs(before[side] - after[side]) for side in ("x", "y", "width", "height")}
        assert max(moved.values()) <= 3, (part, moved)
    page.screenshot(path=SCREENSHOTS / "strategy_finder_first.png")
    page.close()


def test_everything_fits_on_a_laptop_without_scrolling(watched: Watched) -> None:
    assert watched.page.evaluate("document.querySelector('.bf-page').scrollHeight") <= SIZES["laptop"][1]
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= SIZES["laptop"][0]


def test_a_clicked_row_is_explained(watched: Watched) -> None:
    page = watched.page
    legs = watched.rows()[2]
    page.locator(".slick-row").nth(2).click()
    page.get_by_text("#3 ·").wait_for()
    page.get_by_text("Why this rank").wait_for()
    page.locator(".bf-legs tbody tr").nth(3).wait_for()
    assert page.locator(".bf-panel h2").first.inner_text().split("\n")[0].split("· ")[1] in legs


def test_another_strategy_changes_the_table_and_the_chart(watched: Watched) -> None:
    watched.choose("Strategy", "Long straddle")
    assert all("C" in row and "P" in row for row in watched.rows())
    watched.page.get_by_text("#1 ·").wait_for()
    watched.page.wait_for_function("document.querySelectorAll('.bf-legs tbody tr').length === 2")
    watched.keep("long_straddle")
    watched.choose("Strategy", "Iron condor")


def test_another_symbol_changes_the_table(watched: Watched) -> None:
    watched.choose("Symbol", "SIMX")
    watched.page.locator(".bf-header", has_text="SIMX").wait_for()
    watched.keep("index")
    watched.choose("Symbol", "SIM")


def test_the_slider_travels_in_time(watched: Watched) -> None:
    before = watched.rows()
    handle = watched.page.locator(".bf-field", has_text="As of").locator(".noUi-handle")
    handle.focus()
    handle.press("ArrowLeft")
    watched.wait_for_change(before)
    watched.page.get_by_text("30 Sep 2026 15:30 New York").wait_for()
    handle.press("ArrowRight")


def test_smile_and_chain_are_a_click_away_and_dark_is_too(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="Chain").click()
    page.locator(".bf-chain").wait_for()
    page.get_by_role("button", name="Smile").click()
    page.locator(".bk-Figure").wait_for()
    page.get_by_role("button", name="Dark").click()
    page.locator(".bf-page.bf-dark").wait_for()
    page.wait_for_timeout(800)
    watched.keep("dark_smile")
    page.get_by_role("button", name="Payoff").click()
    page.wait_for_timeout(800)
    watched.keep("dark")
    page.get_by_role("button", name="Light").click()
    page.locator(".bf-page.bf-light").wait_for()


def test_the_table_downloads_as_csv(watched: Watched) -> None:
    with watched.page.expect_download() as download:
        watched.page.get_by_text("CSV", exact=True).click()
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.startswith("SIM_iron_condor_2026-09-30")
    assert text.startswith("rank,score,")
    assert len(text.splitlines()) == 11


def test_the_link_opens_the_same_scan_again(browser: Browser, url: str, watched: Watched) -> None:
    link = watched.page.locator(".bf-header").get_by_role("link", name="Link", exact=True).get_attribute("href")
    assert link is not None
    again = look_at(browser, f"{url}{link}", "laptop")
    assert again.rows() == watched.rows()
    assert again.problems == []
    again.page.close()


def test_a_range_without_an_expiry_says_so_and_the_page_recovers(watched: Watched) -> None:
    page = watched.page
    latest = page.locator(".bf-field", has_text="Days to expiry").locator(".noUi-handle").nth(1)
    latest.focus()
    latest.press("Home")
    page.get_by_role("alert").wait_for()
    page.get_by_text("SIMULATED").wait_for(state="hidden")
    watched.keep("nothing")
    latest.focus()
    latest.press("End")
    page.locator(".slick-row").first.wait_for()
    page.get_by_role("alert").wait_for(state="detached")


def test_nothing_went_wrong_and_nothing_left_the_machine(watched: Watched) -> None:
    assert watched.problems == []
    hosts = {urlsplit(request).hostname for request in watched.requests if not request.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def test_a_large_screen_is_used(browser: Browser, url: str) -> None:
    opened = look_at(browser, url, "desk")
    chart = opened.page.locator(".bk-Figure").bounding_box()
    assert chart is not None and chart["width"] > 700
    opened.keep("desk")
    opened.page.close()


def test_kernels_listen_on_unix_sockets(watched: Watched) -> None:
    bound = [line.split()[-1] for line in Path("/proc/net/unix").read_text(encoding="utf-8").splitlines()]
    assert any("kernel-" in name and "-ipc-" in name for name in bound), [name for name in bound if "kernel" in name]
