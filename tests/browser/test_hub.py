"""People at the hub: each role logs in, sees what is its own, opens every page with data, and nothing else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bifrost_lib.workflows.hub import read_registry

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.started_platform import Platform

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENSHOTS = Path(tempfile.gettempdir()) / "bifrost-screenshots"
READY_MS = 120_000
LAPTOP: Any = {"width": 1366, "height": 768}
PAGES = {page.name: page for page in read_registry()}
#: What a page shows once it has data.
DATA = {"chain": "td.bid", "operations": "text=Watchlist and age of data", "strategy_finder": ".slick-row"}


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    SCREENSHOTS.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


def opened(browser: Browser, *, scheme: Any = "light") -> Page:
    context = browser.new_context(viewport=LAPTOP, color_scheme=scheme)
    context.set_default_timeout(READY_MS)
    return context.new_page()


def log_in(browser: Browser, platform: Platform, name: str, *, scheme: Any = "light") -> Page:
    page = opened(browser, scheme=scheme)
    page.goto(platform.url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(platform.passwords[name])
    page.screenshot(path=SCREENSHOTS / f"hub_login_{scheme}.png")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("heading", name=f"Welcome, {name}").wait_for()
    page.wait_for_load_state()
    return page


@pytest.mark.parametrize(
    ("name", "scheme"), [("trader", "light"), ("operator", "light"), ("quant", "dark"), ("admin", "dark")]
)
def test_each_role_logs_in_and_its_pages_open_with_data(browser, platform, name, scheme):
    page = log_in(browser, platform, name, scheme=scheme)
    page.screenshot(path=SCREENSHOTS / f"hub_home_{name}.png")
    shown = {link.get_attribute("href") for link in page.locator("a.bf-card").all()}
    own = [entry for entry in PAGES.values() if name in ("quant", "admin") or name in entry.roles]
    assert {address for address in shown if address.startswith("/services/")} == {
        f"/services/{entry.name}/" for entry in own
    }
    assert any("user-redirect/lab" in address for address in shown) == (name in ("quant", "admin"))
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    for entry in own:
        if (name in ("admin", "operator") and entry.kind == "voila") or entry.name not in DATA:
            continue  # the same page as a quant's, and a kernel each
        page.goto(f"{platform.url}hub/home")
        page.locator(f'a.bf-card[href="/services/{entry.name}/"]').click()
        page.locator(DATA[entry.name]).first.wait_for()
        page.screenshot(path=SCREENSHOTS / f"hub_{entry.name}_{scheme}.png")
        page.locator(f"html[data-theme={scheme}]").wait_for(state="attached")
        if entry.kind == "voila":
            page.locator(f".bf-page.bf-{scheme}").first.wait_for(state="attached")
    assert problems == []
    page.context.close()


def test_a_theme_that_is_chosen_on_one_page_is_that_of_all(browser, platform):
    page = log_in(browser, platform, "quant", scheme="dark")
    page.goto(f"{platform.url}services/strategy_finder/")
    page.locator("#bf-opening").wait_for(state="detached")
    page.get_by_role("button", name="Light").click()
    page.locator("#rendered_cells .bf-page.bf-light").wait_for()
    page.goto(f"{platform.url}services/chain/")
    page.locator("html[data-theme=light]").wait_for(state="attached")
    other = page.context.new_page()
    other.goto(f"{platform.url}hub/home")
    other.get_by_role("button", name="Dark").click()
    page.locator("html[data-theme=dark]").wait_for(state="attached")
    page.context.close()


def test_a_trader_cannot_reach_what_is_not_a_traders(browser, platform):
    page = log_in(browser, platform, "trader")
    page.goto(f"{platform.url}services/chain/")
    page.locator("td.bid").first.wait_for()
    assert page.get_by_role("link", name="Operations").count() == 0
    page.goto(f"{platform.url}services/strategy_finder/")
    page.locator("nav.bf-pages a[aria-current]", has_text="Finder").first.wait_for()
    assert "Operations" not in page.locator("nav.bf-pages").first.inner_text()
    for path in ("services/operations/", "hub/admin", "hub/spawn"):
        answer = page.goto(platform.url + path)
        assert answer is not None and answer.status == 403
        page.get_by_text("This is not open to you").wait_for()
    assert page.request.get(f"{platform.url}services/operations/reports/1/report.html").status == 403
    page.screenshot(path=SCREENSHOTS / "hub_refused.png")
    page.get_by_role("link", name="Home", exact=True).first.click()
    page.get_by_role("link", name="Log out").click()
    page.get_by_label("Name").wait_for()
    page.goto(f"{platform.url}services/chain/")
    page.get_by_label("Password").wait_for()
    page.context.close()


def test_a_wrong_password_is_told_without_saying_what_was_wrong(browser, platform):
    page = opened(browser)
    page.goto(platform.url)
    page.get_by_label("Name").fill("quant")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    assert page.get_by_role("alert").inner_text() == "Name or password is wrong."
    page.context.close()


def test_a_quants_lab_opens_on_the_first_notebook(browser, platform):
    page = log_in(browser, platform, "quant")
    page.get_by_text("Start here").click()
    page.get_by_role("heading", name="Start here").wait_for()
    page.screenshot(path=SCREENSHOTS / "hub_lab.png")
    assert "00_start_here" in page.url
    page.context.close()
