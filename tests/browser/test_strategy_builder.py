"""The strategy builder as a trader sees it: legs by clicks, numbers that are `evaluate`'s, pictures that follow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from bifrost_lib.core.settings import Settings

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SCREENSHOTS = Path(tempfile.gettempdir()) / "bifrost-screenshots"
READY_MS = 120_000
WIDTH, HEIGHT = 1440, 900
EXPIRY, EXPIRY_TEXT = "2026-10-30", "30 Oct 26"
AT = "at=2026-09-30T20:00:00%2B00:00"


@pytest.fixture(scope="module")
def simulated_home(database_settings: Settings, store_sessions: Any) -> Settings:
    """A home whose store holds one simulated session."""
    from bifrost_lib.workflows import open_desk

    with open_desk(settings=database_settings) as desk:
        store_sessions(desk, symbols=("SIM",), start=date(2026, 9, 30))
    return database_settings


@pytest.fixture(scope="module")
def url(simulated_home: Settings, serve: Any) -> Iterator[str]:
    """The address of the page, served without a hub."""
    with serve("pages_alone.py", "strategy_builder", settings=simulated_home) as address:
        yield address


@dataclass(frozen=True)
class Clicked:
    """One click: what is pressed, and the leg that comes of it."""

    verb: str
    contract: str
    pick: dict[str, Any]


@pytest.fixture(scope="module")
def condor(simulated_home: Settings) -> tuple[list[Clicked], Any]:
    """The clicks of an iron condor on strikes that the page shows, and what the library says of its legs."""
    from bifrost_lib.workflows import build_structure, open_desk, read_market

    with open_desk(settings=simulated_home) as desk:
        market = read_market(desk, "SIM")
    rows = market.chain[(market.chain["expiry"] == EXPIRY) & (market.chain["quality"] == "ok")]
    strikes = sorted(set(rows["strike"]))
    middle = sum(strike < market.spot for strike in strikes)
    clicks = [
        Clicked(verb, f"{strikes[middle + step]:g} {kind}", {
            "right": kind[0].upper(), "qty": 1 if verb == "buy" else -1, "strike": strikes[middle + step],
            "expiry": EXPIRY, "trading_class": "SIM",
        })
        for verb, kind, step in (("sell", "put", -9), ("buy", "put", -11), ("sell", "call", 8), ("buy", "call", 11))
    ]  # fmt: skip
    return clicks, build_structure(market, [click.pick for click in clicks])


@dataclass
class Built:
    """A builder page in the browser, with everything that it complained about and asked for."""

    page: Page
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def pick(self, verb: str, contract: str) -> None:
        """Click the bid or the ask of a contract, and wait until the leg stands in the list."""
        self.page.locator(f"button.bf-quote[title^='{verb} one {contract}']").click()
        self.page.locator(".bf-edit tbody tr", has_text=contract).wait_for()

    def legs(self) -> int:
        return self.page.locator(".bf-edit tbody tr").count()

    def measure(self, name: str) -> str:
        return self.page.locator(".bf-measures > div", has_text=name).locator("b").first.inner_text()

    def type(self, label: str, text: str) -> None:
        """Type into the field of a leg and leave it."""
        box = self.page.get_by_label(label)
        box.fill(text)
        box.blur()

    def picture(self, *, unlike: Collection[bytes] = ()) -> bytes:
        """Return the picture once it holds still, and is none of those that it has to change from."""
        stage, last = self.page.locator(".bf-stage"), b""
        deadline = time.monotonic() + READY_MS / 1000
        while time.monotonic() < deadline:
            self.page.wait_for_timeout(250)
            now = stage.screenshot()
            if now == last and now not in unlike:
                return now
            last = now
        pytest.fail("the picture does not change, or does not come to rest")

    def keep(self, name: str) -> None:
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"strategy_builder_{name}.png")


def look_at(browser: Browser, url: str) -> Built:
    built = Built(browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}))
    page = built.page
    page.set_default_timeout(READY_MS)
    page.on("console", lambda said: built.problems.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: built.problems.append(str(error)))
    page.on("request", lambda request: built.requests.append(request.url))
    page.goto(url, wait_until="commit", timeout=READY_MS)
    page.locator(".bf-quote").first.wait_for(timeout=READY_MS)
    page.locator("#bf-opening").wait_for(state="detached", timeout=READY_MS)
    return built


@pytest.fixture(scope="module")
def built(browser: Browser, url: str) -> Built:
    """The page, opened once, at a moment that was chosen: its quotes are not too old for that moment."""
    return look_at(browser, f"{url}?symbol=SIM&{AT}")


def test_an_iron_condor_by_four_clicks_measures_what_the_library_says(
    built: Built, condor: tuple[list[Clicked], Any]
) -> None:
    clicks, structure = condor
    assert built.page.get_by_text("No legs yet").is_visible()
    for click in clicks:
        built.pick(click.verb, click.contract)
    measures = structure.measures
    built.page.locator(".bf-measures", has_text=f"${measures['max_loss']:,.0f}").wait_for()
    assert built.legs() == 4
    assert built.measure("Credit") == f"${measures['premium']:,.0f}"
    assert built.measure("Max profit") == f"${measures['max_profit']:,.0f}"
    assert built.measure("Breakevens") == " / ".join(f"{price:,.2f}" for price in measures["breakevens"])
    assert built.measure("POP") == f"{measures['pop'] * 100:.1f} %"
    assert built.measure("Margin") == f"${measures['margin']:,.0f}"
    assert built.measure("Vega") == f"{measures['vega'] / 100:,.2f}".replace("-", "\N{MINUS SIGN}")
    built.page.locator(".bf-stage canvas").first.wait_for()
    built.picture()
    built.keep("light")


def test_everything_fits_without_scrolling(built: Built) -> None:
    assert built.page.evaluate("document.querySelector('.bf-page').scrollHeight") <= HEIGHT
    assert built.page.evaluate("document.documentElement.scrollWidth") <= WIDTH


def test_sliders_move_the_picture(built: Built) -> None:
    told = built.page.locator(".bf-told")
    for label, key in (("Date", "PageUp"), ("Volatility", "ArrowRight")):
        before, words = built.picture(), told.inner_text()
        handle = built.page.locator(".bf-scenario .bf-field", has_text=label).locator(".noUi-handle")
        handle.focus()
        for _ in range(3):
            handle.press(key)
        built.page.wait_for_function("words => document.querySelector('.bf-told').innerText !== words", arg=words)
        built.picture(unlike=[before])


def test_maps_and_greeks_are_a_click_away_and_dark_is_too(built: Built, condor: tuple[list[Clicked], Any]) -> None:
    page, seen = built.page, [built.picture()]
    for name in ("Spot \N{MULTIPLICATION SIGN} date", "Spot \N{MULTIPLICATION SIGN} volatility"):
        page.get_by_role("button", name=name).click()
        seen.append(built.picture(unlike=seen))
    built.keep("map")
    page.locator(".bf-scenario select").select_option(label="Delta")
    built.picture(unlike=seen)
    page.get_by_role("button", name="Greeks and odds").click()
    total = page.locator(".bf-total")
    total.wait_for()
    theta = f"{condor[1].measures['theta'] / 365:,.2f}".replace("-", "\N{MINUS SIGN}")
    assert theta in total.inner_text()
    page.locator(".bf-scenario select").select_option(label="Profit")
    page.get_by_role("button", name="Payoff").click()
    page.get_by_role("button", name="Dark").click()
    page.locator(".bf-page.bf-dark").wait_for()
    built.picture()
    built.keep("dark")
    page.get_by_role("button", name="Light").click()


def test_a_bad_quantity_is_one_clear_message_and_nothing_is_lost(
    built: Built, condor: tuple[list[Clicked], Any]
) -> None:
    label = f"quantity of {condor[0][0].contract} {EXPIRY_TEXT}"
    built.type(label, "x")
    alert = built.page.get_by_role("alert")
    alert.wait_for()
    assert alert.count() == 1
    assert "quantity: got 'x', expected a whole number of contracts" in alert.inner_text()
    assert built.legs() == 4
    built.type(label, "-2")
    built.page.locator(".bf-measures", has_text="$").wait_for()
    alert.wait_for(state="detached")
    built.page.get_by_role("button", name="Undo").click()
    built.page.locator(f"input[aria-label='{label}'][value='-1']").wait_for()
    built.picture()


def test_the_document_downloads_and_reads_as_the_same_legs(built: Built, condor: tuple[list[Clicked], Any]) -> None:
    from bifrost_lib.strategies import read_document

    for label in ("Document YAML", "JSON"):
        with built.page.expect_download() as download:
            built.page.get_by_text(label, exact=True).click()
        document = read_document(Path(download.value.path()).read_text(encoding="utf-8"))
        found = [(leg.qty, leg.right, leg.rule.model_dump()["target"]) for leg in document.legs if leg.rule]
        assert found == [(click.pick["qty"], click.pick["right"], click.pick["strike"]) for click in condor[0]]
    with built.page.expect_download() as download:
        built.page.get_by_text("Legs CSV").click()
    assert len(Path(download.value.path()).read_text(encoding="utf-8").splitlines()) == 5


def test_a_link_shows_the_same_again(browser: Browser, built: Built, url: str) -> None:
    query = urlsplit(str(built.page.get_by_text("Link", exact=True).get_attribute("href"))).query
    assert len(parse_qs(query)["legs"][0].split(",")) == 4
    again = look_at(browser, f"{url}?{query}")
    again.page.locator(".bf-measures").wait_for()
    again.page.locator(".bf-edit tbody tr").nth(3).wait_for()
    told = built.page.locator(".bf-told").inner_text()
    again.page.wait_for_function("words => document.querySelector('.bf-told').innerText === words", arg=told)
    assert again.legs() == 4
    assert [again.measure(name) for name in ("Credit", "POP")] == [built.measure(name) for name in ("Credit", "POP")]
    again.page.close()


def test_a_strike_that_is_gone_is_one_clear_message_and_old_quotes_stay_on_the_page(
    browser: Browser, url: str, condor: tuple[list[Clicked], Any]
) -> None:
    kept = condor[0][0].pick["strike"]
    legs = f"-1P{kept:g}@{EXPIRY}~SIM,1P{kept - 0.5:g}@{EXPIRY}~SIM"
    gone = look_at(browser, f"{url}?symbol=SIM&legs={legs}")
    alert = gone.page.get_by_role("alert")
    alert.wait_for()
    assert alert.count() == 1
    assert f"{kept - 0.5:g} put {EXPIRY} SIM: got 'not listed'" in alert.inner_text()
    gone.keep("gone")
    gone.page.get_by_label(f"remove {kept - 0.5:g} put {EXPIRY_TEXT}").click()
    gone.page.locator(".bf-measures").wait_for()
    assert gone.measure("Max loss") != "\N{INFINITY}"  # a sold put loses at most its strike
    off = gone.page.get_by_text("Document YAML", exact=True)
    off.wait_for()
    assert off.get_attribute("aria-disabled") == "true"
    assert "too old" in str(off.get_attribute("title"))
    gone.page.close()


#: A tab that nobody sees is never painted, and its timers are late: here they run when all else has been loaded.
UNSEEN = """
const later = window.setTimeout;
window.requestAnimationFrame = () => 0;
window.setTimeout = (todo, ms, ...rest) =>
  ms === 500 ? addEventListener("load", () => later(todo, 100)) : later(todo, ms, ...rest);
"""


def test_a_page_that_is_opened_unseen_comes_alive(browser: Browser, url: str) -> None:
    unseen = browser.new_page()
    unseen.add_init_script(UNSEEN)
    unseen.goto(url, wait_until="commit", timeout=READY_MS)
    unseen.locator("#bf-opening").wait_for(state="detached", timeout=READY_MS)
    loaded_ms, *asked_ms = unseen.evaluate("""[
        performance.getEntriesByType('navigation')[0].loadEventEnd,
        ...performance.getEntriesByType('resource')
            .filter((one) => /voila[.]js/.test(one.name)).map((one) => one.startTime)
    ]""")
    assert asked_ms
    assert min(asked_ms) > loaded_ms > 0  # Voilà begins with that event, and had not even been asked for
    unseen.close()


def test_nothing_went_wrong_and_nothing_left_the_machine(built: Built) -> None:
    assert built.problems == []
    hosts = {urlsplit(request).hostname for request in built.requests if not request.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
