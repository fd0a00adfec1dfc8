"""Orders that depend on each other: brackets, OCA groups, combinations."""

from __future__ import annotations

import pytest

from bifrost_lib.sim.wire import CommissionReport, ExecutionData
from tests.sim.broker.conftest import ACCOUNT, SPY, spy_option

CALL = spy_option("C", 600)


def _bracket(trader, *, qty=10, first=1):
    trader.place(first, SPY, qty=qty, lmt_price=599.0, transmit=False)
    trader.place(first + 1, SPY, "SELL", qty, lmt_price=605.0, parent_id=first, transmit=False)
    trader.place(first + 2, SPY, "SELL", qty, "STP", aux_price=595.0, parent_id=first)


def _move(trader, price):
    trader.market.set(SPY, bid=price - 0.01, ask=price + 0.01, last=price)
    trader.step()


def test_bracket_is_silent_until_its_last_order_is_transmitted(trader):
    assert trader.place(1, SPY, qty=10, lmt_price=599.0, transmit=False) == []
    assert trader.broker.open_orders() == []
    trader.place(2, SPY, "SELL", 10, lmt_price=605.0, parent_id=1)
    assert [(opened.order_id, status.status) for opened, status in trader.broker.open_orders()] == [
        (1, "Submitted"), (2, "PreSubmitted"),
    ]  # fmt: skip


def test_children_live_after_their_parent_and_cancel_each_other(trader):
    _bracket(trader)
    _move(trader, 606.0)
    assert trader.fills() == []
    _move(trader, 598.9)
    assert [fill.order_id for fill in trader.fills()] == [1]
    assert [trader.status(i).status for i in (1, 2, 3)] == ["Filled", "Submitted", "PreSubmitted"]
    _move(trader, 606.0)
    assert [fill.order_id for fill in trader.fills()] == [1, 2]
    assert trader.status(3).status == "Cancelled"
    assert trader.position(SPY) is None


def test_partly_filled_target_reduces_the_stop(trader):
    _bracket(trader, qty=10)
    _move(trader, 598.9)
    trader.market.set(SPY, bid_size=4)
    _move(trader, 606.0)
    assert trader.shown(3).order.total_quantity == 6
    trader.market.set(SPY, bid_size=500)
    _move(trader, 590.0)
    assert sum(fill.shares for fill in trader.fills() if fill.side == "SLD") == 10
    assert trader.position(SPY) is None


def test_cancelled_parent_takes_its_children_along(trader):
    _bracket(trader)
    trader.cancel(1)
    assert [trader.status(i).status for i in (1, 2, 3)] == ["Cancelled"] * 3
    _bracket(trader, first=11)
    trader.cancel(12)
    assert [trader.status(i).status for i in (11, 12)] == ["Submitted", "Cancelled"]


def test_children_protect_what_a_cancelled_parent_was_filled(trader):
    trader.market.set(SPY, ask_size=4)
    _bracket(trader)
    _move(trader, 598.9)
    trader.cancel(1)
    assert trader.shown(2).order.total_quantity == 4
    trader.market.set(SPY, bid_size=500)
    _move(trader, 606.0)
    assert trader.position(SPY) is None


def test_unsent_orders_can_be_cancelled_and_changed(trader):
    trader.place(1, SPY, lmt_price=599.0, transmit=False)
    trader.place(1, SPY, lmt_price=598.0, transmit=False)
    trader.place(1, SPY, lmt_price=600.5)
    trader.step()
    assert trader.fills()[0].price == 600.01
    trader.place(2, SPY, lmt_price=599.0, transmit=False)
    trader.cancel(2)
    assert trader.status(2).status == "Cancelled"


@pytest.mark.parametrize("kind", [1, 2, 3])
def test_filled_member_of_a_group_cancels_the_others(trader, kind):
    trader.place(1, CALL, qty=5, lmt_price=2.10, oca_group="g", oca_type=kind)
    trader.place(2, CALL, qty=5, lmt_price=2.10, oca_group="g", oca_type=kind)
    trader.step()
    assert [(fill.order_id, fill.shares) for fill in trader.fills()] == [(1, 5)]
    assert trader.status(2).status == "Cancelled"


def test_partly_filled_member_cancels_or_reduces_by_type(make_trader):
    left = {}
    for kind in (1, 2, 3):
        trader = make_trader()
        trader.place(1, CALL, qty=40, lmt_price=2.05, oca_group="g", oca_type=kind)
        trader.place(2, SPY, qty=100, lmt_price=500.0, oca_group="g", oca_type=kind)
        trader.step()
        left[kind] = trader.status(2).status, trader.status(2).remaining
    assert left == {1: ("Cancelled", 100), 2: ("Submitted", 50), 3: ("Submitted", 50)}


def test_combination_is_one_execution_and_one_for_each_leg(trader):
    spread = trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 1, "SELL"))
    trader.place(1, spread, qty=3, lmt_price=0.20)
    trader.step()
    whole, *legs = trader.fills()
    assert (whole.contract.sec_type, whole.side, whole.shares, whole.price) == ("BAG", "BOT", 3, 0.10)
    assert [(leg.contract.con_id, leg.side, leg.shares, leg.price) for leg in legs] == [
        (CALL, "BOT", 3, 2.05), (spy_option("C", 605), "SLD", 3, 1.95),
    ]  # fmt: skip
    assert [report.exec_id for report in trader.reports()] == [leg.exec_id for leg in legs]
    assert len({fill.perm_id for fill in trader.fills()}) == 1
    assert trader.status(1).avg_fill_price == 0.10
    assert trader.position(CALL).position == 3


def test_sold_combination_and_ratios(trader):
    ratio = trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 2, "SELL"))
    trader.place(1, ratio, "SELL", 2, lmt_price=-2.20)
    trader.step()
    whole, *legs = trader.fills()
    assert (whole.side, whole.price) == ("SLD", -2.15)
    assert [(leg.side, leg.shares, leg.price) for leg in legs] == [("SLD", 2, 1.95), ("BOT", 4, 2.05)]


def test_combination_is_as_large_as_its_smallest_leg(trader):
    trader.market.set(spy_option("C", 605), bid_size=5)
    trader.place(1, trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 2, "SELL")), qty=9, kind="MKT")
    trader.step()
    assert trader.fills()[0].shares == 2


def test_resting_combination_gets_its_limit(trader):
    spread = trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 1, "SELL"))
    trader.place(1, spread, lmt_price=0.05)
    trader.step()
    assert trader.fills() == []
    trader.market.set(CALL, bid=1.90, ask=1.98)
    trader.step()
    whole, *legs = trader.fills()
    assert whole.price == 0.05
    assert legs[0].price - legs[1].price == pytest.approx(0.05)


def test_combination_with_an_unknown_leg(trader):
    assert trader.place(1, trader.combo((CALL, 1, "BUY"), (5, 1, "SELL")), lmt_price=1.0)[0].code == 200


def test_combination_pays_one_minimum(trader):
    spread = trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 1, "SELL"))
    trader.place(1, spread, kind="MKT")
    trader.step()
    assert sum(report.commission for report in trader.reports()) == pytest.approx(1.30, abs=0.12)


def test_messages_of_a_combination_stay_in_order(trader):
    trader.place(1, trader.combo((CALL, 1, "BUY"), (spy_option("C", 605), 1, "SELL")), kind="MKT")
    kinds = [type(message) for message in trader.step()]
    assert kinds[:3] == [ExecutionData] * 3
    assert kinds.index(CommissionReport) > 3
    assert trader.broker.accounts == (ACCOUNT,)
