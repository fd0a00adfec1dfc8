"""Intervals of figures by resampling, with the reason where there is none."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.statistics.bootstrap import FEWEST, Interval, bootstrap_interval

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Resampling:
    """How intervals are found: see `bootstrap_interval`."""

    confidence: float
    draws: int
    seed: int

    def interval(self, name: str, values: Floats, figure: Any, why: dict[str, str]) -> Interval:
        """Return the interval of a figure, and note in `why` what is in its way."""
        if not np.isfinite(values).all():
            found = Interval(math.nan, math.nan, math.nan, "the account was lost")
        elif self.draws == 0:
            found = Interval(math.nan, math.nan, math.nan, "intervals were not asked for")
        elif len(values) >= FEWEST and not np.ptp(values) > 0 and name == "sharpe":
            found = Interval(math.nan, math.nan, math.nan, "the equity never moved")
        else:
            found = bootstrap_interval(values, figure, confidence=self.confidence, draws=self.draws, seed=self.seed)
        why[f"{name}_low"] = why[f"{name}_high"] = found.reason
        return found
