"""The loops behind `two_expiries`: the model's profit at many prices, and where it is largest or nothing."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.pricing import elementary, normal_form

_distances, _present_values, _exercised = normal_form.distances, normal_form.present_values, normal_form.exercised
_LEAST_SPOT = 1e-12
STOCK, MULTIPLIER, RATE, DIV_YIELD, TERMS = 0, 1, 2, 3, 4
_ROUNDS, _SECTIONS, _SECANTS = 4, 17, 20
_CLOSE = 1e-10  # of the profits on both sides of a breakeven


@kernel(**elementary.SCALAR)
def _option(spot: float, strike: float, sign: float, gap: float, vol: float, rate: float, div_yield: float) -> float:
    # What is left of an option at the first expiry: never less than its intrinsic value.
    s0 = max(spot, _LEAST_SPOT)
    _, d1, d2 = _distances(s0, strike, gap, vol, rate, div_yield)
    asset, cash, shared = _present_values(s0, strike, gap, rate, div_yield, d2)
    held, owed = _exercised(sign, d1, d2, asset, cash, shared)
    return max(sign * (held - owed), sign * (spot - strike), 0.0)


@kernel(error_model="numpy")
def _fill(
    row: int, spot: Any, qty: Any, is_call: Any, gap: Any, strike: Any, iv: Any, premium: Any, terms: Any, out: Any
) -> None:  # fmt: skip
    multiplier, rate, div_yield = terms[MULTIPLIER], terms[RATE], terms[DIV_YIELD]
    for j in range(spot.size):
        out[j] = premium[row] + multiplier * terms[STOCK] * spot[j]
    for leg in range(qty.size):
        sign, weight, at = 1.0 if is_call[leg] else -1.0, multiplier * qty[leg], strike[row, leg]
        if gap[leg] > 0.0:
            vol, years = iv[row, leg], gap[leg]
            for j in range(spot.size):
                out[j] += weight * _option(spot[j], at, sign, years, vol, rate, div_yield)
        else:
            for j in range(spot.size):
                out[j] += weight * max(sign * (spot[j] - at), 0.0)


def profits(
    spot: Table, qty: Floats, is_call: Flags, gap: Floats, strike: Table, iv: Table, premium: Floats, terms: Floats,
    out: Table,
) -> int:  # fmt: skip
    """Fill `out` (n, m) with the profits of n structures at the prices `spot`, (n, m) or (1, m) for all."""
    for row in range(premium.size):
        at = row if spot.shape[0] > 1 else 0
        _fill(row, spot[at], qty, is_call, gap, strike, iv, premium, terms, out[row])
    return 0


def peaks(
    sign: float, grid: Table, values: Table, qty: Floats, is_call: Flags, gap: Floats, strike: Table, iv: Table,
    premium: Floats, terms: Floats, work: Floats, out: Floats,
) -> int:  # fmt: skip
    """Fill `out` (n,) with the prices of the largest profit (`sign` 1) or loss (-1), given profits on a grid.

    Round by round the neighbours of the best point are looked at more closely; `work` has room for two sections.
    """
    points, found = work[:_SECTIONS], work[_SECTIONS : 2 * _SECTIONS]
    for row in range(premium.size):
        best = _best(sign, values[row])
        low, high = grid[row, max(best - 1, 0)], grid[row, min(best + 1, grid.shape[1] - 1)]
        for _ in range(_ROUNDS):
            for j in range(_SECTIONS):
                points[j] = low + (high - low) * (j / (_SECTIONS - 1.0))
            _fill(row, points, qty, is_call, gap, strike, iv, premium, terms, found)
            best = _best(sign, found)
            low, high = points[max(best - 1, 0)], points[min(best + 1, _SECTIONS - 1)]
        out[row] = points[best]
    return 0


@kernel(error_model="numpy")
def _best(sign: float, values: Any) -> int:
    best = 0
    for j in range(1, values.size):
        if sign * values[j] > sign * values[best]:
            best = j
    return best


def zeros(
    rows: Counts, low: Floats, high: Floats, at_low: Floats, at_high: Floats, qty: Floats, is_call: Flags,
    gap: Floats, strike: Table, iv: Table, premium: Floats, terms: Floats, work: Floats, out: Floats,
) -> int:  # fmt: skip
    """Fill `out` with the prices between `low` and `high` at which structures `rows` earn nothing.

    Regula falsi that halves the weight of an end which stays (the Illinois method), so that both ends close in.
    """
    point, value = work[:1], work[1:2]
    for i in range(rows.size):
        a, b, va, vb = low[i], high[i], at_low[i], at_high[i]
        close = _CLOSE * max(abs(va), abs(vb))
        for _ in range(_SECANTS):
            point[0] = a if va == vb else a - va * (b - a) / (vb - va)
            _fill(rows[i], point, qty, is_call, gap, strike, iv, premium, terms, value)
            if abs(value[0]) <= close:
                break
            if (value[0] > 0.0) == (va > 0.0):
                a, va, vb = point[0], value[0], 0.5 * vb
            else:
                b, vb, va = point[0], value[0], 0.5 * va
        out[i] = point[0]
    return 0
