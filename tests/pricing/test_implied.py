"""Implied volatility: recovered to the last digits, for every price that has one, with a reason where there is none."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing import greeks, implied_vol, price


def _hard_grid():
    with mp.workdps(50):
        for ratio in (0.2, 0.4, 0.8, 0.95, 1 - 1e-3, 1 - 1e-6, 1.0, 1 + 1e-9, 1 + 1e-4, 1.05, 1.3, 2.0, 4.0):
            for tau in (1 / 365, 7 / 365, 0.25, 1.0, 2.0):
                for vol in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0):
                    strike, sign = 100.0 * ratio, 1 if ratio >= 1 else -1
                    s = mp.mpf(vol) * mp.sqrt(mp.mpf(tau))
                    d1 = mp.log(mp.mpf(100.0) / mp.mpf(strike)) / s + s / 2
                    value = sign * (100 * mp.ncdf(sign * d1) - mp.mpf(strike) * mp.ncdf(sign * (d1 - s)))
                    yield strike, tau, vol, sign == 1, float(value)


def test_hard_grid_to_the_last_digits():
    strike, tau, vol, is_call, value = map(np.array, zip(*_hard_grid(), strict=True))
    solvable = value > 1e-280
    found, status = implied_vol(price=value, spot=100.0, strike=strike, tau=tau, right=is_call, return_status=True)
    assert (status[solvable] == Quality.OK).all()
    assert solvable.sum() > 300
    np.testing.assert_allclose(found[solvable], vol[solvable], rtol=4e-14)


def test_prices_down_to_1e_280_are_solved():
    with mp.workdps(60):
        for strike, tau in ((250.0, 0.1), (100.5, 1 / 365), (400.0, 2.0)):
            for exponent in (-12, -50, -150, -280):
                found = implied_vol(price=10.0**exponent, spot=100.0, strike=strike, tau=tau, right="C")
                s = mp.mpf(float(found)) * mp.sqrt(mp.mpf(tau))
                d1 = mp.log(100 / mp.mpf(strike)) / s + s / 2
                value = 100 * mp.ncdf(d1) - mp.mpf(strike) * mp.ncdf(d1 - s)
                assert abs(mp.log(value / mp.mpf(10.0**exponent))) < 2e-14 * float(d1 * d1 + 1)


@given(
    moneyness=st.floats(-1.5, 1.5),
    tau=st.floats(1 / 365, 2),
    vol=st.floats(0.01, 3),
    rate=st.floats(-0.02, 0.1),
    div_yield=st.floats(0, 0.08),
    right=st.sampled_from("CP"),
)
@settings(max_examples=300, deadline=None)
def test_what_the_price_carries_is_recovered(moneyness, tau, vol, rate, div_yield, right):
    option = {
        "spot": 100.0,
        "strike": 100 * np.exp(moneyness),
        "tau": tau,
        "right": right,
        "rate": rate,
        "div_yield": div_yield,
    }
    value, vega = price(**option, vol=vol), greeks(**option, vol=vol)["vega"]
    rounding = 5e-16 * (100 + option["strike"])
    assume(value > 1e-280 and vega * vol > 1e6 * rounding)
    assert implied_vol(price=value, **option) == pytest.approx(vol, abs=1e-13 * vol + 4 * rounding / vega)


def test_equals_the_reference_solver(quotes):
    value = price(**quotes)
    option = {name: values for name, values in quotes.items() if name != "vol"}
    few = {name: values[:60] for name, values in option.items()}
    reference = implied_vol(price=value[:60], **few, method="lets_be_rational")
    ours, status = implied_vol(price=value[:60], **few, return_status=True)
    carried = (status == Quality.OK) & (greeks(**few, vol=quotes["vol"][:60])["vega"] > 1e-3)
    assert carried.sum() > 40
    np.testing.assert_allclose(ours[carried], reference[carried], rtol=1e-10)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(reference))


NO_SOLUTION = [
    ({"price": -0.01}, Quality.BELOW_INTRINSIC),
    ({"price": 19.9, "strike": 80.0}, Quality.BELOW_INTRINSIC),
    ({"price": 9.9, "strike": 110.0, "right": "P"}, Quality.BELOW_INTRINSIC),
    ({"price": 0.0}, Quality.NO_IV),
    ({"price": 20.0, "strike": 80.0}, Quality.NO_IV),
    ({"price": 100.0}, Quality.ABOVE_MAXIMUM),
    ({"price": 150.0}, Quality.ABOVE_MAXIMUM),
    ({"price": 110.0, "strike": 110.0, "right": "P"}, Quality.ABOVE_MAXIMUM),
    ({"price": 5.0, "tau": 0.0}, Quality.EXPIRED),
    ({"price": np.nan}, Quality.NO_QUOTE),
    ({"price": 5.0, "spot": np.nan}, Quality.NO_SPOT),
    ({"price": 5.0, "rate": np.nan}, Quality.NO_IV),
]


@pytest.mark.parametrize(("changes", "reason"), NO_SOLUTION)
@pytest.mark.parametrize("method", ["householder", "lets_be_rational"])
def test_no_volatility_has_a_reason(changes, reason, method):
    option = {"spot": 100.0, "strike": 100.0, "tau": 0.5, "right": "C"} | changes
    found, status = implied_vol(**option, method=method, return_status=True)
    assert np.isnan(found)
    assert Quality(int(status)) is reason


def test_one_bad_price_does_not_disturb_its_neighbours():
    value = np.array([5.0, -1.0, np.nan, 5.0, 200.0, 5.0])
    found = implied_vol(price=value, spot=100.0, strike=100.0, tau=0.5, right="C")
    np.testing.assert_array_equal(np.isnan(found), [False, True, True, False, True, False])
    assert found[0] == found[3] == found[5]


def test_deep_in_the_money_carries_what_time_value_is_left():
    option = {"spot": 100.0, "strike": 60.0, "tau": 0.5, "right": "C"}
    value = price(**option, vol=0.3)
    assert implied_vol(price=value, **option) == pytest.approx(0.3, rel=1e-11)
    assert implied_vol(price=float(np.nextafter(40.0, 41.0)), **option, return_status=True)[1] == Quality.NO_IV


@pytest.mark.parametrize(("name", "wrong"), [
    ("spot", 0.0), ("strike", -5.0), ("tau", -1.0), ("right", "straddle"), ("method", "bisection"),
])  # fmt: skip
def test_a_value_outside_its_domain_is_named(name, wrong):
    with pytest.raises(InputError) as refused:
        implied_vol(**({"price": 5.0, "spot": 100.0, "strike": 100.0, "tau": 0.5, "right": "C"} | {name: wrong}))
    assert refused.value.name == name


def test_shapes():
    assert isinstance(implied_vol(price=5.0, spot=100.0, strike=100.0, tau=0.5, right="C"), float)
    found, status = implied_vol(
        price=np.full((2, 1), 5.0), spot=100.0, strike=np.array([95.0, 100.0, 105.0]), tau=0.5, right="P",
        return_status=True,
    )  # fmt: skip
    assert found.shape == status.shape == (2, 3)
    assert status.dtype == np.int8
