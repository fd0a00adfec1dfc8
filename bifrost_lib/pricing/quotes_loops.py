"""The loops behind `quote_analytics`: one over expiries, then one over blocks of quotes."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.blocks import load, load_sign, store
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio
from bifrost_lib.pricing.implied_loops import (
    ASSET,
    CASH,
    DIV_YIELD,
    FAST,
    RATE,
    SIGN,
    SOLVER_ROWS,
    SPOT,
    STRIKE,
    TAU,
    VALUE,
    B,
    S,
    X,
    implied_one,
    reduce_one,
    solve_block,
)
from bifrost_lib.pricing.normal_form import d_one, density, exercised
from bifrost_lib.pricing.parity_loops import blended_rate, fit_expiry, forward_given_rate, two_sided
from bifrost_lib.pricing.robust_line import LOOP
from bifrost_lib.pricing.workspace import BLOCK, ROW

_OK = int(Quality.OK)
_NO_QUOTE = int(Quality.NO_QUOTE)
_ONE_SIDED = int(Quality.ONE_SIDED)
_CROSSED = int(Quality.CROSSED)
_NO_SPOT = int(Quality.NO_SPOT)
_EXPIRED = int(Quality.EXPIRED)
_NO_FORWARD = int(Quality.NO_FORWARD)
_STEEPEST = 0.3  # largest believable |rate - div_yield| when a forward is carried to another expiry

# rows of the workspace, after those of the solver
FORWARD, IV, DELTA, GAMMA, VEGA, THETA, RHO = range(SOLVER_ROWS, SOLVER_ROWS + 7)

# rows of the table of expiries
_TAU, _SPOT, _OWN, _VARIANCE, _STRIKE, _GAP, _RATE, _LOG_FORWARD, _PRIOR = range(9)


def fit_all(
    group: Counts, tau: Floats, strike: Floats, call: Flags, bid: Floats, ask: Floats, spot: Floats, american: Flags,
    prior_rate: Floats, prior_rate_sd: float, bounds: Counts, expiries: Table, work: Table,
) -> int:  # fmt: skip
    """Fill `bounds` and `expiries` with one entry per group, and `expiries` with forward and rate; return how many."""
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
        expiries[_PRIOR, count] = prior_rate[start * (prior_rate.size > 1)]
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
    _settle_all(expiries, count, prior_rate_sd)
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
def _settle_moment(expiries: Any, start: int, end: int, prior_sd: float) -> None:
    for g in range(start, end):
        if not expiries[_TAU, g] > 0.0:
            expiries[_RATE, g] = expiries[_LOG_FORWARD, g] = math.nan
            continue
        expiries[_RATE, g] = blended_rate(
            expiries[_TAU], expiries[_OWN], expiries[_VARIANCE], start, end, g, expiries[_PRIOR, g], prior_sd
        )[0]
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
def _settle_all(expiries: Any, count: int, prior_sd: float) -> None:
    start = 0
    while start < count:
        end = start + 1
        while end < count and _same_moment(expiries, end - 1, end):
            end += 1
        _settle_moment(expiries, start, end, prior_sd)
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
def _spread(expiries: Any, bounds: Any, count: int, out: Any) -> None:
    for g in range(count):
        forward, rate = math.exp(expiries[_LOG_FORWARD, g]), expiries[_RATE, g]
        for i in range(bounds[g], bounds[g + 1]):
            out[0, i] = forward
        for i in range(bounds[g], bounds[g + 1]):
            out[1, i] = rate


@kernel(**SCALAR)
def _reduce_block(work: Any, bid: Any, ask: Any, start: int, size: int) -> None:
    for j in range(size):
        low, high = bid[start + j], ask[start + j]
        work[VALUE * ROW + j] = 0.5 * (low + high) if low > 0.0 and high > 0.0 else math.nan
    for j in range(BLOCK):
        t, rate, forward = work[TAU * ROW + j], work[RATE * ROW + j], work[FORWARD * ROW + j]
        s0, k = work[SPOT * ROW + j], work[STRIKE * ROW + j]
        discount = exponential(-rate * t)
        asset, cash = forward * discount, k * discount
        x, b, fast = reduce_one(work[VALUE * ROW + j], asset, cash, work[SIGN * ROW + j], log_ratio(forward, k), t)
        work[DIV_YIELD * ROW + j] = rate - log_ratio(forward, s0) / t if s0 > 0.0 and t > 0.0 else math.nan
        work[ASSET * ROW + j] = asset
        work[CASH * ROW + j] = cash
        work[X * ROW + j] = x
        work[B * ROW + j] = b
        work[FAST * ROW + j] = fast


@kernel(**LOOP)
def _finish_block(work: Any, bid: Any, ask: Any, start: int, size: int, quality: Any) -> None:
    # what SIMD left unsolved, and the reason of each quote
    for j in range(size):
        t, forward = work[TAU * ROW + j], work[FORWARD * ROW + j]
        flaw = _first_flaw(bid[start + j], ask[start + j], work[SPOT * ROW + j], t, forward)
        solvable = not math.isnan(work[VALUE * ROW + j]) and t > 0.0 and forward > 0.0
        if math.isnan(work[S * ROW + j]) and solvable:
            x = math.log(forward / work[STRIKE * ROW + j])
            iv, status = implied_one(
                work[VALUE * ROW + j],
                work[ASSET * ROW + j],
                work[CASH * ROW + j],
                x,
                t,
                work[SIGN * ROW + j] > 0.0,
            )
            work[S * ROW + j] = iv * math.sqrt(t)
            flaw = status if flaw == _OK else flaw
        quality[start + j] = flaw


@kernel(**SCALAR)
def _differentiate_block(work: Any) -> None:
    for j in range(BLOCK):
        s0, t, s = work[SPOT * ROW + j], work[TAU * ROW + j], work[S * ROW + j]
        asset, cash, sign = work[ASSET * ROW + j], work[CASH * ROW + j], work[SIGN * ROW + j]
        rate, q = work[RATE * ROW + j], work[DIV_YIELD * ROW + j]
        known = s0 if s0 > 0.0 else math.nan
        root, inv_s0 = math.sqrt(t), 1.0 / known
        d1 = d_one(log_ratio(asset, cash), s)
        d2 = d1 - s
        shared = cash * density(d2) * (known * inv_s0)
        held, owed = exercised(sign, d1, d2, asset, cash, shared)
        iv = s / root
        work[IV * ROW + j] = iv
        work[DELTA * ROW + j] = sign * held * inv_s0
        work[GAMMA * ROW + j] = shared / s * (inv_s0 * inv_s0)
        work[VEGA * ROW + j] = shared * root
        work[THETA * ROW + j] = sign * (q * held - rate * owed) - 0.5 * shared * iv / root
        work[RHO * ROW + j] = sign * t * owed


def value_all(
    tau: Floats, strike: Floats, call: Flags, bid: Floats, ask: Floats, spot: Floats, bounds: Counts, expiries: Table,
    count: int, out: Table, quality: Flags, work: Floats,
) -> int:  # fmt: skip
    """Fill the rows of `out` (forward, rate, div_yield, iv, delta, gamma, vega, theta, rho) and `quality`."""
    _spread(expiries, bounds, count, out)
    for start in range(0, tau.size, BLOCK):
        size = min(BLOCK, tau.size - start)
        load(work, SPOT, spot, 1, start, size)
        load(work, STRIKE, strike, 1, start, size)
        load(work, TAU, tau, 1, start, size)
        load_sign(work, SIGN, call, 1, start, size)
        load(work, FORWARD, out[0], 1, start, size)
        load(work, RATE, out[1], 1, start, size)
        _reduce_block(work, bid, ask, start, size)
        solve_block(work, size)
        _finish_block(work, bid, ask, start, size, quality)
        _differentiate_block(work)
        store(work, DIV_YIELD, out[2], start, size)
        for row in range(6):
            store(work, IV + row, out[3 + row], start, size)
    return 0
