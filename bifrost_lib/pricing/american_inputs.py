"""What callers of American pricing may pass, and its reduction to puts in units of their strike."""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.american_layout import ROWS
from bifrost_lib.pricing.arguments import Batch, Floats, batch

_reduce_all = loop("bifrost_lib.pricing.american_reduce_loops", "reduce_all")

_DOMAIN = {"spot": "numbers > 0", "strike": "numbers > 0", "tau": "years >= 0", "vol": "numbers >= 0"}


def american_batch(spot: Any, strike: Any, tau: Any, vol: Any, right: Any, rate: Any, div_yield: Any) -> Batch:
    """Broadcast the arguments of an option and refuse those outside their domain."""
    given = batch(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
    for (name, expected), column in zip(_DOMAIN.items(), given.columns, strict=False):
        wrong = column <= 0.0 if expected.endswith("> 0") else column < 0.0
        if wrong.any():
            raise InputError(name, float(column[wrong][0]), expected)
    return given


def reduced_batch(given: Batch) -> Floats:
    """Return the options of `given` as data to solve: the first rows are x, a, c and w."""
    data = np.empty((ROWS, given.size))
    _reduce_all(*given.columns, given.steps, data)
    return data


def unit(given: Batch) -> Floats:
    """Return the strike of the put that each option was reduced to, one element where all share it."""
    spot, strike, call = given.columns[0], given.columns[1], given.columns[4]
    strikes: Floats = np.where(call != 0, spot, strike)
    return strikes


def intrinsic(given: Batch) -> Floats:
    """Return what each option is worth when exercised now."""
    spot, strike, call = given.columns[0], given.columns[1], given.columns[4]
    value: Floats = np.maximum(np.where(call != 0, spot - strike, strike - spot), 0.0)
    return value
