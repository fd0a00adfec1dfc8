"""How a trade ends: exits at prices and by the calendar, early exercise, and settlement."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    ASSIGNED,
    C_AMERICAN,
    C_CALL,
    C_GROUP,
    D_DAY,
    D_LAST,
    D_MOMENT,
    DAYS,
    DELTA,
    DTE,
    EXPIRED,
    F_CLOSE,
    F_DIVIDEND,
    F_OPEN,
    G_EXPIRES,
    G_SETTLES,
    INLINE,
    NO_QUOTES,
    NO_SETTLEMENT,
    OF_CREDIT,
    OF_DEBIT,
    OF_MAX_PROFIT,
    OPEN,
    PLAIN,
    Q_QUOTE,
    S_DAYS,
    S_DELTA,
    S_DTE,
    S_LEGS,
    S_PROFIT,
    S_PROFIT_OF,
    S_RATE,
    S_STOP,
    S_STOP_OF,
    STOP,
    T_AM,
    T_CONTRACTS,
    T_DIVIDENDS,
    T_ENTRY_DAY,
    T_EXPIRES,
    T_EXPIRY,
    T_MAX_LOSS,
    T_MAX_PROFIT,
    T_OPTIONS,
    T_PREMIUM,
    T_SHARES,
    TAKE_PROFIT,
)
from bifrost_lib.backtest.engine.log_loops import end_trade, note_leg
from bifrost_lib.backtest.engine.trade_loops import bring_rows, close_legs, closing_value
from bifrost_lib.core.kernels import kernel


@kernel(**INLINE)
def exit_due(market: Any, rules: Any, desk: Any, session: int, moment: int, pnl: float) -> float:
    """Return which exit is due at a moment with a price, `OPEN` if none is."""
    trade, today = desk.trade, market.sessions[session, D_DAY]
    if pnl <= -rules[S_STOP] * _basis(trade, int(rules[S_STOP_OF])):
        return STOP
    if pnl >= rules[S_PROFIT] * _basis(trade, int(rules[S_PROFIT_OF])):
        return TAKE_PROFIT
    if not math.isnan(rules[S_DELTA]):
        bring_rows(market, rules, desk, session)
        shift = moment - market.sessions[session, D_MOMENT]
        for leg in range(int(rules[S_LEGS])):
            quote = market.rows[desk.row[leg], Q_QUOTE] + shift
            if desk.qty[leg] < 0.0 and abs(float(market.delta[quote])) >= rules[S_DELTA]:
                return DELTA
    if trade[T_EXPIRY] - today <= rules[S_DTE]:
        return DTE
    if today - trade[T_ENTRY_DAY] >= rules[S_DAYS]:
        return DAYS
    return OPEN


@kernel(**INLINE)
def _basis(trade: Any, of: int) -> float:
    # What a share of profit or loss refers to; NaN, which nothing reaches, where there is no such figure.
    if of == OF_CREDIT:
        figure = trade[T_OPTIONS]
    elif of == OF_DEBIT:
        figure = -trade[T_OPTIONS]
    else:
        figure = trade[T_MAX_PROFIT] if of == OF_MAX_PROFIT else trade[T_MAX_LOSS]
    return figure if figure > 0.0 else math.nan


@kernel(**PLAIN)
def _intrinsic(market: Any, contract: int, spot: float) -> float:
    beyond: float = spot - market.strike[contract]
    return max(beyond if market.contracts[contract, C_CALL] else -beyond, 0.0)


@kernel(**PLAIN)
def exercised_early(market: Any, rules: Any, desk: Any, session: int, moment: int) -> int:
    """Return which sold legs their holders exercise this evening, as a mask."""
    spot, mask = market.spot[moment], 0
    if session == market.sessions[session, D_LAST]:
        return 0
    shift, dividend = moment - market.sessions[session, D_MOMENT], market.figures[session + 1, F_DIVIDEND]
    if not (dividend > 0.0 or rules[S_RATE] > 0.0):
        return 0
    bring_rows(market, rules, desk, session)
    years = (market.sessions[session + 1, D_DAY] - market.sessions[session, D_DAY]) / 365.0
    for leg in range(int(rules[S_LEGS])):
        contract = desk.contract[leg]
        lives_on = market.groups[market.contracts[contract, C_GROUP], G_SETTLES] > market.sessions[session, D_DAY]
        if not (desk.qty[leg] < 0.0 and market.contracts[contract, C_AMERICAN] and lives_on):
            continue
        intrinsic = _intrinsic(market, contract, spot)
        if not intrinsic > 0.0:
            continue
        quote = market.rows[desk.row[leg], Q_QUOTE] + shift
        left = 0.5 * (market.bid[quote] + market.ask[quote]) - intrinsic
        gain = dividend
        if not market.contracts[contract, C_CALL]:
            gain = market.strike[contract] * (math.exp(rules[S_RATE] * years) - 1.0)
        if gain > 0.0 and left < gain:
            mask |= 1 << leg
    return mask


@kernel(**PLAIN)
def assign(market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, mask: int) -> float:
    """End a trade of which the legs of `mask` are assigned and the others closed; return what it leaves."""
    others = ((1 << int(rules[S_LEGS])) - 1) & ~mask
    value = closing_value(market, rules, desk, session, moment, others, desk.trade[T_SHARES])
    now = float(market.moment_us[moment])
    left: float = _pay_out(
        market, rules, desk, books, session, moment, others, value, ASSIGNED, now, market.spot[moment]
    )
    return left


@kernel(**PLAIN)
def _pay_out(
    market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, others: int, value: float,
    reason: float, closed_us: float, spot: float,
) -> float:  # fmt: skip
    # End a trade whose legs take intrinsic value at `spot`, but for `others`: these, and shares, bring `value`.
    trade = desk.trade
    for leg in range(int(rules[S_LEGS])):
        if not others >> leg & 1:
            intrinsic = _intrinsic(market, desk.contract[leg], spot)
            value += desk.qty[leg] * market.multiplier[desk.contract[leg]] * intrinsic
            note_leg(desk, books, leg, closed_us, intrinsic, -1.0)
    close_legs(market, rules, desk, books, session, moment, others, closed_us)
    gross = trade[T_PREMIUM] + value + trade[T_DIVIDENDS]
    left: float = end_trade(market, rules, desk, books, session, reason, gross, closed_us, spot)
    return left


@kernel(**PLAIN)
def _outliving(market: Any, desk: Any, legs: int) -> int:
    # The legs that expire after the first ones, as a mask.
    mask = 0
    for leg in range(legs):
        if market.groups[market.contracts[desk.contract[leg], C_GROUP], G_EXPIRES] > desk.trade[T_EXPIRES]:
            mask |= 1 << leg
    return mask


@kernel(**PLAIN)
def settle(market: Any, rules: Any, desk: Any, books: Any, session: int) -> float:
    """End a trade whose first legs expire in this session: they take intrinsic value, the rest is closed."""
    trade, legs, closed_us = desk.trade, int(rules[S_LEGS]), desk.trade[T_EXPIRES]
    is_am = trade[T_AM] != 0.0
    spot = market.figures[session, F_OPEN] if is_am else market.figures[session, F_CLOSE]
    moment = market.sessions[session, D_MOMENT] if is_am else market.sessions[session + 1, D_MOMENT] - 1
    others = _outliving(market, desk, legs)
    if others:
        bring_rows(market, rules, desk, session)
    value = closing_value(market, rules, desk, session, moment, others, trade[T_SHARES])
    if math.isnan(spot) or math.isnan(value):
        reason = NO_SETTLEMENT if math.isnan(spot) else NO_QUOTES
        return give_up(market, rules, desk, books, session, reason, closed_us)
    left: float = _pay_out(market, rules, desk, books, session, moment, others, value, EXPIRED, closed_us, spot)
    return left


@kernel(**INLINE)
def close_all(
    market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, reason: float, pnl: float
) -> float:  # fmt: skip
    """End a trade at the prices of this moment, which make its profit `pnl`."""
    now, trade, legs = float(market.moment_us[moment]), desk.trade, int(rules[S_LEGS])
    everything = (1 << legs) - 1
    if books.legs.size > 0:
        bring_rows(market, rules, desk, session)
        closing_value(market, rules, desk, session, moment, everything, trade[T_SHARES])
        close_legs(market, rules, desk, books, session, moment, everything, now)
    else:  # nobody asks for the prices of the legs
        for leg in range(legs):
            trade[T_CONTRACTS] += abs(desk.qty[leg])
    left: float = end_trade(market, rules, desk, books, session, reason, pnl, now, market.spot[moment])
    return left


@kernel(**PLAIN)
def give_up(market: Any, rules: Any, desk: Any, books: Any, session: int, reason: float, closed_us: float) -> float:
    """End a trade without prices, because it cannot be priced honestly or because the data end."""
    for leg in range(int(rules[S_LEGS])):
        note_leg(desk, books, leg, closed_us, math.nan, -1.0)
    left: float = end_trade(market, rules, desk, books, session, reason, math.nan, closed_us, math.nan)
    return left
