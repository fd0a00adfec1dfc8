"""American options under Black-Scholes-Merton: price, greeks, exercise boundary, early-exercise premium."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.american_dividend_implied import american_dividend_implied_vol
from bifrost_lib.pricing.american_dividends import american_dividend_greeks, american_dividend_price
from bifrost_lib.pricing.american_engine import solve
from bifrost_lib.pricing.american_implied import american_implied_vol
from bifrost_lib.pricing.american_inputs import american_batch, intrinsic, reduced_batch, unit
from bifrost_lib.pricing.american_layout import DOUBLE
from bifrost_lib.pricing.american_presets import preset_named
from bifrost_lib.pricing.american_slopes import american_greeks
from bifrost_lib.pricing.european import fill_prices

__all__ = [
    "american_dividend_greeks",
    "american_dividend_implied_vol",
    "american_dividend_price",
    "american_exercise_boundary",
    "american_greeks",
    "american_implied_vol",
    "american_premium",
    "american_price",
]


def american_price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Price American options, element by element.

    Parameters
    ----------
    spot, strike : array_like (...)
        Currency per share, > 0. All arguments broadcast against each other.
    tau : array_like (...)
        Years to expiry, ACT/365F, >= 0.
    vol : array_like (...)
        Annual volatility, a decimal, >= 0.
    right : str or array_like (...)
        "C" or "P": text, an array of text, a pandas Series or categorical, or booleans (int8) true for calls.
    rate, div_yield : array_like (...)
        Continuous annual decimals of either sign.
    accuracy : {"fast", "default", "accurate"}
        Typical error, for a strike of 100: 1e-4, 5e-6 or 1e-8.
    out : ndarray (...) of float64, optional
        Where the result is written, contiguous and of the broadcast shape.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside the domain given above, or `out` does not fit; ``error.name`` says which.

    Notes
    -----
    NaN in, NaN out; an infinite argument also gives NaN. At ``tau == 0``: the intrinsic value. At ``vol == 0``: the
    largest discounted exercise value on the underlying's only path. Where early exercise is never right (a call
    without dividends, a put without interest) the price is the European one.

    References
    ----------
    Andersen, Lake, Offengenden (2016), "High-performance American option pricing", J. Computational Finance 20(1).

    Examples
    --------
    >>> round(float(american_price(spot=36, strike=40, tau=1, vol=0.2, right="P", rate=0.06)), 4)
    4.4867
    """
    levels = preset_named(accuracy)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    target = given.target(out)
    value = unit(given) * solve(reduced_batch(given), levels).value
    fill_prices(given, target)
    for least in (value, intrinsic(given)):  # rounding in units of the strike can miss the other two by a digit
        np.maximum(target, least, out=target)
    return given.result(target)


def american_premium(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Return what the right to exercise early is worth: the American less the European price, >= 0.

    Parameters, errors and edge cases are those of `american_price`; the result is in currency per share.
    """
    levels = preset_named(accuracy)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    target = given.target(out)
    np.multiply(unit(given), solve(reduced_batch(given), levels).premium, out=target)
    return given.result(target)


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def american_exercise_boundary(
    *,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    accuracy: str = "default",
    out: npt.NDArray[np.float64] | None = None,
) -> Any:
    """Return the spot price at which to exercise now, `tau` before expiry.

    Parameters
    ----------
    strike, tau, vol, right, rate, div_yield, accuracy, out
        As for `american_price`.

    Returns
    -------
    ndarray (...) of float64
        Currency per share: a put is exercised at or below it, a call at or above it. Where exercise is never right: 0
        for puts and infinity for calls. NaN in, NaN out.

    Raises
    ------
    InputError
        As `american_price`; also where two boundaries enclose the region of exercise (``div_yield < rate < 0`` for
        puts, ``rate < div_yield < 0`` for calls), because one number cannot say it.
    """
    levels = preset_named(accuracy)
    given = american_batch(strike, strike, tau, vol, right, rate, div_yield)
    target, found = given.target(out), solve(reduced_batch(given), levels)
    if (found.kind == DOUBLE).any():
        raise InputError("rate", rate, "rates for which exercise has one boundary, not div_yield < rate < 0 for puts")
    call = given.columns[4] != 0
    np.multiply(given.columns[1], np.exp(np.where(call, -found.edge, found.edge)), out=target)
    return given.result(target)
