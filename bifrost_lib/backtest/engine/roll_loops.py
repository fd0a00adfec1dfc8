"""Rolls: legs of a trade that are closed and chosen anew at one moment."""

from __future__ import annotations

from typing import Any

from bifrost_lib.backtest.engine.figures_loops import fill_of, traded_at
from bifrost_lib.backtest.engine.layout import (
    ADMITTED,
    BY_DELTA,
    BY_DTE,
    BY_LOSS,
    BY_PROFIT,
    C_CALL,
    C_GROUP,
    D_DAY,
    D_MOMENT,
    ENTERED,
    G_EXPIRY,
    L_FAR,
    LEG_WIDTH,
    PLAIN,
    Q_CONTRACT,
    Q_QUOTE,
    R_AT,
    R_CREDIT,
    R_LEGS,
    R_MOST,
    R_NEXT,
    R_RULE,
    R_WHEN,
    ROLL_WIDTH,
    S_LEG,
    S_LEGS,
    S_ROLL,
    S_ROLLS,
    T_EXPIRY,
    T_OPTIONS,
    T_PREMIUM,
    T_ROLLED,
    T_ROLLS,
)
from bifrost_lib.backtest.engine.market_loops import seen_place
from bifrost_lib.backtest.engine.selection_loops import find_legs
from bifrost_lib.backtest.engine.strike_loops import choose_strikes
from bifrost_lib.backtest.engine.trade_loops import bring_rows, close_legs, closing_value, take_legs
from bifrost_lib.core.kernels import kernel


@kernel(**PLAIN)
def roll_if_due(market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, pnl: float) -> bool:
    """Make the first roll whose condition holds and whose legs are found; False if there is none."""
    trade = desk.trade
    bring_rows(market, rules, desk, session)
    for roll in range(int(rules[S_ROLLS])):
        base = S_ROLL + roll * ROLL_WIDTH
        if trade[T_ROLLS + roll] >= rules[base + R_MOST]:
            continue
        is_due = _is_due(market, rules, desk, session, moment, base, pnl)
        if not is_due or not _found(market, rules, desk, session, moment, base):
            continue
        if _made(market, rules, desk, books, session, moment, base):
            trade[T_ROLLS + roll] += 1.0
            trade[T_ROLLED] += 1.0
            return True
    return False


@kernel(**PLAIN)
def _is_due(market: Any, rules: Any, desk: Any, session: int, moment: int, base: int, pnl: float) -> bool:
    when, level, trade = int(rules[base + R_WHEN]), rules[base + R_AT], desk.trade
    if when == BY_DTE:
        return bool(trade[T_EXPIRY] - market.sessions[session, D_DAY] <= level)
    if when == BY_LOSS:
        return bool(-pnl >= level * abs(trade[T_OPTIONS]))
    if when == BY_PROFIT:
        return bool(pnl >= level * abs(trade[T_OPTIONS]))
    shift, mask = moment - market.sessions[session, D_MOMENT], int(rules[base + R_LEGS])
    for leg in range(int(rules[S_LEGS])):
        if not mask >> leg & 1 or desk.qty[leg] >= 0.0:
            continue
        contract, spot = desk.contract[leg], market.spot[moment]
        if when == BY_DELTA:
            if abs(float(market.delta[market.rows[desk.row[leg], Q_QUOTE] + shift])) >= level:
                return True
        elif spot > market.strike[contract] if market.contracts[contract, C_CALL] else spot < market.strike[contract]:
            return True
    return False


@kernel(**PLAIN)
def _found(market: Any, rules: Any, desk: Any, session: int, moment: int, base: int) -> bool:
    legs, mask, kept = int(rules[S_LEGS]), int(rules[base + R_LEGS]), 1.0 - rules[base + R_RULE]
    if rules[base + R_NEXT] == 0.0:
        for leg in range(legs):
            desk.seen[leg] = seen_place(market, session, market.contracts[desk.contract[leg], C_GROUP])
        return choose_strikes(market, rules, desk, session, moment, mask, kept)
    later = later_far = near = -1.0
    for leg in range(legs):
        group = market.contracts[desk.contract[leg], C_GROUP]
        is_far = rules[S_LEG + leg * LEG_WIDTH + L_FAR] != 0.0
        if mask >> leg & 1:
            if is_far:
                later_far = max(later_far, float(market.groups[group, G_EXPIRY]))
            else:
                later = max(later, float(market.groups[group, G_EXPIRY]))
        elif not is_far and (near < 0.0 or market.groups[group, G_EXPIRY] < market.groups[int(near), G_EXPIRY]):
            near = float(group)
    found = find_legs(market, rules, desk, session, moment, mask, kept, later, later_far, near, ADMITTED)
    return found == ENTERED


@kernel(**PLAIN)
def _made(market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, base: int) -> bool:
    # The chosen legs are taken unless the roll must bring cash and does not.
    legs, mask, count = int(rules[S_LEGS]), int(rules[base + R_LEGS]), 0
    for leg in range(legs):
        count += mask >> leg & 1
    fill, shift = fill_of(rules, count), moment - market.sessions[session, D_MOMENT]
    cash = closing_value(market, rules, desk, session, moment, mask, 0.0)
    for leg in range(legs):
        if mask >> leg & 1:
            row = desk.chosen[leg]
            quote = market.rows[row, Q_QUOTE] + shift
            price = traded_at(market.bid[quote], market.ask[quote], desk.qty[leg], fill)
            cash -= desk.qty[leg] * market.multiplier[market.rows[row, Q_CONTRACT]] * price
    if rules[base + R_CREDIT] != 0.0 and not cash > 0.0:
        return False
    close_legs(market, rules, desk, books, session, moment, mask, float(market.moment_us[moment]))
    take_legs(market, rules, desk, session, moment, mask, fill)
    desk.trade[T_OPTIONS] += cash
    desk.trade[T_PREMIUM] += cash
    return True
