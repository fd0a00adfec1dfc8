"""A run that goes on after an assignment: another document takes its turn, with the shares."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bifrost_lib.strategies import StrategyDocument
from tests.backtest.reference.capital import STOCK_RATE
from tests.backtest.reference.engine import Outcome, Run
from tests.backtest.reference.tape import Market, Tape
from tests.backtest.reference.terms import Terms
from tests.backtest.reference.trade import Trade

ENOUGH = 1e12


@dataclass(eq=False)
class Shares(Trade):
    """Shares and nothing else; `lot` is how many a contract has, `came` when they did, `spot` what one is worth."""

    lot: float = 0.0
    spot: float = math.nan
    came: datetime | None = None

    def see(self, spot: float) -> None:
        """Mark at a spot, the last one known if this one is not."""
        self.spot = self.spot if math.isnan(spot) else spot
        self.note(self.gross(self.stock_shares * self.spot))


@dataclass
class Wheel(Run):
    """Two documents, one in charge at a time; shares lie between their trades."""

    follower: StrategyDocument | None = None
    first: StrategyDocument | None = None
    shares: Shares | None = None
    bound: str | None = None  # the symbol of whose shares there are some
    seen: Trade | None = None  # the last trade whose end was looked at

    def open_trades(self, tape: Tape | None = None) -> list[Trade]:
        """Leave shares out where trades are lived through: they have no options."""
        found = super().open_trades(tape)
        return found if tape is None else [one for one in found if not isinstance(one, Shares)]

    def active(self, moment: datetime) -> list[Trade]:
        """Leave shares out: they wait for the next trade."""
        return [one for one in super().active(moment) if not isinstance(one, Shares)]

    def has_ended(self, trade: Trade, moment: datetime) -> bool:
        """Tell whether a trade has ended; shares have not before they are taken."""
        return not trade.is_open if isinstance(trade, Shares) else super().has_ended(trade, moment)

    def account(self, moment: datetime) -> float:
        """Return what may be spent: shares are paid for."""
        return ENOUGH if self.shares else super().account(moment)

    def units(self, trade: Trade, account: float) -> int:
        """Return as many units as there are shares for."""
        if self.shares is None:
            return super().units(trade, account)
        each = abs(self.terms.document.stock_qty) * self.shares.lot
        return max(int(abs(self.shares.units * self.shares.stock_shares) / each), 1)

    def live_through(self, moment: datetime, tape: Tape) -> None:
        """Give the shares what happens before a session, then look whether a trade ended."""
        if self.shares is not None and tape.symbol == self.bound:
            today = tape.session_of(moment)
            if moment == tape.moments[today][0] and today > tape.session_of(self.shares.opened):
                for ratio in tape.splits(today):
                    self.shares.stock_shares *= ratio
                    self.shares.spot /= ratio
                self.shares.dividends += self.shares.stock_shares * sum(tape.dividends(today))
        super().live_through(moment, tape)
        self.turn(moment, tape)

    def enter(self, moment: datetime, tape: Tape) -> None:
        """Enter; other symbols than that of the shares have to wait."""
        if self.bound not in (None, tape.symbol):
            moments = tape.moments[tape.session_of(moment)]
            is_late = tape.sessions.index(tape.session_of(moment)) >= self.entry_offset
            if moment == (self.entry_moment(moments) or moments[-1]) and is_late:
                self.skipped["max_active"] += 1
            return
        before = len(self.trades)
        super().enter(moment, tape)
        if self.shares is not None and len(self.trades) > before:
            held, self.shares = self.shares, None
            held.see(tape.spot[moment])
            held.end(moment, "shares held", held.mark, tape.spot[moment])
            if held.pnl == 0 and held.came is not None and held.came >= moment:
                self.trades.remove(held)

    def end_session(self, moment: datetime, tape: Tape) -> None:
        """Settle, look whether that was an end, and mark shares in the evening."""
        super().end_session(moment, tape)
        self.turn(moment, tape)
        today = tape.session_of(moment)
        if self.shares is not None and tape.symbol == self.bound and moment == tape.moments[today][-1]:
            self.shares.see(tape.spot[moment])

    def turn(self, moment: datetime, tape: Tape) -> None:
        """See who is in charge after the last trade, and what shares there are."""
        trades = [one for one in self.trades if not isinstance(one, Shares)]
        last = trades[-1] if trades else None
        if last is None or last is self.seen or last.symbol != tape.symbol or last.is_open:
            return
        self.seen, self.bound = last, None
        was_follower = self.terms.document is self.follower
        exercised = [held for held in last.legs if held.is_exercised]
        is_assigned = any(held.qty < 0 for held in exercised)
        is_follower = was_follower != is_assigned
        document = self.follower if is_follower else self.first
        assert document is not None
        delivered = sum(held.shares * (1 if held.contract.right == "C" else -1) for held in exercised)
        count = last.units * (last.stock_shares + delivered)
        is_known = not last.reason.startswith("unpriceable")
        is_kept = (is_assigned or was_follower) and is_known and last.reason != "stop"
        lot = last.legs[0].contract.group.multiplier
        units = int(count / (document.stock_qty * lot)) if document.stock_qty else 0
        if is_kept and units > 0:
            spot = last.close_spot
            if is_assigned and last.reason == "expired":
                spot = tape.close_price(tape.session_of(moment))
            self._hold(last, tape, moment, units, document.stock_qty * lot, spot, lot)
        elif not is_known or document.stock_qty:
            document = self.first
        assert document is not None
        self.terms = replace(self.terms, document=document)

    def _hold(
        self, last: Trade, tape: Tape, moment: datetime, units: int, shares: float, spot: float, lot: float
    ) -> None:
        held = Shares(
            symbol=tape.symbol, opened=moment, units=units, legs=[], stock_shares=shares, premium=-shares * spot,
            option_premium=0.0, margin=STOCK_RATE * abs(shares) * spot, unit_capital=0.0, max_profit=math.nan,
            max_loss=shares * spot if shares > 0 else math.nan, open_spot=tape.spot[moment], commission=0.0, mark=0.0,
            lot=lot, spot=spot, came=last.closed,
        )  # fmt: skip
        self.shares, self.bound = held, tape.symbol
        self.trades.append(held)


def run_wheel(document: StrategyDocument, follower: StrategyDocument, *markets: Market, **terms: Any) -> Outcome:
    """Run a document that another follows; the other arguments are those of `engine.run`."""
    start, end = terms.pop("start", None), terms.pop("end", None)
    tapes = [Tape(market, start, end) for market in sorted(markets, key=lambda one: one.symbol)]
    of = Terms(document, terms.pop("fills", "realistic"), terms.pop("rate", 0.0))
    terms = {"capital": 100_000.0, "entry_time": None, "entry_offset": 0, **terms}
    return Wheel(of, tapes=tapes, follower=follower, first=document, **terms).go()
