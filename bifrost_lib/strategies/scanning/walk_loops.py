"""The loop that walks over all combinations of quotes and lays the next ones out side by side."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Floats
from bifrost_lib.pricing import elementary
from bifrost_lib.strategies.scanning.scan_layout import (
    COST,
    EV,
    FIT,
    MOST_LEGS,
    PREMIUM,
    QUOTE_CASH,
    QUOTE_COST,
    QUOTE_EXPECTED,
    QUOTE_FIELDS,
    QUOTE_MISS,
    QUOTE_STRIKE,
    ROW,
    STRIKE,
    WALK_LEVEL,
)

SCALAR = elementary.SCALAR
_AIM = 5  # numbers that say where a leg should be


@kernel(**SCALAR)
def row_of(work: Any, row: int) -> Any:
    """Return one row of the workspace."""
    return work[row * ROW : (row + 1) * ROW]


@kernel(**SCALAR)
def quotes_of(quotes: Any, pool: int, leg: int, field: int) -> Any:
    """Return one field of a leg's pool."""
    return quotes[(leg * QUOTE_FIELDS + field) * pool : (leg * QUOTE_FIELDS + field + 1) * pool]


@kernel(**SCALAR)
def _strike_at(quotes: Any, pool: int, leg: int, walk: Any) -> float:
    strike: float = quotes[(leg * QUOTE_FIELDS + QUOTE_STRIKE) * pool + walk[leg]]
    return strike


@kernel(**SCALAR)
def _aim_at(leg: int, aim: Any, ref: Any, quotes: Any, pool: int, walk: Any) -> tuple[float, float]:
    # The perfect strike, given those of the legs referred to, and the inverse of the distance that scores nothing.
    scale = aim[leg * _AIM + 3]
    if scale < 0.0:
        return 0.0, 0.0
    one, two = _strike_at(quotes, pool, ref[2 * leg], walk), _strike_at(quotes, pool, ref[2 * leg + 1], walk)
    perfect = aim[leg * _AIM] + aim[leg * _AIM + 1] * one + aim[leg * _AIM + 2] * two
    return perfect, 1.0 / (scale + aim[leg * _AIM + 4] * abs(one - two))


@kernel(**SCALAR)
def _missed(strike: float, perfect: float, inverse: float) -> float:
    return min(abs(strike - perfect) * inverse, 1.0)


@kernel(error_model="numpy")
def _step_into(leg: int, walk: Any, sums: Any, quotes: Any, pool: int, aim: Any, ref: Any) -> None:
    # Add what leg `leg`, where it stands, brings to the sums that the next leg starts from.
    perfect, inverse = _aim_at(leg, aim, ref, quotes, pool, walk)
    at, base = walk[leg], leg * QUOTE_FIELDS
    miss = quotes[(base + QUOTE_MISS) * pool + at]
    miss += _missed(quotes[(base + QUOTE_STRIKE) * pool + at], perfect, inverse)
    sums[4 * leg + 4] = sums[4 * leg] + quotes[(base + QUOTE_CASH) * pool + at]
    sums[4 * leg + 5] = sums[4 * leg + 1] + quotes[(base + QUOTE_EXPECTED) * pool + at]
    sums[4 * leg + 6] = sums[4 * leg + 2] + quotes[(base + QUOTE_COST) * pool + at]
    sums[4 * leg + 7] = sums[4 * leg + 3] + miss


@kernel(**SCALAR)
def _fill_run(out: Any, first: Any, count: int, run: int, start: float) -> None:
    for i in range(run):
        out[count + i] = start + first[i]


@kernel(error_model="numpy")
def _lay_out(
    legs: int, count: int, run: int, walk: Any, sums: Any, quotes: Any, pool: int, aim: Any, ref: Any, combos: Any,
    work: Any,
) -> None:  # fmt: skip
    # Put `run` neighbours of the last leg's pool, with the other legs where they stand, from candidate `count` on.
    last = legs - 1
    start = walk[last]
    for leg in range(last):
        strikes, places = row_of(work, STRIKE + leg), row_of(combos, leg)
        strike, place = _strike_at(quotes, pool, leg, walk), walk[leg]
        for i in range(run):
            strikes[count + i] = strike
            places[count + i] = place
    own, places = row_of(work, STRIKE + last), row_of(combos, last)
    strikes = quotes_of(quotes, pool, last, QUOTE_STRIKE)[start : start + run]
    for i in range(run):
        own[count + i] = strikes[i]
        places[count + i] = start + i
    _fill_run(
        row_of(work, PREMIUM), quotes_of(quotes, pool, last, QUOTE_CASH)[start : start + run], count, run,
        sums[4 * last],
    )  # fmt: skip
    _fill_run(
        row_of(work, EV), quotes_of(quotes, pool, last, QUOTE_EXPECTED)[start : start + run], count, run,
        sums[4 * last + 1],
    )  # fmt: skip
    _fill_run(
        row_of(work, COST), quotes_of(quotes, pool, last, QUOTE_COST)[start : start + run], count, run,
        sums[4 * last + 2],
    )  # fmt: skip
    perfect, inverse = _aim_at(last, aim, ref, quotes, pool, walk)
    missed, miss = row_of(work, FIT), quotes_of(quotes, pool, last, QUOTE_MISS)[start : start + run]
    so_far = sums[4 * last + 3]
    for i in range(run):
        missed[count + i] = so_far + miss[i] + _missed(strikes[i], perfect, inverse)


@kernel(error_model="numpy")
def walk_on(
    legs: int, room: int, walk: Any, sums: Any, quotes: Any, aim: Any, ref: Any, stride: Any, offset: Any,
    first: Any, last: Any, combos: Any, work: Any,
) -> int:  # fmt: skip
    """Lay out at most `room` combinations and return how many; none are left when it is 0.

    A depth-first walk that is taken up where it stopped: `walk` holds the position and the end of the range of each
    leg, and at which leg it is. `sums` are those of premium, expected payoff, cost and distance from the targets over
    the legs before each.
    """
    pool = quotes.size // (legs * QUOTE_FIELDS)
    level, count = walk[WALK_LEVEL], 0
    while level >= 0 and count < room:
        if walk[level] >= walk[MOST_LEGS + level]:
            level -= 1
            if level >= 0:
                walk[level] += 1
        elif level < legs - 1:
            _step_into(level, walk, sums, quotes, pool, aim, ref)
            level += 1
            at = offset[level] + walk[ref[2 * level]] * stride[2 * level]
            at += walk[ref[2 * level + 1]] * stride[2 * level + 1]
            walk[level], walk[MOST_LEGS + level] = first[at], last[at]
        else:
            run = min(walk[MOST_LEGS + level] - walk[level], room - count)
            _lay_out(legs, count, run, walk, sums, quotes, pool, aim, ref, combos, work)
            count += run
            walk[level] += run
    walk[WALK_LEVEL] = level
    return count


def next_block(
    legs: int, room: int, walk: Counts, sums: Floats, quotes: Floats, aim: Floats, ref: Counts, stride: Counts,
    offset: Counts, first: Counts, last: Counts, combos: Counts, work: Floats,
) -> int:  # fmt: skip
    """Lay out the next candidates for a caller that measures them in its own way."""
    return walk_on(legs, room, walk, sums, quotes, aim, ref, stride, offset, first, last, combos, work)


def count_all(legs: int, walk: Counts, ref: Counts, stride: Counts, offset: Counts, first: Counts, last: Counts) -> int:
    """Return how many combinations there are from where the walk stands on."""
    level, count = walk[WALK_LEVEL], 0
    while level >= 0:
        if walk[level] >= walk[MOST_LEGS + level]:
            level -= 1
            if level >= 0:
                walk[level] += 1
        elif level < legs - 1:
            level += 1
            at = offset[level] + walk[ref[2 * level]] * stride[2 * level]
            at += walk[ref[2 * level + 1]] * stride[2 * level + 1]
            walk[level], walk[MOST_LEGS + level] = first[at], last[at]
        else:
            count += max(walk[MOST_LEGS + level] - walk[level], 0)
            walk[level] = walk[MOST_LEGS + level]
    return count
