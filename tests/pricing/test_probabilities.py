"""Probabilities: closed forms against series and integrals, a smile's density against prices, and edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import (
    expected_move,
    greeks,
    price,
    probability_itm,
    probability_of_profit,
    probability_touch,
    risk_neutral_density,
    straddle_move,
)

HULL = {"spot": 42.0, "strike": 40.0, "tau": 0.5, "vol": 0.2, "rate": 0.1}


def _touch_by_series(*, spot, strike, tau, vol, drift):
    """Eigenfunctions of the heat equation between the barrier and a wall too far to matter, tilted by the drift."""
    nu, barrier = drift - vol**2 / 2, math.log(strike / spot)
    if barrier < 0:
        nu, barrier = -nu, -barrier
    wall = 9 * vol * math.sqrt(tau) + abs(nu) * tau
    width = wall + barrier
    n = np.arange(1, 400)[:, None]
    x = np.linspace(-wall, barrier, 4001)
    waves = np.sin(n * np.pi * wall / width) * np.sin(n * np.pi * (x + wall) / width)
    density = 2 / width * (waves * np.exp(-0.5 * (n * np.pi * vol / width) ** 2 * tau)).sum(axis=0)
    tilt = np.exp(nu * x / vol**2 - nu**2 * tau / (2 * vol**2))
    return 1 - np.trapezoid(density * tilt, x)


def test_itm_of_hulls_example():
    # Hull, example 15.6: d2 = 0.6278.
    assert probability_itm(**HULL, right="C") == pytest.approx(ndtr(0.6278), abs=2e-5)
    assert probability_itm(**HULL, right="P") == pytest.approx(ndtr(-0.6278), abs=2e-5)


def test_itm_is_the_slope_of_the_price_by_strike(quotes):
    step = 1e-4 * quotes["strike"]
    upper, lower = (price(**(quotes | {"strike": quotes["strike"] + shift})) for shift in (step, -step))
    sign = np.where(quotes["right"] == "C", -1.0, 1.0)
    slope = sign * np.exp(quotes["rate"] * quotes["tau"]) * (upper - lower) / (2 * step)
    assert probability_itm(**quotes) == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("strike", [70.0, 90.0, 99.0, 101.0, 115.0, 150.0])
@pytest.mark.parametrize("drift", [-0.3, 0.0, 0.02, 0.4])
def test_touch_against_a_series(strike, drift):
    given = {"spot": 100.0, "strike": strike, "tau": 0.4, "vol": 0.25, "drift": drift}
    assert probability_touch(**given) == pytest.approx(_touch_by_series(**given), abs=2e-6)


@settings(max_examples=50, deadline=None)
@given(
    strike=st.floats(20, 500),
    tau=st.floats(1e-4, 5),
    vol=st.floats(0.01, 3),
    rate=st.floats(-0.05, 0.2),
)
def test_touch_lies_between_ending_beyond_and_one(strike, tau, vol, rate):
    market = {"spot": 100.0, "strike": strike, "tau": tau, "vol": vol}
    touched = probability_touch(**market, rate=rate)
    assert probability_itm(**market, rate=rate, right="C" if strike > 100 else "P") <= touched + 1e-15
    assert touched <= 1
    assert touched <= probability_touch(**(market | {"tau": 1.5 * tau}), rate=rate) + 1e-12
    # Without a drift of its logarithm the price is as likely to turn back at the strike as to go on.
    even = market | {"drift": vol**2 / 2}
    beyond = probability_itm(**even, right="C" if strike >= 100 else "P")
    assert probability_touch(**even) == pytest.approx(2 * beyond if strike != 100 else 1, rel=1e-9)


def test_touch_where_a_plain_formula_overflows():
    found = probability_touch(spot=100, strike=150, tau=1.0, vol=[0.01, 1e-3, 1e-6, 1e-9], drift=0.5)
    assert found == pytest.approx(1.0)
    found = probability_touch(spot=100, strike=200, tau=1.0, vol=[0.05, 1e-3, 1e-9], drift=0.5)
    assert (found[0] > 0) & (found[0] < 1e-3)
    assert found[1:].tolist() == [0, 0]


def test_certain_cases_and_nan():
    still = {"spot": 100.0, "strike": [90.0, 100.0, 110.0], "vol": 0.2, "tau": 0.0}
    assert probability_itm(**still, right="C").tolist() == [1, 0, 0]
    assert probability_itm(**still, right="P").tolist() == [0, 0, 1]
    assert probability_touch(**still).tolist() == [0, 1, 0]
    sure = {"spot": 100.0, "strike": [90.0, 100.0, 104.0, 110.0], "vol": 0.0, "tau": 1.0, "rate": 0.05}
    assert probability_itm(**sure, right="C").tolist() == [1, 1, 1, 0]
    assert probability_touch(**sure).tolist() == [0, 1, 1, 0]
    for name in ("spot", "strike", "tau", "vol", "rate"):
        for vol in (0.2, 0.0):
            holed = HULL | {"vol": vol} | {name: math.nan}
            assert math.isnan(probability_itm(**holed, right="C"))
            assert math.isnan(probability_touch(**holed))
            at_strike = {"strike": 42.0} | {"vol": vol} | {name: math.nan}
            assert math.isnan(probability_touch(**(HULL | at_strike)))
    assert isinstance(probability_itm(**HULL, right="C"), float)
    assert probability_touch(**(HULL | {"vol": np.full((3, 1), 0.2), "tau": np.ones(2)})).shape == (3, 2)


def test_a_drift_of_ones_own_takes_the_place_of_the_rates():
    real = probability_itm(**HULL, right="C", div_yield=0.02, drift=0.25)
    assert real == probability_itm(**(HULL | {"rate": 0.25}), right="C")
    assert real > probability_itm(**HULL, right="C", div_yield=0.02)


def test_expected_move():
    found = expected_move(spot=100.0, tau=0.25, vol=0.2, rate=0.05, div_yield=0.01)
    forward = 100 * math.exp(0.01)
    assert found.one_sigma == pytest.approx(10.0)
    inside = probability_of_profit(
        low=found.low, high=found.high, spot=100.0, tau=0.25, vol=0.2, rate=0.05, div_yield=0.01
    )
    assert inside == pytest.approx(ndtr(1) - ndtr(-1), rel=1e-13)
    options = price(spot=100.0, strike=forward, tau=0.25, vol=0.2, right=["C", "P"], rate=0.05, div_yield=0.01)
    assert found.mean_absolute == pytest.approx(options.sum() * math.exp(0.05 * 0.25), rel=1e-12)
    assert math.isnan(expected_move(spot=100.0, tau=0.25, vol=0.2, drift=math.nan).one_sigma)


@pytest.mark.parametrize("vol", [0.1, 0.5, 2.0])
def test_straddle_move_recovers_the_volatility_it_was_priced_with(vol):
    forward = 100 * math.exp(0.04 * 0.5)
    call, put = price(spot=100.0, strike=forward, tau=0.5, vol=vol, right=["C", "P"], rate=0.04)
    found = straddle_move(strike=forward, call=call, put=put, tau=0.5, rate=0.04)
    assert found.one_sigma == pytest.approx(forward * vol * math.sqrt(0.5), rel=1e-11)
    assert found.mean_absolute == pytest.approx(
        expected_move(spot=100.0, tau=0.5, vol=vol, rate=0.04).mean_absolute, rel=1e-12
    )
    assert math.isnan(straddle_move(strike=100.0, call=120.0, put=80.0).one_sigma)


def test_profit_of_simple_structures():
    market = {"spot": 100.0, "tau": 0.3, "vol": 0.3, "rate": 0.03}
    above = probability_of_profit(low=[108.0], high=[np.inf], **market)
    assert above == pytest.approx(probability_itm(strike=108.0, right="C", **market), rel=1e-14)
    outside = probability_of_profit(low=[0.0, 108.0], high=[95.0, np.inf], **market)
    assert outside == pytest.approx(above + probability_itm(strike=95.0, right="P", **market), rel=1e-14)
    inside = probability_of_profit(low=[[95.0, 0.0]], high=[[108.0, 0.0]], **market)
    assert inside.shape == (1,)
    assert inside[0] + outside == pytest.approx(1.0, abs=1e-15)
    far = probability_of_profit(low=[400.0], high=[500.0], **market)
    beyond = [probability_itm(strike=k, right="C", **market) for k in (400.0, 500.0)]
    assert far == pytest.approx(beyond[0] - beyond[1], rel=1e-9)
    assert 0 < far < 1e-15


def test_profit_without_uncertainty_and_with_nan():
    ends = {"low": [[0.0], [100.0], [105.0]], "high": [[100.0], [105.0], [np.inf]]}
    assert probability_of_profit(**ends, spot=100.0, tau=0.0, vol=0.2).tolist() == [1, 0, 0]
    assert probability_of_profit(**ends, spot=100.0, tau=1.0, vol=0.0, drift=0.04).tolist() == [0, 1, 0]
    for vol in (0.0, 0.2):
        assert math.isnan(probability_of_profit(low=[math.nan], high=[100.0], spot=100.0, tau=1.0, vol=vol))
        assert math.isnan(probability_of_profit(low=[90.0], high=[np.inf], spot=math.nan, tau=1.0, vol=vol))


def _smirk(strike):
    k = np.log(strike / 100.0)
    return np.sqrt(0.04 + 0.05 * (np.sqrt((k - 0.05) ** 2 + 0.04) - 0.8 * (k - 0.05) - 0.2))


def _smirk_prices(strike, right):
    return price(spot=100.0, strike=strike, tau=0.5, vol=_smirk(strike), right=right)


def test_density_of_a_smile_prices_the_smile():
    found = risk_neutral_density(forward=100.0, tau=0.5, smile=_smirk)
    assert found.mass == pytest.approx(1.0, abs=1e-9)
    assert found.mean == pytest.approx(100.0, rel=1e-9)
    assert found.negative_mass == 0
    assert (np.diff(found.distribution) >= -1e-15).all()
    for strike in (60.0, 85.0, 100.0, 130.0):
        put = np.trapezoid(np.maximum(strike - found.strike, 0) * found.density, found.strike)
        assert put == pytest.approx(float(_smirk_prices(strike, "P")), abs=2e-4)


def test_distribution_of_a_smile_is_the_slope_of_its_prices():
    found = risk_neutral_density(forward=100.0, tau=0.5, smile=_smirk)
    strike = np.array([50.0, 80.0, 99.0, 120.0, 160.0])
    slope = (_smirk_prices(strike + 1e-3, "P") - _smirk_prices(strike - 1e-3, "P")) / 2e-3
    assert found.below(strike) == pytest.approx(slope, abs=1e-8)
    assert found.below([0.0, np.inf]).tolist() == [0, 1]
    assert math.isnan(found.below(math.nan))
    bend = _smirk_prices(strike + 0.05, "P") - 2 * _smirk_prices(strike, "P") + _smirk_prices(strike - 0.05, "P")
    exact = risk_neutral_density(forward=100.0, tau=0.5, smile=_smirk, grid=strike)
    assert exact.density == pytest.approx(bend / 0.05**2, abs=1e-6)
    assert exact.distribution == pytest.approx(found.below(strike), abs=1e-15)


@pytest.mark.parametrize("total_vol", [0.01, 0.2, 1.5])
def test_flat_smile_is_lognormal(total_vol):
    found = risk_neutral_density(forward=50.0, tau=0.25, smile=lambda strike: np.full(strike.shape, 2 * total_vol))
    market = {"spot": 50.0, "tau": 0.25, "vol": 2 * total_vol}
    assert found.distribution == pytest.approx(probability_itm(strike=found.strike, right="P", **market), abs=1e-11)
    dual = greeks(strike=found.strike, right="C", names=["gamma"], **market)["gamma"] * 50.0**2 / found.strike**2
    assert found.density == pytest.approx(dual, rel=1e-6, abs=1e-9 * dual.max())
    assert (found.mass, found.mean) == pytest.approx((1.0, 50.0), rel=1e-8)
    ends = {"low": [[20.0, 55.0], [0.0, 0.0]], "high": [[45.0, np.inf], [51.0, 0.0]]}
    assert probability_of_profit(**ends, density=found) == pytest.approx(probability_of_profit(**ends, **market))


def test_density_through_points_with_gaps():
    strike = np.arange(60.0, 151.0, 5.0)
    iv = _smirk(strike)
    iv[[3, 10]] = np.nan
    shuffled = np.random.default_rng(5).permutation(len(strike))
    found = risk_neutral_density(forward=100.0, tau=0.5, strike=strike[shuffled], iv=iv[shuffled])
    whole = risk_neutral_density(forward=100.0, tau=0.5, smile=_smirk)
    assert (found.mass, found.mean) == pytest.approx((1.0, 100.0), rel=2e-5)
    inside = np.arange(65.0, 146.0, 1.0)
    assert found.below(inside) == pytest.approx(whole.below(inside), abs=2e-3)
    # No lump of probability where the spline ends and the wings begin.
    assert found.below([60.0 + 1e-9, 150.0 + 1e-9]) == pytest.approx(found.below([60.0 - 1e-9, 150.0 - 1e-9]), abs=1e-7)


def test_butterfly_arbitrage_shows_as_negative_mass():
    # Gatheral and Jacquier (2014), example 3.1 (Vogt): raw SVI slice, tau = 1, Durrleman's g is negative near k = 0.8.
    def vogt(strike):
        k = np.log(strike) - 0.3586
        return np.sqrt(-0.0410 + 0.1331 * (0.3060 * k + np.sqrt(k * k + 0.4153**2)))

    found = risk_neutral_density(forward=1.0, tau=1.0, smile=vogt)
    assert found.negative_mass > 1e-5
    negative = np.log(found.strike[found.density < 0])
    assert (negative.min() < 0.8 < negative.max()) & (negative.min() > 0.5)
    assert (found.mass, found.mean) == pytest.approx((1.0, 1.0), abs=1e-8)


@pytest.mark.parametrize(
    ("function", "change", "name"),
    [
        (probability_itm, {"spot": 0.0}, "spot"),
        (probability_itm, {"right": "X"}, "right"),
        (probability_touch, {"strike": [1.0, -1.0]}, "strike"),
        (probability_touch, {"tau": -1.0}, "tau"),
        (probability_touch, {"vol": "much"}, "vol"),
        (probability_touch, {"tau": math.inf}, "tau"),
        (probability_itm, {"drift": -math.inf}, "drift"),
        (probability_touch, {"vol": np.ones(2), "tau": np.ones(3)}, "shape"),
        (probability_touch, {"rate": np.ones(2), "tau": np.ones(3)}, "shape"),
    ],
)
def test_refusals_name_the_argument(function, change, name):
    arguments = HULL | ({"right": "C"} if function is probability_itm else {}) | change
    with pytest.raises(InputError) as caught:
        function(**arguments)
    assert caught.value.name == name


def test_intervals_and_smiles_are_refused_by_name():
    market = {"spot": 100.0, "tau": 1.0, "vol": 0.2}
    flat = {"forward": 100.0, "tau": 1.0, "smile": lambda strike: np.full(strike.shape, 0.2)}
    density = risk_neutral_density(**flat)
    points = {"forward": 100.0, "tau": 1.0, "strike": np.arange(80.0, 121.0, 10.0), "iv": np.full(5, 0.2)}
    cases = [
        (lambda: probability_of_profit(low=[2.0], high=[1.0], **market), "low"),
        (lambda: probability_of_profit(low=[-2.0], high=[1.0], **market), "low"),
        (lambda: probability_of_profit(low=[1.0], high=[2.0], spot=100.0), "density"),
        (lambda: probability_of_profit(low=[1.0], high=[2.0], density=density, **market), "density"),
        (lambda: density.below(-1.0), "price"),
        (lambda: risk_neutral_density(**(flat | {"forward": 0.0})), "forward"),
        (lambda: risk_neutral_density(**(flat | {"tau": 0.0})), "tau"),
        (lambda: risk_neutral_density(**(flat | {"smile": lambda strike: strike * np.nan})), "smile"),
        (lambda: risk_neutral_density(**flat, iv=[0.2]), "smile"),
        (lambda: risk_neutral_density(**flat, grid=[3.0, 2.0, 4.0]), "grid"),
        (lambda: risk_neutral_density(**flat, points=2), "points"),
        (lambda: risk_neutral_density(**(points | {"iv": np.full(4, 0.2)})), "iv"),
        (lambda: risk_neutral_density(**(points | {"iv": np.array([0.2, 0.2, 0.2, np.nan, np.nan])})), "iv"),
        (lambda: risk_neutral_density(**(points | {"strike": np.full(5, 100.0)})), "strike"),
    ]
    for call, name in cases:
        with pytest.raises(InputError) as caught:
            call()
        assert caught.value.name == name
