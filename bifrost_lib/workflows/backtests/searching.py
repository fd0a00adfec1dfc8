"""Searching the parameters of a document: by what was found so far or at random, and walking forward through time.

References
----------
Bergstra, Bardenet, Bengio and Kégl (2011), "Algorithms for hyper-parameter optimization" (tree-structured Parzen
estimators), as Optuna has them; Pardo (2008), "The evaluation and optimization of trading strategies", chapter 11.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import (
    DeflatedSharpe,
    Figure,
    Overfitting,
    check_paths,
    deflate,
    figure_of,
    probability_of_overfitting,
    read_grid,
    walk_forward,
    with_parameters,
)
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.proposing import Proposer

if TYPE_CHECKING:
    from bifrost_lib.backtest import ChainCube

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
#: Takes documents and returns what has `daily` (sets, sessions) and `sessions`: `sweep`, or `run_sweep` with a client.
Sweep = Callable[[Sequence[StrategyDocument]], Any]

_MOST_BLOCKS = 16


@dataclass(frozen=True, eq=False)
class Search:
    """What a search found, in the order of its trials.

    Parameters
    ----------
    trials : DataFrame
        value (what was maximised), the figure in each fold (``fold_1`` ...), and one column a parameter, by its path.
    documents : list of StrategyDocument
    daily : float64 (trials, sessions)
        Gains of each, in currency.
    sessions : datetime64[s] (sessions,)
    best : int
        Row of the largest value.
    deflated : DeflatedSharpe
        What is left of the Sharpe ratio of the trial that has the largest one.
    overfitting : Overfitting or None
        None where there are too few sessions for two blocks.
    refused : dict
        Why combinations made no document, and how many.
    stopped : bool
        Whether it was stopped before its last trial.
    """

    trials: pd.DataFrame
    documents: list[StrategyDocument]
    daily: Floats
    sessions: Days
    best: int
    deflated: DeflatedSharpe
    overfitting: Overfitting | None
    refused: dict[str, int]
    stopped: bool

    @property
    def document(self) -> StrategyDocument:
        """The best document."""
        return self.documents[self.best]


@dataclass(frozen=True, eq=False)
class WalkForward:
    """What choosing anew from the past, time after time, would have brought.

    Parameters
    ----------
    windows : DataFrame
        One row a window: train_start, train_end, test_start, test_end (dates), in_sample and out_of_sample (the
        figure), trials, and the parameters that were chosen.
    daily : float64 (sessions,)
        Gains out of sample, the windows one after the other; `sessions` are their dates.
    figure : float
        Of all of `daily`.
    efficiency : float
        Mean out-of-sample figure as a share of the mean in-sample one; NaN where that is not above 0.
    stopped : bool
        Whether it was stopped before its last window.
    """

    windows: pd.DataFrame
    daily: Floats
    sessions: Days
    figure: float
    efficiency: float
    stopped: bool


def search(
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    cube: ChainCube | Mapping[str, ChainCube],
    *,
    trials: int = 100,
    method: Literal["bayes", "random"] = "bayes",
    figure: Figure = "sharpe",
    folds: int = 5,
    embargo: int = 0,
    seed: int = 0,
    batch: int = 8,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[int, int, float], None] | None = None,
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
    method : {"bayes", "random"}
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
    simulate = sweep or _in_process(cube, options)
    proposer = _proposer(document, space, method=method, seed=seed, trials=trials)
    parts, found = _Folds(folds, embargo), _Found()
    stopped = _run_trials(
        proposer, document, simulate, found, batch=batch, stop=stop, tell=tell,
        value=lambda daily: parts.values(daily, figure),
    )  # fmt: skip
    if not found.documents:
        raise NoDataError("trial", document=document.name, hint="the search was stopped before its first batch ended")
    values = np.array(found.values)
    if np.isnan(values).all():
        raise NoDataError("trade", document=document.name, hint="no trial of this space traded in every part")
    daily = np.array(found.daily)
    blocks = min(_MOST_BLOCKS, daily.shape[1] // 4 * 2)
    columns = {f"fold_{k + 1}": row for k, row in enumerate(np.array([parts.of(one, figure) for one in daily]).T)}
    return Search(
        trials=pd.DataFrame({"value": values, **columns, **_by_path(found.parameters)}),
        documents=found.documents,
        daily=daily,
        sessions=found.sessions,
        best=int(np.nanargmax(values)),
        deflated=deflate(daily),
        overfitting=probability_of_overfitting(daily, blocks=blocks) if blocks >= 2 else None,
        refused=proposer.refused,
        stopped=stopped,
    )


def search_walking_forward(
    document: StrategyDocument,
    space: Mapping[str, Any] | str,
    cube: ChainCube | Mapping[str, ChainCube],
    *,
    train: int,
    test: int,
    step: int | None = None,
    embargo: int = 0,
    anchored: bool = False,
    trials: int = 50,
    method: Literal["bayes", "random"] = "bayes",
    figure: Figure = "sharpe",
    seed: int = 0,
    batch: int = 8,
    stop: Callable[[], bool] | None = None,
    tell: Callable[[int, int, float], None] | None = None,
    sweep: Sweep | None = None,
    **options: Any,
) -> WalkForward:
    """Search anew in each window's past, and see what the choice does in the sessions that come next.

    Parameters
    ----------
    train, test, step, embargo, anchored
        Sessions, see `backtest.validation.walk_forward`.
    trials : int
        In each window; documents that were simulated for an earlier one are not simulated again.
    document, space, cube, method, figure, seed, batch, stop, tell, sweep, options
        As for `search`; `tell` is told of windows, and of the figure out of sample so far.

    Notes
    -----
    A set's gains on a day rest on that day and earlier ones, so that one simulation of the whole serves all windows:
    each set is taken to have run all along, and a window that switches to it takes over what it then holds.
    """
    simulate = _Remembered(sweep or _in_process(cube, options))
    sessions = simulate([document]).sessions
    windows = walk_forward(len(sessions), train=train, test=test, step=step, embargo=embargo, anchored=anchored)
    rows, pieces, days = list[dict[str, Any]](), list[Floats](), list[Days]()
    stopped = False
    for number, window in enumerate(windows):
        found, past = _Found(), slice(window.train_start, window.train_stop)
        proposer = _proposer(document, space, method=method, seed=seed + number, trials=trials)
        stopped = _run_trials(
            proposer, document, simulate, found, batch=batch, stop=stop, tell=None,
            value=partial(_figure_of_slice, past=past, figure=figure),
        )  # fmt: skip
        if stopped:
            break
        future = slice(window.test_start, window.test_stop)
        values = np.array(found.values)
        best = int(np.nanargmax(values)) if not np.isnan(values).all() else -1
        gains = found.daily[best][future] if best >= 0 else np.zeros(window.test_stop - window.test_start)
        pieces.append(gains)
        days.append(sessions[future])
        rows.append({
            "train_start": sessions[past][0], "train_end": sessions[past][-1],
            "test_start": sessions[future][0], "test_end": sessions[future][-1],
            "in_sample": values[best] if best >= 0 else np.nan,
            "out_of_sample": float(figure_of(gains[None, :], figure)[0]),
            "trials": len(values), **(found.parameters[best] if best >= 0 else {}),
        })  # fmt: skip
        if tell is not None:
            tell(number + 1, len(windows), float(figure_of(np.concatenate(pieces)[None, :], figure)[0]))
    if not rows:
        raise NoDataError("window", document=document.name, hint="the search was stopped in its first window")
    daily, told = np.concatenate(pieces), pd.DataFrame(rows)
    inside, outside = told["in_sample"].mean(), told["out_of_sample"].mean()
    return WalkForward(
        windows=told,
        daily=daily,
        sessions=np.concatenate(days),
        figure=float(figure_of(daily[None, :], figure)[0]),
        efficiency=float(outside / inside) if inside > 0 else float("nan"),
        stopped=stopped,
    )


class _Found:
    # What trials brought so far.
    def __init__(self) -> None:
        self.documents, self.parameters = list[StrategyDocument](), list[dict[str, Any]]()
        self.values, self.daily = list[float](), list[Floats]()
        self.sessions: Days = np.empty(0, dtype="datetime64[s]")


class _Folds:
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
        # A set that did not trade in a part is unknown there, and so is its value.
        each = np.array([self.of(gains, figure) for gains in daily])
        if self.folds == 1:
            return each[:, 0]
        values: Floats = each.mean(axis=1) - each.std(axis=1, ddof=1) / np.sqrt(self.folds)
        return values


class _Remembered:
    # A sweep that does not simulate a document twice.
    def __init__(self, sweep: Sweep) -> None:
        self._sweep, self._known = sweep, dict[str, Floats]()
        self.sessions: Days = np.empty(0, dtype="datetime64[s]")

    def __call__(self, documents: Sequence[StrategyDocument]) -> _Remembered:
        fresh = {one.sha256: one for one in documents if one.sha256 not in self._known}
        if fresh:
            found = self._sweep(list(fresh.values()))
            self._known.update(zip(fresh, np.asarray(found.daily, dtype=np.float64), strict=True))
            self.sessions = _dates(found.sessions)
        self.daily = np.array([self._known[one.sha256] for one in documents])
        return self


def _run_trials(
    proposer: Proposer,
    document: StrategyDocument,
    simulate: Sweep,
    found: _Found,
    *,
    batch: int,
    stop: Callable[[], bool] | None,
    tell: Callable[[int, int, float], None] | None,
    value: Callable[[Floats], Floats],
) -> bool:
    # Fill `found`; whether it was stopped.
    if batch < 1:
        raise InputError("batch", batch, "at least 1")
    try:
        while proposer.left:
            if stop is not None and stop():
                return True
            proposed = proposer.ask(batch, partial(with_parameters, document))
            if not proposed:
                continue
            result = simulate([one.document for one in proposed])
            daily = np.asarray(result.daily, dtype=np.float64)
            values = value(daily)
            for one, gains, worth in zip(proposed, daily, values.tolist(), strict=True):
                proposer.tell(one, worth)
                found.documents.append(one.document)
                found.parameters.append(one.parameters)
                found.daily.append(gains)
                found.values.append(worth)
            found.sessions = _dates(result.sessions)
            if tell is not None:
                known = [worth for worth in found.values if worth == worth]  # noqa: PLR0124 - not NaN
                tell(proposer.done, proposer.trials, max(known, default=float("nan")))
    except KeyboardInterrupt:
        return True
    return False


def _proposer(
    document: StrategyDocument, space: Mapping[str, Any] | str, *, method: str, seed: int, trials: int
) -> Proposer:
    axes = read_grid(space)
    check_paths(document, axes)
    return Proposer(document, axes, method=method, seed=seed, trials=trials)


def _figure_of_slice(daily: Floats, *, past: slice, figure: Figure) -> Floats:
    return figure_of(daily[:, past], figure)


def _in_process(cube: Any, options: Mapping[str, Any]) -> Sweep:
    from bifrost_lib.backtest import sweep

    return lambda documents: sweep(documents, cube, **options)


def _by_path(parameters: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {path: [one[path] for one in parameters] for path in parameters[0]}


def _dates(sessions: Any) -> Days:
    values = np.asarray(sessions)
    if values.dtype.kind in "iu":  # days since 1970
        values = values.astype("datetime64[D]")
    return values.astype("datetime64[s]")
