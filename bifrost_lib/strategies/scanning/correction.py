"""Probabilities of a profit corrected by what became of earlier recommendations."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies.scanning.scan_layout import CERTAIN


@dataclass(frozen=True)
class PopCorrection:
    """A correction of stated probabilities, logit q = intercept + slope * logit p, learned from `outcomes` of them.

    A slope > 0 keeps their order: a correction changes what a probability counts for, not which one is the greatest.
    """

    intercept: float
    slope: float
    outcomes: int

    def __post_init__(self) -> None:
        if not math.isfinite(self.intercept):
            raise InputError("intercept", self.intercept, "a finite number")
        if not 0 < self.slope < math.inf:
            raise InputError("slope", self.slope, "a number > 0")

    def __call__(self, pop: float) -> float:
        """Return the corrected probability; what is certain or impossible stays so."""
        if not 0.0 < pop < 1.0:
            return pop
        inside = min(max(pop, CERTAIN), 1.0 - CERTAIN)
        return 1.0 / (1.0 + math.exp(-(self.intercept + self.slope * math.log(inside / (1.0 - inside)))))
