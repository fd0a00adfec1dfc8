"""Which parameters to try next: Optuna's samplers behind the words of our grids."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bifrost_lib.backtest import Axis, Choices, Span, field_kind
from bifrost_lib.core.errors import DocumentError, InputError, UnknownNameError
from bifrost_lib.strategies import StrategyDocument

METHODS = ("bayesian", "random")
Method = Literal["bayesian", "random"]
_STARTUP = 10  # trials at random before the first that follows


@dataclass(frozen=True)
class Proposal:
    """A document to try, and the parameters that make it."""

    document: StrategyDocument
    parameters: dict[str, Any]
    trial: Any


class Proposer:
    """Proposes so many trials and learns from what they were worth; nothing is kept beyond the process.

    Parameters
    ----------
    document : StrategyDocument
    axes : mapping of path to Axis
    method : {"bayesian", "random"}
    seed, trials : int

    Notes
    -----
    Numbers in a list are tried as an ordered scale, other values as unordered kinds. Combinations that make no document
    are counted in `refused` by what was expected, and use up a trial; without a single document the first mistake is
    raised.
    """

    def __init__(
        self, document: StrategyDocument, axes: Mapping[str, Axis], *, method: str, seed: int, trials: int
    ) -> None:
        import optuna

        if trials < 1:
            raise InputError("trials", trials, "at least 1")
        if method not in METHODS:
            raise UnknownNameError("method", method, METHODS)
        optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study on the terminal
        startup = min(_STARTUP, max(1, trials // 3))
        sampler: optuna.samplers.BaseSampler = optuna.samplers.RandomSampler(seed=seed)
        if method == "bayesian":
            sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=startup)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        self._states = optuna.trial.TrialState
        self._axes = {path: _Scale(axis, field_kind(document, path) is int) for path, axis in axes.items()}
        self.trials, self.done = trials, 0
        self.refused: dict[str, int] = {}
        self._mistake: DocumentError | None = None

    @property
    def left(self) -> int:
        """Trials that are still to be proposed."""
        return self.trials - self.done

    def ask(self, most: int, make: Callable[[dict[str, Any]], StrategyDocument]) -> list[Proposal]:
        """Return at most so many proposals; fewer, or none, where combinations make no document."""
        found = []
        for _ in range(min(most, self.left)):
            trial = self._study.ask()
            parameters = {path: scale.suggest(trial, path) for path, scale in self._axes.items()}
            self.done += 1
            try:
                found.append(Proposal(make(parameters), parameters, trial))
            except DocumentError as mistake:
                self._study.tell(trial, state=self._states.PRUNED)
                self._mistake = self._mistake or mistake
                why = f"{mistake.name}: {mistake.expected.split('; with ')[0]}"
                self.refused[why] = self.refused.get(why, 0) + 1
        if self._mistake is not None and not self.left and sum(self.refused.values()) == self.trials:
            raise self._mistake
        return found

    def tell(self, proposal: Proposal, value: float) -> None:
        """Say what a proposal was worth; NaN, where it never traded, is worse than anything."""
        if math.isfinite(value):
            self._study.tell(proposal.trial, value)
        else:
            self._study.tell(proposal.trial, state=self._states.PRUNED)


class _Scale:
    # One axis as a sampler wants it.
    def __init__(self, axis: Axis, whole: bool) -> None:
        self.axis, self.whole = axis, whole
        values = axis.values
        self.values = None if values is None else tuple(values)
        if self.values is not None and all(_is_number(value) for value in self.values):
            self.values = tuple(sorted(set(self.values)))

    def suggest(self, trial: Any, path: str) -> Any:
        axis = self.axis
        if isinstance(axis, Span) and axis.values is None:
            if self.whole:
                low, high = math.ceil(axis.low), math.floor(axis.high)
                return trial.suggest_int(path, low, high, log=axis.log)
            return trial.suggest_float(path, axis.low, axis.high, log=axis.log)
        assert self.values is not None  # noqa: S101 - choices and spans with steps list their values
        if isinstance(axis, Choices) and not all(_is_number(value) for value in self.values):
            return self.values[trial.suggest_categorical(path, list(range(len(self.values))))]
        return self.values[trial.suggest_int(path, 0, len(self.values) - 1)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
