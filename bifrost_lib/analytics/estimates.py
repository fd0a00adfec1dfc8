"""A number with the reason why it is missing, when it is."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """One number of a market; NaN has a `reason`, and a number has none."""

    value: float
    reason: str = ""

    def __float__(self) -> float:
        return self.value


@dataclass(frozen=True)
class Ranking:
    """Where a number stands in its own history: `value` in [0, 1], resting on `days` sessions; NaN has a `reason`."""

    value: float
    days: int
    reason: str = ""

    def __float__(self) -> float:
        return self.value


def missing(reason: str) -> Estimate:
    """Return NaN with its reason."""
    return Estimate(math.nan, reason)
