"""Search of a document's parameters: at random, or by what was found so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bifrost_lib.backtest import Figure, figure_of
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.judging import judged
from bifrost_lib.workflows.backtests.proposing import Method
from bifrost_lib.workflows.backtests.trials import Days, Floats, Sweep, TellBest, Trials, in_process

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found, in the order of its trials.

    Parameters
    ----------
    trials : DataFrame
        value (what was maximised), the figure in each fold (``fold_1`` ...), and one column a parameter, by its path.
    documents : list of StrategyDocument
    parameters : list of dict
        What makes each of them.
    daily : float64 (trials, sessions)
        Gains of each, in currency.
    sessions : datetime64[s] (sessions,)
    summary : DataFrame
        Of each, as `SweepResult` has it.
    best : int
        Row of the largest value.
    statistics : dict
        How much of the best is luck, see `GridRun`.
    asked : int
        Trials that were asked for; documents that were proposed again are not among `trials` again.
    refused : dict
        Why combinations made no document, and how many.
    stopped : bool
        Whether it was stopped before its last trial.
    """

    trials: pd.DataFrame
    documents: list[StrategyDocument]
    parameters: list[dict[str, Any]]
    daily: Floats
    sessions: Days
    summary: pd.DataFrame
    best: int
    statistics: dict[str, Any]
    asked: int
    refused: dict[str, int]
    stopped: bool

    @property
    def document(self) -> StrategyDocument:
        """The best document."""
        return self.documents[self.best]


def search(
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    cube: ChainCube | Mapping[str, ChainCube],
    *,
    trials: int = 100,
    method: Method = "bayesian",
    figure: Figure = "sharpe",
    folds: int = 5,
    embargo: int = 0,
    seed: int = 0,
    batch: int = 8,
    stop: Callable[[], bool] | None = None,
    tell: TellBest | None = None,
    sweep: Sweep | None = None,
    **options: Any,
) -> Search:
    """Search the parameters of a document for what is good in every part of the history, not in one.

    Parameters
    ----------
    document : StrategyDocument
    space : mapping or str
        Parameters and what they may be, see `read_grid`; ranges need no steps.
    cube : ChainCube or mapping of symbol to ChainCube
        Cut where the hold-out begins: what it has is looked at.
    trials : int
    method : {"bayesian", "random"}
        Whether trials follow what was found so far.
    figure : {"sharpe", "sortino", "calmar", "pnl"}
        A trial's value is the mean of it over the folds less one standard error, so that a single lucky stretch does
        not win.
    folds, embargo : int
        Parts into which the sessions are cut, and sessions at the beginning of each part but the first that are left
        out, because trades of the part before are still held then.
    seed : int
        The same seed, batch and history give the same trials.
    batch : int
        Trials that are proposed, and simulated, at a time.
    stop : callable, optional
        Asked between batches. What was found until then is the result, also after Ctrl-C.
    tell : callable, optional
        Told after each batch: trials done, of how many, and the best value so far.
    sweep : callable, optional
        What simulates documents; by default `backtest.sweep` in this process.
    **options
        As of `backtest.sweep`: ``fills``, ``capital`` ...

    Raises
    ------
    InputError, DocumentError
        If an argument or a parameter path is wrong, or no combination makes a document.
    NoDataError
        If it was stopped before the first batch, or no trial ever traded.
    """
    parts = Folds(folds, embargo)
    found = Trials(document, space, method=method, seed=seed, count=trials)
    stopped = found.run(
        sweep or in_process(cube, options), partial(parts.values, figure=figure), batch=batch, stop=stop, tell=tell
    )
    if not found.documents:
        raise NoDataError("trial", document=document.name, hint="the search was stopped before its first batch ended")
    values, daily = np.array(found.values), np.array(found.daily)
    if np.isnan(values).all():
        raise NoDataError("trade", document=document.name, hint="no trial of this space traded in every part")
    columns = {f"fold_{k + 1}": row for k, row in enumerate(np.array([parts.of(one, figure) for one in daily]).T)}
    return Search(
        trials=pd.DataFrame({"value": values, **columns, **_by_path(found.parameters)}),
        documents=found.documents,
        parameters=found.parameters,
        daily=daily,
        sessions=found.sessions,
        summary=pd.concat(found.summaries, ignore_index=True),
        best=int(np.nanargmax(values)),
        statistics=judged(daily),
        asked=trials,
        refused=found.proposer.refused,
        stopped=stopped,
    )


class Folds:
    """Parts of the history, on each of which a set is worth something; a value is their mean less its error."""

    def __init__(self, folds: int, embargo: int) -> None:
        if folds < 1:
            raise InputError("folds", folds, "at least 1")
        if embargo < 0:
            raise InputError("embargo", embargo, "a number of sessions >= 0")
        self.folds, self.embargo = folds, embargo

    def of(self, gains: Floats, figure: Figure) -> Floats:
        """Return the figure of one set in each fold."""
        edges = np.linspace(0, len(gains), self.folds + 1).round().astype(int)
        if (np.diff(edges) - self.embargo < 2).any():
            raise InputError("folds", self.folds, f"parts of two or more of {len(gains)} sessions, after embargoes")
        starts = edges[:-1] + np.where(np.arange(self.folds) > 0, self.embargo, 0)
        parts = [gains[None, start:end] for start, end in zip(starts, edges[1:], strict=True)]
        return np.array([figure_of(part, figure)[0] for part in parts])

    def values(self, daily: Floats, figure: Figure) -> Floats:
        """Return the value of each set; one that did not trade in a part is unknown there, and so is its value."""
        each = np.array([self.of(gains, figure) for gains in daily])
        if self.folds == 1:
            return each[:, 0]
        values: Floats = each.mean(axis=1) - each.std(axis=1, ddof=1) / np.sqrt(self.folds)
        return values


def _by_path(parameters: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {path: [one[path] for one in parameters] for path in parameters[0]}
