"""Trials of a search: proposed, simulated in batches, and remembered, so that no document is simulated twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import check_paths, read_grid, with_parameters
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows.backtests.proposing import Proposal, Proposer

Floats = npt.NDArray[np.float64]
Days = npt.NDArray[np.datetime64]
#: Takes documents and returns what has `summary`, `daily` (sets, sessions) and `sessions`, as `backtest.sweep` does.
Sweep = Callable[[Sequence[StrategyDocument]], Any]
#: Told of trials done, of how many, and the best value so far.
TellBest = Callable[[int, int, float], None]


class Trials:
    """What was tried: documents in their order, each once, with its parameters, its value, and its gains.

    Parameters
    ----------
    document : StrategyDocument
    space : mapping or str
        See `backtest.read_grid`.
    method : {"bayesian", "random"}
    seed, count : int
    """

    def __init__(
        self, document: StrategyDocument, space: Mapping[str, Any] | str, *, method: str, seed: int, count: int
    ) -> None:
        axes = read_grid(space)
        check_paths(document, axes)
        self.proposer = Proposer(document, axes, method=method, seed=seed, trials=count)
        self.documents, self.parameters = list[StrategyDocument](), list[dict[str, Any]]()
        self.values, self.daily, self.summaries = list[float](), list[Floats](), list[pd.DataFrame]()
        self.sessions: Days = np.empty(0, dtype="datetime64[s]")
        self._make = partial(with_parameters, document)
        self._known: dict[str, float] = {}

    @property
    def best(self) -> float:
        """The largest value so far; NaN without any."""
        return max((value for value in self.values if not np.isnan(value)), default=float("nan"))

    def run(
        self,
        simulate: Sweep,
        value: Callable[[Floats], Floats],
        *,
        batch: int,
        stop: Callable[[], bool] | None = None,
        tell: TellBest | None = None,
    ) -> bool:
        """Run all trials; return whether it was stopped, by `stop` or by Ctrl-C, before the last.

        Parameters
        ----------
        simulate : callable
            See `Sweep`.
        value : callable
            What gains (sets, sessions) are worth.
        batch : int
            Trials that are proposed and simulated at a time.
        stop, tell : callable, optional
            Asked, and told, between batches.
        """
        if batch < 1:
            raise InputError("batch", batch, "at least 1")
        try:
            while self.proposer.left:
                if stop is not None and stop():
                    return True
                self._try(self.proposer.ask(batch, self._make), simulate, value)
                if tell is not None:
                    tell(self.proposer.done, self.proposer.trials, self.best)
        except KeyboardInterrupt:
            return True
        return False

    def _try(self, proposed: Sequence[Proposal], simulate: Sweep, value: Callable[[Floats], Floats]) -> None:
        fresh = {one.document.sha256: one for one in proposed if one.document.sha256 not in self._known}
        if fresh:
            result = simulate([one.document for one in fresh.values()])
            daily = np.asarray(result.daily, dtype=np.float64)
            for one, gains, worth in zip(fresh.values(), daily, value(daily).tolist(), strict=True):
                self._known[one.document.sha256] = worth
                self.documents.append(one.document)
                self.parameters.append(one.parameters)
                self.daily.append(gains)
                self.values.append(worth)
            self.summaries.append(result.summary)
            self.sessions = dates(result.sessions)
        for one in proposed:
            self.proposer.tell(one, self._known[one.document.sha256])


class Remembered:
    """A sweep that does not simulate a document twice.

    Parameters
    ----------
    sweep : callable
        See `Sweep`.
    """

    def __init__(self, sweep: Sweep) -> None:
        self._sweep, self._known = sweep, dict[str, tuple[Floats, Any]]()
        self.sessions: Days = np.empty(0, dtype="datetime64[s]")

    def __call__(self, documents: Sequence[StrategyDocument]) -> Remembered:
        fresh = {one.sha256: one for one in documents if one.sha256 not in self._known}
        if fresh:
            found = self._sweep(list(fresh.values()))
            rows = found.summary.to_dict("records")
            told = zip(np.asarray(found.daily, dtype=np.float64), rows, strict=True)
            self._known.update(zip(fresh, told, strict=True))
            self.sessions = dates(found.sessions)
        self.daily = np.array([self._known[one.sha256][0] for one in documents])
        self.summary = pd.DataFrame([self._known[one.sha256][1] for one in documents])
        return self


def in_process(cube: Any, options: Mapping[str, Any]) -> Sweep:
    """Return the sweep that runs in this process."""
    from bifrost_lib.backtest import sweep

    return lambda documents: sweep(documents, cube, **options)


def dates(sessions: Any) -> Days:
    """Return sessions, dates or days since 1970, as datetime64[s]."""
    values = np.asarray(sessions)
    if values.dtype.kind in "iu":
        values = values.astype("datetime64[D]")
    return values.astype("datetime64[s]")
