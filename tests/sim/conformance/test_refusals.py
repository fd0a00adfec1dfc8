"""Orders that are refused, and what a client makes of that."""

from __future__ import annotations

import pytest


@pytest.fixture
def ib(trader):
    return trader


@pytest.fixture
def spy(ib, stock):
    [found] = ib.qualifyContracts(stock("SPY"))
    return found


@pytest.fixture
def resting(ib, api, spy, until, watch):
    watch.expect(202)
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.0, tif="DAY"))
    until(lambda: trade.orderStatus.status == "Submitted")
    yield trade
    ib.client.cancelOrder(trade.order.orderId, *([""] if ib.client.cancelOrder.__code__.co_argcount == 3 else []))
    watch.expect(10148)


def cancel(ib, order_id):
    ib.client.cancelOrder(order_id, *([""] if ib.client.cancelOrder.__code__.co_argcount == 3 else []))


def test_a_cancelled_order_gets_202_and_its_status(ib, resting, until, watch):
    ib.cancelOrder(resting.order)
    until(lambda: resting.orderStatus.status == "Cancelled")
    assert watch.of(resting.order.orderId) == [202]


def test_what_does_not_exist_cannot_be_cancelled(ib, watch, until):
    watch.expect(10147)
    cancel(ib, 987654)
    until(lambda: watch.codes == [10147])
    assert "987654" in watch.errors[-1][2]


def test_what_is_done_cannot_be_cancelled(ib, api, spy, watch, until):
    watch.expect(10148)
    trade = ib.placeOrder(spy, api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: trade.orderStatus.status == "Filled")
    cancel(ib, trade.order.orderId)
    until(lambda: watch.codes)
    assert watch.codes == [10148]
    assert trade.orderStatus.status == "Filled"


def test_an_order_id_is_used_once(ib, api, spy, watch, until):
    watch.expect(103, 104, 105)
    first = ib.placeOrder(spy, api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: first.orderStatus.status == "Filled")
    ib.client.placeOrder(first.order.orderId, spy, api.MarketOrder("SELL", 2, tif="DAY"))
    until(lambda: watch.codes)
    assert watch.codes[0] in (103, 104, 105)
    assert first.orderStatus.filled == 1


def test_a_price_between_the_ticks_is_refused(ib, api, spy, watch, until):
    watch.expect(110)
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.001, tif="DAY"))
    until(lambda: watch.codes == [110])
    assert watch.of(trade.order.orderId) == [110]


def test_an_order_that_the_account_cannot_carry_is_rejected(ib, api, spy, watch, until):
    watch.expect(201)
    trade = ib.placeOrder(spy, api.MarketOrder("BUY", 1_000_000, tif="DAY"))
    until(lambda: watch.codes == [201])
    until(trade.isDone)
    assert trade.orderStatus.filled == 0


def test_an_order_for_nothing_known_is_refused(ib, api, watch, until):
    watch.expect(200)
    trade = ib.placeOrder(api.Stock("NOSUCHTHING", "SMART", "USD"), api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: watch.codes == [200])
    until(trade.isDone)


def test_an_order_of_no_size_is_refused(ib, api, spy, watch, until):
    watch.expect(434)
    ib.placeOrder(spy, api.LimitOrder("BUY", 0, 100.0, tif="DAY"))
    until(lambda: watch.codes == [434])


def test_an_order_that_is_good_until_the_past_is_rejected(ib, api, spy, watch, until):
    watch.expect(201, 391)
    for number, moment in enumerate(("20200102 16:00:00 US/Eastern", "soon"), 1):
        ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.0, tif="GTD", goodTillDate=moment))
        until(lambda number=number: len(watch.codes) == number)
    assert watch.codes == [201, 391]


def test_an_order_of_another_client_cannot_be_cancelled(connect, simulator, resting, watch, until):
    watch.expect(10147)
    other = connect(simulator)
    cancel(other, resting.order.orderId)
    until(lambda: 10147 in watch.codes)
    assert resting.orderStatus.status == "Submitted"


def test_a_change_to_another_contract_side_is_refused(ib, api, spy, resting, watch, until):
    watch.expect(105)
    ib.client.placeOrder(resting.order.orderId, spy, api.LimitOrder("SELL", 1, 5000.0, tif="DAY"))
    until(lambda: 105 in watch.codes)


def test_too_many_working_orders_of_one_side_are_rejected(ib, api, stock, watch, until):
    watch.expect(201, 202)
    [iwm] = ib.qualifyContracts(stock("IWM"))
    trades = [ib.placeOrder(iwm, api.LimitOrder("BUY", 1, 50.0, tif="DAY")) for _ in range(21)]
    until(lambda: 201 in watch.codes)
    assert watch.codes == [201]
    assert sum(one.orderStatus.status == "Submitted" for one in trades) == 20
    ib.reqGlobalCancel()
    until(lambda: all(one.isDone() for one in trades))


def test_ids_belong_to_their_clients(connect, simulator, api, stock, until, watch):
    watch.expect(202)
    first, second = connect(simulator), connect(simulator)
    [spy] = first.qualifyContracts(stock("SPY"))
    trades = []
    for ib in (first, second):
        ib.client.updateReqId(5000)
        order = api.LimitOrder("BUY", 1, 100.0, tif="DAY", orderId=5000)
        trades.append(ib.placeOrder(spy, order))
    until(lambda: all(one.orderStatus.status == "Submitted" for one in trades))
    assert trades[0].order.permId != trades[1].order.permId
    cancel(first, 5000)
    until(lambda: trades[0].orderStatus.status == "Cancelled")
    assert trades[1].orderStatus.status == "Submitted"
    cancel(second, 5000)
    until(lambda: trades[1].orderStatus.status == "Cancelled")


def test_an_order_for_an_exchange_that_lists_it_not_is_refused(ib, api, watch, until):
    watch.expect(200)
    trade = ib.placeOrder(api.Stock("SPY", "NOWHERE", "USD"), api.LimitOrder("BUY", 1, 100.0, tif="DAY"))
    until(lambda: watch.codes == [200])
    until(trade.isDone)


def test_reports_and_calendars_that_nobody_subscribed_are_refused_at_once(ib, spy, watch):
    watch.expect(430, 10279)
    assert not ib.reqFundamentalData(spy, "ReportSnapshot")
    if hasattr(ib, "getWshMetaData"):
        assert not ib.getWshMetaData()
    assert watch.codes[0] == 430
