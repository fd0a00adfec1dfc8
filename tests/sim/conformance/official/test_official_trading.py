"""Orders and accounts as the official client sees them."""

from __future__ import annotations

import inspect

import pytest


@pytest.fixture
def order(official):
    def make(**facts):
        made = official("order").Order()
        made.tif, made.eTradeOnly, made.firmQuoteOnly = "DAY", False, False
        for name, value in facts.items():
            setattr(made, name, value)
        return made

    return make


@pytest.fixture
def cancel(official):
    """Cancel one order, or all: new clients want to be told more about it."""

    def end(talk, *args):
        method = talk.client.cancelOrder if args else talk.client.reqGlobalCancel
        more = inspect.signature(method).parameters
        if "orderCancel" in more:
            args = (*args, official("order_cancel").OrderCancel())
        elif "manualCancelOrderTime" in more:
            args = (*args, "")
        method(*args)

    return end


def report(talk):
    name = "commissionAndFeesReport" if hasattr(talk.client.wrapper, "commissionAndFeesReport") else "commissionReport"
    found = talk.wait(name)
    told = next(value for value in found.values())
    return getattr(told, "commissionAndFees", getattr(told, "commission", None))


def test_a_market_order(talk, spy, order):
    number = next(talk.order_id)
    talk.placeOrder(number, spy, order(action="BUY", orderType="MKT", totalQuantity=10, orderRef="official"))
    done = talk.wait("orderStatus", orderId=number, status="Filled")
    assert float(done["filled"]) == 10
    assert float(done["remaining"]) == 0
    assert done["permId"] > 0
    execution = talk.wait("execDetails")["execution"]
    assert (execution.orderId, execution.side, execution.orderRef) == (number, "BOT", "official")
    assert report(talk) > 0
    names = [name for name, arguments in talk.calls if arguments.get("orderId") == number or name == "execDetails"]
    assert names.index("openOrder") < names.index("orderStatus") < names.index("execDetails")
    talk.reqPositions()
    talk.wait("positionEnd")
    assert any(one["contract"].symbol == "SPY" for one in talk.told("position"))


def test_a_limit_order_is_changed_and_cancelled(talk, spy, order, cancel):
    number = next(talk.order_id)
    talk.placeOrder(number, spy, order(action="BUY", orderType="LMT", totalQuantity=10, lmtPrice=100.0))
    talk.wait("orderStatus", orderId=number, status="Submitted")
    talk.placeOrder(number, spy, order(action="BUY", orderType="LMT", totalQuantity=12, lmtPrice=101.0))
    talk.reqOpenOrders()
    talk.wait("openOrderEnd")
    last = talk.told("openOrder", orderId=number)[-1]["order"]
    assert (float(last.totalQuantity), last.lmtPrice) == (12, 101.0)
    cancel(talk, number)
    talk.wait("orderStatus", orderId=number, status="Cancelled")
    talk.error(202)


def test_a_bracket_is_cancelled_as_a_whole(talk, spy, order, cancel):
    first, second = next(talk.order_id), next(talk.order_id)
    talk.placeOrder(first, spy, order(action="BUY", orderType="LMT", totalQuantity=1, lmtPrice=100.0, transmit=False))
    talk.placeOrder(second, spy, order(action="SELL", orderType="STP", totalQuantity=1, auxPrice=90.0, parentId=first))
    talk.wait("orderStatus", orderId=first, status="Submitted")
    talk.wait("orderStatus", orderId=second, status="PreSubmitted")
    cancel(talk)
    talk.wait("orderStatus", orderId=second, status="Cancelled")
    talk.error(202)


def test_a_question(talk, spy, order):
    number = next(talk.order_id)
    talk.placeOrder(number, spy, order(action="BUY", orderType="MKT", totalQuantity=100, whatIf=True))
    state = talk.wait("openOrder", orderId=number)["orderState"]
    assert float(state.initMarginChange) > 1000
    assert float(state.equityWithLoanAfter) > 0


def test_a_combination(talk, contract, call, order, official):
    talk.reqContractDetails(one := talk.new_id(), contract(
        symbol="SPY", secType="OPT", right="C", strike=call.strike + 5,
        lastTradeDateOrContractMonth=call.lastTradeDateOrContractMonth,
    ))  # fmt: skip
    other = talk.wait("contractDetails", reqId=one)["contractDetails"].contract
    legs = []
    for leg_contract, action in ((call, "BUY"), (other, "SELL")):
        leg = official("contract").ComboLeg()
        leg.conId, leg.ratio, leg.action, leg.exchange = leg_contract.conId, 1, action, "SMART"
        legs.append(leg)
    bag = contract(symbol="SPY", secType="BAG", comboLegs=legs)
    number = next(talk.order_id)
    talk.placeOrder(number, bag, order(action="BUY", orderType="LMT", totalQuantity=1, lmtPrice=5.0))
    talk.wait("orderStatus", orderId=number, status="Filled")
    talk.wait("execDetails", count=3)


def test_refusals(talk, spy, order, cancel):
    cancel(talk, 987654)
    assert "987654" in talk.error(10147)["errorString"]
    number = next(talk.order_id)
    talk.placeOrder(number, spy, order(action="BUY", orderType="LMT", totalQuantity=1, lmtPrice=100.001))
    talk.error(110)
    talk.placeOrder(next(talk.order_id), spy, order(action="BUY", orderType="MKT", totalQuantity=1_000_000))
    talk.error(201)


def test_executions_and_completed_orders(talk, spy, order, official):
    number = next(talk.order_id)
    talk.placeOrder(number, spy, order(action="BUY", orderType="MKT", totalQuantity=1))
    talk.wait("orderStatus", orderId=number, status="Filled")
    talk.reqExecutions(one := talk.new_id(), official("execution").ExecutionFilter())
    talk.wait("execDetailsEnd", reqId=one)
    assert any(each["execution"].orderId == number for each in talk.told("execDetails", reqId=one))
    talk.reqCompletedOrders(False)
    talk.wait("completedOrdersEnd")
    assert talk.told("completedOrder")


def test_orders_of_other_clients(talk_to, simulator, spy, order, cancel):
    first, second = talk_to(simulator), talk_to(simulator)
    number = next(first.order_id)
    first.placeOrder(
        number, spy, order(action="BUY", orderType="LMT", totalQuantity=1, lmtPrice=100.0, orderRef="mine")
    )
    first.wait("orderStatus", orderId=number, status="Submitted")
    second.reqAllOpenOrders()
    second.wait("openOrderEnd")
    assert any(one["order"].orderRef == "mine" for one in second.told("openOrder"))
    cancel(first, number)
    first.error(202)


def test_the_account(talk):
    account = talk.wait("managedAccounts")["accountsList"].split(",")[0]
    talk.reqAccountUpdates(True, account)
    talk.wait("accountDownloadEnd")
    assert float(talk.wait("updateAccountValue", key="NetLiquidation", currency="USD")["val"]) > 0
    talk.reqAccountUpdates(False, account)
    talk.reqAccountSummary(one := talk.new_id(), "All", "NetLiquidation,BuyingPower")
    talk.wait("accountSummaryEnd", reqId=one)
    assert {row["tag"] for row in talk.told("accountSummary", reqId=one)} == {"NetLiquidation", "BuyingPower"}
    talk.cancelAccountSummary(one)
    talk.reqPnL(two := talk.new_id(), account, "")
    talk.wait("pnl", reqId=two)
    talk.reqPositionsMulti(three := talk.new_id(), account, "")
    talk.wait("positionMultiEnd", reqId=three)
    talk.reqAccountUpdatesMulti(four := talk.new_id(), account, "", False)
    talk.wait("accountUpdateMultiEnd", reqId=four)


def test_a_profit_of_one_position(talk, spy, order):
    account = talk.wait("managedAccounts")["accountsList"].split(",")[0]
    talk.placeOrder(next(talk.order_id), spy, order(action="BUY", orderType="MKT", totalQuantity=3))
    talk.wait("execDetails")
    talk.reqPnLSingle(one := talk.new_id(), account, "", 756733)
    assert abs(float(talk.wait("pnlSingle", reqId=one)["pos"])) > 0
    talk.cancelPnLSingle(one)
