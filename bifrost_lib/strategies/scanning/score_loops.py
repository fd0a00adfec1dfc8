"""The score inside a scan's loop; `bifrost_lib.strategies.scanning.score` says what it means."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing import elementary
from bifrost_lib.strategies.scanning.scan_layout import CERTAIN

_SCALAR = elementary.SCALAR
EV_HALF, SLIPPAGE_HALF = 0.05, 0.10


@kernel(**_SCALAR)
def corrected(pop: float, intercept: float, slope: float) -> float:
    """Return a probability as `PopCorrection` does."""
    inside = min(max(pop, CERTAIN), 1.0 - CERTAIN)
    found = 1.0 / (1.0 + math.exp(-(intercept + slope * math.log(inside / (1.0 - inside)))))
    return found if 0.0 < pop < 1.0 else pop


@kernel(**_SCALAR)
def edge_share(ev: float, capital: float, slippage: float) -> float:
    """Return the expected profit over capital after costs, as 0 to 1: half at zero."""
    edge = (ev - slippage) / (capital + slippage)
    return 0.5 + 0.5 * edge / (abs(edge) + EV_HALF)


@kernel(**_SCALAR)
def score_of(
    pop: float, ev: float, max_profit: float, capital: float, slippage: float, fit: float, points: Any
) -> float:  # fmt: skip
    """Return the score, given the points that each part is worth."""
    bounded = max_profit < math.inf
    gain = max_profit if bounded else capital
    share = max(gain - slippage, 0.0) / (gain + capital) if bounded else 1.0
    room = SLIPPAGE_HALF * max(min(max_profit, capital), 0.0)
    total: float = points[0] * pop + points[1] * edge_share(ev, capital, slippage) + points[2] * share
    total += points[3] * (room / (room + slippage)) + points[4] * fit
    return total
