"""Everything that pricing adds to a batch of quotes: forward and rate per expiry, implied volatility and greeks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.arguments import Flags, Floats, numbers
from bifrost_lib.pricing.arguments import is_call as call_flags
from bifrost_lib.pricing.elementary import exponential, log_ratio
from bifrost_lib.pricing.implied import implied_one
from bifrost_lib.pricing.normal_form import d_one, density, exercised, tail
from bifrost_lib.pricing.parity import blended_rate, fit_expiry, forward_given_rate, two_sided
from bifrost_lib.pricing.robust_line import LOOP

_OK = int(Quality.OK)
_NO_QUOTE = int(Quality.NO_QUOTE)
_ONE_SIDED = int(Quality.ONE_SIDED)
_CROSSED = int(Quality.CROSSED)
_NO_SPOT = int(Quality.NO_SPOT)
_EXPIRED = int(Quality.EXPIRED)
_NO_FORWARD = int(Quality.NO_FORWARD)
_STEEPEST = 0.3  # largest believable |rate - div_yield| when a forward is carried to another expiry


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


# rows of the table of expiries
_TAU, _SPOT, _OWN, _VARIANCE, _STRIKE, _GAP, _RATE, _LOG_FORWARD = range(8)


@kernel(**LOOP)
def _fit_all(
    group: Any, tau: Any, strike: Any, call: Any, bid: Any, ask: Any, spot: Any, american: Any, bounds: Any,
    expiries: Any, work: Any,
) -> int:  # fmt: skip
    count, start, n = 0, 0, group.size
    while start < n:
        end, pairs = start + 1, 0
        while end < n and group[end] == group[start]:
            end += 1
        for i in range(start, end - 1):
            paired = strike[i] == strike[i + 1] and call[i] == 0 and call[i + 1] == 1
            if paired and two_sided(bid[i], ask[i]) and two_sided(bid[i + 1], ask[i + 1]):
                put, other = 0.5 * (bid[i] + ask[i]), 0.5 * (bid[i + 1] + ask[i + 1])
                work[0, pairs], work[1, pairs], work[3, pairs] = strike[i], other - put, other + put
                work[2, pairs] = 0.5 * (ask[i] - bid[i] + ask[i + 1] - bid[i + 1])
                pairs += 1
        years = tau[start]
        expiries[_TAU, count], expiries[_SPOT, count] = years, spot[start]
        expiries[_OWN, count], expiries[_VARIANCE, count] = math.nan, math.inf
        expiries[_STRIKE, count], expiries[_GAP, count] = math.nan, math.nan
        if pairs > 0 and years > 0.0:
            found = fit_expiry(
                work[0], work[1], work[2], work[3], pairs, american[start * (american.size > 1)] != 0, years, work[4:]
            )
            expiries[_OWN, count], expiries[_VARIANCE, count] = found[0], found[1]
            expiries[_STRIKE, count], expiries[_GAP, count] = found[2], found[3]
        bounds[count] = start
        count += 1
        start = end
    bounds[count] = n
    return count


@kernel(**LOOP)
def _same_moment(expiries: Any, a: int, b: int) -> bool:
    same_spot = expiries[_SPOT, a] == expiries[_SPOT, b] or (
        math.isnan(expiries[_SPOT, a]) and math.isnan(expiries[_SPOT, b])
    )
    return same_spot and expiries[_TAU, b] >= expiries[_TAU, a]


@kernel(**LOOP)
def _carried(expiries: Any, start: int, end: int, which: int) -> Any:
    # ln forward of an expiry without pairs: on the line through its neighbours, or on from the nearest one
    tau = expiries[_TAU, which]
    left, right = which - 1, which + 1
    while left >= start and math.isnan(expiries[_LOG_FORWARD, left]):
        left -= 1
    while right < end and math.isnan(expiries[_LOG_FORWARD, right]):
        right += 1
    if left >= start and right < end:
        share = (tau - expiries[_TAU, left]) / max(expiries[_TAU, right] - expiries[_TAU, left], 1e-12)
        return expiries[_LOG_FORWARD, left] * (1.0 - share) + expiries[_LOG_FORWARD, right] * share
    nearest = left if left >= start else right
    if nearest < start or nearest >= end or math.isnan(expiries[_SPOT, which]):
        return math.nan
    slope = (expiries[_LOG_FORWARD, nearest] - math.log(expiries[_SPOT, which])) / expiries[_TAU, nearest]
    slope = max(min(slope, _STEEPEST), -_STEEPEST)
    return expiries[_LOG_FORWARD, nearest] + slope * (tau - expiries[_TAU, nearest])


@kernel(**LOOP)
def _settle_moment(expiries: Any, start: int, end: int) -> None:
    for g in range(start, end):
        if not expiries[_TAU, g] > 0.0:
            expiries[_RATE, g] = expiries[_LOG_FORWARD, g] = math.nan
            continue
        expiries[_RATE, g] = blended_rate(expiries[_TAU], expiries[_OWN], expiries[_VARIANCE], start, end, g)[0]
        forward = forward_given_rate(expiries[_STRIKE, g], expiries[_GAP, g], expiries[_RATE, g], expiries[_TAU, g])
        expiries[_LOG_FORWARD, g] = math.log(forward) if forward > 0.0 else math.nan
    for g in range(start, end):
        if math.isnan(expiries[_LOG_FORWARD, g]) and expiries[_TAU, g] > 0.0:
            expiries[_GAP, g] = _carried(expiries, start, end, g)
        else:
            expiries[_GAP, g] = expiries[_LOG_FORWARD, g]
    for g in range(start, end):
        expiries[_LOG_FORWARD, g] = expiries[_GAP, g]
        if math.isnan(expiries[_LOG_FORWARD, g]):
            expiries[_RATE, g] = math.nan


@kernel(**LOOP)
def _settle_all(expiries: Any, count: int) -> None:
    start = 0
    while start < count:
        end = start + 1
        while end < count and _same_moment(expiries, end - 1, end):
            end += 1
        _settle_moment(expiries, start, end)
        start = end


@kernel(**LOOP)
def _first_flaw(bid: float, ask: float, spot: float, tau: float, forward: float) -> int:
    has_bid, has_ask = bid > 0.0, ask > 0.0
    if not has_bid and not has_ask:
        return _NO_QUOTE
    if not has_bid or not has_ask:
        return _ONE_SIDED
    if bid > ask:
        return _CROSSED
    if not spot > 0.0:
        return _NO_SPOT
    if not tau > 0.0:
        return _EXPIRED
    return _OK if forward > 0.0 else _NO_FORWARD


@kernel(**LOOP)
def _value_all(
    tau: Any, strike: Any, call: Any, bid: Any, ask: Any, spot: Any, bounds: Any, expiries: Any, count: int, out: Any,
    quality: Any,
) -> None:  # fmt: skip
    for g in range(count):
        forward, rate = math.exp(expiries[_LOG_FORWARD, g]), expiries[_RATE, g]
        for i in range(bounds[g], bounds[g + 1]):
            t, s0 = tau[i], spot[i]
            out[0, i], out[1, i] = forward, rate
            q = rate - math.log(forward / s0) / t if s0 > 0.0 and t > 0.0 else math.nan
            out[2, i] = q
            for row in range(3, 9):
                out[row, i] = math.nan
            flaw = _first_flaw(bid[i], ask[i], s0, t, forward)
            quality[i] = flaw
            if flaw in (_NO_QUOTE, _ONE_SIDED) or not t > 0.0 or not forward > 0.0:
                continue
            discount = exponential(-rate * t)
            asset, cash, x = forward * discount, strike[i] * discount, log_ratio(forward, strike[i])
            iv, status = implied_one(0.5 * (bid[i] + ask[i]), asset, cash, x, t, call[i] != 0)
            out[3, i] = iv
            if flaw == _OK:
                quality[i] = status
            if status != _OK or not s0 > 0.0:
                continue
            root = math.sqrt(t)
            s = iv * root
            d1 = d_one(x, s)
            d2 = d1 - s
            sign = 1.0 if call[i] != 0 else -1.0
            shared = cash * density(d2)
            held = exercised(asset, sign * d1, tail(sign * d1, shared))
            owed = exercised(cash, sign * d2, tail(sign * d2, shared))
            out[4, i] = sign * held / s0
            out[5, i] = shared / (s * s0 * s0)
            out[6, i] = shared * root
            out[7, i] = sign * (q * held - rate * owed) - 0.5 * shared * iv / root
            out[8, i] = sign * t * owed


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
    n = groups.size
    for name, column in (("tau", years), ("strike", strikes), ("is_call", calls), ("bid", bids), ("ask", asks),
                         ("spot", spots), ("group", groups), ("american", early)):  # fmt: skip
        if column.shape != (n,) and not (name == "american" and column.size == 1):
            raise InputError(name, column.shape, f"shape ({n},), as group")
    _check_order(groups, strikes, calls)
    expiries, bounds = np.empty((8, n)), np.empty(n + 1, dtype=np.int64)
    work = np.empty((6, n + 128))
    count = _fit_all(*(groups, years, strikes, calls, bids, asks, spots, early, bounds, expiries, work))
    _settle_all(expiries, count)
    out, quality = np.empty((9, n)), np.empty(n, dtype=np.int8)
    _value_all(*(years, strikes, calls, bids, asks, spots, bounds, expiries, count, out, quality))
    return QuoteAnalytics(*(*out, quality))


def _check_order(group: npt.NDArray[np.int64], strike: Floats, call: Flags) -> None:
    if not (strike > 0).all():
        raise InputError("strike", float(strike[~(strike > 0)][0]), "numbers > 0")
    inside = group[1:] == group[:-1]
    falls = (strike[1:] < strike[:-1]) | ((strike[1:] == strike[:-1]) & (call[1:] < call[:-1]))
    if (inside & falls).any():
        row = int(np.flatnonzero(inside & falls)[0]) + 1
        raise InputError("strike", float(strike[row]), f"rows of a group sorted by strike, puts first (row {row})")
