"""Variance and skewness of any underlying from the prices of all its options, by CBOE's methods for VIX and SKEW."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.option_strip import MINUTES_PER_DAY, MINUTES_PER_YEAR, OptionStrip, StripTerm, select_strip

Correction = Literal["cboe", "exact"]


@dataclass(frozen=True)
class StripVariance:
    """The variance that one expiry's strip is worth, and how it comes about.

    `variance` is annual (a decimal, the square of a vol); `tau` in years; `forward`, `center_strike`, `strike`, `mid`
    and `spacing` in currency per share; `contribution` of each strike to half of the total variance before the
    correction for the center strike. Without a strip, `variance` is NaN and `reason` says why.
    """

    variance: float
    tau: float
    forward: float
    center_strike: float
    reason: str
    strike: Floats
    mid: Floats
    spacing: Floats
    contribution: Floats


@dataclass(frozen=True)
class StripMoments:
    """Moments of the log return on the forward until one expiry.

    `first`, `second`, `third`: expected power of the return (CBOE's P1, P2, P3), not annualised; `skewness` (CBOE's S)
    of its distribution; `tau` in years. All NaN without a strip, and `reason` says why.
    """

    first: float
    second: float
    third: float
    skewness: float
    tau: float
    reason: str


def strip_variance(
    *,
    strike: npt.ArrayLike,
    minutes: float,
    rate: float = 0.0,
    call_bid: npt.ArrayLike | None = None,
    call_ask: npt.ArrayLike | None = None,
    put_bid: npt.ArrayLike | None = None,
    put_ask: npt.ArrayLike | None = None,
    call_mid: npt.ArrayLike | None = None,
    put_mid: npt.ArrayLike | None = None,
    forward: float | None = None,
) -> StripVariance:
    """Value the variance swap of one expiry by its strip of out-of-the-money options.

    Parameters
    ----------
    strike : array_like (n,)
        Currency per share, > 0, each once, in any order.
    minutes : float
        Minutes to settlement, > 0; a year has 525,600.
    rate : float
        Continuous annual decimal.
    call_bid, call_ask, put_bid, put_ask : array_like (n,)
        Currency per share; an option counts with a bid > 0 and an ask that is no lower.
    call_mid, put_mid : array_like (n,)
        Instead of bids and asks; an option counts with a mid > 0.
    forward : float, optional
        Currency per share; by default from the strike at which call and put differ least.

    Returns
    -------
    StripVariance
        Annual variance with its parts; NaN, with a reason, where the quotes do not make a strip.

    Raises
    ------
    InputError
        If an argument is outside its domain, shapes differ, or neither or both kinds of quotes are given;
        ``error.name`` says which ("quotes" for the last).

    Notes
    -----
    From the center strike (the last at or below the forward) outward, options without a bid are left out, and after
    two such strikes in a row no further one counts. The center's price is the mean of its call and put. A missing
    quote is NaN and is treated as one without a bid. The formula is meant for European options.

    References
    ----------
    Cboe, "White Paper: Cboe Volatility Index" (2019), steps 1 and 2. Demeterfi, Derman, Kamal and Zou, "More Than You
    Ever Wanted to Know About Volatility Swaps" (1999).
    """
    term = {
        "strike": strike,
        "minutes": minutes,
        "rate": rate,
        "call_bid": call_bid,
        "call_ask": call_ask,
        "put_bid": put_bid,
        "put_ask": put_ask,
        "call_mid": call_mid,
        "put_mid": put_mid,
        "forward": forward,
    }
    return _variance(select_strip(cast(StripTerm, {name: value for name, value in term.items() if value is not None})))


def vix_index(*, near: StripTerm, far: StripTerm, days: float = 30.0) -> float:
    """Compute the volatility index of any underlying by CBOE's method for the VIX.

    Parameters
    ----------
    near, far : StripTerm
        Arguments of `strip_variance` for the two expiries around the horizon, as mappings; `strip_terms` takes them
        from a chain.
    days : float
        The horizon, days of 1,440 minutes, > 0.

    Returns
    -------
    float
        Index points: 100 times the annual volatility over the horizon.

    Raises
    ------
    InputError
        If a term is outside the domain of `strip_variance`, or `far` does not settle after `near`.

    Notes
    -----
    Total variance is linear in time between the two expiries, and beyond them. NaN where one of them has no strip
    (`strip_variance` gives the reason) or where the extrapolated variance is negative.

    References
    ----------
    Cboe, "White Paper: Cboe Volatility Index" (2019), step 3.
    """
    first, second = _variance(select_strip(near)), _variance(select_strip(far))
    share = _share_of_near(first.tau, second.tau, days)
    total = share * first.variance * first.tau + (1.0 - share) * second.variance * second.tau
    annual = total * MINUTES_PER_YEAR / (days * MINUTES_PER_DAY)
    return 100.0 * math.sqrt(annual) if annual >= 0 else math.nan


def strip_moments(*, term: StripTerm, correction: Correction = "cboe") -> StripMoments:
    """Compute the first three moments of the log return until one expiry from its strip.

    Parameters
    ----------
    term : StripTerm
        Arguments of `strip_variance`, as a mapping.
    correction : {"cboe", "exact"}
        How the distance between forward and center strike is made good, see Notes.

    Returns
    -------
    StripMoments
        NaN, with a reason, where the quotes do not make a strip.

    Raises
    ------
    InputError
        As for `strip_variance`, and for an unknown `correction`.

    Notes
    -----
    CBOE prints half of the squared logarithm in the second moment's correction; expanding the payoff around the center
    strike gives all of it ("exact"). Both agree where the forward is a strike.

    References
    ----------
    Cboe, "The CBOE SKEW Index" (2010), appendix.
    """
    if correction not in ("cboe", "exact"):
        raise UnknownNameError("correction", correction, ("cboe", "exact"))
    return _moments(select_strip(term), correction)


def skew_index(*, near: StripTerm, far: StripTerm, days: float = 30.0, correction: Correction = "cboe") -> float:
    """Compute the skewness index of any underlying by CBOE's method for SKEW.

    Parameters
    ----------
    near, far : StripTerm
        Arguments of `strip_variance` for the two expiries around the horizon, as mappings.
    days : float
        The horizon, days of 1,440 minutes, > 0.
    correction : {"cboe", "exact"}
        As for `strip_moments`.

    Returns
    -------
    float
        Index points: 100 - 10 times the skewness, interpolated linearly in time. 100 is a normal log return.

    Raises
    ------
    InputError
        As for `vix_index`, and for an unknown `correction`.

    Notes
    -----
    NaN where one of the expiries has no strip (`strip_moments` gives the reason).

    References
    ----------
    Cboe, "The CBOE SKEW Index" (2010).
    """
    first, second = (strip_moments(term=term, correction=correction) for term in (near, far))
    share = _share_of_near(first.tau, second.tau, days)
    return 100.0 - 10.0 * (share * first.skewness + (1.0 - share) * second.skewness)


def _variance(strip: OptionStrip) -> StripVariance:
    contribution = strip.spacing / strip.strike**2 * strip.growth * strip.mid
    variance = math.nan
    if not strip.reason:
        correction = (strip.forward / strip.center_strike - 1.0) ** 2
        variance = (2.0 * float(contribution.sum()) - correction) / strip.tau
    return StripVariance(
        variance,
        strip.tau,
        strip.forward,
        strip.center_strike,
        strip.reason,
        strip.strike,
        strip.mid,
        strip.spacing,
        contribution,
    )


def _moments(strip: OptionStrip, correction: Correction) -> StripMoments:
    if strip.reason:
        return StripMoments(math.nan, math.nan, math.nan, math.nan, strip.tau, strip.reason)
    weight = strip.growth * strip.spacing * strip.mid / strip.strike**2
    log_strike = np.log(strip.strike / strip.forward)
    first, second, third = corrections(strip.forward, strip.center_strike, correction)
    first -= float(weight.sum())
    second += float((2.0 * (1.0 - log_strike) * weight).sum())
    third += float((3.0 * log_strike * (2.0 - log_strike) * weight).sum())
    spread = second - first * first
    central = third - 3.0 * first * second + 2.0 * first**3
    skewness = central / spread**1.5 if spread > 0 else math.nan
    return StripMoments(first, second, third, skewness, strip.tau, "")


def corrections(forward: float, center_strike: float, correction: Correction) -> tuple[float, float, float]:
    """Return what each moment owes to a center strike that is not the forward (CBOE's ε1, ε2, ε3)."""
    log_center, excess = math.log(center_strike / forward), forward / center_strike - 1.0
    square = log_center * log_center
    share = 0.5 if correction == "cboe" else 1.0
    return log_center + excess, 2.0 * log_center * excess + share * square, 3.0 * square * (log_center / 3.0 + excess)


def _share_of_near(near_tau: float, far_tau: float, days: float) -> float:
    if not days > 0:
        raise InputError("days", days, "days > 0")
    if not far_tau > near_tau:
        raise InputError("far", far_tau * MINUTES_PER_YEAR, "an expiry that settles after `near`")
    return (far_tau - days * MINUTES_PER_DAY / MINUTES_PER_YEAR) / (far_tau - near_tau)
