"""American options on shares that pay cash: closed forms and integrals for one payment, and limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import integrate

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.pricing import american_dividend_price, american_price, price

NONE: dict[str, list[float]] = {"dividend_taus": [], "dividends": []}


def test_roll_geske_whaley():
    # Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed. (2007), section 9.2.1: 4.3860, escrowed dividend
    found = american_dividend_price(
        spot=80, strike=82, tau=1 / 3, vol=0.3, right="C", rate=0.06, dividend_taus=[0.25], dividends=[4],
        dividend_model="escrowed", accuracy="accurate",
    )  # fmt: skip
    assert found == pytest.approx(4.3860, abs=1e-4)


def test_hull_two_dividends():
    # Hull, "Options, Futures, and Other Derivatives": without early exercise 3.67, and it is worth a little here
    found = american_dividend_price(
        spot=40, strike=40, tau=0.5, vol=0.3, right="C", rate=0.09, dividend_taus=[2 / 12, 5 / 12],
        dividends=[0.5, 0.5], dividend_model="escrowed",
    )  # fmt: skip
    worth = 0.5 * (math.exp(-0.09 * 2 / 12) + math.exp(-0.09 * 5 / 12))
    assert price(spot=40 - worth, strike=40, tau=0.5, vol=0.3, right="C", rate=0.09) == pytest.approx(3.67, abs=5e-3)
    assert 3.70 < found < 3.74


def _call_with_one_payment(s, k, tau, vol, rate, when, paid):
    # before the payment nobody exercises but at the last moment, after it the option is European
    def part(z):
        there = s * math.exp((rate - vol * vol / 2) * when + vol * math.sqrt(when) * z)
        held = price(spot=max(there - paid, 1e-12), strike=k, tau=tau - when, vol=vol, right="C", rate=rate)
        return max(there - k, float(held)) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return math.exp(-rate * when) * integrate.quad(part, -9, 9, limit=400, epsabs=1e-9)[0]


@pytest.mark.parametrize(("accuracy", "limit"), [("fast", 3e-3), ("default", 8e-4), ("accurate", 1e-4)])
def test_spot_model_by_integration(accuracy, limit):
    for s, k, tau, vol, rate, when, paid in ((100, 100, 1, 0.3, 0.06, 0.5, 7), (100, 90, 0.5, 0.2, 0.03, 0.3, 3)):
        found = american_dividend_price(
            spot=s, strike=k, tau=tau, vol=vol, right="C", rate=rate, dividend_taus=[when], dividends=[paid],
            accuracy=accuracy,
        )  # fmt: skip
        assert found == pytest.approx(_call_with_one_payment(s, k, tau, vol, rate, when, paid), abs=limit)


@pytest.mark.parametrize("model", ["spot", "escrowed"])
@pytest.mark.parametrize("right", ["C", "P"])
def test_without_payments_it_is_the_plain_price(model, right):
    option = {"spot": [80.0, 95.0, 120.0], "strike": 100, "tau": 1, "vol": 0.3, "rate": 0.05, "div_yield": 0.03}
    found = american_dividend_price(**option, right=right, **NONE, dividend_model=model)
    np.testing.assert_allclose(found, american_price(**option, right=right), atol=6e-4)
    late = american_dividend_price(**option, right=right, dividend_taus=[1.5], dividends=[5.0], dividend_model=model)
    np.testing.assert_array_equal(late, found)


def test_bounds_and_direction():
    option = {"spot": 100.0, "strike": np.linspace(70, 130, 13), "tau": 0.5, "vol": 0.25, "rate": 0.04}
    for model in ("spot", "escrowed"):
        for right, sign in (("C", 1.0), ("P", -1.0)):
            terms = {"right": right, "dividend_taus": [0.2, 0.4], "dividend_model": model}
            little, much = (american_dividend_price(**option, **terms, dividends=[d, d]) for d in (0.5, 2.0))
            assert (sign * (little - much) > -1e-3).all()
            assert (much >= np.maximum(sign * (100 - option["strike"]), 0)).all()


def test_no_volatility_is_the_best_exercise_on_the_only_path():
    option = {"spot": 100.0, "strike": [90.0, 110.0], "tau": 0.5, "rate": 0.05, "dividend_taus": [0.1, 0.35]}
    for right in "CP":
        found = american_dividend_price(**option, right=right, vol=0.0, dividends=[1, 1])
        near = american_dividend_price(**option, right=right, vol=1e-4, dividends=[1, 1])
        np.testing.assert_allclose(found, near, atol=1e-5)
    # just before the second payment: 100 grown, less the first payment grown, less the strike, all carried back
    call = american_dividend_price(**option, right="C", vol=0.0, dividends=[1, 1])
    assert call[0] == pytest.approx(100 - math.exp(-0.05 * 0.1) - 90 * math.exp(-0.05 * 0.35), abs=1e-9)


def test_nan_stays_nan():
    found = american_dividend_price(spot=[100.0, np.nan], strike=100, tau=1, vol=0.2, right="P", **NONE)
    assert found[0] > 0 and np.isnan(found[1])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"dividends": [1.0]}, "dividends"),
        ({"dividends": [1.0, -1.0]}, "dividends"),
        ({"dividends": [60.0, 60.0], "dividend_model": "escrowed"}, "dividends"),
        ({"dividend_taus": [0.0, 0.5]}, "dividend_taus"),
        ({"spot": 0.0}, "spot"),
    ],
)
def test_refusals_name_the_argument(change, name):
    option = {"spot": 100.0, "strike": 100.0, "tau": 1.0, "vol": 0.2, "right": "P"}
    schedule = {"dividend_taus": [0.2, 0.5], "dividends": [1.0, 1.0]}
    with pytest.raises(InputError) as refused:
        american_dividend_price(**option | schedule | change)
    assert refused.value.name == name


def test_an_unknown_model_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError) as refused:
        american_dividend_price(spot=1, strike=1, tau=1, vol=1, right="P", **NONE, dividend_model="escrow")
    assert refused.value.nearest == "escrowed"


@pytest.mark.parametrize("right", ["C", "P"])
def test_strikes_next_to_the_spot_get_a_grid_of_full_width(right):
    # strikes that are half a step or a step and a half away decide how long the step is
    option = {"spot": 100.0, "tau": 0.5, "vol": 0.2, "right": right, "rate": 0.03, "div_yield": 0.01}
    strikes = 100.0 * np.exp(np.linspace(-0.04, 0.04, 81))
    found = american_dividend_price(**option, strike=strikes, **NONE)
    assert found == pytest.approx(american_price(**option, strike=strikes), abs=2e-3)


def test_a_put_is_exercised_right_after_an_escrowed_payment_not_a_step_later():
    taus = np.arange(0.35, 1.15, 0.1)
    option = {"spot": 100.0, "strike": 120.0, "tau": taus, "vol": 0.2, "right": "P", "rate": 0.08}
    paid = {"dividend_taus": [0.05, 0.3, 1.2], "dividends": [1.0, 1.5, 2.0], "dividend_model": "escrowed"}
    coarse, fine = (american_dividend_price(**option, **paid, accuracy=name) for name in ("default", "accurate"))
    assert coarse == pytest.approx(fine, abs=1e-3)
