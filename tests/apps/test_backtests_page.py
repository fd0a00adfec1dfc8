"""The backtests page without a server: what a viewer sees of each tab, a run from press to pictures, and trouble."""

from __future__ import annotations

import asyncio
import csv
import json
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from apps.panel.backtest_boards import TABS, Asked, BacktestBoards
from apps.panel.backtest_runs import RunCancelledError, RunFailedError
from apps.panel.backtests import PLACES, BacktestsPage
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.views import formats

from .backtest_fakes import FakeSource


class FakeRuns:
    """Runs that end when the test says so."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: str | Exception = "2"
        self.waits = False

    def run(self, job: Mapping[str, Any], *, tell: Any, cancelled: threading.Event) -> str:
        self.asked.append(dict(job))
        tell(0.5, "realistic fills")
        if self.waits:
            assert cancelled.wait(10)
            raise RunCancelledError("cancelled")
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture(scope="module")
def boards() -> BacktestBoards:
    return BacktestBoards(FakeSource())  # type: ignore[arg-type]


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def page(boards: BacktestBoards, runs: FakeRuns) -> BacktestsPage:
    return BacktestsPage(boards, runs, links=[("Home", "/hub/home"), ("Backtests", "backtests")])  # type: ignore[arg-type]


def acted(page: BacktestsPage, act: Any, until: Any) -> None:
    """Do what a click does, in a server's loop, and wait for what it leads to."""

    async def doing() -> None:
        act()
        for _ in range(600):
            await asyncio.sleep(0.05)
            if until():
                return
        raise AssertionError("it did not happen in time")

    asyncio.run(doing())


def choose(page: BacktestsPage, widget: Any, value: Any, name: str = "value") -> None:
    acted(
        page,
        lambda: setattr(widget, name, value),
        lambda: page._shown is not None and page._shown[0] == page.asked and page.head.state.get("note") != "loading",
    )


def pictured(page: BacktestsPage) -> dict[str, Any]:
    return {place: json.loads(chart.item) for place, chart in page._tabs[page.tab.value][0].items() if chart.item}


def grids(page: BacktestsPage) -> dict[str, Any]:
    return {place: json.loads(grid.table) for place, grid in page._tabs[page.tab.value][1].items()}


def test_the_newest_run_is_there_from_the_start(page: BacktestsPage) -> None:
    assert page.saved.chosen == page.run.value == "3"
    assert all("doc" in item for item in pictured(page).values()) and set(pictured(page)) == set("abc")
    assert page.head.state["simulated"] and page.head.state["as_of_ms"]
    assert [link["current"] for link in page.head.pages] == [False, True]
    told = {row["cells"][0]["text"]: row["cells"] for row in grids(page)["a"]["rows"]}
    assert told["Profit"][1]["text"] == "4,211" and told["Sortino"][1]["title"] == "no losing day"
    assert told["Sharpe"][3]["text"] == f"{formats.MINUS}0.50 to 1.90" and told["Sharpe"][3]["kind"] == "warn"
    assert [row["cells"][0] for row in grids(page)["b"]["rows"]] == ["2026", "2025"]
    assert page.content is not None


@pytest.mark.parametrize("tab", TABS)
def test_every_tab_has_its_pictures_its_tables_and_its_file(page: BacktestsPage, tab: str) -> None:
    if tab != TABS[0]:
        choose(page, page.tab, tab)
    assert set(pictured(page)) == set(PLACES[tab])
    assert all("doc" in item for item in pictured(page).values())
    assert grids(page)["a"]["rows"]
    rows = list(csv.reader(page.download.callback()))
    assert len(rows) == 1 + len(page._shown[1].frame)  # type: ignore[index]
    assert (len(page.controls) == 3) == (tab == TABS[3])


def test_a_trade_is_chosen_and_shows_its_legs_without_drawing_anew(page: BacktestsPage) -> None:
    choose(page, page.tab, TABS[1])
    before, trades = pictured(page), page._tabs[TABS[1]][1]["a"]
    choose(page, trades, "4", "chosen")
    assert [row["cells"][0] for row in grids(page)["b"]["rows"]] == ["short put", "long put", "short call", "long call"]
    assert pictured(page) == before


def test_the_study_of_a_hidden_hold_out_and_one_seen_too_often(page: BacktestsPage) -> None:
    choose(page, page.tab, TABS[3])
    states = {row["key"]: row["cells"][4] for row in grids(page)["a"]["rows"]}
    assert {name: cell["kind"] for name, cell in states.items()} == {
        "calm puts": "good",
        "condors": "warn",
        "earnings": "bad",
    }
    assert states["calm puts"]["text"] == "hidden" and "until the study is frozen" in states["calm puts"]["title"]
    choose(page, page._tabs[TABS[3]][1]["a"], "earnings", "chosen")
    assert len(grids(page)["b"]["rows"]) == 3


def test_a_run_is_asked_for_followed_and_shown(page: BacktestsPage, runs: FakeRuns) -> None:
    offered = json.loads(page.form.choices)
    assert offered["symbols"] == ["SIM", "SIMX"] and offered["values"]["start"] == "2025-10-01"
    page.form.values = {"strategy": "bull_put_spread", "symbol": "SIMX", "fills": "worst"}
    acted(page, lambda: page.form.param.update(asked=1), lambda: page.form.state.get("kind") == "good")
    assert runs.asked == [page.form.values]
    assert page.saved.chosen == page.run.value == "2"
    assert "run 2" in page.form.state["text"] and not page.form.state["running"]


def test_a_run_that_fails_says_why_and_can_be_asked_for_again(page: BacktestsPage, runs: FakeRuns) -> None:
    runs.answer = RunFailedError("option chains of SIM: none between 1 Oct and 2 Oct")
    page.form.values = {"strategy": "iron_condor", "symbol": "SIM"}
    acted(page, lambda: page.form.param.update(asked=1), lambda: page.form.state.get("kind") == "error")
    assert page.form.state == {"running": False, "text": str(runs.answer), "kind": "error"}
    runs.answer = "1"
    acted(page, lambda: page.form.param.update(asked=2), lambda: page.saved.chosen == "1")


def test_a_run_is_cancelled(page: BacktestsPage, runs: FakeRuns) -> None:
    runs.waits, page.form.values = True, {"strategy": "iron_condor", "symbol": "SIM"}

    def ask_and_cancel() -> None:
        page.form.asked = 1
        asyncio.get_running_loop().call_later(0.3, lambda: page.form.param.update(cancelled=1))

    acted(page, ask_and_cancel, lambda: "Cancelled" in page.form.state.get("text", ""))
    assert len(runs.asked) == 1 and page.saved.chosen == "3"


def test_an_empty_desk_says_what_to_do(runs: FakeRuns) -> None:
    stored = BacktestsPage(BacktestBoards(FakeSource(runs=0)), runs)  # type: ignore[arg-type]
    assert pictured(stored)["a"]["notice"]["kind"] == "empty" and "press Run" in pictured(stored)["a"]["notice"]["text"]
    assert json.loads(stored.saved.table)["notice"]["kind"] == "empty"
    bare = BacktestsPage(BacktestBoards(FakeSource(runs=0, symbols=0)), runs)  # type: ignore[arg-type]
    assert "bifrost up" in pictured(bare)["a"]["notice"]["text"]


def test_a_desk_without_a_database_says_so(runs: FakeRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Any) -> Any:
        raise SourceUnavailable("database", "connection refused")

    monkeypatch.setattr(FakeSource, "symbols", gone)
    notice = pictured(BacktestsPage(BacktestBoards(FakeSource()), runs))["a"]["notice"]  # type: ignore[arg-type]
    assert notice["kind"] == "error" and "connection refused" in notice["text"]


def test_two_viewers_share_a_picture_and_dark_is_another(boards: BacktestBoards) -> None:
    one, other = (boards.board(Asked(run="3")) for _ in range(2))
    assert one is other
    assert boards.board(Asked(run="3", theme="dark")).charts["a"] != one.charts["a"]
