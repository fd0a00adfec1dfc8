"""Where the loops of a scan keep their numbers."""

from __future__ import annotations

MOST_LEGS = 12
#: Candidates that are measured side by side: their numbers fit the processor's cache.
BLOCK = 512
ROW = BLOCK + 8

# Rows of the workspace, each with a number per candidate: strikes and profits there come in order of strike.
STRIKE = 0
VALUE = STRIKE + MOST_LEGS
ROOT = VALUE + MOST_LEGS
TURN = ROOT + MOST_LEGS + 1
AT_ZERO = TURN + MOST_LEGS + 1
SIGN, CORRECTED, FLAT_ROOT = (AT_ZERO + 1 + row for row in range(3))
FLAT_TURN = FLAT_ROOT + MOST_LEGS + 1
FLAT_BELOW = FLAT_TURN + MOST_LEGS + 1
MEASURE = FLAT_BELOW + MOST_LEGS + 1

#: What a candidate is described by, in this order from row MEASURE on.
COLUMNS = (
    "premium", "ev", "slippage_cost", "fit", "max_profit", "max_loss", "pop", "capital", "tail_loss", "score",
)  # fmt: skip
PREMIUM, EV, COST, FIT, MAX_PROFIT, MAX_LOSS, POP, CAPITAL, TAIL_LOSS, SCORE = (
    MEASURE + row for row in range(len(COLUMNS))
)
ROWS = MEASURE + len(COLUMNS)

#: A quote's fields: strike and price per share, then for one unit of the structure the cash at entry, the expected
#: payoff (signed by quantity) and half the spread, then the distance from the rule's target.
QUOTE_FIELDS = 6
QUOTE_STRIKE, QUOTE_PRICE, QUOTE_CASH, QUOTE_EXPECTED, QUOTE_COST, QUOTE_MISS = range(QUOTE_FIELDS)

#: What all candidates of a search share.
TERMS = (
    "shares", "spot", "forward", "total_vol", "zero", "naked_rate", "dte_miss", "targets", "cash_rule", "locked",
    "tail_low", "tail_high", "multiplier", "search",
)  # fmt: skip
(
    T_SHARES, T_SPOT, T_FORWARD, T_TOTAL_VOL, T_ZERO, T_NAKED, T_DTE_MISS, T_TARGETS, T_CASH, T_LOCKED, T_LOW, T_HIGH,
    T_MULTIPLIER, T_SEARCH,
) = range(len(TERMS))  # fmt: skip

#: How many points stand before the intercept and slope of a correction; and how close to 0 or 1 probabilities are
#: corrected as if they were that far away.
SCORE_PARTS, CERTAIN = 5, 1e-6

#: Why a candidate is rejected, by code; 0 is accepted.
REJECTIONS = ("", "brings no credit", "costs no debit", "cannot profit", "nothing at risk at these prices")

#: A kept candidate: columns, positions in the pools, how many breakevens, which search it is of, the breakevens.
KEPT_COMBO = len(COLUMNS)
KEPT_COUNT = KEPT_COMBO + MOST_LEGS
KEPT_SEARCH = KEPT_COUNT + 1
KEPT_ROOTS = KEPT_SEARCH + 1
KEPT_WIDTH = KEPT_ROOTS + MOST_LEGS + 1

#: The front keeps, for each cell of probability and return, the candidate with the least tail loss.
CELLS = 32

# Where the walk over all combinations stands: position and end at each leg, then the leg that it is at.
WALK_LEVEL = 2 * MOST_LEGS
WALK_SIZE = WALK_LEVEL + 1
# Counters that a scan keeps up.
C_CONSIDERED, C_LIMIT, C_KEPT = range(3)
C_REJECTED = 3
COUNTERS = C_REJECTED + len(REJECTIONS)
