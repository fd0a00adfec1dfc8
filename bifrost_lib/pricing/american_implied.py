"""Implied volatility of American options, with the reason where there is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.american_engine import EUROPEAN, ROWS, kind_of, solve, still_value
from bifrost_lib.pricing.american_inputs import american_batch, reduced_batch, unit
from bifrost_lib.pricing.american_presets import Pair, preset_named
from bifrost_lib.pricing.arguments import Floats, batch
from bifrost_lib.pricing.elementary import SCALAR, exponential
from bifrost_lib.pricing.implied_loops import implied_one
from bifrost_lib.pricing.normal_form import INV_SQRT_2PI

_OK = int(Quality.OK)
_NO_QUOTE = int(Quality.NO_QUOTE)
_NO_SPOT = int(Quality.NO_SPOT)
_EXPIRED = int(Quality.EXPIRED)
_BELOW = int(Quality.BELOW_INTRINSIC)
_ABOVE = int(Quality.ABOVE_MAXIMUM)
_NO_IV = int(Quality.NO_IV)
_OPEN = -1  # still to be solved

_NOISE = 1e-15  # of the put's strike
_TURNS = 60
_CLOSE = 1e-12  # relative change of w at which the search ends
_LARGEST_W = 40.0


@kernel(**SCALAR)
def _vega(x: float, a: float, c: float, w: float) -> float:
    low = (x + a - c) / w - 0.5 * w
    return INV_SQRT_2PI * exponential(-a - 0.5 * low * low)


@kernel(error_model="numpy", nogil=True)
def _begin(value: Any, scale: Any, tau: Any, data: Any, state: Any, status: Any) -> None:
    """Set rows of `state` (value, low, high, w before, premium before) and a first w, or a status where none is due."""
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
            guess, found = implied_one(v, exponential(x - c), exponential(-a), x + a - c, 1.0, False)
            if kind_of(a, c, 1.0) == EUROPEAN:
                status[i], data[3, i] = found, guess
            else:
                status[i] = _OPEN
                data[3, i] = guess if found == _OK else 1.0
                if found == _OK:
                    state[2, i] = min(guess * (1.0 + 1e-9), _LARGEST_W)


@kernel(error_model="numpy", nogil=True)
def _improve(turn: int, places: Any, part: Any, data: Any, state: Any, status: Any) -> None:
    """Move w of the options at `places`, whose solution is `part`, towards the volatility that gives the value."""
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


def american_implied_vol(
    *,
    price: npt.ArrayLike,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    return_status: bool = False,
) -> Any:
    """Solve American prices for volatility, element by element.

    Parameters
    ----------
    price : array_like (...)
        Currency per share.
    spot, strike, tau, right, rate, div_yield, accuracy
        As for `american_price`.
    return_status : bool
        Also return why there is no volatility.

    Returns
    -------
    ndarray (...) of float64
        Annual decimal; a float for scalar arguments; NaN where no volatility gives that price.
    ndarray (...) of int8
        Only with `return_status`: codes of `bifrost_lib.core.quality.Quality`; OK, BELOW_INTRINSIC (less than the best
        exercise on the underlying's expected path is worth), ABOVE_MAXIMUM, EXPIRED (``tau == 0``), NO_IV (the price
        is that of an option to be exercised now, which every small volatility gives), NO_QUOTE and NO_SPOT (NaN).

    Raises
    ------
    InputError
        If `spot`, `strike`, `tau`, `right` or `accuracy` is outside its domain; ``error.name`` says which. A price
        outside the no-arbitrage bounds is never an error.

    Notes
    -----
    The search starts at the volatility of a European option of the same price, which is never too low. Each step takes
    the slope of the European part exactly and that of the premium from the step before, within a bracket.
    """
    pair = preset_named(accuracy)
    quoted = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    value, s0, k, years, call, r, q = quoted.columns
    given = american_batch(s0, k, years, 1.0, call, r, q)
    data = np.empty((ROWS, quoted.size))
    data[:4] = reduced_batch(given)[:4]
    status = np.empty(quoted.size, dtype=np.int8)
    _search(value, unit(given), years, data, status, pair)
    found = status == _OK
    iv = np.full(quoted.size, np.nan)
    iv[found] = data[3, found] / np.sqrt(years if years.size == 1 else years[found])
    return (quoted.result(iv), quoted.result(status)) if return_status else quoted.result(iv)


def _search(value: Floats, scale: Floats, tau: Floats, data: Floats, status: npt.NDArray[np.int8], pair: Pair) -> None:
    state = np.empty((5, status.size))
    _begin(value, scale, tau, data, state, status)
    for turn in range(_TURNS):
        places = np.flatnonzero(status == _OPEN)
        if not places.size:
            return
        part = np.ascontiguousarray(data[:, places])
        solve(part, pair)
        _improve(turn, places, part, data, state, status)
    status[status == _OPEN] = _OK  # flat as the price is there, the bracket has closed in on the answer
