"""Profit over prices of the underlying, for drawings."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.strategies import payoff_at_expiry, value_before_expiry

LEGS = [
    {"right": "S", "qty": 1, "price": 100.0},
    {"right": "C", "qty": -2, "strike": 110.0, "price": 1.5, "iv": 0.2},
    {"right": "P", "qty": 1, "strike": 95.0, "price": 1.0, "iv": 0.3},
]
SPOT = np.array([0.0, 90.0, 100.0, 120.0])


def test_payoff_is_the_sum_of_the_legs():
    per_share = SPOT - 2 * np.maximum(SPOT - 110, 0) + np.maximum(95 - SPOT, 0)
    np.testing.assert_allclose(payoff_at_expiry(legs=LEGS, spot=SPOT), 100 * (per_share - 100 + 3 - 1), atol=1e-9)
    np.testing.assert_allclose(payoff_at_expiry(legs=LEGS, spot=SPOT, premium=0, multiplier=1), per_share, atol=1e-12)


def test_value_reaches_the_payoff_at_expiry():
    spot = SPOT[1:]
    at_end = value_before_expiry(legs=LEGS, spot=spot, tau=0.25, elapsed=0.25)
    np.testing.assert_array_equal(at_end, payoff_at_expiry(legs=LEGS, spot=spot))


def test_value_before_expiry_uses_each_legs_own_volatility_and_time():
    legs = [LEGS[1], {**LEGS[2], "tau": 0.5}]
    found = value_before_expiry(legs=legs, spot=SPOT[1:], tau=0.25, elapsed=0.1, rate=0.03)
    call = price(spot=SPOT[1:], strike=110, tau=0.15, vol=0.2, right="C", rate=0.03)
    put = price(spot=SPOT[1:], strike=95, tau=0.4, vol=0.3, right="P", rate=0.03)
    np.testing.assert_allclose(found, 100 * (3 - 2 * call - 1 + put), rtol=1e-12)


def test_without_prices_a_premium_is_needed():
    with pytest.raises(InputError) as caught:
        payoff_at_expiry(legs=[{"right": "C", "qty": 1, "strike": 100}], spot=SPOT)
    assert caught.value.name == "premium"


def test_unknown_volatility_is_not_a_number():
    legs = [{"right": "C", "qty": 1, "strike": 100, "price": 2.0}]
    assert np.isnan(value_before_expiry(legs=legs, spot=[100.0], tau=0.25)).all()
