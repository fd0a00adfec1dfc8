"""Orders that belong together, and questions about what an order would do."""

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
def quote(ib):
    def read(contract):
        [ticker] = ib.reqTickers(contract)
        return ticker

    return read


def status_of(trade):
    return trade.orderStatus.status


def commission_of(trade):
    return sum(fill.commissionReport.commission for fill in trade.fills)


def test_a_bracket(ib, api, spy, quote, until, watch):
    watch.expect(202)
    price = quote(spy).ask
    bracket = ib.bracketOrder("BUY", 4, round(price * 1.01, 2), round(price * 1.3, 2), round(price * 0.7, 2))
    for order in bracket:
        order.tif = "GTC"
    parent, profit, loss = [ib.placeOrder(spy, order) for order in bracket]
    until(lambda: status_of(parent) == "Filled")
    until(lambda: status_of(profit) == "Submitted" and status_of(loss) in ("PreSubmitted", "Submitted"))
    assert profit.order.parentId == parent.order.orderId
    profit.order.lmtPrice = round(quote(spy).bid * 0.99, 2)
    ib.placeOrder(spy, profit.order)
    until(lambda: status_of(profit) == "Filled" and status_of(loss) == "Cancelled")
    assert watch.of(loss.order.orderId) == [202]


def test_children_end_with_their_parent(ib, api, spy, quote, until, watch):
    watch.expect(202)
    price = quote(spy).bid
    bracket = ib.bracketOrder("BUY", 4, round(price * 0.8, 2), round(price * 1.3, 2), round(price * 0.7, 2))
    for order in bracket:
        order.tif = "GTC"
    trades = [ib.placeOrder(spy, order) for order in bracket]
    until(lambda: status_of(trades[0]) == "Submitted" and all(one.orderStatus.permId for one in trades))
    assert all(status_of(one) in ("PreSubmitted",) for one in trades[1:])
    ib.cancelOrder(bracket.parent)
    until(lambda: all(one.isDone() for one in trades))
    assert {status_of(one) for one in trades} == {"Cancelled"}


def test_one_cancels_all(ib, api, spy, quote, until, watch):
    watch.expect(202)
    ticker = quote(spy)
    orders = [api.LimitOrder("BUY", 1, round(ticker.bid * share, 2), tif="DAY") for share in (0.8, 0.85)]
    orders = ib.oneCancelsAll(orders, f"group {ib.client.getReqId()}", 1)
    resting = [ib.placeOrder(spy, order) for order in orders]
    until(lambda: all(status_of(one) == "Submitted" for one in resting))
    orders[0].lmtPrice = round(ticker.ask * 1.01, 2)
    ib.placeOrder(spy, orders[0])
    until(lambda: status_of(resting[0]) == "Filled" and status_of(resting[1]) == "Cancelled")


def spread_of(api, low, high):
    return api.Contract(secType="BAG", symbol="SPY", exchange="SMART", currency="USD", comboLegs=[
        api.ComboLeg(conId=low.conId, ratio=1, action="BUY", exchange="SMART"),
        api.ComboLeg(conId=high.conId, ratio=1, action="SELL", exchange="SMART"),
    ])  # fmt: skip


def test_a_combination_is_filled_leg_by_leg(ib, api, option, quote, until):
    low, high = option(ib, "C"), option(ib, "C", 4)
    spread = spread_of(api, low, high)
    worth = quote(low).ask - quote(high).bid
    trade = ib.placeOrder(spread, api.LimitOrder("BUY", 1, round(worth + 0.5, 2), tif="DAY"))
    until(lambda: status_of(trade) == "Filled" and len(trade.fills) == 3 and commission_of(trade))
    kinds = [fill.contract.secType for fill in trade.fills]
    assert sorted(kinds) == ["BAG", "OPT", "OPT"]
    legs = {fill.contract.conId: fill for fill in trade.fills if fill.contract.secType == "OPT"}
    assert legs[low.conId].execution.side == "BOT"
    assert legs[high.conId].execution.side == "SLD"
    net = legs[low.conId].execution.price - legs[high.conId].execution.price
    assert net == pytest.approx(trade.orderStatus.avgFillPrice, abs=0.011)
    assert all(fill.commissionReport.commission > 0 for fill in legs.values())
    held = {one.contract.conId: one.position for one in ib.positions()}
    assert held[low.conId] >= 1
    assert held[high.conId] <= -1 or high.conId not in held


def test_a_question_about_margin(ib, api, spy, option):
    state = ib.whatIfOrder(spy, api.MarketOrder("BUY", 100, tif="DAY"))
    for name in ("initMarginBefore", "initMarginChange", "initMarginAfter", "maintMarginChange", "maintMarginAfter",
                 "equityWithLoanBefore", "equityWithLoanAfter"):  # fmt: skip
        assert abs(float(getattr(state, name))) < 1e12, name
    assert float(state.initMarginChange) > 1000
    assert float(state.initMarginAfter) == pytest.approx(
        float(state.initMarginBefore) + float(state.initMarginChange), abs=0.01
    )
    assert 0 < state.commission < 10 or 0 < state.maxCommission < 10
    assert not any(trade.order.whatIf for trade in ib.openTrades())
    short = ib.whatIfOrder(option(ib, "P", -1), api.LimitOrder("SELL", 1, 1.0, tif="DAY"))
    assert float(short.initMarginChange) > 0
