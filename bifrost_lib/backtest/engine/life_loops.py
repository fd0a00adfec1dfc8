"""The life of a trade, from the moment after its entry to its end: sessions, their moments, and what falls on them."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.exit_loops import assign, close_all, exercised_early, exit_due, give_up, settle
from bifrost_lib.backtest.engine.layout import (
    C_CALL,
    C_GROUP,
    D_DAY,
    D_LAST,
    D_MOMENT,
    D_PLACE,
    F_DIVIDEND,
    F_SPLIT,
    G_FIRST,
    INLINE,
    NO_SESSION,
    NO_SPLIT,
    OPEN,
    PLAIN,
    S_COMMISSION,
    S_LEGS,
    S_ROLLS,
    T_CARRIED,
    T_CONTRACTS,
    T_DIVIDENDS,
    T_EXPIRES,
    T_MAE,
    T_MARGIN,
    T_MARK,
    T_MFE,
    T_OPENED,
    T_PREMIUM,
    T_ROWS_AT,
    T_SETTLES,
    T_SHARES,
    T_UNITS,
)
from bifrost_lib.backtest.engine.market_loops import find_row
from bifrost_lib.backtest.engine.roll_loops import roll_if_due
from bifrost_lib.backtest.engine.trade_loops import value_now
from bifrost_lib.core.kernels import kernel

_STRIKE_SLACK = 0.005 + 1e-9


@kernel(**PLAIN)
def live(market: Any, rules: Any, desk: Any, books: Any, session: int) -> tuple[float, float]:
    """Live through the trade in hand to its end.

    Returns when it closed, in microseconds (infinity: it is open at the end of the data), and what it left in the
    account for all units.
    """
    trade, last = desk.trade, market.sessions[session, D_LAST]
    moment = int(trade[T_OPENED]) + 1
    while True:
        end = market.sessions[session + 1, D_MOMENT]
        while moment < end:
            now = float(market.moment_us[moment])
            if now >= trade[T_EXPIRES]:
                return trade[T_EXPIRES], settle(market, rules, desk, books, session)
            ended, left = _watch(market, rules, desk, books, session, moment, moment == end - 1)
            if ended:
                return now, left
            moment += 1
        if trade[T_SETTLES] == market.sessions[session, D_DAY]:
            return trade[T_EXPIRES], settle(market, rules, desk, books, session)
        _carry(market, rules, desk, books, session, session == last)
        if session == last:
            return math.inf, give_up(market, rules, desk, books, session, OPEN, math.nan)
        session += 1
        if trade[T_SETTLES] < market.sessions[session, D_DAY]:
            left = give_up(market, rules, desk, books, session, NO_SESSION, trade[T_EXPIRES])
            return trade[T_EXPIRES], left
        if not _begin(market, rules, desk, session):
            opening = float(market.moment_us[moment])
            return opening, give_up(market, rules, desk, books, session, NO_SPLIT, opening)


@kernel(**INLINE)
def _watch(
    market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, is_last: bool
) -> tuple[bool, float]:  # fmt: skip
    trade = desk.trade
    value = value_now(market, rules, desk, session, moment)
    if math.isnan(value):
        trade[T_CARRIED] += 1.0
        return False, 0.0
    pnl = trade[T_PREMIUM] + value + trade[T_DIVIDENDS]
    trade[T_MARK], trade[T_MAE], trade[T_MFE] = pnl, min(trade[T_MAE], pnl), max(trade[T_MFE], pnl)
    if rules[S_ROLLS] > 0.0 and roll_if_due(market, rules, desk, books, session, moment, pnl):
        value = value_now(market, rules, desk, session, moment)
        trade[T_MARK] = trade[T_PREMIUM] + value + trade[T_DIVIDENDS]
        return False, 0.0
    reason = exit_due(market, rules, desk, session, moment, pnl)
    if reason != OPEN:
        return True, close_all(market, rules, desk, books, session, moment, reason, pnl)
    if is_last:
        mask = exercised_early(market, rules, desk, session, moment)
        if mask:
            return True, assign(market, rules, desk, books, session, moment, mask)
    return False, 0.0


@kernel(**INLINE)
def _begin(market: Any, rules: Any, desk: Any, session: int) -> bool:
    # What happens before a session opens; False if a split leaves a leg without a contract.
    trade, legs, ratio = desk.trade, int(rules[S_LEGS]), market.figures[session, F_SPLIT]
    if ratio != 1.0:
        if not (ratio > 1.0 and ratio == math.floor(ratio)):
            return False
        for leg in range(legs):
            desk.chosen[leg] = _after_split(market, session, desk.contract[leg], ratio)
            if desk.chosen[leg] < 0:
                return False
        for leg in range(legs):
            desk.contract[leg] = desk.chosen[leg]
            desk.qty[leg] *= ratio
        trade[T_SHARES] *= ratio
        trade[T_ROWS_AT] = -1.0
    trade[T_DIVIDENDS] += trade[T_SHARES] * market.figures[session, F_DIVIDEND]
    return True


@kernel(**PLAIN)
def _after_split(market: Any, session: int, contract: int, ratio: float) -> int:
    hundredths = 100.0 * market.strike[contract] / ratio
    whole = math.floor(hundredths)
    if hundredths - whole > 0.5 or (hundredths - whole == 0.5 and whole % 2.0 == 1.0):
        whole += 1.0
    strike, group = whole / 100.0, market.contracts[contract, C_GROUP]
    found, best = -1, math.inf
    for other in range(market.groups[group, G_FIRST], market.groups[group + 1, G_FIRST]):
        distance = abs(market.strike[other] - strike)
        is_nearer = distance <= _STRIKE_SLACK if found < 0 else distance < best
        if (
            is_nearer
            and market.contracts[other, C_CALL] == market.contracts[contract, C_CALL]
            and find_row(market, session, other) >= 0
        ):
            found, best = other, distance
    return found


@kernel(**INLINE)
def _carry(market: Any, rules: Any, desk: Any, books: Any, session: int, is_last: bool) -> None:
    # The mark of this evening stands until the symbol's next session.
    trade = desk.trade
    first = market.sessions[session, D_PLACE]
    end = books.marks.size if is_last else market.sessions[session + 1, D_PLACE]
    mark = trade[T_UNITS] * (trade[T_MARK] - rules[S_COMMISSION] * trade[T_CONTRACTS])
    for day in range(first, end):
        books.marks[day] += mark
        books.margin[day] += trade[T_UNITS] * trade[T_MARGIN]
        books.active[day] += 1.0
