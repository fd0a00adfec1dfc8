"""The run: every session in order, every trade by itself, one account for all."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date
from bifrost_lib.strategies import StrategyDocument
from tests.backtest.reference.admitting import refusal, refusal_until
from tests.backtest.reference.capital import Option, cash_secured, extremes, regulation_t
from tests.backtest.reference.choosing import Choice, choose, near_groups, pairs_of_groups
from tests.backtest.reference.conduct import begin_session, live_through, settle
from tests.backtest.reference.tape import Market, Tape
from tests.backtest.reference.terms import Terms
from tests.backtest.reference.trade import Held, Trade


@dataclass
class Outcome:
    """What a run found: trades in order of entry, the account at each session's end, and sessions without a trade."""

    trades: list[Trade]
    equity: list[dict[str, Any]]
    skipped: Counter[str]


@dataclass
class Run:
    """A run in the making."""

    terms: Terms
    capital: float
    entry_time: time | None
    entry_offset: int
    tapes: list[Tape]
    trades: list[Trade] = field(default_factory=list)
    equity: list[dict[str, Any]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def go(self) -> Outcome:
        """Go through all moments in order: at each, what ends trades comes before what begins one."""
        moments = sorted({moment for tape in self.tapes for moment in tape.spot})
        for moment, following in zip(moments, [*moments[1:], None], strict=True):
            here = [tape for tape in self.tapes if moment in tape.spot]
            for tape in here:
                self.live_through(moment, tape)
            for tape in here:
                self.enter(moment, tape)
            for tape in here:
                self.end_session(moment, tape)
            if following is None or exchange_date(following) > exchange_date(moment):
                self.write_equity(moment)
        for trade in self.open_trades():
            trade.reason, trade.pnl = "open", trade.account_pnl
        return Outcome(self.trades, self.equity, self.skipped)

    def open_trades(self, tape: Tape | None = None) -> list[Trade]:
        """Return the trades that nothing has ended, of one symbol or of all."""
        return [one for one in self.trades if one.is_open and (tape is None or one.symbol == tape.symbol)]

    def live_through(self, moment: datetime, tape: Tape) -> None:
        """Do what happens to the open trades of a symbol at a moment."""
        today = tape.session_of(moment)
        if moment == tape.moments[today][0]:
            for trade in self.open_trades(tape):
                begin_session(trade, tape, today, self.terms)
        for trade in self.open_trades(tape):
            if trade.expires(tape) > moment:
                live_through(trade, tape, moment, self.terms)
            else:
                settle(trade, tape, moment, tape.close_price(today), self.terms)

    def enter(self, moment: datetime, tape: Tape) -> None:
        """Open a trade if it is time to, and everything allows it; else count why not."""
        today = tape.session_of(moment)
        moments = tape.moments[today]
        entry = self.entry_moment(moments)
        if moment != (entry or moments[-1]) or tape.sessions.index(today) < self.entry_offset:
            return
        found = self.new_trade(tape, moment) if entry else "no moment"
        if isinstance(found, str):
            self.skipped[found] += 1
        else:
            self.trades.append(found)

    def end_session(self, moment: datetime, tape: Tape) -> None:
        """Settle what expires between the last moment of a session and its close."""
        today = tape.session_of(moment)
        if moment == tape.moments[today][-1]:
            for trade in self.open_trades(tape):
                if tape.session_of(trade.expires(tape)) == today:
                    settle(trade, tape, moment, tape.close_price(today), self.terms)

    def entry_moment(self, moments: Sequence[datetime]) -> datetime | None:
        """Return the moment of a session at which trades are opened."""
        if self.entry_time is None:
            return moments[-1]
        early = [one for one in moments if one.astimezone(EXCHANGE_TZ).time() <= self.entry_time]
        return early[-1] if early else None

    def new_trade(self, tape: Tape, moment: datetime) -> Trade | str:
        """Return a new trade, or why there is none."""
        document = self.terms.document
        refused = refusal(document.entry, tape, moment)
        if refused:
            return refused
        if len(self.active(moment)) >= document.sizing.max_active:
            return "max_active"
        if math.isnan(tape.spot[moment]):
            return "spot"
        groups = near_groups(document, tape, moment)
        refusals = {group: refusal_until(group.expiry, document.entry, tape, moment) for group in groups}
        pairs = [pair for pair in pairs_of_groups(document, tape, moment) if not refusals[pair[0]]]
        if not pairs:
            return next(filter(None, refusals.values()), "no expiry")
        choices = choose(document, tape, moment, pairs)
        if choices is None:
            return "no legs"
        trade = self.price(choices, tape, moment)
        if (document.cash == "credit" and trade.premium <= 0) or (document.cash == "debit" and trade.premium >= 0):
            return "cash"
        account = self.account(moment)
        trade.units = self.units(trade, account)
        free = account - sum(one.units * one.unit_capital for one in self.active(moment))
        if trade.units == 0 or trade.units * trade.unit_capital > free:
            return "capital"
        return trade

    def price(self, choices: list[Choice], tape: Tape, moment: datetime) -> Trade:
        """Return a trade of one unit at the fill prices of a moment."""
        document, spot = self.terms.document, tape.spot[moment]
        fill, multiplier = self.terms.fill(len(choices)), choices[0].contract.group.multiplier
        legs = [_held(choice, moment, fill) for choice in choices]
        options = [
            Option(one.contract.right, one.qty, one.contract.strike, tape.expires[one.contract], one.open_price)
            for one in legs
        ]
        option_premium = -sum(one.shares * one.open_price for one in legs)
        premium = option_premium - document.stock_qty * multiplier * spot
        margin = regulation_t(options, document.stock_qty, spot, tape.symbol)
        if document.margin == "cash":
            margin = cash_secured(options)
        profit, loss = extremes(
            options,
            document.stock_qty,
            premium=premium,
            option_premium=option_premium,
            multiplier=multiplier,
        )
        trade = Trade(
            symbol=tape.symbol,
            opened=moment,
            units=1,
            legs=legs,
            stock_shares=document.stock_qty * multiplier,
            premium=premium,
            option_premium=option_premium,
            margin=margin * multiplier,
            unit_capital=max(margin * multiplier, -premium),
            max_profit=profit,
            max_loss=loss,
            open_spot=spot,
            commission=self.terms.commission(legs),
        )
        trade.mark_at(tape, moment, fill)
        return trade

    def units(self, trade: Trade, account: float) -> int:
        """Return how many units are traded."""
        sizing = self.terms.document.sizing
        if sizing.capital_share is None:
            return sizing.contracts or 1
        return math.floor(sizing.capital_share * account / trade.unit_capital) if trade.unit_capital > 0 else 1

    def active(self, moment: datetime) -> list[Trade]:
        """Return the trades that have not ended by a moment."""
        return [one for one in self.trades if not self.has_ended(one, moment)]

    def has_ended(self, trade: Trade, moment: datetime) -> bool:
        """Tell whether a trade has ended; one that expired on a day without quotes did, as soon as others follow."""
        if trade.closed is not None:
            return trade.closed <= moment
        tape = self.tape_of(trade)
        return trade.expires(tape) <= moment and tape.sessions[-1] >= tape.session_of(trade.expires(tape))

    def account(self, moment: datetime) -> float:
        """Return the capital with the profits of all trades that have ended by a moment."""
        active = self.active(moment)
        return self.capital + sum(one.units * one.account_pnl for one in self.trades if one not in active)

    def tape_of(self, trade: Trade) -> Tape:
        """Return the tape of a trade's symbol."""
        return next(tape for tape in self.tapes if tape.symbol == trade.symbol)

    def write_equity(self, moment: datetime) -> None:
        """Write down what the account is worth, open trades at their last mark."""
        held = self.open_trades()
        self.equity.append(
            {
                "ts": moment,
                "equity": self.capital + sum(one.units * one.account_pnl for one in self.trades),
                "margin": sum(one.units * one.margin for one in held),
                "active": len(held),
            }
        )


def _held(choice: Choice, moment: datetime, fill: float) -> Held:
    price = choice.quote.buy(fill) if choice.leg.qty > 0 else choice.quote.sell(fill)
    return Held(choice.leg, choice.contract, choice.leg.qty, moment, price, choice.quote.delta)


def run(
    document: StrategyDocument,
    *markets: Market,
    start: date | None = None,
    end: date | None = None,
    fills: str | float = "realistic",
    capital: float = 100_000.0,
    entry_time: time | None = None,
    entry_offset: int = 0,
    rate: float = 0.0,
) -> Outcome:
    """Run a document over markets; the arguments are those of the engine that is judged."""
    tapes = [Tape(market, start, end) for market in sorted(markets, key=lambda one: one.symbol)]
    return Run(Terms(document, fills, rate), capital, entry_time, entry_offset, tapes).go()
