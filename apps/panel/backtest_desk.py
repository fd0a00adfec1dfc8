"""What the backtests page reads of the desk: saved runs, studies, and the grids that were searched in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from apps.panel.backtest_questions import Question, Shelved
from apps.panel.backtest_runs import BacktestRuns
from apps.panel.kept import Kept
from bifrost_lib import store
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.workflows import Desk, list_symbols

if TYPE_CHECKING:
    from bifrost_lib.backtest import Result
    from bifrost_lib.strategies import StrategyDocument
    from bifrost_lib.workflows.backtests import LibraryAnswer

KEPT_RUNS = 24


@dataclass(frozen=True, eq=False)
class Saved:
    """A saved run: what it found, of which document, and what it earned its money with."""

    run: str
    strategy: str
    result: Result
    document: StrategyDocument
    attribution: Mapping[str, float]
    simulated: bool


@dataclass(frozen=True, eq=False)
class Grid:
    """A searched grid: one row a set, which parameters varied, and whether its best is more than luck."""

    made: str
    summary: pd.DataFrame
    parameters: tuple[str, ...]
    figures: Mapping[str, float] = field(default_factory=dict)
    splits: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"in_sample": [], "out_of_sample": []}))


class BacktestDesk:
    """Reads what is saved, each run and each grid once.

    Parameters
    ----------
    desk : Desk
    runs : BacktestRuns
        Replays a study's grid, on the days that it shows.
    """

    def __init__(self, desk: Desk, runs: BacktestRuns) -> None:
        self.desk, self._runs = desk, runs
        self._kept = Kept(KEPT_RUNS)

    def symbols(self) -> pd.DataFrame:
        """Return the stored symbols."""
        found: pd.DataFrame = list_symbols(self.desk)
        return found

    def runs(self) -> pd.DataFrame:
        """Return the saved runs, the newest first."""
        return store.list_backtests(self.desk.store, at=self.desk.clock.now())

    def saved(self, run: str) -> Saved:
        """Return one saved run.

        Raises
        ------
        InputError
            If there is none of that number.
        """
        return self._kept.once(("run", run), lambda: self._saved(run))

    def studies(self) -> pd.DataFrame:
        """Return the studies, the newest first."""
        return store.list_studies(self.desk.store)

    def looks(self, study: str) -> pd.DataFrame:
        """Return the looks at the hold-out of a study."""
        return store.list_looks(self.desk.store, study)

    def grid(self, study: str) -> Grid:
        """Return the grid of a study as it was searched, on the days that are not kept back.

        Raises
        ------
        NoDataError
            If nothing was searched in it yet: what is shown here was counted as tried before.
        """
        runs = store.list_study_runs(self.desk.store, study)
        if runs.empty:
            raise NoDataError("searched grid", study=study, hint="run the study first")
        newest = str(runs["run_id"].max())
        return self._kept.once(("grid", study, newest), lambda: self._grid(study, newest))

    def libraries(self) -> dict[str, Shelved]:
        """Return the libraries that can be asked, the newest first."""
        found = store.libraries(self.desk.store, at=self.desk.clock.now())
        shelved = [self._shelved(row) for row in found[found["symbols"] > 0].to_dict("records")]
        return {one.name: one for one in shelved}

    def answer(self, question: Question) -> LibraryAnswer:
        """Return what a library answers.

        Raises
        ------
        NoDataError
            If nothing was traded in the regime that is asked for.
        UnknownNameError
            If the library or the symbol is there no more.
        """
        from bifrost_lib.workflows.backtests import what_worked

        return what_worked(
            self.desk, question.library, like=question.like or None, neighbours=question.neighbours,
            iv_rank=question.iv_rank, trend=question.trend, sample="out" if question.sample == "out" else "in",
            strategy=question.strategy or None, least_trades=question.least_trades, order=question.order,
        )  # fmt: skip

    def is_simulated(self, symbols: list[str]) -> bool:
        """Tell whether any of the symbols' chains are made up."""
        return bool(store.simulated_symbols(self.desk.store, symbols))

    def sheet(self, saved: Saved) -> str:
        """Return a saved run as a page that stands alone."""
        from bifrost_lib.views.backtests import Sheet, sheet_page
        from bifrost_lib.workflows.backtests import sheet_facts

        sources = ("simulated",) if saved.simulated else ()
        facts = sheet_facts(saved.result, saved.document, attribution=saved.attribution, sources=sources)
        return str(sheet_page(Sheet(**facts)))

    def _shelved(self, row: Mapping[Any, Any]) -> Shelved:
        name = str(row["library"])
        found = store.library_symbols(self.desk.store, name, at=self.desk.clock.now())
        current = found["symbol"][found["computed_ts"] >= row["computed_ts"]]  # not of an earlier definition
        return Shelved(name, tuple(map(str, current)), tuple(sorted(row["definition"]["strategies"])))

    def _saved(self, run: str) -> Saved:
        from bifrost_lib.workflows import backtests

        found = backtests.read_backtest(self.desk, int(run))
        parts = self._attribution(found.result, found.document)
        return Saved(run, found.document.name, found.result, found.document, parts, bool(found.simulated))

    def _attribution(self, result: Result, document: StrategyDocument) -> dict[str, float]:
        """Return the parts of the profit; empty where the chains that the run was made from are gone."""
        from bifrost_lib.backtest import attribute

        if result.trades["pnl"].isna().all():
            return {}
        try:
            cubes = {name: store.chain_cube(self.desk.store, name, end=result.end) for name in result.symbols}
            parts = attribute(result, document, cubes).trades.drop(columns="pnl")
        except BifrostError:
            return {}
        return {str(name): float(value) for name, value in parts.sum(min_count=1).items()}

    def _grid(self, study: str, made: str) -> Grid:
        told: dict[str, Any] = self._runs.grid(study)
        splits = pd.DataFrame(told["splits"], columns=["in_sample", "out_of_sample"])
        return Grid(made, pd.DataFrame(told["summary"]), tuple(told["parameters"]), told["figures"], splits)
