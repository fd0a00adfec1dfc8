"""Runs that go on after an assignment: the shares are kept, and another strategy trades on them, as in a wheel.

One strategy at a time is in charge: the run's own, and after one of its sold options was assigned the one that it
names, until that one is assigned in its turn. Each trade is a run of the compiled simulation over the entries from the
last trade's end on; between two trades the shares are marked here, a session at a time.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine import layout as at
from bifrost_lib.backtest.engine.market import Stage
from bifrost_lib.backtest.engine.simulation import Simulated, simulate_single
from bifrost_lib.backtest.engine.tables import Terms
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.strategies import STOCK_RATE, Sizing, StrategyDocument, strategy_named

Array = npt.NDArray[Any]
#: Why a trade ended, where shares are held between two strategies.
SHARES = float(len(at.REASONS))
REASONS = (*at.REASONS, "shares held")
_ADDED = (
    at.M_TRADES, at.M_CLOSED, at.M_WINS, at.M_PNL, at.M_COMMISSION, at.M_OPEN, at.M_UNPRICEABLE, at.M_WON, at.M_LOST,
    at.M_DAYS, at.M_LOGGED, at.M_HELD,
)  # fmt: skip
_FIRST_LOOK, _MORE = 8, 4  # entries that are looked at for the next trade, and how many times more after those


@dataclass(frozen=True)
class Wheeled(Simulated):
    """What a run left that went on after assignments.

    `shares` were held with each trade when it was opened, all units; legs are numbered through both strategies.
    """

    shares: Array


@dataclass(frozen=True)
class _Shares:
    """Shares between two trades: how many, by what lot, what they were worth when they came, and when that was."""

    symbol: int
    count: float
    lot: float
    spot: float
    session: int
    moment: int
    us: float


def follower_of(document: StrategyDocument) -> StrategyDocument | None:
    """Return the strategy that goes on with the shares that a document is left with, at the document's costs.

    None where it names none, or cannot be followed: of several trades at once no one can say whose turn it is, and a
    name that is not in the catalogue says nothing.
    """
    name = document.exits.after_assignment
    if name is None or document.sizing.max_active != 1:
        return None
    try:
        return strategy_named(name).with_(costs=document.costs)
    except UnknownNameError:
        return None


def simulate_wheel(
    stage: Stage, document: StrategyDocument, follower: StrategyDocument, terms: Terms, allowed: Array | None = None
) -> Wheeled:
    """Simulate a document and the strategy that follows it, with their log."""
    return _Wheel(stage, (document, follower), terms, allowed).run()


class _Wheel:
    # A run in the making: what both strategies and the shares between them have left so far.
    def __init__(
        self, stage: Stage, documents: tuple[StrategyDocument, StrategyDocument], terms: Terms, allowed: Array | None
    ) -> None:
        self._stage, self._market, self._documents = stage, stage.market, documents
        self._terms, self._allowed = terms, allowed
        last = self._market.sessions[stage.entry_session + 1, at.D_MOMENT] - 1
        self._when = self._market.moment_us[np.where(stage.entry_moment >= 0, stage.entry_moment, last)]
        self._symbol = np.searchsorted(stage.session_starts, stage.entry_session, side="right") - 1
        self._account = terms.capital
        self._gain, self._margin, self._active = np.zeros((3, len(stage.days)))
        self._told, self._refused = np.zeros(at.M_REFUSED), Counter[str]()
        self._told[at.M_WORST], self._told[at.M_BEST] = 0.0, 0.0
        self._trades, self._legs, self._shares = list[Array](), list[Array](), list[float]()

    def run(self) -> Wheeled:
        place, which, held = 0, 0, None
        while place < len(self._when):
            mine = np.arange(place, len(self._when))
            if held is not None:
                mine = mine[self._symbol[mine] == held.symbol]
            found, capital, used = self._next_trade(which, held, mine)
            if held is not None:
                self._hold(held, int(found.trades[0, at.J_OPENED]) if len(found.trades) else None)
            self._add(found, capital, which)
            stop = int(mine[used - 1]) + 1 if used < len(mine) else len(self._when)
            if len(found.trades):
                stop = max(int(mine[0]) + 1, int(np.searchsorted(self._when, found.trades[0, at.J_CLOSED_US])))
            self._told[at.M_SKIPPED + at.ACTIVE] += stop - place - used  # entries of other symbols
            place = stop
            which, held = self._after(found, which)
        if held is not None:
            self._hold(held, None)
        return self._result()

    def _next_trade(self, which: int, held: _Shares | None, mine: Array) -> tuple[Simulated, float, int]:
        # The first trade of some entries, alone: it is simulated with the entries until its end, `used` in all.
        look = _FIRST_LOOK
        found, capital = self._simulated(which, held, mine[:look])
        while not len(found.trades) and look < len(mine):
            look *= _MORE
            found, capital = self._simulated(which, held, mine[:look])
        if not len(found.trades):
            return found, capital, len(mine)
        trade = found.trades[0]
        opened = int(trade[at.J_OPENED])
        own = int(np.flatnonzero(self._stage.entry_moment[mine] == opened)[0])
        used = max(own + 1, int(np.searchsorted(self._when[mine], trade[at.J_CLOSED_US])))
        return *self._simulated(which, held, mine[:used], opened), used

    def _simulated(
        self, which: int, held: _Shares | None, entries: Array, opened: int | None = None
    ) -> tuple[Simulated, float]:
        # With shares that are held the units are theirs, when the trade is `opened`; they are paid for, so that capital
        # for them is added to the account that the entries see.
        document, capital = self._documents[which], self._account
        if held is not None:
            count = held.count if opened is None else self._path(held, opened)[-1][1]
            units = max(int(count / (document.stock_qty * held.lot)), 1)
            document = document.with_(sizing=Sizing(contracts=units))
            capital += 4.0 * abs(count) * float(np.nanmax(self._market.spot))
        stage = replace(
            self._stage,
            entry_session=np.ascontiguousarray(self._stage.entry_session[entries]),
            entry_moment=np.ascontiguousarray(self._stage.entry_moment[entries]),
        )
        return simulate_single(stage, document, replace(self._terms, capital=capital), self._allowed), capital

    def _after(self, found: Simulated, which: int) -> tuple[int, _Shares | None]:
        # Who is in charge after a trade, and with which shares.
        if not len(found.trades) or found.trades[0, at.J_REASON] == at.OPEN:
            return which, None
        trade, market = found.trades[0], self._market
        last = found.legs[found.legs[:, at.H_CLOSED_US] == trade[at.J_CLOSED_US]]
        contract, reason = last[:, at.H_LAST_CONTRACT].astype(np.int64), trade[at.J_REASON]
        exercised = (last[:, at.H_CLOSE_QUOTE] < 0) & (last[:, at.H_CLOSE_PRICE] > 0)
        exercised &= (market.contracts[contract, at.C_AMERICAN] != 0) & (reason in (at.ASSIGNED, at.EXPIRED))
        sign = np.where(market.contracts[contract, at.C_CALL] != 0, 1.0, -1.0)
        each = trade[at.J_UNITS] * market.multiplier[contract]
        delivered = float((each * last[:, at.H_LAST_QTY] * sign)[exercised].sum())
        own = self._documents[which].stock_qty * each[0] * last[0, at.H_LAST_QTY] / last[0, at.H_QTY]
        is_assigned = bool((exercised & (last[:, at.H_LAST_QTY] < 0)).any())
        turn = 1 - which if is_assigned else which
        is_kept = (is_assigned or which == 1) and reason != at.STOP and reason <= at.EXPIRED
        held = self._shares_of(trade, own + delivered, float(market.multiplier[contract[0]]), is_assigned)
        wanted = self._documents[turn].stock_qty
        if is_kept and wanted * held.count > 0 and (units := int(held.count / (wanted * held.lot))) > 0:
            return turn, replace(held, count=float(units * wanted * held.lot))
        if reason > at.EXPIRED or (turn == 1 and wanted):
            turn = 0  # without shares, or without knowing, it begins again
        return turn, None

    def _shares_of(self, trade: Array, count: float, lot: float, is_assigned: bool) -> _Shares:
        market, us = self._market, trade[at.J_CLOSED_US]
        session = int(trade[at.J_SESSION])
        first, end = market.sessions[session : session + 2, at.D_MOMENT]
        moment = int(first + np.searchsorted(market.moment_us[first:end], us, side="right")) - 1
        moment = max(moment, int(first))
        spot = trade[at.J_CLOSE_SPOT] if is_assigned else market.spot[moment]  # what the last trade closed them at
        return _Shares(self._stage.symbol_of(session), count, lot, float(spot), session, moment, float(us))

    def _path(self, held: _Shares, until: int | None) -> list[tuple[int, float, float, float]]:
        # Session, shares, dividends so far and spot (the last one known), until a moment or the end of the data.
        market, found = self._market, []
        last = int(market.sessions[held.session, at.D_LAST])
        if until is not None:
            last = int(np.searchsorted(market.sessions[:, at.D_MOMENT], until, side="right")) - 1
        count, cash, spot = held.count, 0.0, held.spot
        for session in range(held.session, last + 1):
            if session > held.session:
                count *= market.figures[session, at.F_SPLIT]
                spot /= market.figures[session, at.F_SPLIT]
                cash += count * market.figures[session, at.F_DIVIDEND]
            moment = until if until is not None and session == last else market.sessions[session + 1, at.D_MOMENT] - 1
            now = float(market.spot[moment])
            spot = spot if math.isnan(now) else now
            found.append((session, count, cash, spot))
        return found

    def _hold(self, held: _Shares, until: int | None) -> None:
        # Mark shares from evening to evening; at `until` the next trade takes them at the spot.
        market, cost = self._market, held.count * held.spot
        path = self._path(held, until)
        gains = [cash + count * spot - cost for _, count, cash, spot in path]
        ties_up = STOCK_RATE * abs(cost)
        for (session, *_), gain in zip(path if until is None else path[:-1], gains, strict=until is None):
            is_last = session == market.sessions[session, at.D_LAST]
            end = len(self._gain) if is_last else market.sessions[session + 1, at.D_PLACE]
            evenings = slice(market.sessions[session, at.D_PLACE], end)
            self._gain[evenings] += gain
            self._margin[evenings] += ties_up
            self._active[evenings] += 1.0
        session, _, cash, spot = path[-1]
        if until is not None:
            self._gain[market.sessions[session, at.D_PLACE] :] += gains[-1]
            self._account += gains[-1]
            if market.moment_us[until] <= held.us and gains[-1] == 0.0:
                return  # the next trade took them at once
        row = np.zeros(at.LOG_WIDTH)
        row[[at.J_OPENED, at.J_SESSION, at.J_UNITS]] = held.moment, session, round(abs(held.count) / held.lot)
        row[at.J_CLOSED_US] = math.inf if until is None else market.moment_us[until]
        row[at.J_REASON] = at.OPEN if until is None else SHARES
        row[[at.J_PREMIUM, at.J_PNL, at.J_MARK, at.J_DIVIDENDS]] = -cost, gains[-1], gains[-1], cash
        row[[at.J_MAE, at.J_MFE]] = min(0.0, *gains), max(0.0, *gains)
        row[[at.J_MARGIN, at.J_MAX_PROFIT, at.J_MAX_LOSS]] = ties_up, math.nan, cost if cost > 0 else math.nan
        row[at.J_CLOSE_SPOT] = math.nan if until is None else spot
        self._note(row, held.count)
        days = market.sessions[session, at.D_DAY] - market.sessions[held.session, at.D_DAY]
        self._tell(gains[-1], int(days), is_open=until is None)

    def _tell(self, gain: float, days: int, *, is_open: bool) -> None:
        told = self._told
        told[[at.M_TRADES, at.M_LOGGED, at.M_OPEN if is_open else at.M_CLOSED]] += 1.0
        told[at.M_DAYS] += days
        if not is_open:
            told[at.M_PNL] += gain
            told[at.M_WINS] += gain > 0.0
            told[at.M_WON if gain > 0.0 else at.M_LOST] += gain
            told[at.M_WORST], told[at.M_BEST] = min(told[at.M_WORST], gain), max(told[at.M_BEST], gain)

    def _note(self, trade: Array, shares: float) -> None:
        self._trades.append(trade)
        self._shares.append(shares)

    def _add(self, found: Simulated, capital: float, which: int) -> None:
        # What one trade, or none, has left.
        told, gain = found.told[0], found.equity[0] - capital
        self._gain += gain
        self._margin += found.margin
        self._active += found.active
        self._told[[*_ADDED]] += told[[*_ADDED]]
        self._told[at.M_WORST] = min(self._told[at.M_WORST], told[at.M_WORST])
        self._told[at.M_BEST] = max(self._told[at.M_BEST], told[at.M_BEST])
        self._told[at.M_SKIPPED :] += told[at.M_SKIPPED : at.M_REFUSED]
        self._refused.update(dict(zip(found.refusals, told[at.M_REFUSED :].tolist(), strict=True)))
        if not len(found.trades):
            return
        trade, legs = found.trades[0], found.legs.copy()
        if trade[at.J_REASON] != at.OPEN:
            self._account += float(gain[-1])
        legs[:, at.H_TRADE] = len(self._trades)
        legs[:, at.H_LEG] += which * len(self._documents[0].option_legs)
        self._legs.append(legs)
        multiplier = self._market.multiplier[int(legs[0, at.H_CONTRACT])]
        self._note(trade, float(self._documents[which].stock_qty * multiplier * trade[at.J_UNITS]))

    def _result(self) -> Wheeled:
        told = np.concatenate([self._told, list(self._refused.values())])
        told[at.M_MARGIN_DAYS], told[at.M_MAX_MARGIN] = self._margin.sum(), self._margin.max(initial=0.0)
        trades = np.array(self._trades).reshape(-1, at.LOG_WIDTH)
        legs = np.concatenate(self._legs) if self._legs else np.empty((0, at.HELD_WIDTH))
        equity = self._terms.capital + self._gain
        return Wheeled(
            told[np.newaxis], equity[np.newaxis], tuple(self._refused), trades, legs, self._margin, self._active,
            np.array(self._shares),
        )  # fmt: skip
