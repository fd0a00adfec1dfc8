"""IB's own examples of tiered commissions, and how an order's fills share its minimum."""

from __future__ import annotations

import pytest

from bifrost_lib.sim.broker.commissions import (
    MonthlyVolume,
    OrderBill,
    option_commission,
    option_fees,
    stock_commission,
    stock_fees,
)


@pytest.mark.parametrize(
    ("traded", "qty", "premium", "shown"),
    [
        # interactivebrokers.ca, "Commissions Options", tiered examples.
        (0, 1, 2.0, 1.00), (0, 2, 5.0, 1.30), (0, 3, 0.075, 1.50), (0, 5, 0.03, 1.25),
        (10_000, 1, 2.0, 1.00), (10_000, 2, 5.0, 1.00), (10_000, 3, 0.075, 1.50), (10_000, 5, 0.03, 1.25),
        (50_000, 1, 2.0, 1.00), (50_000, 2, 5.0, 1.00), (50_000, 5, 2.0, 1.25),
        (100_000, 1, 2.0, 1.00), (100_000, 5, 5.0, 1.00), (100_000, 7, 2.0, 1.05),
    ],
)  # fmt: skip
def test_published_examples(traded, qty, premium, shown):
    assert max(option_commission(qty, premium, traded), 1.0) == pytest.approx(shown)


def test_published_example_of_stock():
    # The same source: 30,000,000 shares; the first tiers cost 1,050, 5,400, 25,500 and 10,000.
    assert stock_commission(30_000_000) == pytest.approx(1_050 + 5_400 + 25_500 + 10_000)
    assert stock_commission(200_000) == pytest.approx(700)


def test_tiers_are_marginal():
    assert option_commission(2, 1.0, 9_999) == pytest.approx(0.65 + 0.50)


def test_fees_of_sales_are_higher():
    assert option_fees(1, 2.0, 100.0, sale=False) == pytest.approx(0.02685 + 0.02)
    assert option_fees(1, 2.0, 100.0, sale=True) == pytest.approx(0.02685 + 0.02 + 200 * 0.0000278 + 0.00279)
    assert option_fees(5_000, 0.0, 100.0, sale=False) == pytest.approx(5_000 * 0.02685 + 55)
    assert stock_fees(100_000, 10.0, sale=True) == pytest.approx(27.2 + 1_000_000 * 0.0000278 + 8.30)


def _charges(fills, **kind):
    bill, volume = OrderBill(), MonthlyVolume()
    for qty in fills:
        bill.charge(qty=qty, sale=False, volume=volume, **kind)
    return bill.own, volume


@pytest.mark.parametrize("fills", [[10], [1] * 10, [3, 3, 4]])
def test_parts_of_an_order_cost_what_the_whole_costs(fills):
    own, volume = _charges(fills, is_option=True, price=2.0, multiplier=100.0)
    assert own == pytest.approx(6.50)
    assert volume.contracts == 10


def test_minimum_comes_with_the_first_fill():
    bill, volume = OrderBill(), MonthlyVolume()
    fill = {"is_option": True, "qty": 1.0, "price": 2.0, "multiplier": 100.0, "sale": False, "volume": volume}
    assert bill.charge(**fill) == pytest.approx(1.00 + 0.04685)
    assert bill.charge(**fill) == pytest.approx(0.30 + 0.04685)


def test_stock_minimum_and_maximum():
    assert _charges([10], is_option=False, price=100.0, multiplier=1.0)[0] == pytest.approx(0.35)
    assert _charges([10], is_option=False, price=1.0, multiplier=1.0)[0] == pytest.approx(0.10)
    assert _charges([1000], is_option=False, price=100.0, multiplier=1.0)[0] == pytest.approx(3.50)
