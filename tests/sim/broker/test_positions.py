"""Positions, account values, profit and loss, and the end of options."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isnan, nan

import numpy as np
import pytest

from bifrost_lib.sim.broker import PositionProfit
from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.wire import AccountValue, Contract, ExerciseOptions
from tests.sim.broker.conftest import ACCOUNT, FAR, SPX, SPY, spy_option

CALL, PUT = spy_option("C", 600), spy_option("P", 600)
NEAR_CLOSE = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)  # 13:00 in New York


def _trade(trader, order_id, con_id, action, qty=1):
    trader.place(order_id, con_id, action, qty, "MKT")
    trader.step()
    return trader.reports()[-1]


def _paid(trader):
    # cash + what positions cost - what was realized = what was paid in
    ledger = trader.ledger
    return ledger.cash + sum(h.value_at_cost for h in ledger.holdings.values()) - ledger.realized


def test_average_cost_holds_multiplier_and_commission(trader):
    first = _trade(trader, 1, CALL, "BUY", 2)
    trader.market.set(CALL, bid=2.95, ask=3.05)
    second = _trade(trader, 2, CALL, "BUY", 2)
    cost = (2 * 205 + 2 * 305 + first.commission + second.commission) / 4
    assert trader.position(CALL).avg_cost == pytest.approx(cost)
    assert first.realized_pnl > 1e300
    sold = _trade(trader, 3, CALL, "SELL", 1)
    assert sold.realized_pnl == pytest.approx(295 - sold.commission - cost)
    assert trader.position(CALL).avg_cost == pytest.approx(cost)


def test_short_average_cost_is_what_was_received(trader):
    sold = _trade(trader, 1, PUT, "SELL", 2)
    assert trader.position(PUT).position == -2
    assert trader.position(PUT).avg_cost == pytest.approx(195 - sold.commission / 2)
    bought = _trade(trader, 2, PUT, "BUY", 3)  # closes two and opens one
    assert bought.realized_pnl == pytest.approx(2 * (195 - 205) - sold.commission - bought.commission * 2 / 3)
    assert trader.position(PUT).avg_cost == pytest.approx(205 + bought.commission / 3)
    assert _paid(trader) == pytest.approx(1_000_000)


def test_account_values(trader):
    _trade(trader, 1, SPY, "BUY", 100)
    _trade(trader, 2, spy_option("C", 610), "SELL")
    paid = trader.broker.commissions_paid(ACCOUNT)
    cash = 1_000_000 - 100 * 600.01 + 195 - paid
    assert trader.value("TotalCashValue") == pytest.approx(cash, abs=0.01)
    assert trader.value("TotalCashBalance", "BASE") == pytest.approx(cash, abs=0.01)
    assert trader.value("StockMarketValue") == 60_000
    assert trader.value("OptionMarketValue") == -200
    assert trader.value("GrossPositionValue") == 60_200
    assert trader.value("NetLiquidation") == pytest.approx(cash + 59_800, abs=0.01)
    assert trader.value("EquityWithLoanValue") == pytest.approx(cash + 60_000, abs=0.01)
    assert trader.value("InitMarginReq") == trader.value("RegTMargin") == 30_000
    assert trader.value("MaintMarginReq") == trader.value("FullMaintMarginReq") == 15_000
    assert trader.value("AvailableFunds") == pytest.approx(cash + 30_000, abs=0.01)
    assert trader.value("BuyingPower") == pytest.approx(2 * (cash + 30_000), abs=0.02)
    assert trader.value("ExcessLiquidity") == pytest.approx(cash + 45_000, abs=0.01)
    assert trader.value("Cushion", "") == pytest.approx((cash + 45_000) / (cash + 59_800), abs=1e-4)
    assert trader.values()["AccountType", ""] == "INDIVIDUAL"
    assert len(trader.values()) == len(trader.broker.account_values(ACCOUNT))
    assert {value.account for value in trader.broker.account_values(ACCOUNT)} == {ACCOUNT}


def test_only_changed_values_are_told(trader):
    _trade(trader, 1, CALL, "BUY")
    first = {(v.key, v.currency) for v in trader.messages(AccountValue)}
    trader.told.clear()
    _trade(trader, 2, CALL, "BUY")
    again = {(v.key, v.currency) for v in trader.messages(AccountValue)}
    assert ("TotalCashValue", "USD") in again < first
    assert ("AccountType", "") not in again


def test_profit_of_the_day_and_of_the_next(trader):
    report = _trade(trader, 1, SPY, "BUY", 100)
    trader.market.set(SPY, bid=601.99, ask=602.01, last=602.0)
    profit = trader.broker.pnl_single(ACCOUNT, SPY)
    assert profit.daily == profit.unrealized == pytest.approx(100 * (602 - 600.01) - report.commission)
    trader.until(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    trader.market.set(SPY, bid=604.99, ask=605.01, last=605.0, close=602.0)
    profit = trader.broker.pnl_single(ACCOUNT, SPY)
    assert profit.daily == pytest.approx(300)
    assert profit.value == 60_500
    sold = _trade(trader, 2, SPY, "SELL", 100)
    total = trader.broker.pnl(ACCOUNT)
    assert total.daily == pytest.approx(100 * (604.99 - 602) - sold.commission)
    assert total.realized == pytest.approx(100 * (604.99 - 600.01) - report.commission - sold.commission)
    assert total.unrealized == 0
    assert trader.broker.portfolio(ACCOUNT)[0].position == 0


def test_without_a_price_profit_is_unknown(trader):
    assert trader.broker.pnl_single(ACCOUNT, CALL) == PositionProfit(0, 0, 0, 0, 0)
    _trade(trader, 1, CALL, "BUY")
    trader.market.clear(CALL)
    value = trader.broker.portfolio(ACCOUNT)[0]
    assert value.market_price == 2.0  # the last that was seen
    trader.broker._desk.accounts.appraiser.seen.clear()
    assert isnan(trader.broker.pnl_single(ACCOUNT, CALL).daily)
    assert trader.broker.pnl(ACCOUNT).daily == 0
    assert trader.broker.portfolio(ACCOUNT)[0].unrealized_pnl == pytest.approx(0)


# Expiry


def test_options_in_the_money_deliver_shares(trader):
    _trade(trader, 1, spy_option("C", 595), "BUY", 2)
    _trade(trader, 2, spy_option("P", 605), "SELL", 1)
    cost, received = trader.position(spy_option("C", 595)).avg_cost, trader.position(spy_option("P", 605)).avg_cost
    trader.market.set(SPY, last=601.0)
    cash = trader.ledger.cash
    trader.told.clear()
    trader.until(NEAR_CLOSE)
    (stock,) = trader.broker.positions(ACCOUNT)
    assert (stock.contract.con_id, stock.position) == (SPY, 300)
    assert trader.ledger.cash == pytest.approx(cash - 200 * 595 - 100 * 605)
    assert stock.avg_cost * 300 == pytest.approx(200 * 595 + 2 * cost + 100 * 605 - received)
    assert [(f.contract.sec_type, f.side, f.shares, f.price) for f in trader.fills()] == [
        ("OPT", "SLD", 2, 0.0), ("STK", "BOT", 200, 595.0), ("OPT", "BOT", 1, 0.0), ("STK", "BOT", 100, 605.0),
    ]  # fmt: skip
    assert all(report.commission == 0 for report in trader.reports())
    assert _paid(trader) == pytest.approx(1_000_000)


def test_covered_call_is_called_away_with_its_profit(trader):
    bought = _trade(trader, 1, SPY, "BUY", 100)
    sold = _trade(trader, 2, CALL, "SELL")
    trader.market.set(SPY, last=600.01)
    trader.until(NEAR_CLOSE)
    assert trader.broker.positions() == []
    profit = 100 * (600 - 600.01) + 195 - bought.commission - sold.commission
    assert trader.ledger.realized == pytest.approx(profit)
    assert trader.ledger.cash == pytest.approx(1_000_000 + profit)


def test_options_out_of_the_money_end_worthless(trader):
    bought = _trade(trader, 1, spy_option("C", 610), "BUY")
    sold = _trade(trader, 2, spy_option("P", 590), "SELL")
    trader.place(3, spy_option("C", 610), "SELL", lmt_price=9.0, tif="GTC")
    trader.until(NEAR_CLOSE)
    assert trader.broker.positions() == []
    assert trader.status(3).status == "Cancelled"
    expected = -205 - bought.commission + 195 - sold.commission
    assert trader.ledger.realized == pytest.approx(expected)
    assert trader.broker.pnl(ACCOUNT).realized == pytest.approx(expected)


@pytest.mark.parametrize(("last", "shares"), [(600.01, 100), (600.0, 0), (599.0, 0)])
def test_a_cent_in_the_money_decides(trader, last, shares):
    _trade(trader, 1, CALL, "BUY")
    trader.market.set(SPY, last=last)
    trader.until(NEAR_CLOSE)
    assert (trader.position(SPY).position if shares else trader.position(SPY)) == (shares or None)


def test_index_options_pay_cash_am_at_the_open_and_pm_at_the_close(trader):
    _trade(trader, 1, 31_000, "BUY")  # AM, December, call 6000
    _trade(trader, 2, 31_001, "SELL")  # PM, November, put 6000
    trader.market.set(SPX, last=5980.0, open=6100.0)
    cash = trader.ledger.cash
    trader.until(NEAR_CLOSE)
    assert trader.ledger.cash == pytest.approx(cash - 2000)
    trader.market.set(SPX, last=6500.0, open=6050.0)
    trader.until(datetime(FAR.year, FAR.month, FAR.day, 14, 30, tzinfo=UTC))
    assert trader.ledger.cash == pytest.approx(cash - 2000 + 5000)
    assert trader.broker.positions() == []
    assert [fill.price for fill in trader.fills()[2:]] == [20.0, 50.0]
    assert _paid(trader) == pytest.approx(1_000_000)


def test_late_settlement_reads_the_days_bar(trader):
    _trade(trader, 1, CALL, "BUY")
    start = int(datetime(2026, 11, 27, 14, 30, tzinfo=UTC).timestamp())
    one = np.array([1.0])
    trader.market.set_bars(
        SPY, Bars(np.array([start]), 598.0 * one, 606.0 * one, 597.0 * one, 605.0 * one, one, one, np.array([1]))
    )
    trader.market.set(SPY, last=500.0)
    trader.until(datetime(2026, 11, 30, 15, 0, tzinfo=UTC))
    assert trader.position(SPY).position == 100


def _exercise(trader, con_id, action, qty=1, override=0):
    contract = Contract(con_id=con_id, exchange="SMART")
    trader.broker.exercise(1, ExerciseOptions(77, contract, action, qty, ACCOUNT, override))
    return trader.collect()


def test_early_exercise(trader):
    _trade(trader, 1, spy_option("C", 595), "BUY", 3)
    _exercise(trader, spy_option("C", 595), 1, 2)
    assert trader.position(SPY).position == 200
    assert trader.position(spy_option("C", 595)).position == 1
    assert _paid(trader) == pytest.approx(1_000_000)
    assert {fill.order_id for fill in trader.fills()[1:]} == {77}


def test_options_can_be_left_to_lapse(trader):
    _trade(trader, 1, spy_option("C", 595), "BUY", 3)
    _exercise(trader, spy_option("C", 595), 2, 2)
    trader.until(NEAR_CLOSE)
    assert trader.position(SPY).position == 100
    assert _paid(trader) == pytest.approx(1_000_000)


@pytest.mark.parametrize(
    ("code", "con_id", "action", "qty"),
    [(200, 5, 1, 1), (201, CALL, 1, 1), (321, 31_000, 3, 1), (201, 31_000, 1, 1), (201, spy_option("C", 610), 1, 1)],
)
def test_exercises_that_are_refused(trader, code, con_id, action, qty):
    _trade(trader, 1, 31_000, "BUY")
    _trade(trader, 2, spy_option("C", 610), "BUY")
    assert [(message.req_id, message.code) for message in _exercise(trader, con_id, action, qty)] == [(77, code)]


def test_out_of_the_money_is_exercised_with_override(trader):
    _trade(trader, 1, spy_option("P", 590), "BUY")
    _exercise(trader, spy_option("P", 590), 1, override=1)
    assert trader.position(SPY).position == -100


def test_cash_account_cannot_borrow(make_trader):
    trader = make_trader(cash_account=True, cash=100_000.0)
    for order_id, con_id, action, qty in ((1, SPY, "BUY", 200), (2, SPY, "SELL", 1), (3, CALL, "SELL", 1)):
        assert trader.place(order_id, con_id, action, qty, "MKT")[0].code == 201
    trader.place(4, PUT, "SELL", 1, "MKT")
    trader.step()
    assert trader.position(PUT).position == -1
    assert trader.value("InitMarginReq") == 60_000
    assert trader.place(5, PUT, "SELL", 1, "MKT")[0].code == 201


def test_several_accounts_are_named(make_trader):
    trader = make_trader()
    trader.broker.__init__(trader.market, trader.clock, accounts=("DU1", "DU2"))
    assert trader.place(1, SPY, kind="MKT")[0].code == 435
    trader.place(2, SPY, kind="MKT", account="DU2")
    trader.step()
    assert [position.account for position in trader.broker.positions()] == ["DU2"]
    assert trader.broker.positions("DU1") == []


def test_prices_that_are_missing_never_reach_the_wire(trader):
    _trade(trader, 1, CALL, "SELL")
    trader.market.set(SPY, bid=nan, ask=nan, last=nan, close=nan)
    trader.market.clear(CALL)
    trader.broker._desk.accounts.appraiser.seen.clear()
    (answer,) = trader.place(2, CALL, "SELL", kind="MKT", what_if=True)
    assert not any(isnan(getattr(answer.state, name)) for name in ("init_margin_after", "equity_with_loan_after"))
    assert "nan" not in {value.value for value in trader.broker.account_values(ACCOUNT)}
