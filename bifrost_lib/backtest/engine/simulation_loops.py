"""The compiled simulation of one set of parameters over a market, from the first session to the last."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    ACTIVE,
    CACHE_WIDTH,
    CREDIT,
    DEBIT,
    DESK_COUNTS,
    ENTERED,
    INLINE,
    KEPT_WIDTH,
    L_QTY,
    LEG_WIDTH,
    M_MARGIN_DAYS,
    M_MAX_MARGIN,
    M_REFUSED,
    M_SKIPPED,
    MOST_LEGS,
    NO_CAPITAL,
    NO_SPOT,
    PLAIN,
    Q_CONTRACT,
    REFUSED,
    S_CAPITAL,
    S_CASH,
    S_CONTRACTS,
    S_LEG,
    S_LEGS,
    S_MAX_ACTIVE,
    S_ROLLS,
    S_SHARE,
    T_MARGIN,
    T_PREMIUM,
    T_ROLLS,
    T_UNITS,
    TRADE_WIDTH,
    WRONG_CASH,
    Books,
    Desk,
    Market,
)
from bifrost_lib.backtest.engine.life_loops import live
from bifrost_lib.backtest.engine.selection_loops import find_legs
from bifrost_lib.backtest.engine.trade_loops import open_trade
from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Grid, Singles, Table

_UNKNOWN = -2


@kernel(**PLAIN)
def desk_of(floats: Any, counts: Any, cache: Any, paths: Any) -> Any:
    """Lay out the room to work in; it holds as many open trades as `floats` has room for."""
    wide, at = MOST_LEGS, TRADE_WIDTH
    rest = at + 14 * wide
    most = (floats.size - rest) // 3
    return Desk(
        floats[0:at], floats[at : at + wide], floats[at + wide : at + 2 * wide], floats[at + 2 * wide : at + 3 * wide],
        floats[at + 3 * wide : at + 4 * wide], floats[at + 4 * wide : at + 5 * wide],
        floats[at + 5 * wide : at + 6 * wide], floats[at + 6 * wide : rest], counts[0:wide], counts[wide : 2 * wide],
        counts[2 * wide : 3 * wide], counts[3 * wide : 4 * wide], counts[4 * wide : 5 * wide],
        counts[5 * wide : 6 * wide], counts[6 * wide : DESK_COUNTS], floats[rest : rest + most],
        floats[rest + most : rest + 2 * most], floats[rest + 2 * most : rest + 3 * most],
        cache, paths,
    )  # fmt: skip


@kernel(**PLAIN)
def simulate_one(
    market: Any, rules: Any, desk: Any, books: Any, entry_session: Any, entry_moment: Any, admission: Any,
    equity: Any,
) -> None:  # fmt: skip
    """Trade one set of `rules` over all entries; the equity of each day is left in `equity`."""
    account, opened = rules[S_CAPITAL], 0
    for entry in range(entry_session.size):
        session, moment = entry_session[entry], entry_moment[entry]
        if admission[entry] >= REFUSED:
            books.told[M_REFUSED + admission[entry] - REFUSED] += 1.0
            continue
        opened, account = _settled(desk, opened, account, float(market.moment_us[moment]))
        if opened >= rules[S_MAX_ACTIVE]:
            books.told[M_SKIPPED + ACTIVE] += 1.0
            continue
        outcome = _enter(market, rules, desk, entry, session, moment, admission[entry])
        if outcome == ENTERED:
            outcome = _size(rules, desk, opened, account)
        if outcome != ENTERED:
            books.told[M_SKIPPED + outcome] += 1.0
            continue
        capital = desk.trade[T_UNITS] * _unit_capital(desk)
        until, left = live(market, rules, desk, books, session)
        desk.open_until[opened], desk.open_pnl[opened], desk.open_capital[opened] = until, left, capital
        opened += 1
    _add_up(rules, books, equity)


@kernel(**INLINE)
def _settled(desk: Any, opened: int, account: float, now: float) -> tuple[int, float]:
    # Trades that have ended by now are in the account and no longer open.
    kept = 0
    for at in range(opened):
        if desk.open_until[at] <= now:
            account += desk.open_pnl[at]
        else:
            desk.open_until[kept], desk.open_pnl[kept] = desk.open_until[at], desk.open_pnl[at]
            desk.open_capital[kept] = desk.open_capital[at]
            kept += 1
    return kept, account


@kernel(**INLINE)
def _enter(
    market: Any, rules: Any, desk: Any, entry: int, session: int, moment: int, admission: int
) -> int:  # fmt: skip
    if not market.spot[moment] > 0.0:
        return NO_SPOT
    outcome = _choose(market, rules, desk, entry, session, moment, admission)
    if outcome != ENTERED:
        return outcome
    _open(market, rules, desk, entry, session, moment)
    cash = desk.trade[T_PREMIUM]  # shares are part of what a structure costs
    if (rules[S_CASH] == CREDIT and not cash > 0.0) or (rules[S_CASH] == DEBIT and not cash < 0.0):
        return WRONG_CASH
    return ENTERED


@kernel(**INLINE)
def _choose(
    market: Any, rules: Any, desk: Any, entry: int, session: int, moment: int, admission: int
) -> int:  # fmt: skip
    # What sets that differ in their exits alone would choose again is looked up, where there is room to keep it.
    legs, at, cache = int(rules[S_LEGS]), entry * CACHE_WIDTH, desk.cache
    is_kept = cache.size > 0
    if is_kept and cache[at] != _UNKNOWN:
        for leg in range(legs):
            desk.chosen[leg], desk.contract[leg] = cache[at + 1 + 2 * leg], cache[at + 2 + 2 * leg]
        return int(cache[at])
    for leg in range(legs):
        desk.contract[leg], desk.row[leg] = -1, -1
    outcome = find_legs(market, rules, desk, session, moment, (1 << legs) - 1, 0.0, -1.0, -1.0, -1.0, admission)
    if is_kept:
        cache[at] = outcome
        for leg in range(legs):
            cache[at + 1 + 2 * leg] = desk.chosen[leg]
            cache[at + 2 + 2 * leg] = market.rows[desk.chosen[leg], Q_CONTRACT] if outcome == ENTERED else -1
    return outcome


@kernel(**INLINE)
def _open(market: Any, rules: Any, desk: Any, entry: int, session: int, moment: int) -> None:
    # So is what the legs cost and tie up; prices of single legs are not kept, since a log is written of one set alone.
    trade, paths, at = desk.trade, desk.paths, entry * KEPT_WIDTH
    if paths.size == 0 or paths[at] == -math.inf:
        open_trade(market, rules, desk, entry, session, moment)
        if paths.size > 0:
            for number in range(T_ROLLS):
                paths[at + number] = trade[number]
        return
    for number in range(T_ROLLS):
        trade[number] = paths[at + number]
    for roll in range(int(rules[S_ROLLS])):
        trade[T_ROLLS + roll] = 0.0
    for leg in range(int(rules[S_LEGS])):
        desk.row[leg], desk.qty[leg] = desk.chosen[leg], rules[S_LEG + leg * LEG_WIDTH + L_QTY]


@kernel(**INLINE)
def _unit_capital(desk: Any) -> float:
    return float(max(desk.trade[T_MARGIN], -desk.trade[T_PREMIUM]))


@kernel(**INLINE)
def _size(rules: Any, desk: Any, opened: int, account: float) -> int:
    # How many units; none where the account does not carry them.
    unit, units, used = _unit_capital(desk), 1.0, 0.0
    if rules[S_CONTRACTS] > 0.0:
        units = rules[S_CONTRACTS]
    elif rules[S_SHARE] > 0.0 and unit > 0.0:
        units = math.floor(rules[S_SHARE] * account / unit)
    for at in range(opened):
        used += desk.open_capital[at]
    desk.trade[T_UNITS] = units
    return ENTERED if units >= 1.0 and unit * units <= account - used else NO_CAPITAL


@kernel(**INLINE)
def _add_up(rules: Any, books: Any, equity: Any) -> None:
    realised = rules[S_CAPITAL]
    for day in range(equity.size):
        realised += books.realised[day]
        equity[day] = realised + books.marks[day]
        books.told[M_MARGIN_DAYS] += books.margin[day]
        books.told[M_MAX_MARGIN] = max(books.told[M_MAX_MARGIN], books.margin[day])


@kernel(**INLINE)
def clear(values: Any) -> None:
    """Set all of an array to 0."""
    for at in range(values.size):
        values[at] = 0.0


def simulate(
    sets: Table, choice: Counts, admission: Counts, admissions: Counts, entry_session: Counts, entry_moment: Counts,
    floats: Floats, counts: Counts, cache: Counts, paths: Floats, realised: Floats, marks: Floats, margin: Floats,
    active: Floats, trades: Floats, legs: Floats, told: Table, equity: Table, sessions: Grid, figures: Table,
    moment_us: Counts,
    spot: Floats, contracts: Grid, strike: Floats, multiplier: Floats, groups: Grid, rows: Grid, seen: Grid,
    forward: Floats, bid: Floats, ask: Floats, delta: Singles, flags: Flags, open_interest: Singles, volume: Singles,
) -> int:  # fmt: skip
    """Simulate each row of `sets`: `told` and `equity` have its summary and its account, a row each.

    `choice` numbers how sets choose their legs, those of one number next to each other; `admission` says which row of
    `admissions`, one number an entry, is theirs. The log is meant for one set.
    """
    market = Market(
        sessions, figures, moment_us, spot, contracts, strike, multiplier, groups, rows, seen, forward, bid, ask,
        delta, flags, open_interest, volume,
    )  # fmt: skip
    desk, entries, kept = desk_of(floats, counts, cache, paths), entry_session.size, -1
    for one in range(sets.shape[0]):
        if choice[one] != kept:
            kept = choice[one]
            for entry in range(cache.size // CACHE_WIDTH):
                cache[entry * CACHE_WIDTH] = _UNKNOWN
            for value in range(paths.size):
                paths[value] = -math.inf
        clear(realised)
        clear(marks)
        clear(margin)
        clear(active)
        books = Books(realised, marks, margin, active, trades, legs, told[one])
        admitted = admissions[admission[one] * entries : (admission[one] + 1) * entries]
        simulate_one(market, sets[one], desk, books, entry_session, entry_moment, admitted, equity[one])
    return 0
