"""Implied volatility of American options: what the price carries comes back, and a reason where it carries none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing import american_greeks, american_implied_vol, american_price, implied_vol, price

PUT = {"spot": 100.0, "strike": 110.0, "tau": 0.5, "right": "P", "rate": 0.05, "div_yield": 0.01}


@given(
    spot=st.floats(60, 160),
    tau=st.floats(1 / 365, 3),
    vol=st.floats(0.05, 1.2),
    right=st.sampled_from("CP"),
    rate=st.floats(0, 0.12),
    div_yield=st.floats(0, 0.12),
    accuracy=st.sampled_from(["fast", "default"]),
)
@settings(max_examples=200, deadline=None)
def test_what_the_price_carries_is_recovered(spot, tau, vol, right, rate, div_yield, accuracy):
    option = {"spot": spot, "strike": 100.0, "tau": tau, "right": right, "rate": rate, "div_yield": div_yield}
    value = american_price(**option, vol=vol, accuracy=accuracy)
    intrinsic = max(spot - 100 if right == "C" else 100 - spot, 0.0)
    assume(value > intrinsic + 1e-3)
    slope = american_greeks(**option, vol=vol)["vega"]
    assume(slope > 0.1)
    found, status = american_implied_vol(price=value, **option, accuracy=accuracy, return_status=True)
    assert status == Quality.OK
    # at the passage from one preset to the next, two volatilities a little apart have the same price
    assert (
        found == pytest.approx(vol, abs=1e-9 if accuracy == "default" else 1e-6)
        or abs(american_price(**option, vol=found, accuracy=accuracy) - value) < 1e-7
    )


def test_a_surface_of_options_in_one_call():
    strike, tau = np.meshgrid(np.linspace(80, 120, 9), [0.1, 0.5, 1.0])
    vol = 0.2 + 0.1 * np.log(strike / 100) ** 2 + 0.02 * tau
    option = {"spot": 100.0, "strike": strike, "tau": tau, "right": "P", "rate": 0.04, "div_yield": 0.02}
    value = american_price(vol=vol, **option)
    carries = value > np.maximum(strike - 100.0, 0) + 1e-6
    np.testing.assert_allclose(american_implied_vol(price=value, **option)[carries], vol[carries], rtol=1e-7)


def test_it_is_lower_than_the_european_of_the_same_price():
    value = american_price(vol=0.3, **PUT)
    assert american_implied_vol(price=value, **PUT) == pytest.approx(0.3, abs=1e-10)
    assert implied_vol(price=value, **PUT) > 0.31


def test_european_where_exercise_is_never_right():
    option = {"spot": 100.0, "strike": [80.0, 100.0, 150.0], "tau": 0.3, "right": "C", "rate": 0.05}
    value = price(vol=0.4, **option)
    np.testing.assert_allclose(
        american_implied_vol(price=value, **option), implied_vol(price=value, **option), rtol=1e-14
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": 9.0}, Quality.BELOW_INTRINSIC),
        ({"price": -1.0, "strike": 90.0}, Quality.BELOW_INTRINSIC),
        ({"price": 10.0}, Quality.NO_IV),
        ({"price": 0.0, "strike": 90.0}, Quality.NO_IV),
        ({"price": 110.0}, Quality.ABOVE_MAXIMUM),
        ({"price": math.nan}, Quality.NO_QUOTE),
        ({"price": 12.0, "spot": math.nan}, Quality.NO_SPOT),
        ({"price": 12.0, "tau": 0.0}, Quality.EXPIRED),
        ({"price": 12.0, "rate": math.nan}, Quality.NO_IV),
    ],
)
def test_no_volatility_has_a_reason(change, reason):
    found, status = american_implied_vol(**PUT | change, return_status=True)
    assert math.isnan(found)
    assert status == reason


def test_reasons_inside_a_batch_leave_the_others_alone():
    value = np.array([9.0, american_price(vol=0.25, **PUT), math.nan, 200.0])
    found, status = american_implied_vol(price=value, **PUT, return_status=True)
    assert found[1] == pytest.approx(0.25, abs=1e-10)
    assert np.isnan(found[[0, 2, 3]]).all()
    assert list(status) == [Quality.BELOW_INTRINSIC, Quality.OK, Quality.NO_QUOTE, Quality.ABOVE_MAXIMUM]


def test_two_boundaries():
    option = {"spot": 90.0, "strike": 100.0, "tau": 1.0, "right": "P", "rate": -0.01, "div_yield": -0.03}
    value = american_price(vol=0.25, **option)
    assert american_implied_vol(price=value, **option) == pytest.approx(0.25, abs=1e-6)


def test_refusals_name_the_argument():
    with pytest.raises(InputError) as refused:
        american_implied_vol(**PUT | {"price": 1.0, "strike": -5.0})
    assert refused.value.name == "strike"
