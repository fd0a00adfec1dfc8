"""Everything that pricing adds to a batch of quotes: forward and rate per expiry, implied volatility and greeks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.arguments import Flags, Floats, numbers
from bifrost_lib.pricing.arguments import is_call as call_flags
from bifrost_lib.pricing.parity import PRIOR_RATE, PRIOR_RATE_SD
from bifrost_lib.pricing.workspace import workspace

_LOOPS = "bifrost_lib.pricing.quotes_loops"
_fit_all = loop(_LOOPS, "fit_all")
_value_all = loop(_LOOPS, "value_all")


@dataclass(frozen=True)
class QuoteAnalytics:
    """Arrays (n,), float64 and raw as everywhere; `quality` int8, codes of `bifrost_lib.core.quality.Quality`."""

    forward: Floats
    rate: Floats
    div_yield: Floats
    iv: Floats
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats
    quality: Flags


def quote_analytics(
    *,
    group: npt.ArrayLike,
    tau: npt.ArrayLike,
    strike: npt.ArrayLike,
    is_call: Any,
    bid: npt.ArrayLike,
    ask: npt.ArrayLike,
    spot: npt.ArrayLike,
    american: Any,
    prior_rate: npt.ArrayLike = PRIOR_RATE,
    prior_rate_sd: float = PRIOR_RATE_SD,
) -> QuoteAnalytics:
    """Add forward, rate, implied volatility, greeks and quality to a sorted batch of quotes, in one pass.

    Parameters
    ----------
    group : array_like (n,) of int64
        The same number for all rows of one class, moment and expiry, which are adjacent. The expiries of one
        underlying and moment follow each other by ascending `tau`, so that they can lend each other a rate.
    tau, strike : array_like (n,)
        Years to expiry, and currency per share, > 0. Ascending in strike inside a group, the put before the call.
    is_call : array_like (n,)
        Booleans or int8.
    bid, ask : array_like (n,)
        Currency per share; NaN or 0 where there is none.
    spot : array_like (n,)
        Currency per share; NaN (or 0) where unknown.
    american : bool or array_like (n,)
        Whether early exercise is possible.
    prior_rate : float or array_like (n,)
        The rate to expect where quotes do not tell it, and how uncertain it is (`prior_rate_sd`, > 0). Quotes without
        noise outweigh it entirely.

    Returns
    -------
    QuoteAnalytics
        `iv` solves the mid on the group's forward and rate; the greeks are those of the closed form at `iv`, `rate`,
        `div_yield` and `spot`.

    Raises
    ------
    InputError
        If a strike is not > 0, a group is not sorted, or lengths differ; ``error.name`` says which.

    Notes
    -----
    What is missing stays missing: a one-sided quote has no `iv`, a crossed one has that of its mid, a row without
    spot has forward, rate and iv but neither `div_yield` nor greeks, and `quality` holds the first reason.
    """
    columns = [np.ascontiguousarray(numbers(name, value)) for name, value in
               (("tau", tau), ("strike", strike), ("bid", bid), ("ask", ask), ("spot", spot))]  # fmt: skip
    years, strikes, bids, asks, spots = columns
    groups, calls = np.ascontiguousarray(group, dtype=np.int64), np.ascontiguousarray(call_flags(is_call))
    early = np.atleast_1d(call_flags(american))
    priors = np.atleast_1d(np.ascontiguousarray(numbers("prior_rate", prior_rate)))
    n = groups.size
    if not prior_rate_sd > 0:
        raise InputError("prior_rate_sd", prior_rate_sd, "a number > 0")
    for name, column in (("tau", years), ("strike", strikes), ("is_call", calls), ("bid", bids), ("ask", asks),
                         ("spot", spots), ("group", groups), ("american", early), ("prior_rate", priors)):  # fmt: skip
        if column.shape != (n,) and not (name in ("american", "prior_rate") and column.size == 1):
            raise InputError(name, column.shape, f"shape ({n},), as group")
    _check_order(groups, strikes, calls)
    expiries, bounds = np.empty((9, n)), np.empty(n + 1, dtype=np.int64)
    count = _fit_all(
        groups, years, strikes, calls, bids, asks, spots, early, priors, float(prior_rate_sd), bounds, expiries,
        np.empty((6, n + 128)),
    )  # fmt: skip
    out, quality = np.empty((9, n)), np.empty(n, dtype=np.int8)
    _value_all(years, strikes, calls, bids, asks, spots, bounds, expiries, count, out, quality, workspace())
    return QuoteAnalytics(*(*out, quality))


def _check_order(group: npt.NDArray[np.int64], strike: Floats, call: Flags) -> None:
    if not (strike > 0).all():
        raise InputError("strike", float(strike[~(strike > 0)][0]), "numbers > 0")
    inside = group[1:] == group[:-1]
    falls = (strike[1:] < strike[:-1]) | ((strike[1:] == strike[:-1]) & (call[1:] < call[:-1]))
    if (inside & falls).any():
        row = int(np.flatnonzero(inside & falls)[0]) + 1
        raise InputError("strike", float(strike[row]), f"rows of a group sorted by strike, puts first (row {row})")
