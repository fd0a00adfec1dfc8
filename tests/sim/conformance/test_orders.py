"""Orders from their placing to their end, as the client that placed them sees them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isnan

import pytest

SEQUENCE = {"PendingSubmit": 0, "PreSubmitted": 1, "Submitted": 2, "Filled": 3, "Cancelled": 3}


@pytest.fixture
def ib(trader):
    return trader


@pytest.fixture
def spy(ib, stock):
    [found] = ib.qualifyContracts(stock("SPY"))
    return found


@pytest.fixture
def quote(ib):
    def read(contract):
        [ticker] = ib.reqTickers(contract)
        return ticker

    return read


def statuses(trade):
    return [entry.status for entry in trade.log]


def status_of(trade):
    return trade.orderStatus.status


def commission_of(trade):
    return sum(fill.commissionReport.commission for fill in trade.fills)


@pytest.mark.parametrize(("action", "side"), [("BUY", "BOT"), ("SELL", "SLD")])
def test_a_market_order_is_filled(ib, api, spy, quote, until, action, side):
    ticker = quote(spy)
    trade = ib.placeOrder(spy, api.MarketOrder(action, 10, tif="DAY"))
    until(lambda: trade.isDone() and commission_of(trade))
    assert status_of(trade) == "Filled"
    order = [SEQUENCE[one] for one in statuses(trade) if one in SEQUENCE]
    assert order == sorted(order)
    assert {"Submitted", "Filled"} <= set(statuses(trade))
    assert trade.orderStatus.filled == 10
    assert trade.orderStatus.remaining == 0
    assert trade.orderStatus.avgFillPrice == pytest.approx(ticker.ask if side == "BOT" else ticker.bid, rel=0.005)
    assert trade.orderStatus.permId > 0
    fill = trade.fills[0]
    assert fill.execution.side == side
    assert fill.execution.shares == sum(one.execution.shares for one in trade.fills) == 10
    assert fill.execution.orderId == trade.order.orderId
    assert fill.execution.permId == trade.order.permId == trade.orderStatus.permId
    assert fill.execution.acctNumber.startswith("DU")
    assert fill.execution.cumQty == 10
    assert fill.commissionReport.execId == fill.execution.execId
    assert fill.commissionReport.currency == "USD"
    assert abs((fill.time - datetime.now(UTC)).total_seconds()) < 30
    assert not isnan(commission_of(trade))


def test_an_option_is_bought_with_a_commission(ib, api, option, until):
    call = option(ib, "C", 2)
    trade = ib.placeOrder(call, api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: status_of(trade) == "Filled" and commission_of(trade))
    assert 0.1 < commission_of(trade) < 5
    assert trade.fills[0].contract.multiplier == "100"
    assert trade.fills[0].contract.right == "C"


def test_a_round_trip_realises_its_profit(ib, api, option, until):
    put = option(ib, "P", -3)
    trades = []
    for action in ("BUY", "SELL"):
        trade = ib.placeOrder(put, api.MarketOrder(action, 1, tif="DAY"))
        until(lambda trade=trade: status_of(trade) == "Filled" and commission_of(trade))
        trades.append(trade)
    realised = trades[1].fills[0].commissionReport.realizedPNL
    bought, sold = (trade.orderStatus.avgFillPrice for trade in trades)
    fees = commission_of(trades[0]) + commission_of(trades[1])
    assert realised == pytest.approx((sold - bought) * 100 - fees, abs=0.02)
    assert realised < 0


def test_a_limit_order_rests_is_changed_and_cancelled(ib, api, spy, quote, until, watch, connect, simulator):
    watch.expect(202)
    low = round(quote(spy).bid * 0.8, 2)
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 5, low, tif="DAY"))
    until(lambda: status_of(trade) == "Submitted")
    perm_id = trade.orderStatus.permId
    assert trade.orderStatus.remaining == 5
    trade.order.lmtPrice, trade.order.totalQuantity = round(low + 1, 2), 7
    assert ib.placeOrder(spy, trade.order) is trade
    until(lambda: trade.orderStatus.remaining == 7)
    assert status_of(trade) == "Submitted"
    other = connect(simulator)
    other.reqAllOpenOrders()
    told = next(one for one in other.trades() if one.order.permId == perm_id)
    assert (told.order.lmtPrice, told.order.totalQuantity) == (round(low + 1, 2), 7)
    ib.cancelOrder(trade.order)
    until(lambda: status_of(trade) == "Cancelled")
    assert watch.of(trade.order.orderId) == [202]
    assert trade.orderStatus.filled == 0


def test_a_limit_order_that_crosses_is_filled_at_the_market(ib, api, spy, quote, until):
    ticker = quote(spy)
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 3, round(ticker.ask + 2, 2), tif="DAY"))
    until(lambda: status_of(trade) == "Filled")
    assert trade.orderStatus.avgFillPrice <= ticker.ask + 1


def test_stops_wait_for_their_price(ib, api, spy, quote, until, watch):
    watch.expect(202)
    price = quote(spy).ask
    stop = ib.placeOrder(spy, api.StopOrder("BUY", 2, round(price * 1.2, 2), tif="GTC"))
    limit = ib.placeOrder(spy, api.StopLimitOrder("BUY", 2, round(price * 1.21, 2), round(price * 1.2, 2), tif="GTC"))
    until(lambda: status_of(stop) in ("PreSubmitted", "Submitted") and limit.orderStatus.permId)
    through = ib.placeOrder(spy, api.StopOrder("SELL", 2, round(price * 1.2, 2), tif="DAY"))
    until(lambda: status_of(through) == "Filled")
    for trade in (stop, limit):
        ib.cancelOrder(trade.order)
        until(lambda trade=trade: status_of(trade) == "Cancelled")


def test_an_order_on_the_close_waits_for_the_close(ib, api, spy, until, watch):
    watch.expect(202)
    trade = ib.placeOrder(spy, api.Order(action="BUY", totalQuantity=1, orderType="MOC", tif="DAY"))
    until(lambda: trade.orderStatus.permId)
    assert not trade.isDone()
    ib.cancelOrder(trade.order)
    until(lambda: status_of(trade) == "Cancelled")


def test_immediate_or_cancel(ib, api, spy, quote, until, watch):
    watch.expect(202)
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 5, round(quote(spy).bid * 0.9, 2), tif="IOC"))
    until(lambda: status_of(trade) == "Cancelled")
    now = ib.placeOrder(spy, api.LimitOrder("BUY", 5, round(quote(spy).ask * 1.01, 2), tif="IOC"))
    until(now.isDone)
    assert now.orderStatus.filled > 0


def test_good_till_a_moment(ib, api, spy, quote, until, watch):
    watch.expect(202)
    end = datetime.now(UTC) + timedelta(seconds=3.5)
    trade = ib.placeOrder(spy, api.LimitOrder(
        "BUY", 5, round(quote(spy).bid * 0.9, 2), tif="GTD", goodTillDate=f"{end:%Y%m%d-%H:%M:%S}"
    ))  # fmt: skip
    until(lambda: status_of(trade) == "Cancelled", 10)
    assert "Submitted" in statuses(trade)  # a busy client may hear of both at once


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        ("Adaptive", {"adaptivePriority": "Normal"}),
        ("Twap", {"strategyType": "Marketable", "startTime": "", "endTime": "", "allowPastEndTime": "1"}),
        ("Vwap", {"maxPctVol": "0.1", "startTime": "", "endTime": "", "allowPastEndTime": "1", "noTakeLiq": "0"}),
    ],
)
def test_algorithms(ib, api, spy, quote, until, watch, strategy, parameters):
    watch.expect(202)
    order = api.LimitOrder("BUY", 20, round(quote(spy).ask * 1.01, 2), tif="DAY", algoStrategy=strategy, algoParams=[
        api.TagValue(name, value) for name, value in parameters.items()
    ])  # fmt: skip
    trade = ib.placeOrder(spy, order)
    until(lambda: status_of(trade) in ("Submitted", "Filled"))
    if strategy == "Adaptive":
        until(lambda: status_of(trade) == "Filled")
    else:
        ib.cancelOrder(trade.order)
        until(trade.isDone)


def test_executions_can_be_asked_for(ib, api, spy, until, connect, simulator):
    trade = ib.placeOrder(spy, api.MarketOrder("BUY", 1, tif="DAY", orderRef="asked for"))
    until(lambda: status_of(trade) == "Filled" and commission_of(trade))
    fills = ib.reqExecutions()
    fill = next(one for one in fills if one.execution.permId == trade.order.permId)
    assert fill.execution.orderRef == "asked for"
    assert fill.execution.execId == trade.fills[0].execution.execId
    other = connect(simulator)  # which learns of the executions while it synchronises, with their commissions
    fill = next(one for one in other.fills() if one.execution.permId == trade.order.permId)
    assert fill.commissionReport.commission == pytest.approx(commission_of(trade))
    none = ib.reqExecutions(api.ExecutionFilter(symbol="IWM", clientId=ib.client.clientId))
    assert none == []
    some = ib.reqExecutions(api.ExecutionFilter(symbol="SPY", side="BUY", clientId=ib.client.clientId))
    assert trade.order.permId in {one.execution.permId for one in some}


def test_completed_orders(ib, api, spy, until):
    trade = ib.placeOrder(spy, api.MarketOrder("BUY", 1, tif="DAY", orderRef="to be completed"))
    until(lambda: status_of(trade) == "Filled")
    assert ib.reqCompletedOrders(True)
    done = ib.reqCompletedOrders(False)
    found = next(one for one in done if one.order.orderRef == "to be completed")
    assert found.order.permId == trade.order.permId
    assert found.orderStatus.status == "Filled"
    assert found.contract.conId == spy.conId


def test_orders_survive_their_client(connect, simulator, api, stock, until, watch):
    watch.expect(202)
    ib = connect(simulator)
    client_id = ib.client.clientId
    [spy] = ib.qualifyContracts(stock("SPY"))
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 5, 100.0, tif="GTC", orderRef="survivor"))
    until(lambda: status_of(trade) == "Submitted")
    order_id, perm_id = trade.order.orderId, trade.order.permId
    ib.disconnect()
    other = connect(simulator)
    assert perm_id not in {one.order.permId for one in other.openTrades()}
    other.reqAllOpenOrders()
    seen = next(one for one in other.trades() if one.order.permId == perm_id)
    assert (seen.order.orderRef, seen.order.lmtPrice, seen.order.clientId) == ("survivor", 100.0, client_id)
    again = connect(simulator, client_id)
    [mine] = [one for one in again.openTrades() if one.order.permId == perm_id]
    assert (mine.order.orderId, mine.order.orderRef, status_of(mine)) == (order_id, "survivor", "Submitted")
    assert again.client.getReqId() > order_id
    again.cancelOrder(mine.order)
    until(lambda: status_of(mine) == "Cancelled")


def test_everything_can_be_cancelled_at_once(connect, simulator, api, stock, until, watch):
    watch.expect(202)
    first, second = connect(simulator), connect(simulator)
    [spy] = first.qualifyContracts(stock("SPY"))
    trades = [ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.0, tif="DAY")) for ib in (first, second)]
    until(lambda: all(status_of(one) == "Submitted" for one in trades))
    first.reqGlobalCancel()
    until(lambda: all(status_of(one) == "Cancelled" for one in trades))
    assert first.reqAllOpenOrders() == []


def test_an_option_is_exercised(ib, api, option, until):
    call = option(ib, "C", -15)
    trade = ib.placeOrder(call, api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: status_of(trade) == "Filled")
    until(lambda: any(one.contract.conId == call.conId for one in ib.positions()))
    shares = sum(
        one.position for one in ib.positions() if one.contract.symbol == "SPY" and one.contract.secType == "STK"
    )
    ib.exerciseOptions(call, 1, 1, ib.managedAccounts()[0], 0)
    until(lambda: sum(
        one.position for one in ib.positions() if one.contract.symbol == "SPY" and one.contract.secType == "STK"
    ) == shares + 100)  # fmt: skip


def test_a_condition_holds_an_order_back(ib, api, spy, quote, until, watch):
    watch.expect(202)
    order = api.MarketOrder("BUY", 1, tif="DAY")
    order.conditions = [api.PriceCondition(1, "a", True, round(quote(spy).ask * 2, 2), spy.conId, "SMART", 0)]
    trade = ib.placeOrder(spy, order)
    until(lambda: trade.orderStatus.permId)
    assert not trade.isDone()
    ib.cancelOrder(trade.order)
    until(lambda: status_of(trade) == "Cancelled")
