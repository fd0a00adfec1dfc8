"""What a whole chain is worth and what is traded in it: a volatility index, and puts against calls."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Literal

import numpy as np
import pandas as pd

from bifrost_lib.analytics.estimates import Estimate, missing
from bifrost_lib.analytics.smiles import GROUP, Floats, by_expiry, known_at
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import strip_terms, strip_variance, vix_index

MINUTES_PER_DAY = 1_440.0
MINUTES_PER_YEAR = 525_600.0
#: Options about to expire are priced by minimum ticks rather than by variance.
LEAST_DAYS = 7.0

_COLUMNS = ("ts", *GROUP, "strike", "right", "bid", "ask", "rate", "tau", "quality")
_UNUSABLE = ("stale", "crossed", "expired")


def volatility_index(chain: pd.DataFrame, *, at: datetime, tenor_days: float = 30.0) -> Estimate:
    """Compute the volatility index of any underlying by CBOE's method for the VIX.

    Parameters
    ----------
    chain : DataFrame
        CHAIN_COLUMNS; rows after `at` are not looked at.
    at : datetime, aware
        The moment from which the horizon counts.
    tenor_days : float
        The horizon, calendar days of 24 hours, > 0.

    Returns
    -------
    Estimate
        Index points: 100 times the annual volatility over the horizon. NaN with a reason where no two expiries of at
        least 7 days enclose the horizon, or one of them has no strip.

    Raises
    ------
    InputError
        If an argument is outside its domain or a column is missing; ``error.name`` says which.

    Notes
    -----
    Of classes that expire at one moment, the one with most quotes is taken. Quotes that are stale or crossed do not
    count. The formula is meant for European options: of an American chain it counts the early-exercise premium as
    variance, so the index is a little too high, the more the higher rates and dividends are.

    References
    ----------
    Cboe, "White Paper: Cboe Volatility Index" (2019).
    """
    if not 0 < tenor_days < math.inf:
        raise InputError("tenor_days", tenor_days, "days > 0")
    rows = known_at(chain, at, _COLUMNS)
    usable = ~rows["quality"].isin(_UNUSABLE).to_numpy() & (rows["tau"].to_numpy() * 365.0 >= LEAST_DAYS)
    rows = rows[usable]
    rate, years = rows["rate"].to_numpy(), rows["tau"].to_numpy()
    groups = [places for places in by_expiry(rows) if np.isfinite(rate[places]).any()]
    ends = np.array([_minutes(years[places]) for places in groups])
    minutes = np.sort(ends)
    horizon = tenor_days * MINUTES_PER_DAY
    if len(minutes) < 2 or not minutes[0] <= horizon <= minutes[-1]:
        return missing(f"no two expiries of at least {LEAST_DAYS:g} days enclose {tenor_days:g} days")
    order, sizes = np.concatenate(groups), [len(places) for places in groups]
    table = {name: rows[name].to_numpy()[order] for name in ("strike", "bid", "ask")}
    near, far = strip_terms(
        **table,
        right=(rows["right"] == "C").to_numpy()[order],
        minutes=np.repeat(ends, sizes),
        rate=np.repeat([np.nanmedian(rate[places]) for places in groups], sizes),
        days=min(tenor_days, (minutes[-1] - 1.0) / MINUTES_PER_DAY),
    )
    for term in (near, far):
        if reason := strip_variance(**term).reason:
            return missing(f"expiry in {float(term['minutes']) / MINUTES_PER_DAY:.1f} days: {reason}")
    value = vix_index(near=near, far=far, days=tenor_days)
    return Estimate(value) if math.isfinite(value) else missing("total variance falls below zero")


def put_call_ratio(chain: pd.DataFrame, *, of: Literal["volume", "open_interest"] = "volume") -> Estimate:
    """Divide the puts of a chain by its calls, in contracts traded or open.

    Parameters
    ----------
    chain : DataFrame
        One row per contract with right and `of`; a contract whose figure is NaN counts on neither side.
    of : {"volume", "open_interest"}

    Returns
    -------
    Estimate
        >= 0; NaN with a reason where nothing is known or no call was counted.

    Raises
    ------
    UnknownNameError, InputError
        For another `of`, or a column that is missing.
    """
    if of not in ("volume", "open_interest"):
        raise UnknownNameError("of", of, ("volume", "open_interest"))
    for column in ("right", of):
        if column not in chain.columns:
            raise InputError(f"chain.{column}", list(chain.columns), "this column to be present")
    count, is_call = chain[of].to_numpy(), (chain["right"] == "C").to_numpy()
    known = np.isfinite(count)
    for word, side in (("call", known & is_call), ("put", known & ~is_call)):
        if not side.any():
            return missing(f"{of.replace('_', ' ')} of no {word} is known")
    calls, puts = float(count[known & is_call].sum()), float(count[known & ~is_call].sum())
    return Estimate(puts / calls) if calls > 0 else missing(f"{of.replace('_', ' ')} of calls is zero")


def _minutes(tau: Floats) -> float:
    return round(float(np.median(tau)) * MINUTES_PER_YEAR, 6)
