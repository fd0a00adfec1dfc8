"""Measures of concrete legs against published numbers, and at their edges."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime

import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import price
from bifrost_lib.strategies import evaluate

CONDOR = [
    {"right": "P", "qty": 1, "strike": 85},
    {"right": "P", "qty": -1, "strike": 90},
    {"right": "C", "qty": -1, "strike": 110},
    {"right": "C", "qty": 1, "strike": 115},
]
MARKET = {"spot": 100.0, "vol": 0.25, "rate": 0.03, "tau": 45 / 365}


def test_iron_condor_reference():
    # Reference: S=100, vol 25 %, r=3 %, 45 days, 85/90/110/115, credit 1.20: POP .7987985, expected value .402485.
    found = evaluate(legs=CONDOR, **MARKET, premium=1.20, multiplier=1)
    assert found["pop"] == pytest.approx(0.7987985, abs=5e-8)
    assert found["ev"] == pytest.approx(0.402485, abs=5e-7)
    assert (found["max_profit"], found["max_loss"], found["margin"]) == (1.2, 3.8, 5.0)
    assert found["breakevens"] == pytest.approx([88.8, 111.2], abs=1e-12)
    assert found["return_on_risk"] == pytest.approx(1.2 / 3.8, rel=1e-15)


def test_multiplier_scales_money_and_nothing_else():
    share = evaluate(legs=CONDOR, **MARKET, premium=1.20, multiplier=1)
    contract = evaluate(legs=CONDOR, **MARKET, premium=120.0, multiplier=100)
    for name in ("max_profit", "max_loss", "ev", "margin", "delta", "vega"):
        assert contract[name] == pytest.approx(100 * share[name], rel=1e-12)
    assert contract["pop"] == share["pop"]
    assert contract["breakevens"] == pytest.approx(share["breakevens"], rel=1e-14)


def test_fractional_quantities_that_cancel_leave_no_slope():
    # 0.1 + 0.2 - 0.3 is not zero in floating point, but no unbounded profit either.
    legs = [{"right": "C", "qty": qty, "strike": strike} for qty, strike in ((0.1, 90), (0.2, 95), (-0.3, 110))]
    found = evaluate(legs=legs, **MARKET, premium=-1.0, multiplier=1)
    assert not found["max_profit_unbounded"]
    assert found["max_profit"] == pytest.approx(0.1 * 20 + 0.2 * 15 - 1.0)
    assert len(found["breakevens"]) == 1


def test_flat_stretch_at_zero_breaks_even_at_its_ends_and_is_no_profit():
    free_butterfly = [{"right": "C", "qty": qty, "strike": strike} for qty, strike in ((1, 95), (-2, 100), (1, 105))]
    found = evaluate(legs=free_butterfly, **MARKET, premium=0.0, multiplier=1)
    assert found["breakevens"] == [95, 105]
    between = evaluate(legs=[{**free_butterfly[0], "qty": 1}], **MARKET, premium=0.0, multiplier=1)["pop"]
    above = evaluate(legs=[{**free_butterfly[2], "qty": 1}], **MARKET, premium=0.0, multiplier=1)["pop"]
    assert found["pop"] == pytest.approx(between - above, abs=1e-15)
    assert found["max_loss"] == 0
    assert found["return_on_risk"] is None


def test_touch_is_a_breakeven_but_no_loss():
    straddle = [{"right": right, "qty": 1, "strike": 100} for right in "CP"]
    found = evaluate(legs=straddle, **MARKET, premium=0.0, multiplier=1)
    assert found["breakevens"] == [100]
    assert found["pop"] == pytest.approx(1.0, abs=1e-15)


def test_unbounded_is_none_with_a_flag():
    call = [{"right": "C", "qty": -1, "strike": 110}]
    found = evaluate(legs=call, **MARKET, premium=150.0)
    assert (found["max_loss"], found["max_loss_unbounded"], found["return_on_risk"]) == (None, True, None)
    assert (found["max_profit"], found["max_profit_unbounded"]) == (150.0, False)


def test_stock_leg_counts_in_contracts_and_in_the_premium():
    covered = [{"right": "S", "qty": 1}, {"right": "C", "qty": -1, "strike": 105, "price": 2.0}]
    found = evaluate(legs=covered, **MARKET)
    assert found["premium"] == -(100 - 2) * 100
    assert found["max_profit"] == (105 - 98) * 100
    assert found["max_loss"] == 98 * 100
    assert found["breakevens"] == [98]
    assert found["margin"] == 5000  # Regulation T: half of the stock, nothing for the covered call
    assert 0 < found["delta"] < 100


def test_premium_comes_from_prices_then_from_the_model():
    legs = [{"right": "C", "qty": 1, "strike": 100, "price": 4.0}, {"right": "C", "qty": -1, "strike": 105, "iv": 0.3}]
    short = price(spot=100, strike=105, tau=45 / 365, vol=0.3, right="C", rate=0.03)
    assert evaluate(legs=legs, **MARKET)["premium"] == pytest.approx(-400 + 100 * short, rel=1e-13)


def test_fair_structure_expects_the_interest_on_its_premium():
    # At model prices E[payoff] = premium paid * e^(r tau): the expected profit is the interest and nothing else.
    found = evaluate(legs=CONDOR, **MARKET)
    assert found["ev"] == pytest.approx(found["premium"] * (1 - math.exp(0.03 * 45 / 365)), abs=1e-10)


@pytest.mark.parametrize(("vol", "tau"), [(0.0, 0.1), (0.25, 0.0)])
def test_without_time_or_volatility_the_outcome_is_certain(vol, tau):
    found = evaluate(legs=CONDOR, spot=100, vol=vol, tau=tau, premium=1.20, multiplier=1)
    assert (found["pop"], found["ev"]) == (1.0, 1.2)
    on_the_edge = evaluate(legs=CONDOR, spot=111.2, vol=vol, tau=tau, premium=1.20, multiplier=1)
    assert on_the_edge["pop"] == 0.0


def test_calendar_is_judged_at_the_first_expiry():
    legs = [
        {"right": "C", "qty": -1, "strike": 100, "tau": 30 / 365},
        {"right": "C", "qty": 1, "strike": 100, "tau": 60 / 365},
    ]
    found = evaluate(legs=legs, spot=100, vol=0.25, rate=0.03, multiplier=1)
    later = price(spot=100, strike=100, tau=30 / 365, vol=0.25, right="C", rate=0.03)
    assert found["max_loss"] == pytest.approx(-found["premium"], rel=1e-9)
    assert found["max_profit"] == pytest.approx(found["premium"] + later, rel=1e-9)  # the peak is at the strike
    assert found["margin"] == 0
    low, high = found["breakevens"]
    for root in (low, high):
        value = price(spot=root, strike=100, tau=30 / 365, vol=0.25, right="C", rate=0.03)
        assert found["premium"] + value - max(root - 100, 0) == pytest.approx(0, abs=1e-9)
    straddling = [{"right": "C", "qty": 1, "strike": edge} for edge in (low, high)]
    above = [
        evaluate(legs=[leg], spot=100, vol=0.25, rate=0.03, tau=30 / 365, premium=0.0)["pop"] for leg in straddling
    ]
    assert found["pop"] == pytest.approx(above[0] - above[1], abs=1e-9)
    # With one volatility throughout, no dividends and no early exercise, calendars are fair but for interest.
    assert found["ev"] == pytest.approx(found["premium"] * (1 - math.exp(0.03 * 30 / 365)), abs=1e-6)


def test_short_calendar_is_naked_because_its_long_leg_dies_first():
    legs = [{"right": "C", "qty": 1, "strike": 100, "tau": 0.1}, {"right": "C", "qty": -1, "strike": 100, "tau": 0.2}]
    found = evaluate(legs=legs, spot=100, vol=0.25)
    naked = evaluate(legs=legs[1:], spot=100, vol=0.25)
    assert found["margin"] == naked["margin"]


def test_expiries_count_from_at():
    at = datetime(2026, 8, 12, 20, tzinfo=UTC)
    dated = evaluate(legs=[{**leg, "expiry": date(2026, 9, 18)} for leg in CONDOR], spot=100, vol=0.25, at=at)
    plain = evaluate(legs=CONDOR, spot=100, vol=0.25, tau=37 / 365)
    assert dated == plain


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"legs": []}, "legs"),
        ({"legs": [{"right": "X", "qty": 1, "strike": 100}]}, "legs[0].right"),
        ({"legs": [CONDOR[0], {"right": "C", "qty": 0, "strike": 100}]}, "legs[1].qty"),
        ({"legs": [{"right": "C", "qty": 1, "strike": -5}]}, "legs[0].strike"),
        ({"legs": [{"right": "C", "qty": 1}]}, "legs[0].strike"),
        ({"legs": [{"right": "C", "qty": "two", "strike": 100}]}, "legs[0].qty"),
        ({"legs": [{"right": "C", "qty": 1, "strike": 100, "tau": -1}]}, "legs[0].tau"),
        ({"legs": [{"right": "C", "qty": 1, "strike": 100, "expiry": "soon"}]}, "legs[0].expiry"),
        ({"tau": None}, "tau"),
        ({"spot": 0}, "spot"),
        ({"spot": "much"}, "spot"),
        ({"vol": -0.1}, "vol"),
        ({"vol": math.nan}, "vol"),
        ({"multiplier": 0}, "multiplier"),
        ({"premium": math.inf}, "premium"),
    ],
)
def test_errors_name_the_argument(change, name):
    at = datetime(2026, 8, 12, 20, tzinfo=UTC)
    with pytest.raises(InputError) as caught:
        evaluate(**{"legs": CONDOR, **MARKET, "at": at, **change})
    assert caught.value.name == name


def test_unknown_leg_key_suggests_the_nearest():
    with pytest.raises(UnknownNameError) as caught:
        evaluate(legs=[{"right": "C", "qty": 1, "stirke": 100}], **MARKET)
    assert caught.value.nearest == "strike"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"legs": "condor"}, "legs"),
        ({"legs": {"right": "P"}}, "legs"),
        ({"legs": [7]}, "legs[0]"),
        ({"legs": [{"right": "P", "qty": "1", "strike": 95}]}, "legs[0].qty"),
        ({"legs": [{"right": "P", "qty": True, "strike": 95}]}, "legs[0].qty"),
        ({"legs": [{"right": "P", "qty": 10**400, "strike": 95}]}, "legs[0].qty"),
        ({"legs": [{"right": "P", "qty": 1, "strike": 95, "expiry": "soon"}]}, "legs[0].expiry"),
        ({"spot": "100"}, "spot"),
        ({"spot": 10**400}, "spot"),
        ({"tau": "short"}, "tau"),
        ({"tau": None, "legs": [{"right": "P", "qty": 1, "strike": 95, "expiry": "2026-09-18"}]}, "tau"),
    ],
)
def test_what_is_no_number_is_named(wrong, name):
    asked = {"legs": [{"right": "P", "qty": -1, "strike": 95}], "spot": 100, "vol": 0.2, "tau": 0.1} | wrong
    with pytest.raises(InputError) as refused:
        evaluate(**asked)
    assert refused.value.name == name


def test_without_a_moment_tau_is_that_of_the_first_expiry():
    dated = [
        {"right": "C", "qty": qty, "strike": 100, "expiry": expiry}
        for qty, expiry in ((-1, "2026-09-18"), (1, date(2026, 10, 16)))
    ]
    timed = [{**leg, "tau": tau} for leg, tau in zip(dated, (0.1, 0.1 + 28 / 365), strict=True)]
    asked = {"spot": 100, "vol": 0.2, "tau": 0.1}
    assert evaluate(legs=dated, **asked) == evaluate(legs=timed, **asked)


def test_next_to_no_volatility_is_no_trouble():
    found = evaluate(legs=[{"right": "P", "qty": -1, "strike": 95}], spot=100, vol=1e-12, rate=0.03, tau=0.1, premium=5)
    assert found["pop"] == 1.0
    assert found["prob_half_profit_touch"] == 1.0
