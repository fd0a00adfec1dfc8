"""The finder's loop: measure and score all candidates of one expiry, and keep those that are worth it."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats
from bifrost_lib.strategies.margins.margin_loops import least_margin
from bifrost_lib.strategies.scanning.line_loops import break_evens, extremes, profits, tail_losses
from bifrost_lib.strategies.scanning.scan_layout import (
    BLOCK,
    C_CONSIDERED,
    C_KEPT,
    C_LIMIT,
    C_REJECTED,
    CAPITAL,
    CELLS,
    COLUMNS,
    CORRECTED,
    COST,
    EV,
    FIT,
    KEPT_COMBO,
    KEPT_COUNT,
    KEPT_ROOTS,
    KEPT_SEARCH,
    KEPT_WIDTH,
    MAX_LOSS,
    MAX_PROFIT,
    MEASURE,
    POP,
    PREMIUM,
    QUOTE_FIELDS,
    QUOTE_PRICE,
    QUOTE_STRIKE,
    ROOT,
    ROW,
    SCORE,
    SCORE_PARTS,
    T_CASH,
    T_DTE_MISS,
    T_FORWARD,
    T_LOCKED,
    T_MULTIPLIER,
    T_NAKED,
    T_SEARCH,
    T_SHARES,
    T_SPOT,
    T_TARGETS,
    T_ZERO,
    TAIL_LOSS,
)
from bifrost_lib.strategies.scanning.score_loops import corrected, edge_share, score_of
from bifrost_lib.strategies.scanning.walk_loops import SCALAR, row_of, walk_on

_CREDIT, _DEBIT = 0, 1  # codes of what a document's structure must bring


@kernel(**SCALAR)
def rejection(cash_rule: float, locked: float, premium: float, gain: float, loss: float, zero: float) -> float:
    """Return why a candidate is rejected, as a code; a locked one is only asked for its cash."""
    wrong_cash = (cash_rule == _CREDIT and premium <= zero) or (cash_rule == _DEBIT and premium >= -zero)
    if wrong_cash:
        return 1.0 + cash_rule
    if locked != 0.0:
        return 0.0
    return 3.0 if gain <= zero else (4.0 if loss <= zero else 0.0)


@kernel(error_model="numpy", fastmath={"contract"})
def _complete_sums(size: int, terms: Any, work: Any) -> None:
    # The walk laid out sums over the legs; shares are the same for all.
    paid, expected, inverse = (
        -terms[T_SHARES] * terms[T_SPOT],
        terms[T_SHARES] * terms[T_FORWARD],
        1.0 / terms[T_TARGETS],
    )
    premium, ev, fit = row_of(work, PREMIUM), row_of(work, EV), row_of(work, FIT)
    for c in range(size):
        premium[c] += paid
        ev[c] += premium[c] + expected
        fit[c] = 1.0 - (fit[c] + terms[T_DTE_MISS]) * inverse


@kernel(error_model="numpy")
def _add_margins(
    size: int, legs: int, qty: Any, is_call: Any, terms: Any, quotes: Any, combos: Any, work: Any, spare: Any
) -> None:  # fmt: skip
    # Only where the loss has no bound, or there is none: otherwise the largest loss is what is tied up.
    pool, capital, premium = quotes.size // (legs * QUOTE_FIELDS), row_of(work, CAPITAL), row_of(work, PREMIUM)
    strikes, prices, rest = spare[0:legs], spare[legs : 2 * legs], spare[2 * legs : 4 * legs]
    stock = terms[T_SHARES] / terms[T_MULTIPLIER]
    for c in range(size):
        for j in range(legs):
            at = combos[j * ROW + c]
            strikes[j] = quotes[(j * QUOTE_FIELDS + QUOTE_STRIKE) * pool + at]
            prices[j] = quotes[(j * QUOTE_FIELDS + QUOTE_PRICE) * pool + at]
        need = least_margin(strikes, prices, 0, qty, is_call, stock, terms[T_SPOT], terms[T_NAKED], rest)
        paid = abs(premium[c]) if terms[T_LOCKED] != 0.0 else 0.0
        capital[c] = max(need * terms[T_MULTIPLIER], paid)


@kernel(error_model="numpy", fastmath={"contract"})
def _correct(size: int, points: Any, work: Any) -> None:
    pop, out = row_of(work, POP), row_of(work, CORRECTED)
    for c in range(size):
        out[c] = corrected(pop[c], points[SCORE_PARTS], points[SCORE_PARTS + 1])


@kernel(error_model="numpy", fastmath={"contract"})
def finish(size: int, terms: Any, points: Any, counters: Any, work: Any) -> None:
    """Score what is measured and count what is rejected: NaN is the score of those, and no tail loss is as great.

    Behind the points of the score's parts may stand the intercept and slope of a `PopCorrection`.
    """
    if points.size > SCORE_PARTS:
        _correct(size, points, work)
    premium, ev, cost, fit = row_of(work, PREMIUM), row_of(work, EV), row_of(work, COST), row_of(work, FIT)
    gain, loss = row_of(work, MAX_PROFIT), row_of(work, MAX_LOSS)
    pop = row_of(work, CORRECTED if points.size > SCORE_PARTS else POP)
    capital, tail, score = row_of(work, CAPITAL), row_of(work, TAIL_LOSS), row_of(work, SCORE)
    cash_rule, locked, zero = terms[T_CASH], terms[T_LOCKED], terms[T_ZERO]
    for c in range(size):
        code = rejection(cash_rule, locked, premium[c], gain[c], loss[c], zero)
        found = score_of(pop[c], ev[c], gain[c], capital[c], cost[c], fit[c], points)
        score[c] = math.nan if code != 0.0 else found
    for c in range(size):
        if score[c] != score[c]:
            code = rejection(cash_rule, locked, premium[c], gain[c], loss[c], zero)
            counters[C_REJECTED + int(code)] += 1
            tail[c] = math.inf


@kernel(error_model="numpy")
def _keep(c: int, legs: int, at: int, search: float, combos: Any, work: Any, kept: Any) -> None:
    base = at * KEPT_WIDTH
    kept[base + KEPT_SEARCH] = search
    for column in range(len(COLUMNS)):
        kept[base + column] = work[(MEASURE + column) * ROW + c]
    for j in range(legs):
        kept[base + KEPT_COMBO + j] = combos[j * ROW + c]
    count = 0
    for slot in range(legs + 1):
        root = work[(ROOT + slot) * ROW + c]
        if root > 0.0 and (count == 0 or root > kept[base + KEPT_ROOTS + count - 1]):
            kept[base + KEPT_ROOTS + count] = root
            count += 1
    kept[base + KEPT_COUNT] = count


@kernel(error_model="numpy")
def _select(
    size: int, legs: int, least: float, search: float, combos: Any, work: Any, kept: Any, best: Any, front: Any,
    counters: Any,
) -> None:  # fmt: skip
    pop, ev, cost = row_of(work, POP), row_of(work, EV), row_of(work, COST)
    capital, tail, score = row_of(work, CAPITAL), row_of(work, TAIL_LOSS), row_of(work, SCORE)
    for c in range(size):
        if score[c] > least:
            _keep(c, legs, counters[C_KEPT], search, combos, work, kept)
            counters[C_KEPT] += 1
        share = tail[c] / capital[c]
        across = int(pop[c] * (CELLS - 1e-9))
        down = int(edge_share(ev[c], capital[c], cost[c]) * (CELLS - 1e-9))
        cell = across * CELLS + down
        if 0 <= cell < CELLS * CELLS and share < best[cell]:
            best[cell] = share
            _keep(c, legs, cell, search, combos, work, front)


def finish_block(size: int, terms: Floats, points: Floats, counters: Counts, work: Floats) -> int:
    """Score and count candidates that a caller has measured in its own way."""
    finish(size, terms, points, counters, work)
    return 0


def scan(
    legs: int, least: float, until: int, walk: Counts, sums: Floats, quotes: Floats, aim: Floats, ref: Counts,
    stride: Counts, offset: Counts, first: Counts, last: Counts, qty: Floats, is_call: Flags, terms: Floats,
    points: Floats, combos: Counts, work: Floats, spare: Floats, kept: Floats, best: Floats, front: Floats,
    counters: Counts,
) -> int:  # fmt: skip
    """Go on until `kept` is full or `until` are considered (1), or nothing is left or the limit is reached (0).

    Candidates that score more than `least` are kept, and in `front` the best of each cell of probability and return.
    """
    capacity = kept.size // KEPT_WIDTH
    while counters[C_KEPT] + BLOCK <= capacity and counters[C_CONSIDERED] < until:
        room = min(BLOCK, counters[C_LIMIT] - counters[C_CONSIDERED])
        size = walk_on(legs, room, walk, sums, quotes, aim, ref, stride, offset, first, last, combos, work)
        if size == 0:
            return 0
        counters[C_CONSIDERED] += size
        _complete_sums(size, terms, work)
        profits(size, legs, qty, is_call, terms, work)
        tail_losses(size, legs, qty, is_call, terms, work)
        slope = extremes(size, legs, qty, is_call, terms, work)
        break_evens(size, legs, slope, terms, work)
        if slope < 0.0 or terms[T_LOCKED] != 0.0:
            _add_margins(size, legs, qty, is_call, terms, quotes, combos, work, spare)
        finish(size, terms, points, counters, work)
        _select(size, legs, least, terms[T_SEARCH], combos, work, kept, best, front, counters)
    return 1
