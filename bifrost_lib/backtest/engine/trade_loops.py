"""One trade in hand: opening it, valuing its closing, and closing its legs."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.figures_loops import extremes, fill_of, margin_of, traded_at
from bifrost_lib.backtest.engine.layout import (
    C_GROUP,
    D_DAY,
    D_MOMENT,
    F_NAKED,
    G_AM,
    G_EXPIRES,
    G_EXPIRY,
    G_SETTLES,
    INLINE,
    KEPT_WIDTH,
    L_QTY,
    LEG_WIDTH,
    PATH_WIDTH,
    PLAIN,
    Q_CONTRACT,
    Q_NEXT,
    Q_QUOTE,
    S_FAR,
    S_LEG,
    S_LEGS,
    S_STOCK,
    T_AM,
    T_CONTRACTS,
    T_ENTRY,
    T_ENTRY_DAY,
    T_EXPIRES,
    T_EXPIRY,
    T_MARGIN,
    T_MARK,
    T_MAX_LOSS,
    T_MAX_PROFIT,
    T_OPENED,
    T_OPTIONS,
    T_PREMIUM,
    T_ROLLED,
    T_ROLLS,
    T_ROWS_AT,
    T_SETTLES,
    T_SHARES,
    TRADE_WIDTH,
)
from bifrost_lib.backtest.engine.log_loops import note_leg
from bifrost_lib.backtest.engine.market_loops import find_row
from bifrost_lib.core.kernels import kernel

_BELIEVABLE = 1


@kernel(**PLAIN)
def open_trade(market: Any, rules: Any, desk: Any, entry: int, session: int, moment: int) -> None:
    """Open the legs whose rows are `desk.chosen`, for one unit."""
    trade, legs = desk.trade, int(rules[S_LEGS])
    for number in range(TRADE_WIDTH):
        trade[number] = 0.0
    trade[T_OPENED], trade[T_ENTRY_DAY] = moment, market.sessions[session, D_DAY]
    trade[T_ENTRY], trade[T_ROWS_AT] = entry, session
    for leg in range(legs):
        desk.qty[leg] = rules[S_LEG + leg * LEG_WIDTH + L_QTY]
    cash = take_legs(market, rules, desk, session, moment, (1 << legs) - 1, fill_of(rules, legs))
    spot = market.spot[moment]
    trade[T_OPTIONS] = cash
    trade[T_SHARES] = rules[S_STOCK] * market.multiplier[desk.contract[0]]
    trade[T_PREMIUM] = cash - trade[T_SHARES] * spot
    if rules[S_FAR] != 0.0:
        trade[T_MAX_PROFIT] = math.nan
        trade[T_MAX_LOSS] = -cash if cash < 0.0 and rules[S_STOCK] == 0.0 else math.nan
    else:
        found = extremes(market, desk, legs, trade[T_SHARES], trade[T_PREMIUM])
        trade[T_MAX_PROFIT], trade[T_MAX_LOSS] = found
    trade[T_MARGIN] = margin_of(market, rules, desk, spot, market.figures[session, F_NAKED])
    trade[T_MARK] = trade[T_PREMIUM] + closing_value(
        market, rules, desk, session, moment, (1 << legs) - 1, trade[T_SHARES]
    )


@kernel(**PLAIN)
def take_legs(market: Any, rules: Any, desk: Any, session: int, moment: int, mask: int, fill: float) -> float:
    """Put the chosen contracts of `mask` into the trade and return their cash, received > 0."""
    trade, legs, cash = desk.trade, int(rules[S_LEGS]), 0.0
    shift = moment - market.sessions[session, D_MOMENT]
    for leg in range(legs):
        if not mask >> leg & 1:
            continue
        row = desk.chosen[leg]
        contract, quote = market.rows[row, Q_CONTRACT], market.rows[row, Q_QUOTE] + shift
        price = traded_at(market.bid[quote], market.ask[quote], desk.qty[leg], fill)
        cash -= desk.qty[leg] * market.multiplier[contract] * price
        desk.row[leg], desk.contract[leg], desk.open_price[leg] = row, contract, price
        desk.first_contract[leg], desk.first_qty[leg] = contract, desk.qty[leg]
        desk.opened[leg], desk.open_quote[leg] = moment, quote
        trade[T_CONTRACTS] += abs(desk.qty[leg])
    set_expiry(market, rules, desk)
    return cash


@kernel(**PLAIN)
def set_expiry(market: Any, rules: Any, desk: Any) -> None:
    """Note when the first of the legs expires."""
    first, trade = market.contracts[desk.contract[0], C_GROUP], desk.trade
    for leg in range(1, int(rules[S_LEGS])):
        group = market.contracts[desk.contract[leg], C_GROUP]
        if market.groups[group, G_EXPIRES] < market.groups[first, G_EXPIRES]:
            first = group
    trade[T_EXPIRES], trade[T_EXPIRY] = market.groups[first, G_EXPIRES], market.groups[first, G_EXPIRY]
    trade[T_SETTLES], trade[T_AM] = market.groups[first, G_SETTLES], market.groups[first, G_AM]


@kernel(**PLAIN)
def closing_value(
    market: Any, rules: Any, desk: Any, session: int, moment: int, mask: int, shares: float
) -> float:  # fmt: skip
    """Return what closing the legs of `mask` and `shares` brings; NaN where something has no price."""
    legs, count, shift = int(rules[S_LEGS]), 0, moment - market.sessions[session, D_MOMENT]
    total = shares * market.spot[moment] if shares != 0.0 else 0.0
    for leg in range(legs):
        count += mask >> leg & 1
    fill = fill_of(rules, count)
    for leg in range(legs):
        if not mask >> leg & 1:
            continue
        row = desk.row[leg]
        if row < 0:
            return math.nan
        quote = market.rows[row, Q_QUOTE] + shift
        if not market.flags[quote] & _BELIEVABLE:
            return math.nan
        price = traded_at(market.bid[quote], market.ask[quote], -desk.qty[leg], fill)
        desk.price[leg] = price
        total += desk.qty[leg] * market.multiplier[desk.contract[leg]] * price
    return total


@kernel(**PLAIN)
def bring_rows(market: Any, rules: Any, desk: Any, session: int) -> None:
    """Find the rows of the legs in a session; they are looked for only where quotes are read."""
    trade = desk.trade
    if trade[T_ROWS_AT] == session:
        return
    follows = trade[T_ROWS_AT] == session - 1
    for leg in range(int(rules[S_LEGS])):
        row = market.rows[desk.row[leg], Q_NEXT] if follows and desk.row[leg] >= 0 else -1
        desk.row[leg] = row if row >= 0 else find_row(market, session, desk.contract[leg])
    trade[T_ROWS_AT] = session


@kernel(**INLINE)
def value_now(market: Any, rules: Any, desk: Any, session: int, moment: int) -> float:
    """Return what closing everything brings, NaN where something has no price.

    Sets that choose their legs alike see the same values from the same entry on until they roll: these are kept.
    """
    trade, slot = desk.trade, moment - int(desk.trade[T_OPENED]) - 1
    at = int(trade[T_ENTRY]) * KEPT_WIDTH + T_ROLLS + slot
    is_kept = desk.paths.size > 0 and slot < PATH_WIDTH and trade[T_ROLLED] == 0.0
    if is_kept and desk.paths[at] != -math.inf:
        return float(desk.paths[at])
    bring_rows(market, rules, desk, session)
    value = closing_value(market, rules, desk, session, moment, (1 << int(rules[S_LEGS])) - 1, trade[T_SHARES])
    if is_kept:
        desk.paths[at] = value
    return value


@kernel(**PLAIN)
def close_legs(
    market: Any, rules: Any, desk: Any, books: Any, session: int, moment: int, mask: int, closed_us: float
) -> None:  # fmt: skip
    """Count and write down the legs of `mask` as traded at `desk.price`."""
    shift = moment - market.sessions[session, D_MOMENT]
    for leg in range(int(rules[S_LEGS])):
        if mask >> leg & 1:
            desk.trade[T_CONTRACTS] += abs(desk.qty[leg])
            note_leg(desk, books, leg, closed_us, desk.price[leg], float(market.rows[desk.row[leg], Q_QUOTE] + shift))
