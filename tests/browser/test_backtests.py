"""The backtests page as people use it: by keyboard, on a laptop, light and dark; its tear sheet without a network."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CHECKOUT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(tempfile.gettempdir()) / "bifrost-screenshots"
READY_MS = 60_000
LAPTOP: Any = {"width": 1280, "height": 720}
#: What each view shows once it is drawn.
SHOWN = {
    "Account": "Return by month, %", "Trades": "Trades \N{MIDDLE DOT}", "Grid": "Skill or luck",
    "Studies": "Studies \N{MIDDLE DOT}", "What worked": "income: what worked",
}  # fmt: skip


@pytest.fixture(scope="module")
def url(serve: Any) -> Iterator[str]:
    with serve("backtests_alone.py") as address:
        yield address


def opened(browser: Browser, url: str, *, scheme: Any = "light") -> tuple[Page, list[str]]:
    """Open the page; return it with the list of its complaints and of hosts that it asked."""
    context = browser.new_context(viewport=LAPTOP, color_scheme=scheme, accept_downloads=True)
    context.set_default_timeout(READY_MS)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda one: said.append(one.url) if _is_elsewhere(one.url) else None)
    page.goto(url, timeout=READY_MS)
    page.locator(".bk-Figure canvas").first.wait_for(timeout=READY_MS)
    page.locator("#bf-sketch").wait_for(state="detached", timeout=READY_MS)
    return page, said


def _is_elsewhere(url: str) -> bool:
    return not url.startswith(("data:", "blob:", "file:")) and urlsplit(url).hostname != "127.0.0.1"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_fits_on_a_laptop_in_its_colours(browser: Browser, url: str, scheme: str) -> None:
    page, said = opened(browser, url, scheme=scheme)
    page.locator(f"html[data-theme={scheme}]").wait_for(state="attached", timeout=READY_MS)
    for tab, words in SHOWN.items():
        page.get_by_role("tab", name=tab).click()
        page.get_by_text(words).first.wait_for(timeout=READY_MS)
        page.locator("header .note", has_not_text="loading").wait_for(timeout=READY_MS)
        main = page.locator("main.bf-live > div > *").first.bounding_box()  # what is wider is cut off, without a bar
        assert main is not None and main["x"] + main["width"] <= LAPTOP["width"]
        SCREENSHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"backtests_{tab.lower().replace(' ', '_')}_{scheme}.png")
    assert said == []
    page.context.close()


def test_a_library_is_asked_by_keyboard(browser: Browser, url: str, tmp_path: Path) -> None:
    page, said = opened(browser, url)
    page.get_by_role("tab", name="Account").focus()
    page.keyboard.press("ArrowLeft")  # round to the last tab
    caption = page.locator("h2", has_text="income: what worked out of sample")
    caption.wait_for(timeout=READY_MS)
    page.get_by_label("Sample").select_option("in sample")
    page.locator("h2", has_text="IN SAMPLE").wait_for(timeout=READY_MS)
    page.get_by_label("IV rank at entry").select_option("low third")
    page.get_by_text("no backtested trade").wait_for(timeout=READY_MS)
    page.get_by_label("IV rank at entry").select_option("any")
    page.locator("h2", has_text="IN SAMPLE").wait_for(timeout=READY_MS)
    numbers = page.locator("td.number")
    assert numbers.first.evaluate("cell => getComputedStyle(cell).textAlign") == "right"
    with page.expect_download(timeout=READY_MS) as download:
        page.get_by_text("CSV").click()
    assert download.value.suggested_filename == "what_worked_income.csv"
    download.value.save_as(tmp_path / "answer.csv")
    assert len((tmp_path / "answer.csv").read_text().splitlines()) == 24
    assert said == []
    page.context.close()


def test_a_run_by_keyboard_its_failure_and_its_end(browser: Browser, url: str) -> None:
    page, said = opened(browser, url)
    page.get_by_label("Strategy").select_option("covered_call")
    page.get_by_label("Capital, $").press("Enter")
    page.get_by_role("alert").get_by_text("nothing is stored of SIM").wait_for(timeout=READY_MS)
    page.get_by_label("Strategy").select_option("long_straddle")
    page.get_by_role("button", name="Run").click()
    page.get_by_role("progressbar").wait_for(timeout=READY_MS)
    page.get_by_role("button", name="Cancel").wait_for(timeout=READY_MS)
    page.get_by_label("Strategy").press("Escape")
    page.get_by_text("Cancelled; nothing was saved.").wait_for(timeout=READY_MS)
    page.get_by_label("Strategy").select_option("iron_condor")
    page.get_by_role("button", name="Run").press("Enter")
    page.get_by_text("is saved as run 2").wait_for(timeout=READY_MS)
    page.locator("tr.chosen", has_text="bull put spread").wait_for(timeout=READY_MS)
    assert said == []
    page.context.close()


def test_the_tear_sheet_is_a_file_that_needs_no_network(browser: Browser, url: str, tmp_path: Path) -> None:
    page, _ = opened(browser, url)
    with page.expect_download(timeout=READY_MS) as download:
        page.get_by_text("Tear sheet").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    page.context.set_offline(True)
    sheet, said = opened(browser, path.as_uri())
    sheet.locator("html[data-drawn=light]").wait_for(state="attached", timeout=READY_MS)
    assert sheet.locator(".bk-Figure").count() == 7
    sheet.get_by_role("button", name="Light / dark").click()
    sheet.locator("html[data-drawn=dark]").wait_for(state="attached", timeout=READY_MS)
    assert sheet.locator(".bk-Figure").count() == 7
    sheet.screenshot(path=SCREENSHOTS / "tear_sheet_dark.png", full_page=True)
    assert said == []
    sheet.context.close()
    page.context.close()
