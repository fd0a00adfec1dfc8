"""Greeks and implied volatilities of American options on shares that pay cash: slopes of prices, and back again."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing import (
    american_dividend_greeks,
    american_dividend_implied_vol,
    american_dividend_price,
    american_greeks,
    american_implied_vol,
)

PAID = {"dividend_taus": [0.05, 0.3, 0.8], "dividends": [1.0, 2.0, 1.5]}
NONE: dict[str, list[float]] = {"dividend_taus": [], "dividends": []}


@pytest.fixture(scope="module")
def options():
    rng = np.random.default_rng(3)
    size = 12
    return {
        "spot": rng.uniform(85, 115, size), "strike": 100.0, "tau": rng.uniform(0.1, 1.5, size),
        "vol": rng.uniform(0.15, 0.6, size), "right": rng.random(size) < 0.5, "rate": rng.uniform(0, 0.08, size),
        "div_yield": rng.uniform(0, 0.02, size),
    }  # fmt: skip


@pytest.mark.parametrize("model", ["spot", "escrowed"])
def test_greeks_are_slopes_of_the_price(options, model):
    def value(*, later=0.0, **changes):
        moments = np.array(PAID["dividend_taus"]) - later
        terms = {**options, **changes, "dividend_taus": moments, "dividends": PAID["dividends"]}
        return american_dividend_price(**terms, dividend_model=model, accuracy="accurate")

    def slope(name, width):
        at = options[name]
        return (value(**{name: at + width}) - value(**{name: at - width})) / (2 * width)

    found = american_dividend_greeks(**options, **PAID, dividend_model=model)
    np.testing.assert_allclose(found["delta"], slope("spot", 0.3), atol=5e-4)
    bend = (value(spot=options["spot"] + 0.5) - 2 * value() + value(spot=options["spot"] - 0.5)) / 0.25
    np.testing.assert_allclose(found["gamma"], bend, atol=2e-3)
    np.testing.assert_allclose(found["vega"], slope("vol", 0.005), atol=0.15)
    np.testing.assert_allclose(found["rho"], slope("rate", 1e-3), rtol=0.01, atol=0.3)
    day = 2e-3
    decay = (value(tau=options["tau"] - day, later=day) - value(tau=options["tau"] + day, later=-day)) / (2 * day)
    np.testing.assert_allclose(found["theta"], decay, atol=0.1)


@pytest.mark.parametrize("model", ["spot", "escrowed"])
def test_the_volatility_comes_back(options, model):
    terms = {name: value for name, value in options.items() if name != "vol"} | PAID | {"dividend_model": model}
    value = american_dividend_price(**terms, vol=options["vol"])
    iv, status = american_dividend_implied_vol(**terms, price=value, return_status=True)
    assert (status == Quality.OK).all()
    np.testing.assert_allclose(iv, options["vol"], rtol=1e-7)


def test_without_payments_they_are_the_plain_ones(options):
    for model in ("spot", "escrowed"):
        found = american_dividend_greeks(**options, **NONE, dividend_model=model)
        for name, plain in american_greeks(**options).items():
            limit = {"vega": 0.05, "theta": 0.02, "rho": 0.2}.get(name, 2e-3)
            np.testing.assert_allclose(found[name], plain, rtol=2e-3, atol=limit, err_msg=name)
    terms = {name: value for name, value in options.items() if name != "vol"}
    value = american_dividend_price(**options, **NONE)
    iv = american_dividend_implied_vol(**terms, price=value, **NONE)
    np.testing.assert_allclose(iv, american_implied_vol(**terms, price=value), atol=2e-5)


def test_an_option_to_be_exercised_now_moves_with_the_spot_only():
    terms = {"strike": 100.0, "tau": 0.5, "vol": 0.2, "rate": 0.06, "dividend_taus": [0.45]}
    put = american_dividend_greeks(spot=60.0, right="P", dividends=[0.0], **terms)
    call = american_dividend_greeks(spot=200.0, right="C", div_yield=0.3, dividends=[1.0], **terms)
    assert put == {"delta": -1.0, "gamma": 0.0, "vega": 0.0, "theta": 0.0, "rho": 0.0}
    assert call == {"delta": 1.0, "gamma": 0.0, "vega": 0.0, "theta": 0.0, "rho": 0.0}


def test_no_volatility_and_what_is_unknown():
    terms = {"strike": 100.0, "tau": 0.5, "right": "C", "rate": 0.04, **PAID}
    found = american_dividend_greeks(spot=[120.0, 80.0, np.nan], vol=0.0, **terms)
    assert found["delta"] == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    for name in ("gamma", "vega"):
        assert found[name] == pytest.approx([0.0, 0.0, np.nan], abs=1e-9, nan_ok=True)
    assert found["rho"][0] > 0.0 == found["rho"][1]


def test_reasons_inside_a_batch_leave_the_others_alone():
    value = [np.nan, 5.0, 5.0, 5.0, 20.0, 29.9, 150.0, 9.0]
    spot = [100.0, np.nan, 100.0, 100.0, 130.0, 130.0, 100.0, 100.0]
    rate = [0.02, 0.02, np.inf, 0.02, 0.02, 0.0, 0.02, 0.02]
    tau = [0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5]
    iv, status = american_dividend_implied_vol(
        price=value, spot=spot, strike=100.0, tau=tau, right="C", rate=rate, **PAID, return_status=True
    )
    reasons = ["NO_QUOTE", "NO_SPOT", "NO_IV", "EXPIRED", "BELOW_INTRINSIC", "BELOW_INTRINSIC", "ABOVE_MAXIMUM", "OK"]
    assert [Quality(code).name for code in status] == reasons
    assert np.isnan(iv[:-1]).all()
    again = american_dividend_price(spot=100.0, strike=100.0, tau=0.5, vol=iv[-1], right="C", rate=0.02, **PAID)
    assert again == pytest.approx(9.0, abs=1e-9)


def test_refusals_name_the_argument():
    option = {"spot": 100.0, "strike": 100.0, "tau": 1.0, "right": "P"}
    for function, more in ((american_dividend_greeks, {"vol": 0.2}), (american_dividend_implied_vol, {"price": 9.0})):
        with pytest.raises(InputError) as refused:
            function(**option | {"spot": -1.0}, **more, **PAID)
        assert refused.value.name == "spot"
        with pytest.raises(InputError) as refused:
            function(**option, **more, dividend_taus=["soon"], dividends=[1.0])
        assert refused.value.name == "dividend_taus"
        with pytest.raises(UnknownNameError) as unknown:
            function(**option, **more, **PAID, dividend_model="forward")
        assert unknown.value.name == "dividend_model"
    assert american_dividend_implied_vol(**option | {"spot": []}, price=9.0, **PAID).shape == (0,)
