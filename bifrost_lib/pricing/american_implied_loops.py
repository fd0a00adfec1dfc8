"""The loops behind `american_implied_vol`: where its search begins, and what one round of it does."""

from __future__ import annotations

import math

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.american_layout import EUROPEAN, OPEN
from bifrost_lib.pricing.american_reduce_loops import kind_of, still_value
from bifrost_lib.pricing.elementary import SCALAR, exponential
from bifrost_lib.pricing.first_guess import guess_total_vol
from bifrost_lib.pricing.implied_loops import implied_one, reduce_one
from bifrost_lib.pricing.normal_form import INV_SQRT_2PI

_OK = int(Quality.OK)
_NO_QUOTE = int(Quality.NO_QUOTE)
_NO_SPOT = int(Quality.NO_SPOT)
_EXPIRED = int(Quality.EXPIRED)
_BELOW = int(Quality.BELOW_INTRINSIC)
_ABOVE = int(Quality.ABOVE_MAXIMUM)
_NO_IV = int(Quality.NO_IV)

_NOISE = 1e-15  # of the put's strike
_CLOSE = 1e-12  # relative change of w at which the search ends
_LARGEST_W = 40.0
_AT_MOST = 1.02  # times the polynomial guess is no guess too low, whose worst error is half a percent


@kernel(**SCALAR)
def _vega(x: float, a: float, c: float, w: float) -> float:
    low = (x + a - c) / w - 0.5 * w
    return INV_SQRT_2PI * exponential(-a - 0.5 * low * low)


@kernel(**SCALAR)
def _european_vol(value: float, asset: float, cash: float, moneyness: float) -> tuple[float, float]:
    """Return about the total volatility of the European put of that value, and one that is certainly no lower."""
    x, b, good = reduce_one(value, asset, cash, -1.0, moneyness, 1.0)
    if good > 0.0:
        guess, _ = guess_total_vol(x, b)
        return guess, guess * _AT_MOST
    guess, found = implied_one(value, asset, cash, moneyness, 1.0, False)
    return (guess, guess * (1.0 + 1e-9)) if found == _OK else (1.0, math.inf)


def begin(value: Floats, scale: Floats, tau: Floats, data: Table, state: Table, status: Flags) -> int:
    """Set rows of `state` (value, low, high, w before, premium before) and a first w, or a status where none is due.

    Returns how many are open: still to be solved.
    """
    open_ones = 0
    one, still = scale.size == 1, tau.size == 1
    for i in range(status.size):
        price = value[0 if value.size == 1 else i]
        v, t = price / scale[0 if one else i], tau[0 if still else i]
        x, a, c = data[0, i], data[1, i], data[2, i]
        state[0, i], state[1, i], state[2, i], state[3, i], state[4, i] = v, 0.0, _LARGEST_W, 0.0, 0.0
        data[3, i] = math.nan
        if not math.isfinite(price + x + a + c + t):
            status[i] = _NO_QUOTE if math.isnan(price) else (_NO_SPOT if math.isnan(x) else _NO_IV)
            continue
        least, _ = still_value(x, a, c)
        noise = _NOISE * max(1.0, exponential(x)) if least > 0.0 else 0.0
        if t == 0.0:
            status[i] = _EXPIRED
        elif v - least <= noise:
            status[i] = _BELOW if v - least < -noise or v < 0.0 else _NO_IV
        elif v >= (exponential(-a) if a < 0.0 else 1.0):
            status[i] = _ABOVE
        else:
            asset, cash = exponential(x - c), exponential(-a)
            if kind_of(a, c, 1.0) == EUROPEAN:
                data[3, i], status[i] = implied_one(v, asset, cash, x + a - c, 1.0, False)
            else:
                status[i] = OPEN
                open_ones += 1
                guess, most = _european_vol(v, asset, cash, x + a - c)
                data[3, i], state[2, i] = guess, min(most, _LARGEST_W)
    return open_ones


def improve(turn: int, places: Counts, part: Table, data: Table, state: Table, status: Flags) -> int:
    """Move w of the options at `places`, whose solution is `part`, towards the volatility that gives the value.

    Returns how many are closed: that need no more improvement.
    """
    closed = 0
    for j in range(places.size):
        i = places[j]
        w, premium = part[3, j], part[8, j]
        gap = part[4, j] - state[0, i]
        if gap > 0.0:
            state[2, i] = min(state[2, i], w)
        else:
            state[1, i] = max(state[1, i], w)
        low, high = state[1, i], state[2, i]
        slope = _vega(part[0, j], part[1, j], part[2, j], w)
        if turn > 0 and w != state[3, i]:
            slope += (premium - state[4, i]) / (w - state[3, i])
        step = gap / slope if slope > 0.0 else math.inf
        moved = w - step
        if not low < moved < high:
            moved = 0.5 * (low + high) if high < _LARGEST_W else 2.0 * w
            step = w - moved
        # a secant's error is about the product of the last two, so the move just made is accounted for
        rest = step * (state[3, i] - moved) if turn > 0 else math.inf
        state[3, i], state[4, i] = w, premium
        data[3, i] = moved
        if gap == 0.0:
            status[i], data[3, i] = _OK, w
        elif math.fabs(rest) <= _CLOSE * w * w or math.fabs(step) <= _CLOSE * w:
            status[i] = _OK
        elif moved >= _LARGEST_W or high - low <= 1e-15 * high:
            status[i] = _OK if moved < _LARGEST_W else _NO_IV
        closed += status[i] != OPEN
    return closed
