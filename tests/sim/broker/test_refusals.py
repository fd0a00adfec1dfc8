"""What the broker refuses, changes, cancels, judges without placing, and finds again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bifrost_lib.sim.wire import (
    ErrorMessage,
    OpenOrder,
    OrderStatus,
    ReqExecutions,
    TagValue,
)
from tests.sim.broker.conftest import SPX, SPY, spy_option

CALL = spy_option("C", 600)


# Refusals


@pytest.mark.parametrize(
    ("code", "what", "fields"),
    [
        (110, CALL, {"lmt_price": 2.001}),
        (110, 31_000, {"lmt_price": 4.05}),  # above 3.00 index options trade in dimes
        (200, 999, {"lmt_price": 2.0}),
        (201, SPX, {"lmt_price": 6000.0}),
        (321, CALL, {"lmt_price": -1.0}),
        (321, CALL, {}),
        (321, CALL, {"lmt_price": 2.0, "action": "HOLD"}),
        (321, CALL, {"lmt_price": 2.0, "account": "DU9"}),
        (321, CALL, {"lmt_price": 2.0, "tif": "EOD"}),
        (391, CALL, {"lmt_price": 2.0, "tif": "GTD"}),
        (391, CALL, {"lmt_price": 2.0, "tif": "GTD", "good_till_date": "tomorrow"}),
        (201, CALL, {"lmt_price": 2.0, "tif": "GTD", "good_till_date": "20261123 09:59:00 US/Eastern"}),
        (201, CALL, {"lmt_price": 2.0, "tif": "GTD", "good_till_date": "20261120"}),
        (343, CALL, {"lmt_price": 2.0, "good_after_time": "after lunch"}),
        (387, CALL, {"kind": "BOX TOP"}),
        (434, CALL, {"lmt_price": 2.0, "qty": 0}),
        (439, CALL, {"lmt_price": 2.0, "algo_strategy": "Magic"}),
        (442, CALL, {"lmt_price": 2.0, "algo_strategy": "Vwap", "algo_params": (TagValue("maxPctVol", "2"),)}),
        (10243, CALL, {"lmt_price": 2.0, "qty": 0.5}),
        (10006, CALL, {"lmt_price": 2.0, "parent_id": 77}),
        (201, SPY, {"kind": "MKT", "qty": 4000}),
    ],
)
def test_refusals(trader, code, what, fields):
    answer = trader.place(9, what, **fields)
    assert [(message.req_id, message.code) for message in answer] == [(9, code)]
    assert trader.broker.open_orders() == []
    trader.step()
    assert trader.fills() == []


def test_an_order_whose_time_ran_out_on_its_way_ends_at_once(trader):
    trader.place(1, CALL, lmt_price=2.0, tif="GTD", good_till_date="20261123 09:59:58 US/Eastern")
    trader.step()
    assert trader.errors() == [202] and trader.fills() == []


def test_margin_refusal_says_the_numbers(trader):
    answer = trader.place(1, SPY, qty=4000, kind="MKT")
    assert "EQUITY WITH LOAN VALUE" in answer[0].text
    assert "1200000.00" in answer[0].text


def test_read_only_refuses_everything(make_trader):
    trader = make_trader(read_only=True)
    trader.place(1, CALL, kind="MKT")
    trader.cancel(1)
    trader.broker.global_cancel(1)
    trader.collect()
    assert trader.errors() == [321, 321, 321]


def test_too_many_orders_on_one_side(trader):
    for order_id in range(1, 23):
        trader.place(order_id, CALL, lmt_price=1.0)
    assert trader.errors() == [201, 201]


def test_preset_tif_reports_and_goes_on(make_trader):
    trader = make_trader(preset_tif=True)
    answer = trader.place(1, CALL, kind="MKT", tif="")
    assert (answer[0].code, answer[0].text) == (10349, "Order TIF was set to DAY based on order preset.")
    assert [type(m) for m in answer[1:3]] == [OpenOrder, OrderStatus]
    assert answer[1].order.tif == "DAY"
    trader.step()
    assert trader.status(1).status == "Filled"
    assert trader.place(2, CALL, kind="MKT", tif="DAY")[0].order.tif == "DAY"


# Changes and cancellations


def test_change_of_price_keeps_the_perm_id(trader):
    first = trader.place(1, CALL, lmt_price=1.0)[0].order.perm_id
    answer = trader.place(1, CALL, lmt_price=2.05)
    assert answer[0].order.perm_id == first
    trader.step()
    assert trader.fills()[0].price == 2.05
    assert len({m.order.perm_id for m in trader.messages(OpenOrder)}) == 1


@pytest.mark.parametrize(
    ("code", "fields"),
    [
        (105, {"action": "SELL"}),
        (105, {"what": spy_option("C", 605)}),
        (329, {"kind": "STP", "aux_price": 3.0}),
        (110, {"lmt_price": 1.005}),
        (434, {"qty": 0}),
    ],
)
def test_changes_that_are_refused_leave_the_order_alone(trader, code, fields):
    trader.place(1, CALL, lmt_price=1.0, qty=2)
    answer = trader.place(1, **({"what": CALL, "lmt_price": 1.1, "qty": 2} | fields))
    assert [message.code for message in answer] == [code]
    ((working, status),) = trader.broker.open_orders()
    assert (working.order.lmt_price, working.order.total_quantity, status.status) == (1.0, 2, "Submitted")


def test_same_id_again_never_makes_a_second_order(trader):
    trader.place(1, CALL, kind="MKT")
    trader.step()
    trader.place(1, CALL, kind="MKT")
    trader.place(2, CALL, lmt_price=1.0)
    trader.cancel(2)
    trader.place(2, CALL, lmt_price=1.0)
    assert trader.errors() == [104, 202, 103]
    trader.until(datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    trader.place(1, CALL, kind="MKT")
    trader.step()
    assert trader.errors()[3:] == [103]
    assert len(trader.fills()) == 1


def test_ids_belong_to_clients(trader):
    trader.place(1, CALL, lmt_price=1.0, client_id=1)
    trader.place(1, CALL, lmt_price=1.1, client_id=2)
    assert len(trader.broker.open_orders()) == 2
    assert [opened.order.lmt_price for opened, _ in trader.broker.open_orders(2)] == [1.1]
    assert len({opened.order.perm_id for opened, _ in trader.broker.open_orders()}) == 2
    assert trader.broker.next_order_id(1) == 2
    assert trader.broker.next_order_id(3) == 1


def test_cancel(trader):
    trader.place(1, CALL, lmt_price=1.0)
    answer = trader.cancel(1)
    assert [getattr(m, "code", None) or m.status for m in answer] == [202, "Cancelled"]
    trader.cancel(1)
    trader.cancel(5)
    trader.place(2, CALL, lmt_price=1.0)
    trader.cancel(2, client_id=4)
    assert trader.errors() == [202, 10148, 10147, 10147]
    assert trader.status(2).status == "Submitted"


def test_global_cancel_takes_everybodys_orders(trader):
    trader.place(1, CALL, lmt_price=1.0, client_id=1)
    trader.place(1, CALL, lmt_price=1.0, client_id=2)
    trader.broker.global_cancel(1)
    trader.collect()
    assert trader.broker.open_orders() == []
    assert [event.client_id for event in trader.told if isinstance(event.message, ErrorMessage)] == [1, 2]


def test_what_if_makes_no_order(trader):
    (answer,) = trader.place(1, SPY, qty=100, kind="MKT", what_if=True)
    state = answer.state
    assert answer.order.what_if
    assert state.init_margin_change == pytest.approx(0.5 * 60_000)
    assert state.maint_margin_after == pytest.approx(0.25 * 60_000)
    assert state.equity_with_loan_before == 1_000_000
    assert 0.35 < state.commission < 1
    trader.step()
    assert trader.fills() == []
    assert trader.broker.open_orders() == []
    assert trader.place(1, SPY, qty=100, kind="MKT")[0].state.status == "PreSubmitted"


def test_what_if_of_a_credit_spread_needs_its_width(trader):
    spread = trader.combo((spy_option("P", 595), 1, "SELL"), (spy_option("P", 590), 1, "BUY"))
    (answer,) = trader.place(1, spread, lmt_price=-0.10, what_if=True)
    assert answer.state.init_margin_change == 500
    assert answer.state.commission == pytest.approx(1.30, abs=0.15)


def test_executions_are_filtered(trader):
    trader.place(1, CALL, kind="MKT", order_ref="mine")
    trader.place(1, SPY, kind="MKT", client_id=2)
    trader.step()
    trader.place(2, SPY, "SELL", kind="MKT")
    trader.step()

    def found(**fields):
        return [(fill.contract.sec_type, fill.side) for fill, _ in trader.broker.executions(ReqExecutions(5, **fields))]

    assert found() == [("OPT", "BOT"), ("STK", "BOT"), ("STK", "SLD")]
    assert found(client_id=2) == [("STK", "BOT")]
    assert found(side="SELL") == [("STK", "SLD")]
    assert found(sec_type="OPT", symbol="SPY") == [("OPT", "BOT")]
    assert found(time="20261123 10:30:00 US/Eastern") == []
    fill, report = trader.broker.executions(ReqExecutions(5))[0]
    assert (fill.req_id, fill.order_ref, report.exec_id) == (5, "mine", fill.exec_id)
    assert fill.time == "20261123 10:00:00 America/New_York"
