"""Searches over the stored history: they read the chains, and keep away from days that a study keeps back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.proposing import Method
from bifrost_lib.workflows.backtests.reading import Opened, Tell, Terms, open_chains
from bifrost_lib.workflows.backtests.searching import Search, search
from bifrost_lib.workflows.backtests.sweeping import GridRun, sweeping
from bifrost_lib.workflows.backtests.trials import Sweep, TellBest
from bifrost_lib.workflows.backtests.walking import WalkForward, search_walking_forward
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Tuning(GridRun):
    """A grid of which a search tried some sets, and how it went.

    Attributes
    ----------
    search : Search
    method : {"bayesian", "random"}
    seed : int
    """

    search: Search
    method: str
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """The summary with a column for each parameter, and what was maximised as ``value``, the largest first."""
        found = super().table.assign(value=self.search.trials["value"])
        return found.sort_values("value", ascending=False, kind="stable", na_position="last")

    def as_dict(self) -> dict[str, Any]:
        """Return the search JSON-ready, the best set first."""
        found = self.search
        how = {"method": self.method, "seed": self.seed, "asked": found.asked, "tried": len(found.documents)}
        how |= {"refused": found.refused, "stopped": found.stopped}
        told = super().as_dict()
        sets = [one | {"value": value} for one, value in zip(told["sets"], self.table["value"].tolist(), strict=True)]
        return told | {"search": how, "sets": sets}


def tune(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    space: Mapping[str, Any] | str,
    *,
    sets: int = 100,
    method: Method = "bayesian",
    seed: int = 0,
    how: Mapping[str, Any] | None = None,
    stop: Callable[[], bool] | None = None,
    tell: Tell | None = None,
    tell_best: TellBest | None = None,
    **terms: Unpack[Terms],
) -> Tuning:
    """Search the parameters of a document over the stored chains of some symbols.

    Parameters
    ----------
    desk, document, symbols, tell, **terms
        As for `run_backtest`.
    space : mapping or str
        Parameters and what they may be, see `backtest.read_grid`; ranges need no steps.
    sets : int
        Trials; a large search runs on the workers of a Dask client, and what is simulated of it is kept for the next.
    method, seed, stop
        As of `search`.
    how : mapping, optional
        Others of `search`: ``figure``, ``folds``, ``embargo``, ``batch``.
    tell_best : callable, optional
        Told after each batch: trials done, of how many, and the best value so far.

    Raises
    ------
    NoDataError
        If no session of a symbol is stored in that range, or no trial traded.
    HoldOutClosed
        If a document that is tried belongs to a study that keeps these days back.
    """
    from bifrost_lib.backtest import SweepResult, code_version

    opened = open_chains(desk, [document], symbols, terms, tell)
    with _searching(desk, opened, sets) as sweep:
        found = search(
            document, space, opened.cubes, trials=sets, method=method, seed=seed, stop=stop, tell=tell_best,
            sweep=sweep, **(how or {}),
        )  # fmt: skip
    result = SweepResult(found.summary, found.daily, found.sessions, float(opened.options["capital"]))
    return Tuning(
        document, tuple(found.documents), tuple(found.parameters), result, found.statistics, opened.cube_sha256,
        code_version(), opened.simulated, found, method, seed,
    )  # fmt: skip


def tune_walking_forward(
    desk: Desk,
    document: StrategyDocument,
    symbols: str | Sequence[str],
    space: Mapping[str, Any] | str,
    *,
    train: int,
    test: int,
    sets: int = 50,
    how: Mapping[str, Any] | None = None,
    stop: Callable[[], bool] | None = None,
    tell: Tell | None = None,
    tell_best: TellBest | None = None,
    **terms: Unpack[Terms],
) -> WalkForward:
    """Search anew in each window's past over the stored chains, and see what the choice does next.

    Parameters
    ----------
    train, test : int
        Sessions to learn from and to test on.
    sets : int
        Trials in each window.
    how : mapping, optional
        Others of `search_walking_forward`: ``method``, ``figure``, ``step``, ``embargo``, ``anchored``, ``seed`` ...
    desk, document, space, symbols, stop, tell, tell_best, **terms
        As for `tune`; `tell_best` is told of windows.
    """
    opened = open_chains(desk, [document], symbols, terms, tell)
    with _searching(desk, opened, sets) as sweep:
        return search_walking_forward(
            document, space, opened.cubes, train=train, test=test, trials=sets, stop=stop, tell=tell_best, sweep=sweep,
            **(how or {}),
        )  # fmt: skip


@contextmanager
def _searching(desk: Desk, opened: Opened, sets: int) -> Iterator[Sweep]:
    from bifrost_lib.workflows.studies import check_not_kept_back

    with sweeping(desk, opened, sets) as sweep:

        def checked(documents: Sequence[StrategyDocument]) -> Any:
            # A search may come upon a document of a study.
            check_not_kept_back(desk, documents, opened.symbols, end=opened.end)
            return sweep(documents)

        yield checked
