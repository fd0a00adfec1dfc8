"""Single orders: their sequence of messages, types, times in force, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bifrost_lib.sim.wire import (
    CommissionReport,
    ErrorMessage,
    ExecutionData,
    OpenOrder,
    OrderStatus,
    PortfolioValue,
    PositionData,
    PriceCondition,
    TagValue,
    TimeCondition,
)
from tests.sim.broker.conftest import ACCOUNT, OPENING, SPY, spy_option

CALL = spy_option("C", 600)  # 1.95 bid, 2.05 ask, 20 each


def test_sequence_of_a_market_order(trader):
    placed = trader.place(1, CALL, qty=2, kind="MKT")
    assert [(type(m), getattr(m, "status", None) or m.state.status) for m in placed] == [
        (OpenOrder, "PreSubmitted"), (OrderStatus, "PreSubmitted"),
        (OpenOrder, "Submitted"), (OrderStatus, "Submitted"),
    ]  # fmt: skip
    told = trader.step()
    kinds = [type(m) for m in told]
    assert kinds[:6] == [ExecutionData, OpenOrder, OrderStatus, CommissionReport, PortfolioValue, PositionData]
    fill, _, status, report, value, position = told[:6]
    assert (fill.req_id, fill.side, fill.shares, fill.price, fill.cum_qty) == (-1, "BOT", 2, 2.05, 2)
    assert fill.exec_id == report.exec_id
    assert (status.status, status.filled, status.remaining, status.avg_fill_price) == ("Filled", 2, 0, 2.05)
    assert status.perm_id == fill.perm_id == placed[0].order.perm_id
    assert position.avg_cost == pytest.approx(205 + report.commission / 2)
    assert value.unrealized_pnl == pytest.approx(2 * 200 - 2 * position.avg_cost)
    assert trader.broker.open_orders() == []
    assert trader.broker.completed_orders()[0].state.status == "Filled"


def test_events_name_their_client(make_trader):
    trader = make_trader(client_id=7)
    trader.place(1, CALL, kind="MKT")
    trader.step()
    for event in trader.told:
        everybody = isinstance(event.message, PositionData | PortfolioValue) or hasattr(event.message, "key")
        assert event.client_id == (None if everybody else 7)
        assert event.account == ACCOUNT


@pytest.mark.parametrize(("limit", "price"), [(2.05, 2.05), (2.50, 2.05)])
def test_marketable_limit_pays_the_ask(trader, limit, price):
    trader.place(1, CALL, lmt_price=limit)
    trader.step()
    assert [fill.price for fill in trader.fills()] == [price]


def test_resting_limit_is_filled_at_its_limit(trader):
    trader.place(1, CALL, "SELL", lmt_price=2.20)
    trader.step()
    assert trader.fills() == []
    trader.market.set(CALL, bid=2.40, ask=2.50)
    trader.step()
    fill = trader.fills()[0]
    assert (fill.side, fill.price, fill.last_liquidity) == ("SLD", 2.20, 1)


def test_large_orders_are_filled_by_what_is_displayed(trader):
    trader.place(1, CALL, qty=50, kind="MKT")
    for _ in range(3):
        trader.step()
    assert [fill.shares for fill in trader.fills()] == [20, 20, 10]
    assert [fill.cum_qty for fill in trader.fills()] == [20, 40, 50]
    assert trader.statuses(1) == ["PreSubmitted", "Submitted", "Submitted", "Submitted", "Filled"]


def test_two_orders_share_one_display(trader):
    trader.place(1, CALL, qty=15, kind="MKT")
    trader.place(2, CALL, qty=15, kind="MKT")
    trader.step()
    assert [(fill.order_id, fill.shares) for fill in trader.fills()] == [(1, 15), (2, 5)]


def test_fill_share_limits_each_step(make_trader):
    trader = make_trader(fill_share=0.25)
    trader.place(1, CALL, qty=8, kind="MKT")
    trader.step()
    trader.step()
    assert [fill.shares for fill in trader.fills()] == [5, 3]


def test_fill_or_kill_and_immediate_or_cancel(trader):
    trader.place(1, CALL, qty=21, lmt_price=2.05, tif="FOK")
    trader.place(2, CALL, qty=21, lmt_price=2.05, tif="IOC")
    trader.step()
    assert trader.fills(1) == []
    assert [fill.shares for fill in trader.fills(2)] == [20]
    assert trader.status(1).status == trader.status(2).status == "Cancelled"
    assert (trader.status(2).filled, trader.status(2).remaining) == (20, 1)


def test_all_or_none_waits_for_size(trader):
    trader.place(1, CALL, qty=21, kind="MKT", all_or_none=True)
    trader.step()
    assert trader.fills() == []
    trader.market.set(CALL, ask_size=30)
    trader.step()
    assert [fill.shares for fill in trader.fills()] == [21]


def test_nothing_trades_without_a_quote_or_while_halted(trader):
    trader.market.set(CALL, ask=float("nan"))
    trader.place(1, CALL, kind="MKT")
    trader.step()
    trader.market.set(CALL, ask=2.05, halted=1.0)
    trader.step()
    trader.market.set(CALL, bid=0.0, halted=0.0)
    trader.place(2, CALL, "SELL", kind="MKT")
    trader.step()
    assert [fill.order_id for fill in trader.fills()] == [1]


# Types


def test_stop_sleeps_until_its_price(trader):
    trader.place(1, SPY, "SELL", 100, "STP", aux_price=599.0)
    assert trader.status(1).why_held == "trigger"
    trader.step()
    assert trader.statuses(1) == ["PreSubmitted"]
    trader.market.set(SPY, last=598.9, bid=598.8, ask=598.9)
    trader.step()
    assert trader.fills()[0].price == 598.8
    assert trader.statuses(1) == ["PreSubmitted", "Submitted", "Filled"]


def test_stop_limit_does_not_chase(trader):
    trader.place(1, SPY, "BUY", 100, "STP LMT", aux_price=601.0, lmt_price=601.5)
    trader.market.set(SPY, last=602.0, bid=601.9, ask=602.1)
    trader.step()
    assert trader.fills() == []
    assert trader.status(1).status == "Submitted"
    trader.market.set(SPY, last=601.4, bid=601.3, ask=601.4)
    trader.step()
    assert trader.fills()[0].price == 601.5


def test_trailing_stop_follows_and_never_returns(trader):
    trader.place(1, SPY, "SELL", 100, "TRAIL", aux_price=1.0)
    for last in (600.0, 603.0, 602.5):
        trader.market.set(SPY, last=last, bid=last - 0.01, ask=last + 0.01)
        trader.step()
    assert trader.fills() == []
    trader.market.set(SPY, last=601.99, bid=601.98, ask=602.0)
    trader.step()
    assert trader.fills()[0].price == 601.98


def test_trailing_limit_has_its_limit_from_the_stop(trader):
    trader.place(1, SPY, "SELL", 100, "TRAIL LIMIT", aux_price=1.0, lmt_price_offset=0.1, trail_stop_price=599.5)
    trader.market.set(SPY, last=599.4, bid=599.45, ask=599.5)
    trader.step()
    assert trader.fills()[0].price == 599.45
    assert trader.shown(1).order.lmt_price == 599.4


def test_options_trigger_on_the_side_they_take(trader):
    trader.place(1, CALL, "SELL", 1, "STP", aux_price=1.50)
    trader.market.set(CALL, last=1.0)  # one odd trade
    trader.step()
    assert trader.fills() == []
    trader.market.set(CALL, bid=1.45)
    trader.step()
    assert trader.fills()[0].price == 1.45


def test_double_bid_ask_needs_two_looks(trader):
    trader.place(1, CALL, "SELL", 1, "STP", aux_price=1.99, trigger_method=1)
    assert trader.status(1).status == "PreSubmitted"
    trader.step()
    assert trader.status(1).status == "Filled"


def test_market_and_limit_if_touched(trader):
    trader.place(1, SPY, "BUY", 10, "MIT", aux_price=599.0)
    trader.place(2, SPY, "SELL", 10, "LIT", aux_price=601.0, lmt_price=601.0)
    trader.step()
    assert trader.fills() == []
    trader.market.set(SPY, last=598.9, bid=598.8, ask=598.9)
    trader.step()
    trader.market.set(SPY, last=601.2, bid=601.1, ask=601.2)
    trader.step()
    assert [(fill.order_id, fill.price) for fill in trader.fills()] == [(1, 598.9), (2, 601.1)]


def test_midprice_and_pegged(trader):
    trader.place(1, CALL, kind="MIDPRICE", lmt_price=0.0)
    trader.place(2, CALL, kind="MIDPRICE", lmt_price=1.99)
    trader.place(3, CALL, kind="REL", aux_price=0.05, lmt_price=0.0)
    trader.step()
    assert [(fill.order_id, fill.price) for fill in trader.fills()] == [(1, 2.0)]
    trader.market.set(CALL, bid=2.04)
    trader.step()
    assert [(fill.order_id, fill.price) for fill in trader.fills()][1:] == [(3, 2.09)]


def test_market_on_close_and_limit_on_close(trader):
    close = datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    trader.place(1, SPY, qty=700, kind="MOC")
    trader.place(2, SPY, qty=100, kind="LOC", lmt_price=599.0)
    trader.until(close.replace(hour=20, minute=59))
    assert trader.fills() == []
    trader.market.set(SPY, last=600.5)
    trader.until(close)
    assert [(fill.order_id, fill.shares, fill.price) for fill in trader.fills()] == [(1, 700, 600.5)]
    assert trader.status(2).status == "Cancelled"


def test_opening_auction(make_trader):
    trader = make_trader(start=datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
    trader.market.open = False
    trader.place(1, SPY, qty=100, kind="MKT", tif="OPG")
    trader.place(2, SPY, qty=100, lmt_price=598.0, tif="OPG")
    trader.step()
    trader.market.open = True
    trader.until(datetime(2026, 11, 23, 14, 30, tzinfo=UTC))
    assert [(fill.order_id, fill.price) for fill in trader.fills()] == [(1, 599.0)]
    assert trader.status(2).status == "Cancelled"


# Times


def test_day_order_ends_at_the_close_and_gtc_lives_on(trader):
    trader.place(1, SPY, lmt_price=500.0)
    trader.place(2, SPY, lmt_price=500.0, tif="GTC")
    trader.place(3, SPY, lmt_price=500.0, tif="GTD", good_till_date="20261123 12:00:00 US/Eastern")
    trader.until(datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    assert trader.status(3).status == "Cancelled"
    trader.until(datetime(2026, 11, 23, 21, 0, tzinfo=UTC))
    assert [trader.status(i).status for i in (1, 2)] == ["Cancelled", "Submitted"]
    assert [opened.order_id for opened, _ in trader.broker.open_orders()] == [2]


def test_good_after_time(trader):
    trader.place(1, SPY, kind="MKT", good_after_time="20261123-16:00:00")
    trader.step()
    assert trader.status(1).status == "PreSubmitted"
    trader.until(datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
    assert trader.status(1).status == "Filled"


def test_orders_wait_for_the_session(make_trader):
    trader = make_trader(start=datetime(2026, 11, 21, 15, 0, tzinfo=UTC))  # a Saturday
    trader.market.open = False
    trader.place(1, SPY, kind="MKT")
    assert trader.errors() == [399]
    assert "2026-11-23 09:30:00" in trader.messages(ErrorMessage)[0].text
    trader.step()
    assert trader.statuses(1) == ["PreSubmitted"]
    trader.market.open = True
    trader.until(OPENING)
    assert trader.status(1).status == "Filled"


def test_outside_regular_hours_is_for_stocks(make_trader):
    trader = make_trader(start=datetime(2026, 11, 23, 13, 0, tzinfo=UTC))  # 08:00 in New York
    trader.market.open = False
    trader.place(1, SPY, kind="MKT", outside_rth=True)
    trader.place(2, CALL, kind="MKT", outside_rth=True)
    trader.step()
    assert [fill.order_id for fill in trader.fills()] == [1]
    assert trader.errors() == [2109, 399]


def test_always_open_market_trades_on_sunday(make_trader):
    trader = make_trader(start=datetime(2026, 11, 22, 15, 0, tzinfo=UTC), always_open=True)
    trader.place(1, SPY, kind="MKT")
    trader.place(2, SPY, lmt_price=500.0)
    trader.step()
    assert trader.errors() == []
    assert trader.status(1).status == "Filled"
    trader.until(datetime(2026, 11, 23, 5, 0, tzinfo=UTC))
    assert trader.status(2).status == "Cancelled"


# Conditions and algorithms


def test_price_and_time_conditions(trader):
    above = PriceCondition("a", True, 601.0, SPY, "SMART", 0)
    later = TimeCondition("a", True, "20261123 11:00:00 US/Eastern")
    trader.place(1, CALL, kind="MKT", conditions=(above, later))
    trader.place(2, CALL, kind="MKT", conditions=(PriceCondition("o", True, 601.0, SPY, "SMART", 0), later))
    trader.place(3, CALL, lmt_price=1.0, conditions=(later,), conditions_cancel_order=True)
    assert trader.status(3).status == "Submitted"
    trader.market.set(SPY, last=601.5)
    trader.step()
    assert [fill.order_id for fill in trader.fills()] == [2]
    trader.until(datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
    assert [fill.order_id for fill in trader.fills()] == [2, 1]
    assert trader.status(3).status == "Cancelled"


def test_twap_slices_over_its_time(trader):
    params = (TagValue("startTime", "10:00:00 US/Eastern"), TagValue("endTime", "11:00:00 US/Eastern"))
    trader.place(1, SPY, qty=100, kind="MKT", algo_strategy="Twap", algo_params=params)
    done = []
    for _ in range(6):
        trader.step(600)
        done.append(sum(fill.shares for fill in trader.fills()))
    assert done == [17, 34, 51, 67, 84, 100]


def test_vwap_trades_more_at_the_ends_and_within_its_share(trader):
    params = (
        TagValue("maxPctVol", "0.1"), TagValue("startTime", "10:00:00 US/Eastern"),
        TagValue("endTime", "11:00:00 US/Eastern"),
    )  # fmt: skip
    trader.market.set(SPY, volume=0.0)
    trader.place(1, SPY, qty=100, kind="MKT", algo_strategy="Vwap", algo_params=params)
    faster = (TagValue("maxPctVol", "0.5"), *params[1:])
    trader.place(2, SPY, qty=100, kind="MKT", algo_strategy="Vwap", algo_params=faster)
    trader.step()
    trader.market.set(SPY, volume=200.0)
    trader.step(600)
    # A sixth of the time has passed, and with it a quarter of a day's volume; the first order may be a tenth of it.
    assert {i: sum(fill.shares for fill in trader.fills(i)) for i in (1, 2)} == {1: 20, 2: 26}
    trader.market.set(SPY, volume=3000.0)
    trader.step(1200)
    assert sum(fill.shares for fill in trader.fills(2)) == 51
    trader.step(1800)
    assert trader.status(1).status == trader.status(2).status == "Filled"


def test_adaptive_waits_by_its_priority(trader):
    for order_id, priority in ((1, "Urgent"), (2, "Normal"), (3, "Patient")):
        trader.place(
            order_id, CALL, kind="MKT", algo_strategy="Adaptive", algo_params=(TagValue("adaptivePriority", priority),)
        )
    seen = []
    for seconds in (0.1, 2.0, 4.0):
        trader.step(seconds)
        seen.append([fill.order_id for fill in trader.fills()])
    assert seen == [[1], [1, 2], [1, 2, 3]]
