"""The history page without a server: what a viewer sees of each tab, what two viewers share, and words for trouble."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from apps.panel import history_boards
from apps.panel.history import PLACES, HistoryPage
from apps.panel.history_boards import TABS, Asked, HistoryBoards
from bifrost_lib.core.calendar import exchange_date, previous_session
from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.errors import SourceUnavailable

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

PATIENCE_S = 180


@pytest.fixture(scope="module")
def boards(database_settings: Settings) -> Iterator[HistoryBoards]:
    from bifrost_lib.workflows import open_desk, seed_simulated_history

    last = previous_session(exchange_date(SystemClock().now()))
    with open_desk(settings=database_settings) as desk:
        seed_simulated_history(desk, symbols=("SIM",), first=last - timedelta(days=35), last=last, whole_from=last)
        yield HistoryBoards(desk)


@pytest.fixture
def page(boards: HistoryBoards) -> HistoryPage:
    return HistoryPage(boards, links=[("Chain", "chain"), ("History", "history")])


def choose(page: HistoryPage, name: str, value: Any) -> None:
    """Do what a click does, in a server's loop."""

    async def chosen() -> None:
        widget, _, attribute = name.partition(".")
        async with asyncio.timeout(PATIENCE_S):
            setattr(getattr(page, widget), attribute or "value", value)
            while page._shown is None or page._shown[0] != page.asked:
                await asyncio.sleep(0.05)

    asyncio.run(chosen())


def pictured(page: HistoryPage) -> dict[str, Any]:
    charts = page._tabs[page.tab.value][0]
    return {place: json.loads(chart.item) for place, chart in charts.items() if chart.item}


def grid(page: HistoryPage) -> Any:
    return json.loads(page._tabs[page.tab.value][1].table)


def test_volatility_is_there_from_the_start(page: HistoryPage, boards: HistoryBoards) -> None:
    past = boards.volatility("SIM", "1y")
    assert set(pictured(page)) == set("abcdef")
    assert all("doc" in item for item in pictured(page).values())
    assert page.head.state["simulated"] and page.head.state["what"] == "SIM"
    assert page.head.state["as_of_ms"] == past["ts"].iloc[-1].timestamp() * 1000
    assert grid(page)["rows"][0]["cells"][0]["text"] == f"{past['iv'].iloc[-1] * 100:.1f}"
    assert page.content is not None


def test_what_was_opened_lately_is_drawn_anew_before_the_next_viewer_comes(
    boards: HistoryBoards, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bifrost_lib.store import append_market_conditions, market_conditions

    monkeypatch.setattr(history_boards, "FRESH_S", 0.1)
    asked, ended = Asked("SIM", window="3m"), threading.Event()

    def drawn_at() -> datetime | None:
        made = boards.drawn_before(asked)
        return None if made is None else made.history["ts"].iloc[-1].to_pydatetime()

    def wait_for(moment: datetime) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while drawn_at() != moment:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    before = boards.volatility("SIM", "3m")["ts"].iloc[-1].to_pydatetime()
    assert drawn_at() is None
    ahead = threading.Thread(target=boards.keep_ahead, args=[ended])
    ahead.start()
    try:
        wait_for(before)
        now = boards.desk.clock.now()
        newest = market_conditions(boards.desk.store.engine, "SIM", at=now, start=before - timedelta(days=1)).tail(1)
        newer = newest.drop(columns="source").assign(ts=pd.Series(now, index=newest.index, dtype="datetime64[us, UTC]"))
        append_market_conditions(boards.desk.store, newer, source="simulated")
        wait_for(now)
    finally:
        ended.set()
        ahead.join()


@pytest.mark.parametrize("tab", TABS[1:])
def test_every_tab_has_its_pictures_its_table_and_its_download(page: HistoryPage, tab: str) -> None:
    choose(page, "tab", tab)
    assert set(pictured(page)) == set(PLACES[tab])
    assert all("doc" in item for item in pictured(page).values())
    assert grid(page)["rows"]
    rows = list(csv.reader(page.download.callback()))
    assert len(rows) == 1 + len(page._shown[1].frame)  # type: ignore[index]
    assert page.download.filename.startswith(f"SIM_{tab.lower().replace(' ', '_')}")


def test_a_shorter_window_shows_fewer_sessions(page: HistoryPage, boards: HistoryBoards) -> None:
    before = page.head.state["note"]
    choose(page, "window", "1m")
    assert page.head.state["note"] == f"{len(boards.volatility('SIM', '1m'))} sessions" != before


def test_two_viewers_share_a_board_and_its_texts(boards: HistoryBoards) -> None:
    one, other = (boards.board(Asked("SIM")) for _ in range(2))
    assert one is other
    assert boards.board(Asked("SIM", theme="dark")).charts["a"] != one.charts["a"]


def test_a_newer_board_of_the_same_takes_the_place_of_the_older(page: HistoryPage) -> None:
    assert page._shown is not None
    asked, older = page._shown
    page._settle(asked, newer := replace(older, history=older.history.iloc[:-1]))
    assert page._shown[1] is newer
    assert page.head.state["note"] == f"{len(older.history) - 1} sessions"


def test_an_unknown_symbol_is_told_in_words(boards: HistoryBoards, page: HistoryPage) -> None:
    refused = page._made(Asked("NONE"))
    assert isinstance(refused, str) and "NONE" in refused


def test_an_empty_store_says_what_to_do(monkeypatch: pytest.MonkeyPatch, boards: HistoryBoards) -> None:
    from bifrost_lib.workflows import list_symbols

    whole = list_symbols(boards.desk)
    monkeypatch.setattr("apps.panel.history.list_symbols", lambda _: whole.iloc[:0])
    notice = pictured(HistoryPage(boards))["a"]["notice"]
    assert notice["kind"] == "empty" and "bifrost up" in notice["text"]


def test_a_page_without_a_database_says_so(monkeypatch: pytest.MonkeyPatch, boards: HistoryBoards) -> None:
    def gone(_: Any) -> Any:
        raise SourceUnavailable("database", "connection refused")

    monkeypatch.setattr("apps.panel.history.list_symbols", gone)
    notice = pictured(HistoryPage(boards))["a"]["notice"]
    assert notice["kind"] == "error" and "connection refused" in notice["text"]


def test_a_map_of_changes_has_its_axes_in_order(boards: HistoryBoards) -> None:
    from bifrost_lib.views import history as pictures

    changes = boards.board(Asked("SIM", tab="Changes")).frame
    cells = pictures.changed_cells(changes, "open_interest")
    shares = [float(one.split()[0]) for one in cells.attrs["strike"]]
    assert shares == sorted(shares)
    near = changes[(changes["strike"] / changes["spot"] - 1).abs() <= 0.2125]
    assert cells["change"].sum() == pytest.approx(near["open_interest_change"].sum())
    assert len(cells.attrs["expiry"]) == near["expiry"].nunique()


def test_the_past_is_shown_as_it_was_known_then(page: HistoryPage) -> None:
    assert page._shown is not None
    now = page._shown[1].history
    moments = json.loads(page.time.moments)
    choose(page, "time.at_ms", moments[len(moments) // 2])
    then = page._shown[1].history
    assert 1 < len(then) < len(now)
    assert then["ts"].iloc[-1].timestamp() * 1000 <= page.time.at_ms
    assert page.head.state["at_ms"] == page.time.at_ms
