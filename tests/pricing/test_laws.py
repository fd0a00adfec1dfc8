"""Laws that every price obeys, on random options of all kinds: an hour to 30 years, far from the money, any rates."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.pricing import american_greeks, american_price, greeks, price

SIZE = 20_000
ROUNDING = 1e-13
BUMP = 1e-3  # relative, of spot and strike


def random_options(seed, size=SIZE):
    rng = np.random.default_rng(seed)
    far = rng.choice([0.02, 0.2, 1.0], size)
    return {
        "spot": np.full(size, 100.0),
        "strike": 100.0 * np.exp(far * rng.uniform(-np.log(1e3), np.log(1e3), size)),
        "tau": np.exp(rng.uniform(np.log(1 / 8760), np.log(30.0), size)),
        "vol": np.exp(rng.uniform(np.log(0.01), np.log(3.0), size)),
        "right": rng.random(size) < 0.5,
        "rate": np.where(rng.random(size) < 0.05, 0.0, rng.uniform(-0.05, 0.20, size)),
        "div_yield": np.where(rng.random(size) < 0.1, 0.0, rng.uniform(-0.03, 0.20, size)),
    }


def worst(size_of_violations):
    assert not np.isnan(size_of_violations).any()
    return float(np.max(size_of_violations))


def violations(pricer, option, unit):
    """Return by how much each law that European and American prices share is broken at most, in units of `unit`."""

    def value(**changes):
        return pricer(**option | changes)

    call, here = option["right"], value()
    low, high = (value(strike=option["strike"] * (1 + side * BUMP)) for side in (-1, 1))
    below, above = (value(spot=option["spot"] * (1 + side * BUMP)) for side in (-1, 1))
    grown = -option["rate"] * option["tau"]
    cash = np.exp(np.maximum(grown, 0.0) if pricer is american_price else grown)
    span = 2 * BUMP * option["strike"] * cash
    return {
        "rises with volatility": worst((here - value(vol=1.02 * option["vol"])) / unit),
        "monotone in strike": worst(np.where(call, high - low, low - high) / unit),
        "no steeper in strike than cash": worst((np.abs(high - low) - span) / unit),
        "monotone in spot": worst(np.where(call, below - above, above - below) / unit),
        "convex in strike": worst((2 * here - low - high) / unit),
        "convex in spot": worst((2 * here - below - above) / unit),
    }


def european_violations(option):
    asset = option["spot"] * np.exp(-option["div_yield"] * option["tau"])
    cash = option["strike"] * np.exp(-option["rate"] * option["tau"])
    unit, here = np.maximum(asset, cash), price(**option)
    call, put = (price(**option | {"right": right}) for right in "CP")
    slopes = [greeks(**option | {"right": right}, names=("delta", "gamma", "vega")) for right in "CP"]
    growth = asset / option["spot"]
    return violations(price, option, unit) | {
        "parity": worst(np.abs(call - put - asset + cash) / unit),
        "parity of delta": worst(np.abs(slopes[0]["delta"] - slopes[1]["delta"] - growth) / growth),
        "gamma and vega of both": worst(sum(np.abs(slopes[0][one] - slopes[1][one]) for one in ("gamma", "vega"))),
        "above intrinsic": worst((np.where(option["right"], asset - cash, cash - asset) - here) / unit),
        "below its maximum": worst((here - np.where(option["right"], asset, cash)) / unit),
    }


def american_violations(option):
    call, spot, strike = option["right"], option["spot"], option["strike"]
    unit, here = np.where(call, spot, strike), american_price(**option)
    most = np.where(
        call, spot * np.exp(np.maximum(-option["div_yield"] * option["tau"], 0)),
        strike * np.exp(np.maximum(-option["rate"] * option["tau"], 0)),
    )  # fmt: skip
    found = american_greeks(**option)
    return violations(american_price, option, unit) | {
        "above European": worst((price(**option) - here) / unit),
        "above intrinsic": worst((np.where(call, spot - strike, strike - spot) - here) / unit),
        "below its maximum": worst((here - most) / unit),
        "rises with time": worst((here - american_price(**option | {"tau": 1.05 * option["tau"]})) / unit),
        "delta has its sign": worst(np.where(call, -found["delta"], found["delta"])),
        "gamma is no less than 0": worst(-found["gamma"] * spot),
    }


# what the default accuracy leaves: a price that long life hardly raises any more wavers by its error, units of strike
SLACK = {"above European": 0.0, "above intrinsic": 0.0, "rises with time": 1e-7}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_european_prices_obey_the_laws(seed):
    found = european_violations(random_options(seed, 5 * SIZE))
    assert {law: size for law, size in found.items() if size > ROUNDING} == {}


@pytest.mark.parametrize("seed", [1, 2])
def test_american_prices_obey_the_laws(seed):
    found = american_violations(random_options(seed))
    assert {law: size for law, size in found.items() if size > SLACK.get(law, ROUNDING)} == {}
