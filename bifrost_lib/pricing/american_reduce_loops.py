"""The loops that reduce options to puts, decide how each is solved, and answer those on which nothing fluctuates."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.pricing.american_layout import DOUBLE, EUROPEAN, HARD, ROWS, SETTLING, SOLVED, USUAL
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio

_LONG_W = 1.25  # vol sqrt(tau) beyond which the boundary needs more nodes
_STIFF_CARRY = 1.25  # |rate - div_yield| sqrt(tau) / vol beyond which the boundary settles within the life
_LONG_CARRY = 0.15  # rate tau or div_yield tau beyond which the usual nodes miss 1e-4 for a strike of 100
_SETTLING_PACE = 4.0  # times exp(-pace) the boundary is from its perpetual level at the end of the life
_STILL = 1e-12  # vol sqrt(tau) below which nothing moves
_NO_INTEREST = 1e-16  # rate tau below which the right to exercise a put early is worth less than rounding


@kernel(**SCALAR)
def still_value(x: float, a: float, c: float) -> Any:
    """Return the value, and its slope in x, of a put whose underlying does not fluctuate: exercise at the best time."""
    now = 1.0 - exponential(x)
    best, slope = (now, now - 1.0) if now > 0.0 else (0.0, 0.0)
    end = exponential(-a) - exponential(x - c)
    if end > best:
        best, slope = end, -exponential(x - c)
    if a * c > 0.0 and a != c:
        s = (log_ratio(a, c) - x) / (a - c)
        if 0.0 < s < 1.0:
            between = exponential(-a * s) - exponential(x - c * s)
            if between > best:
                best, slope = between, -exponential(x - c * s)
    return best, slope


@kernel(**SCALAR)
def still_edge(a: float, c: float, expired: bool) -> float:
    """Return the boundary of a put whose underlying does not fluctuate, or that expires now."""
    if expired:
        return 0.0
    if a > 0.0:
        return log_ratio(a, c) if c > a else 0.0
    return 0.0 if a == 0.0 and c < 0.0 else -math.inf


@kernel(**SCALAR)
def kind_of(a: float, c: float, w: float) -> int:
    """Return how a put is solved."""
    if w < _STILL:
        return SOLVED
    if a < 0.0 and c < a:
        return DOUBLE
    if (a <= 0.0 and c >= a) or (a < _NO_INTEREST and c >= 0.0):
        return EUROPEAN
    drift = (a - c) / w - 0.5 * w
    if a + 0.5 * drift * drift > _SETTLING_PACE:
        return SETTLING
    long = w > _LONG_W or max(a, math.fabs(c)) > _LONG_CARRY
    return HARD if long or math.fabs(a - c) > _STIFF_CARRY * w else USUAL


def reduce_all(
    s0: Floats, k: Floats, tau: Floats, vol: Floats, call: Flags, rate: Floats, q: Floats, steps: Counts, data: Table
) -> int:
    """Fill the first four rows of `data` (x, a, c, w) for every option; return how many there are."""
    i0, i1, i2, i3, i4, i5, i6 = steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6]
    size = len(data[0])
    for i in range(size):
        ss, kk, t, r, y = s0[i * i0], k[i * i1], tau[i * i2], rate[i * i5], q[i * i6]
        if call[i * i4] != 0:
            ss, kk, r, y = kk, ss, y, r
        x = log_ratio(ss, kk) if ss < math.inf and kk < math.inf else math.nan
        data[0, i], data[1, i], data[2, i], data[3, i] = x, r * t, y * t, vol[i * i3] * math.sqrt(t)
    return size


def sort_all(data: Table, kind: Flags) -> int:
    """Fill `kind` and return its size."""
    for i in range(kind.size):
        x, a, c, w = data[0, i], data[1, i], data[2, i], data[3, i]
        kind[i] = kind_of(a, c, w) if math.isfinite(x + a + c + w) else SOLVED
    return kind.size


def settle(data: Table, kind: Flags) -> int:
    """Value the options that do not fluctuate; those that cannot be valued become NaN. Return how many these are."""
    unknown = 0
    for i in range(kind.size):
        if kind[i] != SOLVED:
            continue
        x, a, c, w = data[0, i], data[1, i], data[2, i], data[3, i]
        if not math.isfinite(x + a + c + w):
            unknown += 1
            for row in range(4, ROWS):
                data[row, i] = math.nan
            continue
        value, slope = still_value(x, a, c)
        data[4, i], data[5, i], data[6, i] = value, slope, slope
        data[7, i] = still_edge(a, c, a == 0.0 and c == 0.0)
        data[8, i] = value - max(exponential(-a) - exponential(x - c), 0.0)
    return unknown
