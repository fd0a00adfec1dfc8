"""Orders and accounts through the gateway, as ib_async tells them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from ib_async import Bag, ComboLeg, LimitOrder, MarketOrder, Option, Stock

SPY, CALL = 756733, 1001
ACCOUNT = "DU1234567"


def stock() -> Stock:
    return Stock(conId=SPY, symbol="SPY", exchange="SMART", currency="USD")


def test_a_market_order_fills_and_becomes_a_position(at_desk):
    async def act(desk):
        ib = await desk.connect()
        trade = ib.placeOrder(stock(), MarketOrder("BUY", 100, tif="DAY", orderRef="mine"))
        await desk.until(lambda: trade.isDone() and trade.fills and trade.fills[0].commissionReport.execId)
        assert trade.orderStatus.status == "Filled"
        assert trade.fills[0].execution.price == 500.02
        assert trade.fills[0].commissionReport.commission > 0
        await desk.until(ib.positions)
        assert [(one.contract.conId, one.position) for one in ib.positions()] == [(SPY, 100.0)]
        other = await desk.connect(2)
        assert [fill.execution.orderRef for fill in other.fills()] == ["mine"]
        assert [one.position for one in other.portfolio()] == [100.0]

    at_desk(act)


def test_the_round_trip_of_an_order_is_quick(at_desk):
    async def act(desk):
        ib = await desk.connect()
        for _ in range(3):
            began = asyncio.get_running_loop().time()
            trade = ib.placeOrder(stock(), MarketOrder("BUY", 1, tif="DAY"))
            await desk.until(trade.isDone)
        assert asyncio.get_running_loop().time() - began < 0.3

    at_desk(act)


def test_what_if_answers_with_margins(at_desk):
    async def act(desk):
        ib = await desk.connect()
        state = await asyncio.wait_for(ib.whatIfOrderAsync(stock(), MarketOrder("BUY", 100, tif="DAY")), 3)
        assert float(state.initMarginChange) > 0
        assert not ib.openTrades()

    at_desk(act)


def test_a_bracket_rests_and_a_global_cancel_ends_it(at_desk):
    async def act(desk):
        ib = await desk.connect()
        trades = [ib.placeOrder(stock(), order) for order in ib.bracketOrder("BUY", 10, 450, 600, 400)]
        await desk.until(lambda: trades[0].orderStatus.status == "Submitted")
        assert [trade.orderStatus.status for trade in trades[1:]] == ["PreSubmitted", "PreSubmitted"]
        ib.reqGlobalCancel()
        await desk.until(lambda: all(trade.isDone() for trade in trades))
        assert {trade.orderStatus.status for trade in trades} == {"Cancelled"}

    at_desk(act)


def test_a_combination_reports_itself_and_its_legs(at_desk):
    async def act(desk):
        ib = await desk.connect()
        spread = Bag(symbol="SPY", exchange="SMART", currency="USD", comboLegs=[
            ComboLeg(conId=CALL, ratio=1, action="BUY", exchange="SMART"),
            ComboLeg(conId=CALL + 4, ratio=1, action="SELL", exchange="SMART"),
        ])  # fmt: skip
        trade = ib.placeOrder(spread, LimitOrder("BUY", 1, 1.0, tif="DAY"))
        await desk.until(lambda: trade.isDone() and len(trade.fills) == 3)
        assert sum(bool(fill.commissionReport.execId) for fill in trade.fills) == 2

    at_desk(act)


def test_orders_belong_to_their_client_and_all_can_see_them(at_desk):
    async def act(desk):
        first, second = await desk.connect(1), await desk.connect(2)
        trade = first.placeOrder(stock(), LimitOrder("BUY", 1, 400.0, tif="DAY"))
        await desk.until(lambda: trade.orderStatus.status == "Submitted")
        assert not await second.reqOpenOrdersAsync()
        assert [one.order.clientId for one in await second.reqAllOpenOrdersAsync()] == [1]
        second.client.cancelOrder(trade.order.orderId, "")
        await desk.until(lambda: 10147 in desk.codes)
        first.cancelOrder(trade.order)
        await desk.until(trade.isDone)
        assert [one.orderStatus.status for one in await second.reqCompletedOrdersAsync(False)] == ["Cancelled"]

    at_desk(act)


def test_accounts_are_told_in_every_way(at_desk):
    async def act(desk):
        ib = await desk.connect()
        trade = ib.placeOrder(Option(conId=CALL, exchange="SMART"), MarketOrder("BUY", 2, tif="DAY"))
        await desk.until(trade.isDone)
        profit, single = ib.reqPnL(ACCOUNT), ib.reqPnLSingle(ACCOUNT, "", CALL)
        await desk.until(lambda: single.position == 2)
        assert profit.unrealizedPnL == single.unrealizedPnL
        summary = await ib.accountSummaryAsync()
        assert {value.account for value in summary} == {ACCOUNT}
        assert "NetLiquidation" in {value.tag for value in ib.accountValues()}
        ib.cancelPnL(ACCOUNT)
        ib.client.reqPnL(4711, "DU0000000", "")
        await desk.until(lambda: 321 in desk.codes)

    at_desk(act)


#: Every fault that a session survives or that ends it, and what ends the fault where it does not end by itself.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("connectivity-lost", {}), ("restored-lost", {}), ("restored-kept", {}), ("nightly-reset", {"data": "lost"}),
    ("farm-broken", {"farm": "all"}), ("drop", {}), ("half-open", {}), ("refuse", {}), ("relogin", {}), ("silent", {}),
    ("stale", {}), ("crossed", {"share": 1.0}), ("missing", {}), ("no-greeks", {}), ("competing-session", {}),
    ("line-limit", {"lines": 0}), ("not-subscribed", {}), ("hmds-error", {}), ("slow", {"delay": 0.05}),
    ("slow-snapshots", {}), ("order-preset", {}), ("read-only", {}), ("depth-reset", {}),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "facts"), FAULTS, ids=[name for name, _ in FAULTS])
def test_no_order_is_sent_or_filled_again_after_a_fault(at_desk, fault, facts):
    """A client that comes back with its own id finds what it left: one order at work and one fill, each once."""

    async def act(desk):
        ib = await desk.connect(5)
        resting = ib.placeOrder(stock(), LimitOrder("BUY", 1, 400.0, tif="GTC", orderRef="rests"))
        filled = ib.placeOrder(stock(), MarketOrder("BUY", 2, tif="DAY", orderRef="filled"))
        await desk.until(lambda: resting.orderStatus.status == "Submitted" and filled.isDone())
        known = (resting.order.orderId, resting.order.permId)
        desk.gateway.faults.inject(fault, **facts)
        await asyncio.sleep(0.1)
        desk.gateway.faults.clear()
        ib.disconnect()
        await desk.until(lambda: not desk.gateway.sessions)
        again = await desk.reconnect(5)
        assert [(one.order.orderId, one.order.permId) for one in again.openTrades()] == [known]
        assert [(fill.execution.orderRef, fill.execution.shares) for fill in again.fills()] == [("filled", 2.0)]
        assert [one.position for one in again.positions()] == [2.0]
        assert again.client.getReqId() > filled.order.orderId

    at_desk(act)
