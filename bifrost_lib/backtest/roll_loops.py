"""Rolls: legs of a trade that are closed and chosen anew at one moment."""

from __future__ import annotations

from typing import Any

from bifrost_lib.backtest.figures_loops import fill_of, traded_at
from bifrost_lib.backtest.layout import (
    BY_DELTA,
    BY_DTE,
    BY_LOSS,
    BY_PROFIT,
    ENTERED,
    L_FAR,
    LEG_WIDTH,
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
from bifrost_lib.backtest.selection_loops import choose_strikes, find_legs, seen_place
from bifrost_lib.backtest.trade_loops import close_legs, closing_value, take_legs
from bifrost_lib.core.kernels import kernel


@kernel(error_model="numpy")
def roll_if_due(market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, pnl: float) -> bool:
    """Make the first roll whose condition holds and whose legs are found; False if there is none."""
    trade = desk.trade
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


@kernel(error_model="numpy")
def _is_due(market: Any, rules: Any, desk: Any, session: int, moment: int, base: int, pnl: float) -> bool:
    when, level, trade = int(rules[base + R_WHEN]), rules[base + R_AT], desk.trade
    if when == BY_DTE:
        return bool(trade[T_EXPIRY] - market.session_day[session] <= level)
    if when == BY_LOSS:
        return bool(-pnl >= level * abs(trade[T_OPTIONS]))
    if when == BY_PROFIT:
        return bool(pnl >= level * abs(trade[T_OPTIONS]))
    shift, mask = moment - market.session_moment[session], int(rules[base + R_LEGS])
    for leg in range(int(rules[S_LEGS])):
        if not mask >> leg & 1 or desk.qty[leg] >= 0.0:
            continue
        contract, spot = desk.contract[leg], market.spot[moment]
        if when == BY_DELTA:
            if abs(float(market.delta[market.row_quote[desk.row[leg]] + shift])) >= level:
                return True
        elif spot > market.strike[contract] if market.is_call[contract] else spot < market.strike[contract]:
            return True
    return False


@kernel(error_model="numpy")
def _found(market: Any, rules: Any, desk: Any, session: int, moment: int, base: int) -> bool:
    legs, mask, same = int(rules[S_LEGS]), int(rules[base + R_LEGS]), rules[base + R_RULE] == 0.0
    if rules[base + R_NEXT] == 0.0:
        for leg in range(legs):
            desk.seen[leg] = seen_place(market, session, market.group[desk.contract[leg]])
        return choose_strikes(market, rules, desk, session, moment, mask, same)
    later = later_far = near = -1
    for leg in range(legs):
        group = market.group[desk.contract[leg]]
        is_far = rules[S_LEG + leg * LEG_WIDTH + L_FAR] != 0.0
        if mask >> leg & 1:
            if is_far:
                later_far = max(later_far, market.group_expiry[group])
            else:
                later = max(later, market.group_expiry[group])
        elif not is_far and (near < 0 or market.group_expiry[group] < market.group_expiry[near]):
            near = group
    return find_legs(market, rules, desk, session, moment, mask, same, later, later_far, near) == ENTERED


@kernel(error_model="numpy")
def _made(market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, base: int) -> bool:
    # The chosen legs are taken unless the roll must bring cash and does not.
    legs, mask, count = int(rules[S_LEGS]), int(rules[base + R_LEGS]), 0
    for leg in range(legs):
        count += mask >> leg & 1
    fill, shift = fill_of(rules, count), moment - market.session_moment[session]
    cash = closing_value(market, rules, desk, session, moment, mask, False)
    for leg in range(legs):
        if mask >> leg & 1:
            row = desk.chosen[leg]
            quote = market.row_quote[row] + shift
            price = traded_at(market.bid[quote], market.ask[quote], desk.qty[leg], fill)
            cash -= desk.qty[leg] * market.multiplier[market.row_contract[row]] * price
    if rules[base + R_CREDIT] != 0.0 and not cash > 0.0:
        return False
    close_legs(market, rules, desk, books, session, moment, mask, float(market.moment_us[moment]))
    take_legs(market, rules, desk, session, moment, mask, fill)
    desk.trade[T_OPTIONS] += cash
    desk.trade[T_PREMIUM] += cash
    return True
