"""One trade in hand: opening it, valuing its closing, and writing down how it ended."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.figures_loops import extremes, fill_of, margin_of, traded_at
from bifrost_lib.backtest.engine.layout import (
    C_GROUP,
    D_DAY,
    D_MOMENT,
    D_PLACE,
    EXPIRED,
    F_NAKED,
    G_AM,
    G_EXPIRES,
    G_EXPIRY,
    G_SETTLES,
    H_CLOSE_PRICE,
    H_CLOSE_QUOTE,
    H_CLOSED_US,
    H_CONTRACT,
    H_LAST_CONTRACT,
    H_LAST_QTY,
    H_LEG,
    H_OPEN_PRICE,
    H_OPEN_QUOTE,
    H_OPENED,
    H_QTY,
    H_TRADE,
    HELD_WIDTH,
    INLINE,
    J_CARRIED,
    J_CLOSE_SPOT,
    J_CLOSED_US,
    J_COMMISSION,
    J_DIVIDENDS,
    J_DTE,
    J_MAE,
    J_MARGIN,
    J_MARK,
    J_MAX_LOSS,
    J_MAX_PROFIT,
    J_MFE,
    J_OPENED,
    J_PNL,
    J_PREMIUM,
    J_REASON,
    J_ROLLS,
    J_SESSION,
    J_UNITS,
    KEPT_WIDTH,
    L_QTY,
    LEG_WIDTH,
    LOG_WIDTH,
    M_BEST,
    M_CLOSED,
    M_COMMISSION,
    M_DAYS,
    M_HELD,
    M_LOGGED,
    M_LOST,
    M_OPEN,
    M_PNL,
    M_TRADES,
    M_UNPRICEABLE,
    M_WINS,
    M_WON,
    M_WORST,
    OPEN,
    PATH_WIDTH,
    PLAIN,
    Q_CONTRACT,
    Q_NEXT,
    Q_QUOTE,
    S_COMMISSION,
    S_FAR,
    S_LEG,
    S_LEGS,
    S_STOCK,
    T_AM,
    T_CARRIED,
    T_CONTRACTS,
    T_DIVIDENDS,
    T_ENTRY,
    T_ENTRY_DAY,
    T_EXPIRES,
    T_EXPIRY,
    T_MAE,
    T_MARGIN,
    T_MARK,
    T_MAX_LOSS,
    T_MAX_PROFIT,
    T_MFE,
    T_OPENED,
    T_OPTIONS,
    T_PREMIUM,
    T_ROLLED,
    T_ROLLS,
    T_ROWS_AT,
    T_SETTLES,
    T_SHARES,
    T_UNITS,
    TRADE_WIDTH,
)
from bifrost_lib.backtest.engine.selection_loops import find_row
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


@kernel(**PLAIN)
def note_leg(desk: Any, books: Any, leg: int, closed_us: float, price: float, quote: float) -> None:
    """Write down one leg that is held no longer; it counts even where there is no room to write."""
    at = int(books.told[M_HELD]) * HELD_WIDTH
    books.told[M_HELD] += 1.0
    if at + HELD_WIDTH > books.legs.size:
        return
    held = books.legs[at : at + HELD_WIDTH]
    held[H_TRADE], held[H_LEG], held[H_CONTRACT] = books.told[M_LOGGED], leg, desk.first_contract[leg]
    held[H_LAST_CONTRACT], held[H_LAST_QTY] = desk.contract[leg], desk.qty[leg]
    held[H_QTY], held[H_OPENED], held[H_CLOSED_US] = desk.first_qty[leg], desk.opened[leg], closed_us
    held[H_OPEN_PRICE], held[H_CLOSE_PRICE] = desk.open_price[leg], price
    held[H_OPEN_QUOTE], held[H_CLOSE_QUOTE] = desk.open_quote[leg], quote


@kernel(**PLAIN)
def end_trade(
    market: Any, rules: Any, desk: Any, books: Any, session: int, reason: float, gross: float, closed_us: float,
    spot: float,
) -> float:  # fmt: skip
    """Write down the end of the trade and return what it leaves in the account, all units, net of commission."""
    trade, told = desk.trade, books.told
    units, commission = trade[T_UNITS], rules[S_COMMISSION] * trade[T_CONTRACTS]
    is_known = OPEN < reason <= EXPIRED
    if is_known:
        trade[T_MARK] = gross
        trade[T_MAE], trade[T_MFE] = min(trade[T_MAE], gross), max(trade[T_MFE], gross)
    net: float = units * (trade[T_MARK] - commission)
    if reason != OPEN:
        books.realised[market.sessions[session, D_PLACE]] += net
    told[M_TRADES] += 1.0
    told[M_COMMISSION] += units * commission
    told[M_DAYS] += market.sessions[session, D_DAY] - trade[T_ENTRY_DAY]
    if reason == OPEN:
        told[M_OPEN] += 1.0
    elif is_known:
        told[M_CLOSED] += 1.0
        told[M_PNL] += net
        told[M_WORST], told[M_BEST] = min(told[M_WORST], net), max(told[M_BEST], net)
        if net > 0.0:
            told[M_WINS] += 1.0
            told[M_WON] += net
        else:
            told[M_LOST] += net
    else:
        told[M_UNPRICEABLE] += 1.0
    _log_trade(rules, desk, books, session, reason, net if is_known or reason == OPEN else math.nan, closed_us, spot)
    return net


@kernel(**INLINE)
def _log_trade(
    rules: Any, desk: Any, books: Any, session: int, reason: float, pnl: float, closed_us: float, spot: float
) -> None:  # fmt: skip
    trade, at = desk.trade, int(books.told[M_LOGGED]) * LOG_WIDTH
    books.told[M_LOGGED] += 1.0
    if at + LOG_WIDTH > books.trades.size:
        return
    row, units = books.trades[at : at + LOG_WIDTH], trade[T_UNITS]
    row[J_OPENED], row[J_CLOSED_US], row[J_SESSION], row[J_REASON] = trade[T_OPENED], closed_us, session, reason
    row[J_UNITS], row[J_PREMIUM], row[J_PNL] = units, units * trade[T_PREMIUM], pnl
    row[J_COMMISSION] = units * rules[S_COMMISSION] * trade[T_CONTRACTS]
    row[J_MAE], row[J_MFE], row[J_MARGIN] = units * trade[T_MAE], units * trade[T_MFE], units * trade[T_MARGIN]
    row[J_MAX_PROFIT], row[J_MAX_LOSS] = units * trade[T_MAX_PROFIT], units * trade[T_MAX_LOSS]
    row[J_DIVIDENDS], row[J_CARRIED] = units * trade[T_DIVIDENDS], trade[T_CARRIED]
    row[J_ROLLS], row[J_CLOSE_SPOT] = trade[T_ROLLED], spot
    row[J_DTE], row[J_MARK] = trade[T_EXPIRY] - trade[T_ENTRY_DAY], units * trade[T_MARK]
