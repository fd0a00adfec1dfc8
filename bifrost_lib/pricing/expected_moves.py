"""How far the underlying is expected to go: from a volatility, or from the price of a straddle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from bifrost_lib.pricing.lognormal_law import checked, log_return, plain


@dataclass(frozen=True)
class ExpectedMove:
    """How far the underlying is expected to go, in currency per share.

    `one_sigma` is spot times vol times the square root of time; the price ends between `low` and `high` with
    probability 68.27 %; `mean_absolute` is the expected distance from the forward, which is what the straddle struck
    there costs, undiscounted.
    """

    one_sigma: Any
    low: Any
    high: Any
    mean_absolute: Any


@dataclass(frozen=True)
class StraddleMove:
    """What a straddle says about the move until its expiry, in currency per share.

    `mean_absolute` is the expected distance from the strike, in any model; `one_sigma` the standard deviation of a
    lognormal price around the strike, its log return's times the strike, that has this distance.
    """

    mean_absolute: Any
    one_sigma: Any


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def expected_move(
    *,
    spot: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    drift: npt.ArrayLike | None = None,
) -> ExpectedMove:
    """Return how far a lognormal price is expected to go until `tau`.

    Parameters
    ----------
    spot, tau, vol, rate, div_yield, drift : array_like (...)
        As for `probability_itm`.

    Returns
    -------
    ExpectedMove
        Currency per share, of the broadcast shape.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    NaN in, NaN out.
    """
    given = checked(spot=spot, tau=tau, vol=vol, rate=rate, div_yield=div_yield, drift=drift)
    total_vol, mean = log_return(given)
    start = given["spot"]
    forward = start * np.exp(mean + 0.5 * total_vol**2)
    return ExpectedMove(
        one_sigma=plain(start * total_vol + 0.0 * mean),
        low=plain(start * np.exp(mean - total_vol)),
        high=plain(start * np.exp(mean + total_vol)),
        mean_absolute=plain(2.0 * forward * (ndtr(0.5 * total_vol) - ndtr(-0.5 * total_vol))),
    )


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def straddle_move(
    *,
    strike: npt.ArrayLike,
    call: npt.ArrayLike,
    put: npt.ArrayLike,
    tau: npt.ArrayLike = 0.0,
    rate: npt.ArrayLike = 0.0,
) -> StraddleMove:
    """Return the move until expiry that a straddle's price implies.

    Parameters
    ----------
    strike : array_like (...)
        Currency per share, > 0: the strike nearest to the forward.
    call, put : array_like (...)
        Mids of the two options, currency per share, >= 0.
    tau, rate : array_like (...)
        Years to expiry and continuous annual rate; they undo the discounting.

    Returns
    -------
    StraddleMove
        Currency per share, of the broadcast shape.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    `one_sigma` takes the forward for the strike; a forward x standard deviations away makes it too large by about
    ``x**2 / 2``. NaN in, NaN out; NaN also where the straddle costs twice its strike, which no volatility explains.

    References
    ----------
    Brenner and Subrahmanyam (1988), "A Simple Formula to Compute the Implied Standard Deviation", without the
    approximation.
    """
    given = checked(strike=strike, call=call, put=put, tau=tau, rate=rate)
    center = given["strike"]
    distance = (given["call"] + given["put"]) * np.exp(given["rate"] * given["tau"])
    share = distance / (4.0 * center)
    total_vol = 2.0 * ndtri(0.5 + np.where(share < 0.5, share, np.nan))
    return StraddleMove(mean_absolute=plain(distance + 0.0 * center), one_sigma=plain(center * total_vol))
