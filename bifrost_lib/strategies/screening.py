"""Measure and score blocks of candidates: the finder's inner loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.strategies.book import CASH_FLOW, COST, EXPECTED, MISS, PRICE, STRIKE, Book
from bifrost_lib.strategies.document import CASH
from bifrost_lib.strategies.enumeration import Combos
from bifrost_lib.strategies.lognormal import probabilities_below
from bifrost_lib.strategies.margin_greedy import reg_t_margin
from bifrost_lib.strategies.score import score_of, score_parts
from bifrost_lib.strategies.walking import insert_kink, walk

Floats = npt.NDArray[np.float64]

#: Why a candidate is rejected, by code; 0 is accepted.
REJECTIONS = ("", "brings no credit", "costs no debit", "cannot profit", "nothing at risk at these prices")
COLUMNS = ("premium", "max_profit", "max_loss", "pop", "ev", "slippage_cost", "fit", "capital", "score")
_CREDIT, _DEBIT = CASH.index("credit"), CASH.index("debit")
_ROUNDING = 1e-12  # of a probability


@dataclass(frozen=True)
class Screened:
    """Measures of a block of candidates: `columns` is (COLUMNS, n), inf where unbounded.

    Candidate c breaks even at ``roots[starts[c]:starts[c + 1]]``. Rejected candidates have a code of `REJECTIONS` and
    a score of NaN; their other columns mean nothing.
    """

    columns: Floats
    roots: Floats
    starts: npt.NDArray[np.int64]
    rejected: npt.NDArray[np.int8]


def screen(combos: Combos, book: Book, points: Floats) -> Screened:
    """Measure and score the candidates `combos`, pool positions of shape (n, legs), all of one expiry."""
    found, turns = measure(combos, book)
    below = np.empty(len(found.roots))
    probabilities_below(found.roots, book.forward, book.total_vol, below)
    _add_probabilities(found.columns[COLUMNS.index("pop")], turns, below, found.starts)
    add_scores(found.columns, found.rejected, points)
    return found


def measure(combos: Combos, book: Book) -> tuple[Screened, Floats]:
    """Measure candidates but for their probabilities: `pop` is 1 where profits never end, `score` is not filled.

    The second value says, root by root, how the probability changes there (see `profile.walk`).
    """
    n, legs = combos.shape
    columns, rejected = np.empty((len(COLUMNS), n)), np.empty(n, dtype=np.int8)
    roots, turns, starts = np.empty(n * (legs + 1)), np.empty(n * (legs + 1)), np.empty(n + 1, dtype=np.int64)
    _measure(
        combos, book.quotes, book.weight, book.is_call, book.aim, book.ref, book.terms,
        columns, roots, turns, starts, rejected,
    )  # fmt: skip
    return Screened(columns, roots[: starts[n]], starts, rejected), turns[: starts[n]]


@kernel(error_model="numpy", nogil=True)
def _measure(
    combos: Any, quotes: Any, weight: Any, is_call: Any, aim: Any, ref: Any, terms: Any,
    out: Any, roots: Any, turns: Any, starts: Any, rejected: Any,
) -> None:  # fmt: skip
    shares, spot, forward, zero = terms[0], terms[1], terms[2], terms[3]
    naked_rate, dte_miss, targets, cash_rule, locked = terms[4], terms[5], terms[6], int(terms[7]), terms[8] > 0.0
    n, legs = combos.shape
    kinks, weights = np.empty(legs), np.empty(legs)
    found, first_slope = 0, shares
    for j in range(legs):
        first_slope -= 0.0 if is_call[j] else weight[j]
    for c in range(n):
        premium, payoff, ev, cost, missed = -shares * spot, 0.0, shares * forward, 0.0, dte_miss
        for j in range(legs):
            i = combos[c, j]
            strike = quotes[j, i, STRIKE]
            premium += quotes[j, i, CASH_FLOW]
            ev += quotes[j, i, EXPECTED]
            cost += quotes[j, i, COST]
            missed += quotes[j, i, MISS]
            payoff += 0.0 if is_call[j] else weight[j] * strike
            if aim[j, 3] >= 0.0:
                one = quotes[ref[j, 0], combos[c, ref[j, 0]], STRIKE]
                two = quotes[ref[j, 1], combos[c, ref[j, 1]], STRIKE]
                perfect = aim[j, 0] + aim[j, 1] * one + aim[j, 2] * two
                missed += min(abs(strike - perfect) / (aim[j, 3] + aim[j, 4] * abs(one - two)), 1.0)
            insert_kink(kinks, weights, j, strike, weight[j])
        starts[c] = found
        found, lowest, highest, slope, ends_in_profit = walk(
            kinks, weights, legs, premium, payoff, first_slope, zero, roots, turns, found
        )
        max_profit = math.inf if slope > 0.0 else highest
        max_loss = math.inf if slope < 0.0 else max(-lowest, 0.0)
        rejected[c] = rejection(cash_rule, locked, premium, max_profit, max_loss, zero)
        capital = max_loss
        if (slope < 0.0 or locked) and rejected[c] == 0:
            capital = _margin(combos[c], quotes, weight, is_call, shares, spot, naked_rate)
        if locked:
            capital = max(capital, abs(premium))
        out[0, c], out[1, c], out[2, c] = premium, max_profit, max_loss
        out[3, c], out[4, c], out[5, c] = 1.0 if ends_in_profit else 0.0, premium + ev, cost
        out[6, c], out[7, c] = 1.0 - missed / targets, capital
    starts[n] = found


@kernel(error_model="numpy", forceinline=True)
def rejection(
    cash_rule: int, locked: bool, premium: float, max_profit: float, max_loss: float, zero: float
) -> int:  # fmt: skip
    """Return why a candidate is rejected, as a code of `REJECTIONS`.

    A `locked` structure cannot but win or lose: which of the two, and how much, is what one scans for.
    """
    if cash_rule == _CREDIT and premium <= zero:
        return 1
    if cash_rule == _DEBIT and premium >= -zero:
        return 2
    if locked:
        return 0
    if max_profit <= zero:
        return 3
    return 4 if max_loss <= zero else 0


@kernel(error_model="numpy")
def _margin(
    combo: Any, quotes: Any, weight: Any, is_call: Any, shares: float, spot: float, rate: float
) -> float:  # fmt: skip
    strikes, prices = np.empty(combo.size), np.empty(combo.size)
    for j in range(combo.size):
        strikes[j], prices[j] = quotes[j, combo[j], STRIKE], quotes[j, combo[j], PRICE]
    return reg_t_margin(strikes, prices, weight, is_call, shares, spot, rate)


@kernel(error_model="numpy", nogil=True)
def _add_probabilities(pop: Any, turns: Any, below: Any, starts: Any) -> None:
    for c in range(pop.size):
        total = pop[c]
        for i in range(starts[c], starts[c + 1]):
            total += turns[i] * below[i]
        # Sums of probabilities leave rounding where the profit is certain or impossible.
        total = 0.0 if total < _ROUNDING else total
        pop[c] = 1.0 if total > 1.0 - _ROUNDING else total


@kernel(error_model="numpy", nogil=True)
def add_scores(out: Any, rejected: Any, points: Any) -> None:
    """Fill the last of `COLUMNS` from the others; NaN for the rejected."""
    for c in range(rejected.size):
        parts = score_parts(out[3, c], out[4, c], out[1, c], out[7, c], out[5, c], out[6, c])
        out[8, c] = np.nan if rejected[c] else score_of(parts, points)
