"""Implied volatility of American options, with the reason where there is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import Flags, loop
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.american_engine import Device, on_processor, solve
from bifrost_lib.pricing.american_inputs import american_batch, reduced_batch, unit
from bifrost_lib.pricing.american_layout import OPEN, ROWS, STATE_ROWS
from bifrost_lib.pricing.american_presets import Levels, preset_named
from bifrost_lib.pricing.arguments import Batch, Floats, batch

_OK = int(Quality.OK)
_TURNS = 60

_begin = loop("bifrost_lib.pricing.american_implied_loops", "begin")
_improve = loop("bifrost_lib.pricing.american_implied_loops", "improve")


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
    out: npt.NDArray[np.float64] | None = None,
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
    out : ndarray (...) of float64, optional
        Where the result is written, contiguous and of the broadcast shape.

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
        If an argument other than `price` is outside its domain, or `out` does not fit; ``error.name`` says which. A
        price outside the no-arbitrage bounds is never an error.

    Notes
    -----
    The search starts at the volatility of a European option of the same price, which is never too low. Each step takes
    the slope of the European part exactly and that of the premium from the step before, within a bracket.
    """
    levels = preset_named(accuracy)
    quoted = batch(price=price, spot=spot, strike=strike, tau=tau, right=right, rate=rate, div_yield=div_yield)
    iv, status = volatilities_of(quoted, levels, on_processor, out)
    return (quoted.result(iv), quoted.result(status)) if return_status else quoted.result(iv)


def volatilities_of(quoted: Batch, levels: Levels, device: Device, out: Floats | None = None) -> tuple[Floats, Flags]:
    """Return the volatility of each price in `quoted`, solved on `device` and written to `out`, and the status."""
    iv = quoted.target(out)
    value, s0, k, years, call, r, q = quoted.columns
    given = american_batch(s0, k, years, 1.0, call, r, q)
    data = np.empty((ROWS, quoted.size))
    data[:4] = reduced_batch(given)[:4]
    status = np.empty(quoted.size, dtype=np.int8)
    _search(value, unit(given), years, data, status, levels, device)
    found = status == _OK
    iv[~found] = np.nan
    iv[found] = data[3, found] / np.sqrt(years if years.size == 1 else years[found])
    return iv, status


def _search(
    value: Floats, scale: Floats, tau: Floats, data: Floats, status: Flags, levels: Levels, device: Device
) -> None:
    state = np.empty((STATE_ROWS, status.size))
    _begin(value, scale, tau, data, state, status)
    for turn in range(_TURNS):
        places = np.flatnonzero(status == OPEN)
        if not places.size:
            return
        part = np.ascontiguousarray(data[:, places])
        solve(part, levels, device=device)
        _improve(turn, places, part, data, state, status)
    status[status == OPEN] = _OK  # flat as the price is there, the bracket has closed in on the answer
