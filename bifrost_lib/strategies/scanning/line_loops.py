"""Profits at one expiry as broken lines, many side by side: extremes, breakevens and the probability of a profit."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing import elementary
from bifrost_lib.strategies.scanning.scan_layout import (
    AT_ZERO,
    CAPITAL,
    FLAT_BELOW,
    FLAT_ROOT,
    FLAT_TURN,
    MAX_LOSS,
    MAX_PROFIT,
    MOST_LEGS,
    POP,
    PREMIUM,
    ROOT,
    ROW,
    SIGN,
    STRIKE,
    T_FORWARD,
    T_HIGH,
    T_LOW,
    T_MULTIPLIER,
    T_SHARES,
    T_TOTAL_VOL,
    T_ZERO,
    TAIL_LOSS,
    TURN,
    VALUE,
)
from bifrost_lib.strategies.scanning.walk_loops import SCALAR, row_of

_exponential, _log_ratio, _mills_ratio = elementary.exponential, elementary.log_ratio, elementary.mills_ratio
_INV_SQRT_TWO_PI = 0.3989422804014327
_ROUNDING = 1e-12  # of a probability, and of a slope


@kernel(**SCALAR)
def _sign(value: float) -> float:
    return (1.0 if value > 0.0 else 0.0) - (1.0 if value < 0.0 else 0.0)


@kernel(**SCALAR)
def normal_cdf(z: float) -> float:
    """Return the standard normal distribution function at `z`."""
    size = abs(z)
    tail = _mills_ratio(size) * _INV_SQRT_TWO_PI * _exponential(-0.5 * size * size)
    return 1.0 - tail if z > 0.0 else tail


@kernel(**SCALAR)
def _add_payoff(size: int, weight: float, call: int, price: Any, strike: Any, value: Any) -> None:
    if call:
        for c in range(size):
            value[c] += weight * max(price[c] - strike[c], 0.0)
    else:
        for c in range(size):
            value[c] += weight * max(strike[c] - price[c], 0.0)


@kernel(**SCALAR)
def _exchange(size: int, low: Any, high: Any, at_low: Any, at_high: Any) -> None:
    for c in range(size):
        a, b, va, vb = low[c], high[c], at_low[c], at_high[c]
        swap = a > b
        low[c] = b if swap else a
        high[c] = a if swap else b
        at_low[c] = vb if swap else va
        at_high[c] = va if swap else vb


@kernel(error_model="numpy", fastmath={"contract"})
def profits(size: int, legs: int, qty: Any, is_call: Any, terms: Any, work: Any) -> None:
    """Fill the profits at zero and at every strike, and put the strikes in order with them."""
    premium, multiplier, shares, zero = row_of(work, PREMIUM), terms[T_MULTIPLIER], terms[T_SHARES], terms[T_ZERO]
    at_zero = row_of(work, AT_ZERO)
    for c in range(size):
        at_zero[c] = 0.0
    for j in range(legs):
        strike, value = row_of(work, STRIKE + j), row_of(work, VALUE + j)
        for c in range(size):
            value[c] = shares * strike[c]
        if not is_call[j]:
            weight = multiplier * qty[j]
            for c in range(size):
                at_zero[c] += weight * strike[c]
        for i in range(legs):
            if i != j:
                _add_payoff(size, multiplier * qty[i], is_call[i], strike, row_of(work, STRIKE + i), value)
    for j in range(-1, legs):  # payoffs at strikes are round numbers, so the premium comes last
        value = at_zero if j < 0 else row_of(work, VALUE + j)
        for c in range(size):
            profit = premium[c] + value[c]
            value[c] = 0.0 if abs(profit) < zero else profit


@kernel(error_model="numpy", fastmath={"contract"})
def tail_losses(size: int, legs: int, qty: Any, is_call: Any, terms: Any, work: Any) -> None:
    """Fill the largest loss between the two prices that bound the likely range."""
    tail, premium = row_of(work, TAIL_LOSS), row_of(work, PREMIUM)
    at_end, price = row_of(work, SIGN), row_of(work, ROOT)
    low, high, multiplier = terms[T_LOW], terms[T_HIGH], terms[T_MULTIPLIER]
    for c in range(size):
        tail[c] = 0.0
    for end in range(2):
        bound = high if end else low
        for c in range(size):
            price[c] = bound
            at_end[c] = premium[c] + terms[T_SHARES] * bound
        for j in range(legs):
            _add_payoff(size, multiplier * qty[j], is_call[j], price, row_of(work, STRIKE + j), at_end)
        for c in range(size):
            tail[c] = max(tail[c], -at_end[c])
    for j in range(legs):
        strike, value = row_of(work, STRIKE + j), row_of(work, VALUE + j)
        for c in range(size):
            inside = low < strike[c] and strike[c] < high
            tail[c] = max(tail[c], -value[c] if inside else 0.0)


@kernel(error_model="numpy", fastmath={"contract"})
def extremes(size: int, legs: int, qty: Any, is_call: Any, terms: Any, work: Any) -> float:
    """Fill the largest profit and loss, inf where unbounded, and return the slope beyond the last strike."""
    slope, gross = terms[T_SHARES], abs(terms[T_SHARES])
    for j in range(legs):
        weight = terms[T_MULTIPLIER] * qty[j]
        gross += abs(weight)
        slope += weight if is_call[j] else 0.0
    slope = 0.0 if abs(slope) <= _ROUNDING * gross else slope
    gain, loss, at_zero = row_of(work, MAX_PROFIT), row_of(work, MAX_LOSS), row_of(work, AT_ZERO)
    for c in range(size):
        gain[c], loss[c] = at_zero[c], at_zero[c]
    for j in range(legs):
        value = row_of(work, VALUE + j)
        for c in range(size):
            gain[c] = max(gain[c], value[c])
            loss[c] = min(loss[c], value[c])
    capital = row_of(work, CAPITAL)
    for c in range(size):
        gain[c] = math.inf if slope > 0.0 else gain[c]
        loss[c] = math.inf if slope < 0.0 else max(-loss[c], 0.0)
        capital[c] = loss[c]
    return slope


@kernel(**SCALAR)
def _stretch(
    size: int, is_first: bool, left: Any, right: Any, at_left: Any, at_right: Any, sign: Any, root: Any, turn: Any
) -> None:  # fmt: skip
    # One stretch of every line: its own crossing, or a touch, turn or flat end where it begins. `turn` is +1 where a
    # profit ends and -1 where one begins; `sign` is that of the stretch before.
    for c in range(size):
        a, b, before = at_left[c], at_right[c], sign[c]
        sign_a, sign_b = _sign(a), _sign(b)
        after = sign_a if a != 0.0 else sign_b
        is_kink = (a == 0.0) & (not is_first) & ((before != 0.0) | (after != 0.0))
        crosses = sign_a * sign_b < 0.0
        edge = 0.0 if is_first else left[c]
        crossing = edge - a * ((right[c] - edge) / (b - a))
        turning = (1.0 if before > 0.0 else 0.0) - (1.0 if after > 0.0 else 0.0)
        root[c] = edge if is_kink else (crossing if crosses else 0.0)
        turn[c] = turning if is_kink else (sign_a if crosses else 0.0)
        sign[c] = sign_b if b != 0.0 else sign_a


@kernel(**SCALAR)
def _last_stretch(size: int, slope: float, left: Any, at_left: Any, sign: Any, root: Any, turn: Any) -> None:
    for c in range(size):
        a, before = at_left[c], sign[c]
        sign_a = _sign(a)
        sign_b = _sign(slope) if slope != 0.0 else sign_a
        after = sign_a if a != 0.0 else sign_b
        is_kink = (a == 0.0) & ((before != 0.0) | (after != 0.0))
        crosses = sign_a * sign_b < 0.0
        turning = (1.0 if before > 0.0 else 0.0) - (1.0 if after > 0.0 else 0.0)
        root[c] = left[c] if is_kink else (left[c] - a / slope if crosses else 0.0)
        turn[c] = turning if is_kink else (sign_a if crosses else 0.0)
        sign[c] = sign_b if sign_b != 0.0 else sign_a


@kernel(error_model="numpy", fastmath={"contract"})
def break_evens(size: int, legs: int, slope: float, terms: Any, work: Any) -> None:
    """Fill the breakevens, 0 where a slot has none, and the probability of a profit."""
    for i in range(legs - 1):
        for j in range(legs - 1 - i):
            _exchange(
                size, row_of(work, STRIKE + j), row_of(work, STRIKE + j + 1), row_of(work, VALUE + j),
                row_of(work, VALUE + j + 1),
            )  # fmt: skip
    sign = row_of(work, SIGN)
    for j in range(legs):
        before = AT_ZERO if j == 0 else VALUE + j - 1
        _stretch(
            size, j == 0, row_of(work, STRIKE + max(j - 1, 0)), row_of(work, STRIKE + j), row_of(work, before),
            row_of(work, VALUE + j), sign, row_of(work, ROOT + j), row_of(work, TURN + j),
        )  # fmt: skip
    last = legs - 1
    _last_stretch(
        size, slope, row_of(work, STRIKE + last), row_of(work, VALUE + last), sign, row_of(work, ROOT + legs),
        row_of(work, TURN + legs),
    )  # fmt: skip
    _probabilities(size, legs, terms, work)


@kernel(error_model="numpy", fastmath={"contract"})
def _probabilities(size: int, legs: int, terms: Any, work: Any) -> None:
    # Breakevens are packed first: most slots have none.
    roots = work[FLAT_ROOT * ROW : (FLAT_ROOT + MOST_LEGS + 1) * ROW]
    turns = work[FLAT_TURN * ROW : (FLAT_TURN + MOST_LEGS + 1) * ROW]
    below = work[FLAT_BELOW * ROW : (FLAT_BELOW + MOST_LEGS + 1) * ROW]
    pop, sign, owner = row_of(work, POP), row_of(work, SIGN), 0
    found = 0
    for slot in range(legs + 1):
        root, turn = row_of(work, ROOT + slot), row_of(work, TURN + slot)
        for c in range(size):
            roots[found] = root[c]
            turns[found] = turn[c]
            found += 1 if root[c] > 0.0 else 0
    forward, inverse, shift = terms[T_FORWARD], 1.0 / terms[T_TOTAL_VOL], 0.5 * terms[T_TOTAL_VOL]
    for i in range(found):
        below[i] = turns[i] * normal_cdf(_log_ratio(roots[i], forward) * inverse + shift)
    for c in range(size):
        pop[c] = 1.0 if sign[c] > 0.0 else 0.0
    for slot in range(legs + 1):
        root = row_of(work, ROOT + slot)
        for c in range(size):
            has = root[c] > 0.0
            pop[c] += below[owner] if has else 0.0
            owner += 1 if has else 0
    for c in range(size):  # sums of probabilities leave rounding where the profit is certain or impossible
        total = 0.0 if pop[c] < _ROUNDING else pop[c]
        pop[c] = 1.0 if total > 1.0 - _ROUNDING else total
