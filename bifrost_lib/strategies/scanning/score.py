"""The score of a candidate: weighted measures, each between 0 and 1, that add up to 0-100.

Measures are normalised by fixed rules and not against the other candidates, so that a score means the same on every
chain and day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError

#: Parts of the score and their default weights. Capital is the max loss, or the margin where that is unbounded.
#: Quotes at mid promise what nobody trades at, so `ev` and `return_on_risk` count the cost of crossing the spreads.
#: - `pop`: itself.
#: - `ev`: expected profit over capital, after that cost; 0.5 at zero, and 0.75 at `EV_HALF`.
#: - `return_on_risk`: share of the max profit in max profit plus capital, after that cost; 1 if unbounded.
#: - `liquidity`: 1 where crossing is free, 0.5 where it takes `SLIPPAGE_HALF` of the lesser of max profit and capital.
#: - `fit`: how close strikes and days to expiry are to the document's targets.
WEIGHTS: dict[str, float] = {"pop": 0.30, "ev": 0.25, "return_on_risk": 0.20, "liquidity": 0.15, "fit": 0.10}
PARTS: tuple[str, ...] = tuple(WEIGHTS)

EV_HALF, SLIPPAGE_HALF = 0.05, 0.10


def score_parts(
    pop: float, ev: float, max_profit: float, capital: float, slippage: float, fit: float
) -> tuple[float, float, float, float, float]:
    """Return the parts of the score in the order of `PARTS`, each from 0 to 1, before weighting.

    The loop that ranks candidates computes the same (`bifrost_lib.strategies.scanning.score_loops`).
    """
    edge = (ev - slippage) / (capital + slippage)
    share = max(max_profit - slippage, 0.0) / (max_profit + capital) if max_profit < math.inf else 1.0
    room = SLIPPAGE_HALF * max(min(max_profit, capital), 0.0)
    return pop, 0.5 + 0.5 * edge / (abs(edge) + EV_HALF), share, room / (room + slippage), fit


def points_of(weights: Mapping[str, float] | None) -> npt.NDArray[np.float64]:
    """Return how many of the 100 points each part is worth, in the order of `PARTS`.

    Raises
    ------
    UnknownNameError
        For a weight of something that is no part.
    InputError
        For a weight that is negative or not finite, or if all are zero.
    """
    given = WEIGHTS if weights is None else weights
    for name, weight in given.items():
        if name not in WEIGHTS:
            raise UnknownNameError("weights", name, WEIGHTS)
        if not 0 <= weight < math.inf:
            raise InputError(f"weights.{name}", weight, "a number >= 0")
    values = np.array([float(given.get(name, 0.0)) for name in PARTS])
    if values.sum() <= 0:
        raise InputError("weights", dict(given), "at least one weight > 0")
    points: npt.NDArray[np.float64] = 100.0 * values / values.sum()
    return points
