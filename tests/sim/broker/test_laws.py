"""What holds after any sequence of orders, changes, cancellations, quotes and days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bifrost_lib.sim.wire import CommissionReport, ExecutionData, OpenOrder, OrderStatus
from tests.sim.broker.conftest import ACCOUNT, SPY, Trader, spy_option

CON_IDS = [SPY, spy_option("C", 600), spy_option("P", 595), spy_option("C", 605)]
PRICES = {con_id: (5.0 if con_id != SPY else 600.0) for con_id in CON_IDS}
IDS = st.integers(1, 12)
OFFSETS = st.integers(-30, 30).map(lambda steps: steps / 20)


class Exchange(RuleBasedStateMachine):
    """A client that does anything, in an account large enough that margins seldom refuse."""

    def __init__(self):
        super().__init__()
        self.trader = Trader(cash=50_000_000.0)
        for con_id in CON_IDS:
            self.move(con_id, 0.0, 3)

    @rule(
        order_id=IDS, con_id=st.sampled_from(CON_IDS), action=st.sampled_from(["BUY", "SELL"]), qty=st.integers(1, 30),
        kind=st.sampled_from(["LMT", "MKT", "STP", "TRAIL", "MIDPRICE"]), offset=OFFSETS,
        tif=st.sampled_from(["DAY", "GTC", "IOC", "FOK"]), group=st.sampled_from(["", "", "g"]),
        oca_type=st.integers(1, 3), parent=st.sampled_from([0, 0, 1, 2]), transmit=st.sampled_from([True, True, False]),
    )  # fmt: skip
    def place(self, order_id, con_id, action, qty, kind, offset, tif, group, oca_type, parent, transmit):
        price = round(PRICES[con_id] + offset, 2)
        prices = {"LMT": {"lmt_price": price}, "STP": {"aux_price": price}, "TRAIL": {"aux_price": 0.5}}
        self.trader.place(
            order_id, con_id, action, qty, kind, tif=tif, oca_group=group, oca_type=oca_type, transmit=transmit,
            parent_id=parent if parent != order_id else 0, **prices.get(kind, {}),
        )  # fmt: skip

    @rule(order_id=IDS, action=st.sampled_from(["BUY", "SELL"]), qty=st.integers(1, 9), offset=OFFSETS)
    def place_combination(self, order_id, action, qty, offset):
        spread = self.trader.combo((CON_IDS[1], 1, "BUY"), (CON_IDS[3], 2, "SELL"))
        self.trader.place(order_id, spread, action, qty, lmt_price=round(-5.0 + offset, 2))

    @rule(order_id=IDS)
    def cancel(self, order_id):
        self.trader.cancel(order_id)

    @rule(con_id=st.sampled_from(CON_IDS), offset=OFFSETS, size=st.integers(0, 12))
    def move(self, con_id, offset, size):
        middle = PRICES[con_id] + offset
        self.trader.market.set(
            con_id, bid=round(middle - 0.05, 2), ask=round(middle + 0.05, 2), last=round(middle, 2), bid_size=size,
            ask_size=size,
        )  # fmt: skip
        self.trader.step()

    @rule(days=st.integers(1, 2))
    def sleep(self, days):
        self.trader.clock.advance(timedelta(days=days))
        self.trader.step()

    @invariant()
    def money_is_conserved(self):
        ledger = self.trader.ledger
        value = sum(holding.value_at_cost for holding in ledger.holdings.values())
        assert ledger.cash + value - ledger.realized == pytest.approx(ledger.paid_in, abs=1e-4)
        told = sum(report.commission for report in self.trader.messages(CommissionReport))
        assert ledger.commissions == pytest.approx(told, abs=1e-6)

    @invariant()
    def fills_are_what_orders_say(self):
        filled: dict[int, float] = {}
        for fill in self.trader.messages(ExecutionData):
            # A combination is counted as a whole.
            if fill.order_id and (fill.contract.sec_type == "BAG" or fill.perm_id not in self._combos()):
                filled[fill.perm_id] = filled.get(fill.perm_id, 0.0) + fill.shares
        last = {status.perm_id: status for status in self.trader.messages(OrderStatus)}
        quantity = {told.order.perm_id: told.order.total_quantity for told in self.trader.messages(OpenOrder)}
        for perm_id, status in last.items():
            assert filled.get(perm_id, 0.0) == status.filled
            if perm_id in quantity:
                assert status.filled + status.remaining == quantity[perm_id]

    @invariant()
    def nothing_trades_through_its_limit(self):
        limits: dict[int, tuple[str, float]] = {}
        for event in self.trader.told:
            message = event.message
            if isinstance(message, OpenOrder) and message.order.order_type == "LMT":
                limits[message.order.perm_id] = message.order.action, message.order.lmt_price
            elif isinstance(message, ExecutionData) and message.perm_id in limits:
                action, limit = limits[message.perm_id]
                if message.perm_id in self._combos() and message.contract.sec_type != "BAG":
                    continue
                assert message.price <= limit + 1e-9 if action == "BUY" else message.price >= limit - 1e-9

    @invariant()
    def ids_have_one_order_each(self):
        perm_ids: dict[int, set[int]] = {}
        for status in self.trader.messages(OrderStatus):
            perm_ids.setdefault(status.order_id, set()).add(status.perm_id)
        assert all(len(found) == 1 for found in perm_ids.values())

    @invariant()
    def positions_are_the_sum_of_executions(self):
        held: dict[int, float] = {}
        for fill in self.trader.messages(ExecutionData):
            if fill.contract.sec_type != "BAG":
                sign = 1 if fill.side == "BOT" else -1
                held[fill.contract.con_id] = held.get(fill.contract.con_id, 0.0) + sign * fill.shares
        shown = {p.contract.con_id: p.position for p in self.trader.broker.positions(ACCOUNT)}
        assert {con_id: qty for con_id, qty in held.items() if qty} == shown

    def _combos(self):
        return {t.order.perm_id for t in self.trader.messages(OpenOrder) if t.contract.sec_type == "BAG"}


TestExchange = Exchange.TestCase
TestExchange.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3), st.integers(2, 4), st.integers(1, 40),
    st.lists(st.tuples(st.sampled_from(CON_IDS), st.integers(0, 15)), min_size=1, max_size=8),
)  # fmt: skip
def test_a_group_never_trades_more_than_one_of_its_members(oca_type, members, qty, displays):
    trader = Trader(cash=50_000_000.0)
    for order_id in range(1, members + 1):
        trader.place(order_id, CON_IDS[order_id % 4], "BUY", qty, "MKT", oca_group="g", oca_type=oca_type)
    for con_id, size in displays:
        trader.market.set(con_id, ask_size=size)
        trader.step()
    shares = [sum(fill.shares for fill in trader.fills(order_id)) / qty for order_id in range(1, members + 1)]
    assert sum(shares) <= 1 + 1e-9
    if sum(shares) == 1:
        assert trader.broker.open_orders() == []


def test_same_calls_give_the_same_events():
    told = []
    for _ in range(2):
        trader = Trader()
        trader.place(1, CON_IDS[1], qty=30, kind="MKT")
        trader.place(2, trader.combo((CON_IDS[1], 1, "BUY"), (CON_IDS[3], 1, "SELL")), qty=3, lmt_price=0.2)
        for _ in range(3):
            trader.step()
        told.append(trader.told)
    assert told[0] == told[1]
