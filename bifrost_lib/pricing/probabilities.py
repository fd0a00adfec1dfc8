"""How likely the underlying is to end, or to go, somewhere: lognormal, risk-neutral or with a drift of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import erfcx, ndtr

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.lognormal_law import checked, log_return, plain

if TYPE_CHECKING:
    from bifrost_lib.pricing.density import RiskNeutralDensity


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def probability_itm(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    drift: npt.ArrayLike | None = None,
) -> Any:
    """Return the probability that an option ends in the money.

    Parameters
    ----------
    spot, strike : array_like (...)
        Currency per share, > 0; a forward as `spot` wants rates of 0. All arguments broadcast against each other.
    tau : array_like (...)
        Years to expiry, ACT/365F, >= 0.
    vol : array_like (...)
        Annual volatility, a decimal, >= 0.
    right : str or array_like (...)
        "C" or "P", as for `price`.
    rate, div_yield : array_like (...)
        Continuous annual decimals.
    drift : array_like (...), optional
        Expected growth of the price, continuous and annual: ``E[S(tau)] = spot * exp(drift * tau)``. By default
        ``rate - div_yield``, which gives the risk-neutral probability; one's own makes it a real-world one.

    Returns
    -------
    ndarray (...) of float64
        0 to 1; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    At ``tau == 0`` or ``vol == 0`` it is 0 or 1, and 0 exactly at the strike. NaN in, NaN out.

    References
    ----------
    Hull, "Options, Futures, and Other Derivatives", 11th ed., section 15.8: N(d2).
    """
    given = checked(
        spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield, drift=drift
    )
    total_vol, mean = log_return(given)
    ahead = given["right"] * (np.log(given["spot"] / given["strike"]) + mean)
    certain = np.where(np.isnan(ahead), np.nan, ahead > 0)
    return plain(np.where(total_vol == 0, certain, ndtr(ahead / total_vol)))


@np.errstate(over="ignore", divide="ignore", invalid="ignore")  # what cannot be computed is NaN, and no news
def probability_touch(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    drift: npt.ArrayLike | None = None,
) -> Any:
    """Return the probability that the price touches `strike` at any moment until `tau`.

    Parameters
    ----------
    spot, strike, tau, vol, rate, div_yield, drift : array_like (...)
        As for `probability_itm`; `strike` may lie on either side of `spot`.

    Returns
    -------
    ndarray (...) of float64
        0 to 1; 1 at ``strike == spot``; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    The price is watched continuously; it gaps less often than real ones. At ``vol == 0`` the path is the drift's. NaN
    in, NaN out.

    References
    ----------
    Shreve, "Stochastic Calculus for Finance II" (2004), corollary 7.2.2.
    """
    given = checked(spot=spot, strike=strike, tau=tau, vol=vol, rate=rate, div_yield=div_yield, drift=drift)
    total_vol, mean = log_return(given)
    distance = np.log(given["strike"] / given["spot"])
    mean = np.where(distance < 0, -mean, mean)
    distance = np.abs(distance)
    certain = np.where(np.isnan(distance + mean), np.nan, (distance == 0) | (mean >= distance))
    ends_beyond = ndtr((mean - distance) / total_vol)
    back = (distance + mean) / total_vol
    # The reflected paths' weight overflows where their probability underflows: the product is taken in one.
    scaled = 0.5 * erfcx(back / np.sqrt(2.0)) * np.exp(-0.5 * ((mean - distance) / total_vol) ** 2)
    direct = np.exp(2.0 * mean * distance / total_vol**2) * ndtr(-back)
    touched = np.minimum(ends_beyond + np.where(back > 0, scaled, direct), 1.0)
    return plain(np.where(total_vol == 0, certain, np.where((distance == 0) & ~np.isnan(mean), 1.0, touched)))


def probability_of_profit(
    *,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    spot: npt.ArrayLike | None = None,
    tau: npt.ArrayLike | None = None,
    vol: npt.ArrayLike | None = None,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    drift: npt.ArrayLike | None = None,
    density: RiskNeutralDensity | None = None,
) -> Any:
    """Return the probability that the price ends inside the intervals where a structure makes money.

    Parameters
    ----------
    low, high : array_like (..., n)
        Ends of the intervals of one structure along the last axis, currency per share, ``0 <= low <= high``; `high`
        may be infinite. An interval with equal ends is empty, so that it can fill a row.
    spot, tau, vol, rate, div_yield, drift : array_like (...)
        As for `probability_itm`: the lognormal case, risk-neutral or real-world.
    density : RiskNeutralDensity, optional
        The surface's own distribution, in place of all these.

    Returns
    -------
    ndarray (...) of float64
        0 to 1; a float for one structure.

    Raises
    ------
    InputError
        If an argument is outside its domain, or neither a density nor `spot`, `tau` and `vol` are given, or both.

    Notes
    -----
    Intervals are not merged: where they overlap, they count twice. NaN in, NaN out.
    """
    ends = checked(low=low, high=high)
    bottom, top = (np.atleast_1d(ends[name]) for name in ("low", "high"))
    if (bottom > top).any():
        raise InputError("low", low, "numbers no higher than `high`")
    lognormal = {name: value for name, value in (("spot", spot), ("tau", tau), ("vol", vol)) if value is not None}
    if (density is None) != (len(lognormal) == 3) or (density is not None and lognormal):
        raise InputError("density", density, "a density, or spot, tau and vol")
    if density is not None:
        return plain((density.below(top) - density.below(bottom)).sum(axis=-1))
    given = checked(**lognormal, rate=rate, div_yield=div_yield, drift=drift)
    total_vol, mean = log_return(given)
    total_vol, mean, start = (np.expand_dims(a, -1) for a in np.broadcast_arrays(total_vol, mean, given["spot"]))
    return plain(_between(bottom / start, top / start, mean, total_vol).sum(axis=-1))


def _between(low: Floats, high: Floats, mean: Floats, total_vol: Floats) -> Floats:
    # Differences are taken in the tail in which both ends lie, where they keep their digits.
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.log(low) - mean, np.log(high) - mean
        certain = np.where(np.isnan(ends[0] + ends[1]), np.nan, (ends[0] < 0) & (ends[1] >= 0))
        certain = np.where(np.isinf(ends[0]) | np.isinf(ends[1]), (ends[0] < 0) & (ends[1] >= 0), certain)
        below, above = ends[0] / total_vol, ends[1] / total_vol
    unsure = np.where(below > 0, ndtr(-below) - ndtr(-above), ndtr(above) - ndtr(below))
    found: Floats = np.where(total_vol == 0, certain, unsure)
    return found
