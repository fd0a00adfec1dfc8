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
from apps.panel.backtest_tabs import PLACES
from apps.panel.backtests import BacktestsPage
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.views import formats

from .backtest_fakes import FakeSource

PATIENCE_S = 180


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
            assert cancelled.wait(PATIENCE_S)
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
        async with asyncio.timeout(PATIENCE_S):
            act()
            await asyncio.sleep(0.05)  # what it sets off begins, so that nothing of before is taken for its end
            while not until():
                await asyncio.sleep(0.05)

    asyncio.run(doing())


def choose(page: BacktestsPage, widget: Any, value: Any, name: str = "value") -> None:
    acted(
        page,
        lambda: setattr(widget, name, value),
        lambda: page._shown is not None and page._shown[0] == page.asked and page.head.state.get("note") != "loading",
    )


def pictured(page: BacktestsPage) -> dict[str, Any]:
    return {place: json.loads(chart.item) for place, chart in page._tabs[page.tab.value].charts.items() if chart.item}


def grids(page: BacktestsPage) -> dict[str, Any]:
    return {place: json.loads(grid.table) for place, grid in page._tabs[page.tab.value].grids.items()}


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
    assert (len(page.controls) == 3) == (tab in TABS[3:])


def test_a_trade_is_chosen_and_shows_its_legs_without_drawing_anew(page: BacktestsPage) -> None:
    choose(page, page.tab, TABS[1])
    before, trades = pictured(page), page._tabs[TABS[1]].grids["a"]
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
    choose(page, page._tabs[TABS[3]].grids["a"], "earnings", "chosen")
    assert len(grids(page)["b"]["rows"]) == 3


def test_a_run_is_asked_for_followed_and_shown(page: BacktestsPage, runs: FakeRuns) -> None:
    offered = json.loads(page.asking.form.choices)
    assert offered["symbols"] == ["SIM", "SIMX"] and offered["values"]["start"] == "2025-10-01"
    page.asking.form.values = {"strategy": "bull_put_spread", "symbol": "SIMX", "fills": "worst"}
    acted(page, lambda: page.asking.form.param.update(asked=1), lambda: page.asking.form.state.get("kind") == "good")
    assert runs.asked == [page.asking.form.values]
    assert page.saved.chosen == page.run.value == "2"
    assert "run 2" in page.asking.form.state["text"] and not page.asking.form.state["running"]


def test_a_run_that_fails_says_why_and_can_be_asked_for_again(page: BacktestsPage, runs: FakeRuns) -> None:
    runs.answer = RunFailedError("option chains of SIM: none between 1 Oct and 2 Oct")
    page.asking.form.values = {"strategy": "iron_condor", "symbol": "SIM"}
    acted(page, lambda: page.asking.form.param.update(asked=1), lambda: page.asking.form.state.get("kind") == "error")
    assert page.asking.form.state == {"running": False, "text": str(runs.answer), "kind": "error"}
    runs.answer = "1"
    acted(page, lambda: page.asking.form.param.update(asked=2), lambda: page.saved.chosen == "1")


def test_a_run_is_cancelled(page: BacktestsPage, runs: FakeRuns) -> None:
    runs.waits, page.asking.form.values = True, {"strategy": "iron_condor", "symbol": "SIM"}

    def cancelled() -> bool:
        if runs.asked and not page.asking.form.cancelled:
            page.asking.form.cancelled = 1
        return "Cancelled" in page.asking.form.state.get("text", "")

    acted(page, lambda: page.asking.form.param.update(asked=1), cancelled)
    assert len(runs.asked) == 1 and page.saved.chosen == "3"


def test_an_answer_follows_its_question(page: BacktestsPage) -> None:
    choose(page, page.tab, TABS[4])
    rows = grids(page)["a"]["rows"]
    assert [row["cells"][0] for row in rows[:2]] == ["1", "2"] and len(rows) == 23
    best = rows[0]["cells"]
    assert (best[7]["text"], best[7]["kind"], best[8]["text"]) == ("6.2", "good", "3.2 to 9.2")
    assert rows[-1]["cells"][7]["kind"] == "bad"
    assert any("zero lies inside" in row["cells"][8]["title"] for row in rows)
    assert grids(page)["a"]["caption"].startswith("income: what worked out of sample, after fills and commission")
    assert page.head.state["note"] == "23 documents, 1 more with too few trades" and page.head.state["simulated"]
    asked = page.questions._widgets
    choose(page, asked["strategy"], "iron_condor")
    assert {row["cells"][1] for row in grids(page)["a"]["rows"]} == {"iron condor"}
    assert asked["neighbours"].disabled
    choose(page, asked["like"], "SIM")
    assert not asked["neighbours"].disabled and grids(page)["b"]["rows"][1]["cells"][1] == "1.31"
    choose(page, asked["sample"], "in")
    assert "IN SAMPLE" in grids(page)["a"]["caption"] and "IN SAMPLE" not in page.empty.state.get("text", "")
    page.download.callback()
    assert page.download.filename == "what_worked_income.csv"
    # A regime in which nothing was traded says so below the question, which can be asked anew.
    acted(page, lambda: setattr(asked["iv_rank"], "value", "low"), lambda: page._shown is None)
    assert "no backtested trade" in page.empty.state["text"]
    assert list(page.body) == [page.questions.row, page.empty]
    choose(page, asked["iv_rank"], "any")
    # Another library has other symbols and strategies; what was chosen of the first is forgotten.
    choose(page, asked["library"], "old")
    assert (page.asked.question.like, page.asked.question.strategy) == ("", "")


def test_an_empty_desk_says_what_to_do(runs: FakeRuns) -> None:
    stored = BacktestsPage(BacktestBoards(FakeSource(runs=0)), runs)  # type: ignore[arg-type]
    assert list(stored.body) == [stored.empty]  # instead of boxes with nothing in them
    assert "press Run" in stored.empty.state["text"]
    assert json.loads(stored.saved.table)["notice"]["kind"] == "empty"
    for tab, words in zip(TABS[2:], ("study run", "study new", "library build"), strict=True):
        acted(stored, lambda tab=tab: setattr(stored.tab, "value", tab), lambda: "commands" in stored.empty.state)
        assert words in stored.empty.state["commands"][-1]
    bare = BacktestsPage(BacktestBoards(FakeSource(runs=0, symbols=0)), runs)  # type: ignore[arg-type]
    assert "bifrost up" in bare.empty.state["text"]


def test_a_desk_without_a_database_says_so(runs: FakeRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_: Any) -> Any:
        raise SourceUnavailable("database", "connection refused")

    monkeypatch.setattr(FakeSource, "symbols", gone)
    said = BacktestsPage(BacktestBoards(FakeSource()), runs).empty.state  # type: ignore[arg-type]
    assert said["kind"] == "error" and "connection refused" in said["text"]


def test_two_viewers_share_a_picture_and_dark_is_another(boards: BacktestBoards) -> None:
    one, other = (boards.board(Asked(run="3")) for _ in range(2))
    assert one is other
    assert boards.board(Asked(run="3", theme="dark")).charts["a"] != one.charts["a"]
