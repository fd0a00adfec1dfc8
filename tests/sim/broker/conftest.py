"""A scripted exchange with SPY, an index and their options, and a trader at the simulated broker."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.sim import ScriptedMarket
from bifrost_lib.sim.broker import Broker, BrokerSettings
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.wire import (
    ComboLeg,
    CommissionReport,
    Contract,
    ErrorMessage,
    ExecutionData,
    OpenOrder,
    Order,
    OrderStatus,
    PlaceOrder,
)

OPENING = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # a Monday, 10:00 in New York
NEAR, FAR = date(2026, 11, 27), date(2026, 12, 18)  # the day after Thanksgiving, closing at 13:00; a third Friday
SPY, SPX = 756733, 416904
ACCOUNT = "DU1234567"
CENTS = ((0.0, 0.01),)
NICKELS = ((0.0, 0.05), (3.0, 0.10))


def stock(con_id, symbol):
    return Instrument(con_id, symbol, "STK", "SMART", "ARCA", "USD", symbol, symbol, symbol, 26, CENTS)


def option(con_id, symbol, expiry, strike, right, *, under, ticks=CENTS, style="american", settlement="PM"):
    name = f"{symbol:<6}{expiry:%y%m%d}{right}{round(strike * 1000):08d}"
    return Instrument(
        con_id, symbol, "OPT", "SMART", "", "USD", name, symbol, symbol, 110, ticks, expiry, strike, right, 100.0,
        style, settlement, under,
    )  # fmt: skip


#: conId of an option on SPY: 1 call or 2 put, 1 near or 2 far, strike.
def spy_option(right, strike, expiry=NEAR):
    return (1 if right == "C" else 2) * 10_000 + (1 if expiry == NEAR else 2) * 1000 + strike


def make_market(clock, *, always_open=False):
    index = replace(stock(SPX, "SPX"), sec_type="IND", exchange="CBOE", primary_exchange="CBOE")
    options = [
        option(spy_option(right, strike, expiry), "SPY", expiry, float(strike), right, under=SPY)
        for right in "CP" for expiry in (NEAR, FAR) for strike in (590, 595, 600, 605, 610)
    ]  # fmt: skip
    options += [
        option(31_000, "SPX", FAR, 6000.0, "C", under=SPX, ticks=NICKELS, style="european", settlement="AM"),
        option(31_001, "SPX", NEAR, 6000.0, "P", under=SPX, ticks=NICKELS, style="european"),
    ]
    market = ScriptedMarket(clock, [stock(SPY, "SPY"), index], options, always_open=always_open)
    market.set(SPY, bid=599.99, ask=600.01, last=600.0, bid_size=500, ask_size=500, close=598.0, open=599.0)
    market.set(SPX, last=6000.0, close=5990.0, open=5995.0)
    for one in options:
        away = max((600.0 - one.strike) * (1 if one.right == "C" else -1), 0.0)
        base = (away if one.symbol == "SPY" else 50.0) + (2.0 if one.expiry == NEAR else 5.0)
        market.set(one.con_id, bid=base - 0.05, ask=base + 0.05, last=base, bid_size=20, ask_size=20, close=base - 0.5)
    return market


class Trader:
    """Places orders at a broker, lets time pass, and keeps what was told."""

    def __init__(self, *, client_id=1, always_open=False, cash=1_000_000.0, start=OPENING, **settings):
        self.clock = SteppedClock(start)
        self.market = make_market(self.clock, always_open=always_open)
        self.broker = Broker(self.market, self.clock, cash=cash, settings=BrokerSettings(**settings))
        self.client_id = client_id
        self.told = []

    def contract(self, con_id):
        return Contract(con_id=con_id, exchange="SMART")

    def combo(self, *legs):
        parts = tuple(ComboLeg(con_id, ratio, action, "SMART") for con_id, ratio, action in legs)
        return Contract(symbol="SPY", sec_type="BAG", currency="USD", exchange="SMART", combo_legs=parts)

    def place(self, order_id, what, action="BUY", qty=1, kind="LMT", *, client_id=None, **fields):
        """Place an order on a conId or a contract; return the messages that answer."""
        contract = what if isinstance(what, Contract) else self.contract(what)
        order = Order(action=action, total_quantity=float(qty), order_type=kind, **({"tif": "DAY"} | fields))
        self.broker.place(client_id or self.client_id, PlaceOrder(order_id, contract, order))
        return self.collect()

    def cancel(self, order_id, *, client_id=None):
        self.broker.cancel(client_id or self.client_id, order_id)
        return self.collect()

    def step(self, seconds=0.1):
        self.clock.advance(timedelta(seconds=seconds))
        self.broker.step()
        return self.collect()

    def until(self, moment):
        return self.step((moment - self.clock.now()).total_seconds())

    def collect(self):
        events = self.broker.drain()
        self.told += events
        return [event.message for event in events]

    def messages(self, kind):
        return [event.message for event in self.told if isinstance(event.message, kind)]

    def errors(self):
        return [message.code for message in self.messages(ErrorMessage)]

    def statuses(self, order_id):
        return [message.status for message in self.messages(OrderStatus) if message.order_id == order_id]

    def status(self, order_id):
        return next(m for m in reversed(self.messages(OrderStatus)) if m.order_id == order_id)

    def fills(self, order_id=None):
        return [fill for fill in self.messages(ExecutionData) if order_id in (None, fill.order_id)]

    def reports(self):
        return self.messages(CommissionReport)

    def shown(self, order_id):
        return next(m for m in reversed(self.messages(OpenOrder)) if m.order_id == order_id)

    def position(self, con_id):
        return {p.contract.con_id: p for p in self.broker.positions(ACCOUNT)}.get(con_id)

    def values(self):
        return {(v.key, v.currency): v.value for v in self.broker.account_values(ACCOUNT)}

    def value(self, key, currency="USD"):
        return float(self.values()[key, currency])

    @property
    def ledger(self):
        return self.broker._desk.accounts.ledger(ACCOUNT)


@pytest.fixture
def trader():
    return Trader()


@pytest.fixture
def make_trader():
    return Trader
