"""What an account holds and is worth, in every way in which it can be asked."""

from __future__ import annotations

from math import isnan

import pytest

TAGS = ["NetLiquidation", "TotalCashValue", "BuyingPower", "AvailableFunds", "ExcessLiquidity", "InitMarginReq",
        "MaintMarginReq", "GrossPositionValue", "EquityWithLoanValue", "Cushion"]  # fmt: skip


@pytest.fixture
def holding(trader, option, until):
    """A client that bought two calls; they are sold at the end."""
    from importlib import import_module

    package = import_module(type(trader).__module__.split(".")[0])
    call = option(trader, "C", 1)
    trade = trader.placeOrder(call, package.MarketOrder("BUY", 2, tif="DAY"))
    until(lambda: trade.orderStatus.status == "Filled" and trade.fills and trade.fills[-1].commissionReport.commission)
    yield trader, call, trade
    sale = trader.placeOrder(call, package.MarketOrder("SELL", 2, tif="DAY"))
    until(lambda: sale.orderStatus.status == "Filled")


def position_of(found, contract):
    return next(one for one in found if one.contract.conId == contract.conId)


def test_values_come_with_the_connection(ib):
    values = {(one.tag, one.currency): one.value for one in ib.accountValues()}
    for tag in TAGS:
        assert any(key[0] == tag for key in values), tag
    assert float(values["NetLiquidation", "USD"]) > 0
    assert all(one.account.startswith("DU") for one in ib.accountValues())


def test_a_summary(ib):
    summary = {one.tag: one.value for one in ib.accountSummary()}
    assert set(TAGS) <= set(summary)
    assert float(summary["NetLiquidation"]) > 0


def test_a_position_costs_what_was_paid(holding):
    ib, call, trade = holding
    position = position_of(ib.positions(), call)
    assert position.position == 2
    fees = sum(fill.commissionReport.commission for fill in trade.fills)
    paid = trade.orderStatus.avgFillPrice * 2 * 100
    assert position.avgCost * 2 == pytest.approx(paid + fees, abs=0.02)
    assert position.contract.multiplier == "100"


def test_positions_can_be_asked_for(holding):
    ib, call, _ = holding
    assert position_of(ib.reqPositions(), call).position == 2


def test_the_portfolio_is_marked_to_the_market(holding, until):
    ib, call, trade = holding
    until(lambda: any(one.contract.conId == call.conId and one.position == 2 for one in ib.portfolio()))
    item = position_of(ib.portfolio(), call)
    assert item.marketValue == pytest.approx(item.marketPrice * 200, rel=1e-3)
    assert item.averageCost > trade.orderStatus.avgFillPrice * 100
    assert item.unrealizedPNL == pytest.approx(item.marketValue - item.averageCost * 2, abs=0.05)
    assert item.account.startswith("DU")


def test_profit_and_loss(holding, until):
    ib, call, _ = holding
    account = ib.managedAccounts()[0]
    pnl, single = ib.reqPnL(account), ib.reqPnLSingle(account, "", call.conId)
    until(lambda: not isnan(pnl.unrealizedPnL) and not isnan(single.unrealizedPnL) and single.position == 2)
    assert not isnan(pnl.dailyPnL)
    assert not isnan(pnl.realizedPnL)
    assert single.value > 0
    item = position_of(ib.portfolio(), call)
    assert single.unrealizedPnL == pytest.approx(single.value - item.averageCost * 2, abs=0.1)
    ib.cancelPnL(account)
    ib.cancelPnLSingle(account, "", call.conId)


def test_updates_of_one_of_many_accounts(ib, until):
    account = ib.managedAccounts()[0]
    ib.reqAccountUpdatesMulti(account)
    assert float(next(one.value for one in ib.accountValues(account) if one.tag == "NetLiquidation")) > 0


def test_positions_of_one_of_many_accounts(holding, until):
    ib, call, _ = holding
    rows, ends = [], []
    ib.wrapper.positionMulti = lambda *args: rows.append(args)
    ib.wrapper.positionMultiEnd = ends.append
    req_id = ib.client.getReqId()
    ib.client.reqPositionsMulti(req_id, ib.managedAccounts()[0], "")
    until(lambda: ends == [req_id])
    assert any(row[3].conId == call.conId and row[4] == 2 for row in rows)
    ib.client.cancelPositionsMulti(req_id)


def test_updates_can_be_ended_and_begun_again(ib):
    account = ib.managedAccounts()[0]
    ib.client.reqAccountUpdates(False, account)
    ib.reqAccountUpdates(account)
    assert ib.accountValues()


def test_another_account_is_refused(ib, watch, until):
    watch.expect(321)
    ib.client.reqAccountUpdatesMulti(ib.client.getReqId(), "DU0000000", "", False)
    until(lambda: watch.codes == [321])


def test_cash_and_margin_follow_a_purchase(trader, option, api, until):
    def value(tag):
        return float(next(one.value for one in trader.accountValues() if (one.tag, one.currency) == (tag, "USD")))

    before = value("TotalCashValue")
    trade = trader.placeOrder(option(trader, "P", -2), api.MarketOrder("BUY", 1, tif="DAY"))
    until(lambda: trade.orderStatus.status == "Filled" and trade.fills[-1].commissionReport.commission)
    cost = trade.orderStatus.avgFillPrice * 100 + trade.fills[0].commissionReport.commission
    until(lambda: value("TotalCashValue") < before)
    assert value("TotalCashValue") == pytest.approx(before - cost, abs=1.0)
