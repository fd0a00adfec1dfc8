"""Profit over prices of the underlying, for drawings: at the first expiry, and before it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.strategies.measures.positions import Legs, read_legs

Floats = npt.NDArray[np.float64]


def payoff_at_expiry(
    *,
    legs: Sequence[Mapping[str, Any]],
    spot: npt.ArrayLike,
    premium: float | None = None,
    multiplier: float = 100.0,
) -> Floats:
    """Return the profit of a structure at expiry over prices of its underlying; all options share an expiry.

    Parameters
    ----------
    legs : sequence of mapping
        As for `evaluate`.
    spot : array_like (m,)
        Prices of the underlying at expiry, currency per share, >= 0.
    premium : float, optional
        Cash for one unit: credit > 0. Default: from the legs' prices. 0 gives the bare payoff.
    multiplier : float
        Shares per contract.

    Returns
    -------
    ndarray (m,)
        Currency for one unit.

    Raises
    ------
    InputError
        If `premium` is not given and a leg has no price.
    """
    held, prices = read_legs(legs), np.asarray(spot, dtype=np.float64)
    total = np.full(prices.shape, _premium(held, premium, multiplier)) + multiplier * held.stock * prices
    for leg in range(len(held.strike)):
        total += multiplier * held.qty[leg] * _intrinsic(held, leg, prices)
    return total


def value_before_expiry(
    *,
    legs: Sequence[Mapping[str, Any]],
    spot: npt.ArrayLike,
    elapsed: float = 0.0,
    vol: float = math.nan,
    tau: float | None = None,
    rate: float = 0.0,
    div_yield: float = 0.0,
    premium: float | None = None,
    multiplier: float = 100.0,
    at: datetime | None = None,
) -> Floats:
    """Return the profit of closing a structure at its model value before, or at, its first expiry.

    Parameters
    ----------
    legs : sequence of mapping
        As for `evaluate`; a leg's ``iv`` is kept as the price moves.
    spot : array_like (m,)
        Prices of the underlying then, currency per share, > 0.
    elapsed : float
        Years from now, >= 0. Legs that have expired by then count with their intrinsic value at `spot`.
    vol : float
        Volatility of legs without ``iv``.
    tau : float, optional
        Years to expiry, from now, of legs that do not say.
    rate, div_yield, premium, multiplier, at
        As for `evaluate`; without `premium` all legs need prices.

    Returns
    -------
    ndarray (m,)
        Currency for one unit; NaN where a leg has neither ``iv`` nor `vol`.
    """
    held, prices = read_legs(legs, tau=tau, at=at), np.asarray(spot, dtype=np.float64)
    if np.isnan(held.tau).any():
        raise InputError("tau", None, "years to expiry, for all legs here or in each leg")
    if not elapsed >= 0:
        raise InputError("elapsed", elapsed, "years >= 0")
    total = np.full(prices.shape, _premium(held, premium, multiplier)) + multiplier * held.stock * prices
    for leg in range(len(held.strike)):
        iv = vol if math.isnan(held.iv[leg]) else float(held.iv[leg])
        left = float(held.tau[leg]) - elapsed
        value = (
            price(
                spot=prices, strike=held.strike[leg], tau=left, vol=iv, right="C" if held.is_call[leg] else "P",
                rate=rate, div_yield=div_yield,
            )
            if left > 0
            else _intrinsic(held, leg, prices)
        )  # fmt: skip
        total += multiplier * held.qty[leg] * value
    return total


def _intrinsic(held: Legs, leg: int, spot: Floats) -> Floats:
    strike = held.strike[leg]
    value: Floats = np.maximum(spot - strike if held.is_call[leg] else strike - spot, 0.0)
    return value


def _premium(held: Legs, premium: float | None, multiplier: float) -> float:
    if premium is not None:
        return float(premium)
    if np.isnan(held.price).any() or (held.stock and math.isnan(held.stock_price)):
        raise InputError("premium", None, "cash for one unit, or a price in every leg")
    stock = held.stock * held.stock_price if held.stock else 0.0
    return -multiplier * float(held.qty @ held.price + stock)
