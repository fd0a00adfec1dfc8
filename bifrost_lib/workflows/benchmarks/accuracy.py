"""How exactly a solver recovers a volatility, on prices computed in 60 digits."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MONEYNESS = (0.2, 0.5, 0.8, 0.95, 1.0, 1.02, 1.25, 2.0, 4.0)
DAYS = (1, 7, 30, 180, 730)
VOLS = (0.01, 0.05, 0.12, 0.25, 0.6, 1.2, 3.0)
#: A price that changes by less than its last digit when the volatility changes by 1e-12 does not carry that volatility.
_DIGITS = 2.0**-52


def hard_grid() -> dict[str, Any]:
    """Return options with prices from 60-digit arithmetic: K/S 0.2 to 4, a day to two years, 1 to 300 %.

    Out-of-the-money options (a price in the money has lost its time value to rounding). `carried` tells which prices
    are above 1e-280 and determine their volatility to 1e-12.
    """
    import mpmath as mp

    rows = []
    with mp.workdps(60):
        for ratio, days, vol in product(MONEYNESS, DAYS, VOLS):
            call, tau = ratio >= 1.0, mp.mpf(days / 365.0)
            strike, sigma = mp.mpf(100.0 * ratio), mp.mpf(vol)
            deviation = sigma * mp.sqrt(tau)
            d1 = mp.log(100 / strike) / deviation + deviation / 2
            d2, sign = d1 - deviation, 1 if call else -1
            price = sign * (100 * mp.ncdf(sign * d1) - strike * mp.ncdf(sign * d2))
            vega = 100 * mp.npdf(d1) * mp.sqrt(tau)
            carried = price > mp.mpf(10) ** -280 and _DIGITS * price / vega < 1e-12 * sigma
            rows.append((100.0 * ratio, days / 365.0, vol, call, float(price), bool(carried)))
    names = ("strike", "tau", "vol", "calls", "price", "carried")
    columns = {name: np.array(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    zero = np.zeros(len(rows))
    return columns | {"spot": zero + 100.0, "rate": zero, "div_yield": zero}


def worst_error(found: Floats, grid: dict[str, Any]) -> tuple[float, int]:
    """Return the largest relative error where the price carries its volatility, and how many have no answer there."""
    carried = grid["carried"]
    off = np.abs(found - grid["vol"])[carried] / grid["vol"][carried]
    return float(np.nanmax(off)), int(np.isnan(off).sum())
