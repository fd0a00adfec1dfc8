"""The pages without a server: what a viewer sees, in which state, and that a hub could serve them as well."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import param
import pytest

from apps.live import live_pages, panel_pages
from apps.panel.chain import ChainPage
from apps.panel.operations import DeskWatch, OperationsPage
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.views import live as views
from bifrost_lib.views import theme_of
from bifrost_lib.workflows import list_symbols, live

if TYPE_CHECKING:
    from apps.panel.boards import Boards
    from bifrost_lib.core.settings import Settings
    from bifrost_lib.workflows import Desk


@pytest.fixture
def page(boards: Boards) -> ChainPage:
    return ChainPage(boards, links=[("Chain", "chain"), ("Operations", "operations")])


def shown(component: Any) -> Any:
    """What a ladder or a grid draws."""
    return json.loads(component.table)


def travel(page: ChainPage, moment: datetime | None) -> None:
    """Do what the time bar does, without the server's loop."""
    with param.parameterized.discard_events(page.time):
        page.time.at_ms = None if moment is None else int(moment.timestamp() * 1000)
    page.fill()


def test_the_chain_is_there_from_the_start(page: ChainPage, desk: Desk) -> None:
    picture = live.chain_picture(desk, "SIM")
    assert shown(page.ladder)["key"] == f"SIM {picture.expiries[0]}"
    assert len(shown(page.ladder)["rows"]) == picture.of_expiry(picture.expiries[0])["strike"].nunique()
    assert page.head.state["simulated"] and page.head.state["what"] == "SIM"
    assert page.head.state["as_of_ms"] == picture.as_of.timestamp() * 1000
    assert [link["current"] for link in page.head.pages] == [True, False]
    assert len(shown(page.expiries)["rows"]) == len(picture.expiries)
    assert page.content is not None


def test_another_expiry_is_another_ladder(page: ChainPage) -> None:
    second = shown(page.expiries)["rows"][1]["key"]
    page.expiries.chosen = second  # as a click on its row does
    assert page.expiry.value == second
    assert shown(page.ladder)["key"] == f"SIM {second}"


def test_the_page_travels_in_time_and_back(page: ChainPage, desk: Desk) -> None:
    moments = live.stored_moments(desk, "SIM")
    now = page.head.state["spot"]
    travel(page, moments[2])
    assert page.head.state["at_ms"] == page.head.state["as_of_ms"] == moments[2].timestamp() * 1000
    assert page.head.state["spot"] != now
    travel(page, None)
    assert (page.head.state["at_ms"], page.head.state["spot"]) == (None, now)


def test_a_time_before_all_data_is_an_error_with_words_and_the_page_recovers(page: ChainPage) -> None:
    travel(page, datetime(2020, 1, 2, 15, tzinfo=UTC))
    notice = shown(page.ladder)["notice"]
    assert notice["kind"] == "error" and "SIM" in notice["text"]
    assert not page.head.state.get("as_of_ms")
    travel(page, None)
    assert "notice" not in shown(page.ladder) and shown(page.ladder)["rows"]


def test_the_chain_downloads_as_csv(page: ChainPage, desk: Desk) -> None:
    lines = page.download.callback().getvalue().splitlines()
    assert lines[0].startswith("ts (New York),symbol,trading_class,expiry (date),strike (currency per share),right")
    assert len(lines) == 1 + len(live.chain_picture(desk, "SIM").chain)


def test_two_viewers_share_what_was_computed(page: ChainPage, boards: Boards) -> None:
    picture = live.chain_picture(boards.desk, "SIM", at=boards.desk.clock.now())
    first = boards.ladder(picture, picture.expiries[0], None)
    assert boards.ladder(picture, picture.expiries[0], None) is first
    assert boards.ladder(picture, picture.expiries[1], None) is not first


def test_a_store_without_chains_says_what_to_do(
    page: ChainPage, monkeypatch: pytest.MonkeyPatch, boards: Boards
) -> None:
    whole = list_symbols(boards.desk)
    monkeypatch.setattr("apps.panel.chain.list_symbols", lambda _: whole.iloc[:0])
    empty = ChainPage(boards)
    assert shown(empty.ladder)["notice"]["kind"] == "empty"
    assert "bifrost up" in shown(empty.ladder)["notice"]["text"]


def test_a_chain_page_without_a_database_says_so(monkeypatch: pytest.MonkeyPatch, boards: Boards) -> None:
    def gone(_: Any) -> Any:
        raise SourceUnavailable("database", "connection refused")

    monkeypatch.setattr("apps.panel.chain.list_symbols", gone)
    notice = shown(ChainPage(boards).ladder)["notice"]
    assert notice["kind"] == "error" and "connection refused" in notice["text"]


def test_operations_without_a_database_keep_what_was_seen_and_say_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = DeskWatch(desk)
    page = OperationsPage(watch)
    tables, seen_ms = shown(page.tables), page.head.state["as_of_ms"]
    assert "Database" in tables["caption"] and tables["rows"]

    def gone() -> Any:
        raise SourceUnavailable("database", "connection refused")

    monkeypatch.setattr(watch, "look", gone)
    page.refresh()
    assert page.head.state["note_kind"] == "error" and "connection refused" in page.head.state["note"]
    assert (shown(page.tables), page.head.state["as_of_ms"]) == (tables, seen_ms)


@pytest.mark.parametrize(("seconds", "kind"), [(3, "good"), (60, "warn"), (600, "bad")])
def test_the_age_of_streamed_quotes_has_the_platforms_colours(desk: Desk, seconds: int, kind: str) -> None:
    now = desk.clock.now()
    watches = live.operations_picture(desk).watches.reindex([0])
    facts = {"symbol": "SIM", "enabled": True, "expiries": 8, "strikes": 0, "max_dte": 60, "cadence_s": 300.0}
    watches = watches.assign(**facts, priority=0, late=False, quote_ts=now - timedelta(seconds=seconds))
    cells = views.watches_grid(watches, now=now)["rows"][0]["cells"]
    assert cells[2]["kind"] == kind
    assert cells[6] == "all"


def test_the_readers_theme_comes_from_the_browser() -> None:
    assert theme_of({}) == "light"
    assert theme_of({"bf-theme": "dark"}) == "dark"
    assert theme_of({"bf-theme": "<script>"}) == "light"


def test_every_live_page_of_the_registry_is_served(database_settings: Settings) -> None:
    with live_pages(database_settings) as pages:
        assert sorted(pages.made) == sorted(page.name for page in panel_pages())
