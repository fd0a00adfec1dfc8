"""Greeks of American options: the slopes of the price, whatever the way they were computed."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import american_exercise_boundary, american_greeks, american_price, greeks

NAMES = ("delta", "gamma", "vega", "theta", "rho")


def _options(size=200):
    rng = np.random.default_rng(5)
    right = rng.choice(["C", "P"], size)
    options = {
        "spot": rng.uniform(70, 140, size),
        "strike": np.full(size, 100.0),
        "tau": rng.uniform(0.05, 2.0, size),
        "vol": rng.uniform(0.1, 0.6, size),
        "right": right,
        "rate": rng.uniform(0.005, 0.1, size),
        "div_yield": rng.uniform(0.005, 0.1, size),
    }
    terms = {name: column for name, column in options.items() if name != "spot"}
    edge = american_exercise_boundary(**terms)
    waits = np.where(right == "C", options["spot"] < 0.98 * edge, options["spot"] > 1.02 * edge)
    return {name: column[waits] for name, column in options.items()}


def _slope(options, name, bump):
    up = american_price(**options | {name: options[name] + bump}, accuracy="accurate")
    down = american_price(**options | {name: options[name] - bump}, accuracy="accurate")
    return (up - down) / (2 * bump)


@pytest.fixture(scope="module")
def slopes():
    options = _options()
    step = 1e-3 * options["spot"]
    middle = american_price(**options, accuracy="accurate")
    around = [
        american_price(**options | {"spot": options["spot"] + move}, accuracy="accurate") for move in (step, -step)
    ]
    return options, {
        "delta": _slope(options, "spot", 1e-4 * options["spot"]),
        "gamma": (around[0] + around[1] - 2 * middle) / step**2,
        "vega": _slope(options, "vol", 1e-4),
        "theta": -_slope(options, "tau", 1e-4 * options["tau"]),
        "rho": _slope(options, "rate", 1e-5),
    }


@pytest.mark.parametrize(
    ("accuracy", "limits"),
    [
        ("accurate", {"delta": 1e-6, "gamma": 1e-5, "vega": 5e-4, "theta": 5e-3, "rho": 5e-2}),
        ("default", {"delta": 1e-4, "gamma": 2e-4, "vega": 1e-2, "theta": 5e-2, "rho": 3e-1}),
        ("fast", {"delta": 2e-3, "gamma": 2e-3, "vega": 2e-1, "theta": 3e-1, "rho": 2e0}),
    ],
)
def test_greeks_are_slopes_of_the_price(slopes, accuracy, limits):
    options, expected = slopes
    found = american_greeks(**options, accuracy=accuracy)
    assert tuple(found) == NAMES
    for name, limit in limits.items():
        error = found[name] - expected[name]
        assert np.sqrt(np.mean(error**2)) < 0.2 * limit, name
        assert np.abs(error).max() < limit, name


def test_an_option_to_be_exercised_now_moves_with_the_spot_only():
    for right, delta, spot in (("P", -1.0, 50.0), ("C", 1.0, 250.0)):
        found = american_greeks(spot=spot, strike=100, tau=1, vol=0.2, right=right, rate=0.06, div_yield=0.05)
        assert found["delta"] == pytest.approx(delta, abs=1e-14)
        assert [float(found[name]) for name in ("gamma", "vega", "theta", "rho")] == pytest.approx(
            [0, 0, 0, 0], abs=1e-12
        )


@pytest.mark.parametrize("accuracy", ["default", "accurate"])
@pytest.mark.parametrize("right", ["C", "P"])
def test_next_to_exercise_gamma_is_what_the_pricing_equation_leaves(right, accuracy):
    # there theta is 0 and delta -1 or 1, so that vol**2 spot**2 gamma / 2 is all that pays for the interest forgone
    columns = np.meshgrid([0.1, 1.0, 5.0, 30.0], [0.1, 0.3, 0.8], [0.02, 0.05, 0.08], [0.0, 0.02, 0.08])
    tau, vol, rate, div_yield = (column.ravel() for column in columns)
    rate, div_yield = (rate, div_yield) if right == "P" else (div_yield, rate)
    terms = {"strike": 100.0, "tau": tau, "vol": vol, "right": right, "rate": rate, "div_yield": div_yield}
    edge, sign = american_exercise_boundary(**terms, accuracy=accuracy), 1.0 if right == "P" else -1.0
    expected = 2 * sign * (100 * rate - div_yield * edge) / (vol * edge) ** 2
    away = np.minimum(0.01 * vol * np.sqrt(tau), 0.005 / (expected * edge))
    found = american_greeks(**terms, spot=edge * np.exp(sign * away), accuracy=accuracy)
    np.testing.assert_allclose(found["delta"], -sign, atol=0.01)
    np.testing.assert_array_less(np.abs(found["gamma"] - expected), 0.03 * expected + 0.01 / (edge * vol * tau**0.5))
    np.testing.assert_array_less(np.abs(found["theta"]), 0.05 * (100 * rate + div_yield * edge))


def test_european_where_exercise_is_never_right():
    option = {
        "spot": np.array([80.0, 100.0, 120.0]),
        "strike": 100,
        "tau": 0.5,
        "vol": 0.25,
        "right": "C",
        "rate": 0.04,
    }
    found, expected = american_greeks(**option), greeks(**option)
    for name in NAMES:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-13)


def test_no_volatility():
    option = {"spot": np.array([90.0, 120.0]), "strike": 100.0, "tau": 1.0, "vol": 0.0, "rate": 0.05, "div_yield": 0.01}
    found = american_greeks(**option, right="C")
    np.testing.assert_allclose(found["delta"], [0.0, np.exp(-0.01)], rtol=1e-12)
    np.testing.assert_allclose(found["rho"], [0.0, 100 * np.exp(-0.05)], rtol=1e-6)
    np.testing.assert_allclose(found["theta"], [0.0, 0.01 * 120 * np.exp(-0.01) - 5 * np.exp(-0.05)], rtol=1e-9)
    assert (found["gamma"] == 0.0).all() and (found["vega"] == 0.0).all()


def test_nan_stays_nan_and_scalars_stay_scalars():
    found = american_greeks(spot=[100.0, np.nan], strike=100, tau=1, vol=0.2, right="P", rate=0.05)
    for name in NAMES:
        assert np.isfinite(found[name][0]) and np.isnan(found[name][1])
    assert np.ndim(american_greeks(spot=100, strike=100, tau=1, vol=0.2, right="P", rate=0.05)["vega"]) == 0


def test_refusals_name_the_argument():
    with pytest.raises(InputError) as refused:
        american_greeks(spot=100, strike=100, tau=-1, vol=0.2, right="P")
    assert refused.value.name == "tau"


@pytest.mark.parametrize("name", ["spot", "tau", "vol", "rate", "div_yield"])
@pytest.mark.parametrize("extreme", [np.inf, 1e308, 1e-308])
def test_what_cannot_be_computed_makes_no_noise(name, extreme):
    option = {"spot": 100.0, "strike": 100.0, "tau": 0.5, "vol": 0.2, "right": "C", "rate": 0.02, "div_yield": 0.01}
    found = american_greeks(**option | {name: [extreme, option[name]]})  # a warning would fail here
    for greek, value in american_greeks(**option).items():
        assert found[greek][1] == value


@pytest.mark.parametrize(("right", "rate", "div_yield"), [("P", 0.0, -0.02), ("P", -1e-6, -0.02), ("C", -0.02, -0.01)])
def test_rho_at_the_edge_of_where_a_second_boundary_begins(right, rate, div_yield):
    option = {"strike": 110.0, "tau": 1.0, "vol": 0.3, "right": right, "div_yield": div_yield, "spot": 100.0}
    here, higher = (american_price(**option, rate=rate + step, accuracy="accurate") for step in (0.0, 1e-5))
    assert american_greeks(**option, rate=rate)["rho"] == pytest.approx((higher - here) / 1e-5, rel=2e-4)
