"""Where everything lies in the tables of numbers that the compiled simulation reads and writes."""

from __future__ import annotations

from typing import Any, NamedTuple

MOST_LEGS, MOST_ROLLS = 12, 10

# One row of numbers is one document with its terms of trading; NaN is an exit that it has not.
(
    S_LEGS, S_STOCK, S_LOW, S_TARGET, S_HIGH, S_FAR, S_GAP_LOW, S_GAP_TARGET, S_GAP_HIGH, S_CASH, S_SECURED,
    S_MAX_SPREAD, S_MIN_INTEREST, S_MIN_VOLUME, S_CONTRACTS, S_SHARE, S_MAX_ACTIVE, S_COMMISSION, S_PROFIT,
    S_PROFIT_OF, S_STOP, S_STOP_OF, S_DELTA, S_DTE, S_DAYS, S_ROLLS, S_CAPITAL, S_RATE, S_ADMISSION, S_CHOICE,
    S_OFFSET,
) = range(31)  # fmt: skip
S_FILL = 31  # the share of the spread that an order of 1, 2, ... legs gives away
S_LEG = S_FILL + MOST_LEGS
(
    L_CALL, L_QTY, L_FAR, L_DTE_LOW, L_DTE_HIGH, L_KIND, L_FIRST, L_SECOND, L_TARGET, L_LOW, L_HIGH, L_COUNT,
) = range(12)  # fmt: skip
LEG_WIDTH = 12
S_ROLL = S_LEG + MOST_LEGS * LEG_WIDTH
R_WHEN, R_AT, R_LEGS, R_NEXT, R_RULE, R_CREDIT, R_MOST = range(7)
ROLL_WIDTH = 7
SET_WIDTH = S_ROLL + MOST_ROLLS * ROLL_WIDTH

# Kinds of strike rules.
K_DELTA, K_OTM, K_PREMIUM, K_STRIKE, K_MONEY, K_SAME, K_STEPS, K_SAME_PREMIUM, K_WING, K_MIRROR, K_KEPT = range(11)
CREDIT, DEBIT, ANY = 0, 1, 2
OF_CREDIT, OF_DEBIT, OF_MAX_PROFIT, OF_MAX_LOSS = range(4)
BY_DTE, BY_DELTA, BY_LOSS, BY_PROFIT, BY_TEST = range(5)

# Why a trade ended (codes are floats, since the compiler makes a function for each whole number that it is given by
# name), and why none was opened; the first codes of admission are conditions by name.
REASONS = (
    "open", "stop", "take profit", "delta", "dte", "days in trade", "assigned", "expired", "unpriceable: split",
    "unpriceable: no session", "unpriceable: settlement", "unpriceable: quotes",
)  # fmt: skip
(
    OPEN, STOP, TAKE_PROFIT, DELTA, DTE, DAYS, ASSIGNED, EXPIRED, NO_SPLIT, NO_SESSION, NO_SETTLEMENT, NO_QUOTES,
) = map(float, range(12))  # fmt: skip
SKIPS = ("max_active", "spot", "no expiry", "no legs", "ex_dividend", "earnings", "cash", "capital")
ENTERED = -1
ACTIVE, NO_SPOT, NO_EXPIRY, NO_LEGS, EX_DIVIDEND, EARNINGS, WRONG_CASH, NO_CAPITAL = range(8)
#: Admission: a document's conditions hold, or hold if an event falls, or falls not, before the near expiry: of
#: dividends, plus `THROUGHS` times that of earnings; from `REFUSED` on the number of the condition that does not hold.
ADMITTED, ONLY_THROUGH, NOT_THROUGH = range(3)
THROUGHS, REFUSED = 3, 9

# The numbers of the trade that is being lived through; money is that of one unit.
(
    T_PREMIUM, T_OPTIONS, T_SHARES, T_DIVIDENDS, T_CONTRACTS, T_MARK, T_MAE, T_MFE, T_MAX_PROFIT, T_MAX_LOSS,
    T_MARGIN, T_UNITS, T_EXPIRES, T_EXPIRY, T_SETTLES, T_AM, T_CARRIED, T_ROLLED, T_OPENED, T_ENTRY_DAY,
    T_ENTRY, T_ROWS_AT,
) = range(22)  # fmt: skip
T_ROLLS = 22  # how often each roll was made
TRADE_WIDTH = T_ROLLS + MOST_ROLLS

# A trade in the log, and a leg in it; money is that of all units.
(
    J_OPENED, J_CLOSED_US, J_SESSION, J_REASON, J_UNITS, J_PREMIUM, J_PNL, J_COMMISSION, J_MAE, J_MFE, J_MARGIN,
    J_MAX_PROFIT, J_MAX_LOSS, J_DIVIDENDS, J_CARRIED, J_ROLLS, J_CLOSE_SPOT, J_DTE, J_MARK,
) = range(19)  # fmt: skip
LOG_WIDTH = 19
(
    H_TRADE, H_LEG, H_CONTRACT, H_QTY, H_OPENED, H_CLOSED_US, H_OPEN_PRICE, H_CLOSE_PRICE, H_OPEN_QUOTE, H_CLOSE_QUOTE,
    H_LAST_CONTRACT, H_LAST_QTY,
) = range(12)  # fmt: skip
HELD_WIDTH = 12

# What is told of a set as a whole; the counts of skipped sessions follow.
(
    M_TRADES, M_CLOSED, M_WINS, M_PNL, M_COMMISSION, M_OPEN, M_UNPRICEABLE, M_WON, M_LOST, M_DAYS, M_MAX_MARGIN,
    M_MARGIN_DAYS, M_WORST, M_BEST, M_LOGGED, M_HELD,
) = range(16)  # fmt: skip
M_SKIPPED = 16
M_REFUSED = M_SKIPPED + len(SKIPS)

#: How kernels are compiled: only other kernels call them, so that no door for Python is built.
PLAIN = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINE = {**PLAIN, "forceinline": True}
SAME = 1e-6  # currency per share within which two strikes are one


# Columns of the tables of a market. `sessions` (whole numbers) and `figures`: a row a session, and one more for ends.
D_DAY, D_MOMENT, D_ROW, D_SEEN, D_PLACE, D_LAST, D_DIVIDEND, D_EARNINGS = range(8)
F_OPEN, F_CLOSE, F_SPLIT, F_DIVIDEND, F_NAKED = range(5)
# `contracts`, `groups` (one more for ends), `rows`, and `seen`: the groups of each session (one more for ends).
C_GROUP, C_CALL, C_AMERICAN = range(3)
G_FIRST, G_EXPIRY, G_EXPIRES, G_SETTLES, G_AM, G_RANK, G_CLASS = range(7)
Q_CONTRACT, Q_QUOTE, Q_NEXT = range(3)
ROW_WIDTH = 3
N_GROUP, N_ROW, N_FORWARD = range(3)


class Market(NamedTuple):
    """One or several cubes laid end to end, as few tables; `bifrost_lib.backtest.engine.market` makes them.

    The compiler handles every array of every call, so that what belongs together is one of them.
    """

    sessions: Any
    figures: Any
    moment_us: Any
    spot: Any
    contracts: Any
    strike: Any
    multiplier: Any
    groups: Any
    rows: Any
    seen: Any
    forward: Any
    bid: Any
    ask: Any
    delta: Any
    flags: Any
    open_interest: Any
    volume: Any


class Desk(NamedTuple):
    """Room to work in for one set: the trade in hand, what it holds, and what is open beside it."""

    trade: Any
    qty: Any
    first_qty: Any
    open_price: Any
    wanted_strike: Any
    wanted_mid: Any
    price: Any
    spare: Any
    contract: Any
    first_contract: Any
    row: Any
    opened: Any
    open_quote: Any
    seen: Any
    chosen: Any
    open_until: Any
    open_pnl: Any
    open_capital: Any
    cache: Any
    paths: Any


class Books(NamedTuple):
    """What a set leaves behind: the account by day, the log of trades and legs, and the summary."""

    realised: Any
    marks: Any
    margin: Any
    active: Any
    trades: Any
    legs: Any
    told: Any


#: What is kept of an entry for other sets that choose alike: what became of the search, with the row and contract of
#: each leg; and the trade as it was opened, with its closing values, one for each moment after the entry.
CACHE_WIDTH, PATH_WIDTH = 1 + 2 * MOST_LEGS, 96
KEPT_WIDTH = T_ROLLS + PATH_WIDTH
#: Floats and whole numbers of a `Desk` beside those of open trades, of which there are three for each trade.
DESK_FLOATS = TRADE_WIDTH + MOST_LEGS * 6 + MOST_LEGS * 8
DESK_COUNTS = MOST_LEGS * 7
