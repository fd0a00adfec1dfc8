"""How a trade ended, written down: its legs, itself, and what it leaves in the account."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    D_DAY,
    D_PLACE,
    EXPIRED,
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
    PLAIN,
    S_COMMISSION,
    T_CARRIED,
    T_CONTRACTS,
    T_DIVIDENDS,
    T_ENTRY_DAY,
    T_EXPIRY,
    T_MAE,
    T_MARGIN,
    T_MARK,
    T_MAX_LOSS,
    T_MAX_PROFIT,
    T_MFE,
    T_OPENED,
    T_PREMIUM,
    T_ROLLED,
    T_UNITS,
)
from bifrost_lib.core.kernels import kernel


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
