"""Regulation T margins against what Interactive Brokers asked for, and against the rules' text.

Of its 32 known figures 20 are here, within 2 %. Of the others, the in-the-money short call, straddle, strangle,
call calendar and covered call were shown at prices that are not known (a spot of 418 to 431 explains each, the one that
is told beside them does not), and the put calendar at a premium of 1.21. The rest are rules of its house; see
`bifrost_lib.strategies.margins.regulation_t`.
"""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.strategies import evaluate
from bifrost_lib.strategies.margins.margin_grouping import Holdings, least_requirement
from bifrost_lib.strategies.margins.regulation_t import margins_of_one_expiry


def _margin(legs, *, spot, broad_index=False):
    return evaluate(legs=legs, spot=spot, vol=0.2, tau=0.1, broad_index=broad_index)["margin"]


def _leg(right, qty, strike, price):
    return {"right": right, "qty": qty, "strike": strike, "price": price}


@pytest.mark.parametrize(
    ("right", "strike", "price", "shown"),
    [
        ("C", 300, 115.75, 19837), ("P", 300, 0.45, 3044), ("C", 390, 27.5, 11022),
        ("P", 390, 1.85, 6042), ("C", 430, 0.85, 6803), ("P", 430, 16.80, 9929),
    ],
)  # fmt: skip
def test_naked_options_on_a_stock(right, strike, price, shown):
    # Shown by Interactive Brokers for SPY at 415, as quoted in the tests of QuantConnect LEAN.
    assert _margin([_leg(right, -1, strike, price)], spot=415) == pytest.approx(shown, rel=0.02)


@pytest.mark.parametrize(
    ("right", "strike", "price", "shown"),
    [("C", 3800, 750, 143275), ("P", 3800, 0.05, 38000), ("C", 5000, 0.05, 45537), ("P", 5000, 445, 112876)],
)
def test_naked_options_on_a_broad_index(right, strike, price, shown):
    # Likewise, SPX at 4550.
    assert _margin([_leg(right, -1, strike, price)], spot=4550, broad_index=True) == pytest.approx(shown, rel=0.02)


@pytest.mark.parametrize(
    ("name", "legs", "shown"),
    [
        ("credit vertical", [("C", -1, 300), ("C", 1, 310)], 1000),
        ("debit vertical", [("C", 1, 300), ("C", -1, 310)], 0),
        ("short call butterfly", [("C", -1, 300), ("C", 2, 310), ("C", -1, 320)], 1000),
        ("iron butterfly", [("P", 1, 300), ("P", -1, 310), ("C", -1, 310), ("C", 1, 320)], 1010),
        ("iron condor", [("P", 1, 300), ("P", -1, 310), ("C", -1, 320), ("C", 1, 330)], 1001),
        ("short box", [("C", -1, 300), ("P", 1, 300), ("C", 1, 320), ("P", -1, 320)], 2000),
    ],
)
def test_covered_structures_need_their_largest_loss(name, legs, shown):
    # Likewise, SPY at 410.
    found = _margin([_leg(*leg, 5.0) for leg in legs], spot=410)
    assert found == pytest.approx(shown, rel=0.02, abs=1e-9), name


def test_unequal_condor_needs_its_wider_wing():
    legs = [("P", 1, 295), ("P", -1, 310), ("C", -1, 320), ("C", 1, 330)]
    assert _margin([_leg(*leg, 5.0) for leg in legs], spot=410) == 1500


@pytest.mark.parametrize(
    ("name", "legs", "spot", "shown"),
    [
        ("collar", [("P", 1, 514), ("C", -1, 534)], 524.62, 26231),
        ("conversion", [("P", 1, 524), ("C", -1, 524)], 524.63, 26231),
    ],
)
def test_stock_needs_half_and_covers_its_call(name, legs, spot, shown):
    # Likewise, at the spot given.
    found = _margin([{"right": "S", "qty": 1}, *(_leg(*leg, 5.0) for leg in legs)], spot=spot)
    assert found == pytest.approx(shown, rel=1e-4), name


def test_strangle_needs_the_greater_side_and_the_other_premium():
    call, put = _leg("C", -1, 430, 2.0), _leg("P", -1, 390, 3.0)
    sides = _margin([call], spot=410), _margin([put], spot=410)
    assert sides == (8200 - 2000 + 200, 8200 - 2000 + 300)
    assert _margin([call, put], spot=410) == max(sides[0] + 300, sides[1] + 200)


def test_ratio_leaves_the_furthest_call_naked():
    legs = [_leg("C", 1, 400, 15.0), _leg("C", -1, 410, 9.0), _leg("C", -1, 430, 2.0)]
    assert _margin(legs, spot=410) == _margin(legs[2:], spot=410)


def test_jade_lizard_is_a_put_and_a_spread_or_a_strangle_whichever_needs_less():
    put, call, wing = _leg("P", -1, 390, 3.0), _leg("C", -1, 430, 2.0), _leg("C", 1, 440, 1.0)
    apart, strangle = _margin([put], spot=410) + 1000, _margin([put, call], spot=410)
    assert strangle < apart
    assert _margin([put, call, wing], spot=410) == strangle
    near = {**wing, "strike": 432}
    assert _margin([put, call, near], spot=410) == _margin([put], spot=410) + 200 < strangle + 200


def test_stock_covers_only_as_many_calls_as_it_has_shares():
    shares, calls = {"right": "S", "qty": 1}, _leg("C", -2, 430, 2.0)
    assert _margin([shares, calls], spot=410) == 0.5 * 41000 + _margin([{**calls, "qty": -1}], spot=410)


def _kept(legs, *, spot, stock=0):
    shares = [{"right": "S", "qty": stock}] if stock else []
    return evaluate(legs=[*shares, *(_leg(*leg) for leg in legs)], spot=spot, vol=0.2, tau=0.1)["maintenance_margin"]


@pytest.mark.parametrize(
    ("legs", "spot", "stock", "shown"),
    [
        ([("P", 1, 514, 5.0), ("C", -1, 534, 5.0)], 524.62, 1, 6202),
        ([("P", 1, 524, 5.0), ("C", -1, 524, 5.0)], 524.63, 1, 5303),
        ([("P", -1, 524, 5.0), ("C", 1, 524, 5.0)], 524.61, -1, 5240),
        ([("P", 1, 300, 0.02)], 410, 1, 10276),
        ([("P", -1, 300, 0.02)], 410, -1, 12331.38),
        ([("P", -1, 300, 0.02)], 410, 0, 3000),
        ([("C", 1, 300, 112.0), ("C", -1, 310, 100.0)], 410, 0, 0),
    ],
)
def test_what_must_remain_with_shares(legs, spot, stock, shown):
    # Likewise: collar, conversion, reverse conversion, protective and covered put, short put, debit vertical.
    assert _kept(legs, spot=spot, stock=stock) == pytest.approx(shown, rel=0.01)


def test_every_grouping_tried_is_what_the_integer_programme_finds():
    rng = np.random.default_rng(7)
    for _ in range(60):
        size = int(rng.integers(1, 6))
        strike, price = rng.integers(60, 140, size).astype(float), rng.integers(1, 20, size).astype(float)
        qty, is_call = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0], size), rng.random(size) < 0.5
        stock = float(rng.choice([-1, 0, 0, 1]))
        held = Holdings(strike, price, qty, is_call, np.zeros(size), stock, 100.0, 0.2)
        tried = margins_of_one_expiry(strike[None], price[None], qty, is_call, stock, 100.0, 0.2)[0]
        assert tried == pytest.approx(least_requirement(held, maintenance=False), abs=1e-8)


def test_a_later_bought_option_covers_and_an_earlier_one_does_not():
    short, later, earlier = ({**_leg("C", qty, 100, 3.0), "tau": tau} for qty, tau in ((-1, 0.2), (1, 0.3), (1, 0.1)))
    naked = _margin([short], spot=100)
    assert _margin([short, later], spot=100) == 0
    assert _margin([short, earlier], spot=100) == naked


def test_time_spreads_of_both_sides_need_the_greater_loss():
    # A double diagonal whose bought wings are 5 and 10 further out: only one side can lose.
    legs = [("P", -1, 95, 0.1), ("P", 1, 90, 0.2), ("C", -1, 105, 0.1), ("C", 1, 115, 0.2)]
    found = _margin([{**_leg(right, qty, strike, 1.0), "tau": tau} for right, qty, strike, tau in legs], spot=100)
    assert found == 1000
