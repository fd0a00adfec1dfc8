"""Volatilities of a constant maturity: at the money, at a delta, their slope and their skew."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise

import numpy as np
import pandas as pd

from bifrost_lib.analytics.estimates import Estimate, missing
from bifrost_lib.analytics.smiles import Floats, Smile, cut_smiles
from bifrost_lib.core.errors import InputError

DAYS_PER_YEAR = 365.0
MONTH_DAYS, QUARTER_DAYS = 30.0, 90.0
#: Strikes farther from the forward than this many standard deviations say nothing about the money.
REACH = 2.0


def iv_at_tenor(
    chain: pd.DataFrame,
    *,
    at: datetime,
    tenor_days: float = MONTH_DAYS,
    delta: float | None = None,
    right: str = "C",
) -> Estimate:
    """Read the implied volatility of a constant maturity from a chain.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS, in any order; rows after `at` are not looked at.
    at : datetime, aware
        The moment from which the maturity counts.
    tenor_days : float
        Calendar days of 24 hours, > 0.
    delta : float, optional
        Absolute forward delta in (0, 1), see Notes; by default at the money, where the strike is the forward.
    right : {"C", "P"}
        Whose delta; without `delta` both rights are used.

    Returns
    -------
    Estimate
        Decimal, annual; NaN with a reason where the chain does not reach the tenor or the strike.

    Raises
    ------
    InputError
        If an argument is outside its domain or a column is missing; ``error.name`` says which.

    Notes
    -----
    Only quotes of quality ok count. At the money: between the nearest strikes on both sides of the forward, each the
    mean of its call and put, linearly in total variance. At a delta: between the two neighbouring quotes whose deltas,
    N(d1) for calls and N(-d1) for puts at their own volatility, enclose it, linearly in delta. Between expiries total
    variance is linear in time, which adds no calendar arbitrage. Nothing is extrapolated, in strike or in time.

    References
    ----------
    Gatheral, "The Volatility Surface" (2006), ch. 1: total variance.
    """
    _check(tenor_days, "tenor_days")
    if right not in ("C", "P"):
        raise InputError("right", right, "C or P")
    if delta is None:
        return at_tenor(cut_smiles(chain, at), tenor_days, at_the_money)
    if not 0 < delta < 1:
        raise InputError("delta", delta, "an absolute delta in (0, 1)")
    return at_tenor(cut_smiles(chain, at), tenor_days, lambda smile: at_delta(smile, delta, right == "C"))


def skew_25_delta(chain: pd.DataFrame, *, at: datetime, tenor_days: float = MONTH_DAYS) -> Estimate:
    """Measure the skew: volatility of the 25-delta put less that of the 25-delta call, at a constant maturity.

    Positive where downside protection is dear. The 25-delta risk reversal in its usual sign, call less put, is the
    negative of it. Parameters and policy are those of `iv_at_tenor`.

    References
    ----------
    Mixon, "What Does Implied Volatility Skew Measure?", Journal of Derivatives 18:4 (2011).
    """
    _check(tenor_days, "tenor_days")
    return skew_of(cut_smiles(chain, at), tenor_days)


def skew_of(smiles: list[Smile], tenor_days: float) -> Estimate:
    """Measure the skew of smiles that are cut already."""
    put = at_tenor(smiles, tenor_days, lambda smile: at_delta(smile, 0.25, False))
    call = at_tenor(smiles, tenor_days, lambda smile: at_delta(smile, 0.25, True))
    return Estimate(put.value - call.value, put.reason or call.reason)


def term_slope(
    chain: pd.DataFrame, *, at: datetime, near_days: float = MONTH_DAYS, far_days: float = QUARTER_DAYS
) -> Estimate:
    """Measure the term structure: at-the-money volatility of the far maturity less that of the near one.

    Negative in a market that fears the next weeks more than the next months (backwardation). Parameters and policy
    are those of `iv_at_tenor`; `far_days` > `near_days`.
    """
    _check(near_days, "near_days")
    if not far_days > near_days:
        raise InputError("far_days", far_days, f"days > near_days ({near_days:g})")
    return slope_of(cut_smiles(chain, at), near_days, far_days)


def slope_of(smiles: list[Smile], near_days: float, far_days: float) -> Estimate:
    """Measure the term structure of smiles that are cut already."""
    near, far = (at_tenor(smiles, days, at_the_money) for days in (near_days, far_days))
    return Estimate(far.value - near.value, near.reason or far.reason)


def at_tenor(smiles: list[Smile], tenor_days: float, read: Callable[[Smile], Estimate]) -> Estimate:
    """Read every smile and interpolate total variance to `tenor_days`."""
    if not smiles:
        return missing("no good quote")
    tau = tenor_days / DAYS_PER_YEAR
    readings = [(smile.tau, read(smile)) for smile in smiles]
    known = [(t, reading.value) for t, reading in readings if not reading.reason]
    if not known:
        return missing(readings[0][1].reason)
    times = np.array([t for t, _ in known])
    if not times[0] <= tau <= times[-1]:
        days = times * DAYS_PER_YEAR
        return missing(f"{tenor_days:g} days lie outside the expiries, which are {days[0]:.1f} to {days[-1]:.1f} days")
    total = float(np.interp(tau, times, [vol * vol * t for t, vol in known]))
    return Estimate(math.sqrt(total / tau))


def at_the_money(smile: Smile) -> Estimate:
    """Read the volatility at the forward."""
    k, variance = smile.log_moneyness, smile.iv**2
    below, above = np.flatnonzero(k < 0), np.flatnonzero(k >= 0)
    if not len(below) or not len(above):
        return missing("no strikes on both sides of the forward")
    ends = []
    for side, nearest in ((below[::-1], below[-1]), (above, above[0])):
        # Call and put of a strike may stand a hair apart, where each was seen with a forward of its own.
        same = side[np.abs(k[side] - k[nearest]) < 1e-3 * smile.iv[nearest] * math.sqrt(smile.tau)]
        ends.append((float(k[same].mean()), float(variance[same].mean())))
    (low, at_low), (high, at_high) = ends
    if max(-low, high) > REACH * math.sqrt(max(at_low, at_high) * smile.tau):
        return missing(f"no strike within {REACH:g} standard deviations on one side of the forward")
    share = low / (low - high)
    return Estimate(math.sqrt((1 - share) * at_low + share * at_high))


def at_delta(smile: Smile, delta: float, is_call: bool) -> Estimate:
    """Read the volatility of the call or put whose absolute forward delta is `delta`."""
    rows = smile.is_call == is_call
    k, iv = smile.log_moneyness[rows], smile.iv[rows]
    deltas = forward_delta(k, iv * math.sqrt(smile.tau), is_call)
    outward = np.arange(len(k)) if is_call else np.arange(len(k))[::-1]
    for near, far in pairwise(outward):
        if deltas[near] >= delta >= deltas[far] and deltas[near] > deltas[far]:
            share = (deltas[near] - delta) / (deltas[near] - deltas[far])
            return Estimate(float((1 - share) * iv[near] + share * iv[far]))
    return missing(f"no {'calls' if is_call else 'puts'} around a delta of {delta:g}")


def forward_delta(log_moneyness: Floats, total_vol: Floats, is_call: bool) -> Floats:
    """Return N(d1) for calls, N(-d1) for puts."""
    d1 = -log_moneyness / total_vol + total_vol / 2
    sign = 1.0 if is_call else -1.0
    return np.array([0.5 * math.erfc(-sign * x / math.sqrt(2.0)) for x in d1])


def _check(days: float, name: str) -> None:
    if not 0 < days < math.inf:
        raise InputError(name, days, "days > 0")
