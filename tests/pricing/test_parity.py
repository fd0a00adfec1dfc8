"""Forward and rate from put-call parity: exact without noise, robust with it, modest where quotes know nothing."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import american_price, implied_forward, price


def _sides(chain, expiry=0):
    rows = chain["group"] == expiry
    put, call = rows & ~chain["is_call"], rows & chain["is_call"]
    return {
        "strike": chain["strike"][put],
        "call_bid": chain["bid"][call],
        "call_ask": chain["ask"][call],
        "put_bid": chain["bid"][put],
        "put_ask": chain["ask"][put],
        "tau": float(chain["tau"][put][0]),
        "spot": 100.0,
    }


@pytest.mark.parametrize("rate", [-0.01, 0.0, 0.05, 0.12])
@pytest.mark.parametrize("half_spread", [0.0, 1e-9, 0.04])
def test_exact_without_noise(european_chain, rate, half_spread):
    found = implied_forward(**_sides(european_chain(rate=rate, taus=(0.25,), half_spread=half_spread)))
    assert found.forward == pytest.approx(100 * np.exp((rate - 0.01) * 0.25), rel=1e-12)
    assert found.rate == pytest.approx(rate, abs=1e-12)
    assert found.div_yield == pytest.approx(0.01, abs=1e-12)
    assert found.rate_from_quotes == pytest.approx(1.0, abs=1e-9)
    assert found.within_spread == 1.0


@pytest.mark.parametrize("tau", [0.1, 0.5, 2.0])
@pytest.mark.parametrize(("rate", "div_yield"), [(-0.01, 0.0), (0.0, 0.03), (0.05, 0.01), (0.07, 0.0), (0.02, 0.06)])
def test_early_exercise_does_not_bend_the_parity_of_american_options(tau, rate, div_yield):
    strike = np.arange(70.0, 131.0, 2.5)
    market = {"spot": 100.0, "strike": strike, "tau": tau, "rate": rate, "div_yield": div_yield}
    call, put = (american_price(**market, vol=0.25 - 0.1 * np.log(strike / 100), right=right) for right in "CP")
    quotes = {"call_bid": call - 1e-6, "call_ask": call + 1e-6, "put_bid": put - 1e-6, "put_ask": put + 1e-6}
    found = implied_forward(strike=strike, **quotes, tau=tau, spot=100.0, american=True)
    assert found.forward == pytest.approx(100 * np.exp((rate - div_yield) * tau), rel=1e-5)
    assert found.rate == pytest.approx(rate, abs=1e-4)
    assert found.div_yield == pytest.approx(div_yield, abs=1e-4)
    bent = implied_forward(strike=strike, **quotes, tau=tau, american=True)
    assert np.isnan(bent.div_yield)
    assert abs(bent.forward - found.forward) < 0.04 * found.forward


def test_a_few_quotes_in_cents_are_not_taken_for_certain():
    rng = np.random.default_rng(3)
    misses = []
    for _ in range(400):
        tau, rate, strike = rng.uniform(0.02, 2.0), rng.uniform(0.0, 0.07), 100 + 5.0 * np.arange(rng.integers(3, 7))
        sides = {}
        for side in ("call", "put"):
            value = price(spot=105.0, strike=strike, tau=tau, vol=0.3, right=side[0].upper(), rate=rate)
            half = np.maximum(0.01, 0.01 * value)
            middle = value + rng.uniform(-0.4, 0.4, strike.size) * half
            sides |= {f"{side}_bid": np.round(middle - half, 2), f"{side}_ask": np.round(middle + half, 2)}
        found = implied_forward(strike=strike, **sides, tau=tau)
        misses.append(
            [(found.rate - rate) / found.rate_se, (found.forward - 105 * np.exp(rate * tau)) / found.forward_se]
        )
    assert (np.mean(np.abs(misses) < 3, axis=0) > 0.98).all()


def test_order_of_strikes_does_not_matter(european_chain):
    sides = _sides(european_chain(half_spread=0.02))
    shuffled = np.random.default_rng(3).permutation(len(sides["strike"]))
    mixed = {name: value[shuffled] if isinstance(value, np.ndarray) else value for name, value in sides.items()}
    assert implied_forward(**mixed) == implied_forward(**sides)


def test_wrong_quotes_have_no_say(european_chain):
    sides = _sides(european_chain(taus=(0.5,), half_spread=0.02))
    for position, error in ((2, 3.0), (9, -7.0), (10, 0.6), (15, 40.0), (20, -2.0)):
        sides["call_bid"][position] += error
        sides["call_ask"][position] += error
    found = implied_forward(**sides)
    assert found.forward == pytest.approx(100 * np.exp(0.04 * 0.5), rel=1e-12)
    assert found.rate == pytest.approx(0.05, abs=1e-11)


def test_rounding_to_cents_leaves_the_forward_within_its_error(european_chain):
    rng = np.random.default_rng(11)
    misses = []
    for _ in range(60):
        spot = rng.uniform(80, 120)
        sides = _sides(european_chain(spot=spot, taus=(0.1,), half_spread=0.03)) | {"spot": spot}
        for name in ("call_bid", "call_ask", "put_bid", "put_ask"):
            sides[name] = np.round(sides[name], 2)
        found = implied_forward(**sides)
        misses.append((found.forward - spot * np.exp(0.04 * 0.1)) / found.forward_se)
        assert abs(found.forward / (spot * np.exp(0.04 * 0.1)) - 1) < 2e-4
    assert np.mean(np.abs(misses) < 2) > 0.9


def test_a_week_of_noisy_quotes_borrows_its_rate(european_chain):
    sides = _sides(european_chain(taus=(3 / 365,), half_spread=0.25))
    noise = np.random.default_rng(5).normal(0, 0.08, (2, len(sides["strike"])))
    for side, errors in (("call", noise[0]), ("put", noise[1])):
        sides[f"{side}_bid"] = np.maximum(sides[f"{side}_bid"], 0.01) + errors
        sides[f"{side}_ask"] = sides[f"{side}_bid"] + 0.5
    alone = implied_forward(**sides)
    assert alone.rate_from_quotes < 0.1
    assert alone.rate == pytest.approx(0.02, abs=0.02)
    borrowing = implied_forward(**sides, rate=0.05, rate_se=0.001)
    assert borrowing.rate == pytest.approx(0.05, abs=1e-3)
    assert borrowing.forward == pytest.approx(100 * np.exp(0.04 * 3 / 365), abs=0.1)


def test_one_pair_gives_a_forward_at_the_given_rate(european_chain):
    sides = _sides(european_chain(taus=(0.25,), half_spread=0.0))
    one = {name: value[12:13] if isinstance(value, np.ndarray) else value for name, value in sides.items()}
    found = implied_forward(**one, rate=0.05)
    assert found.forward == pytest.approx(100 * np.exp(0.01), rel=1e-13)
    assert found.rate_from_quotes == 0.0


def test_without_pairs_nothing_is_known(european_chain):
    sides = _sides(european_chain())
    found = implied_forward(**{**sides, "put_bid": np.full(len(sides["strike"]), np.nan)})
    assert found.pairs == 0
    assert np.isnan([found.forward, found.rate, found.div_yield, found.forward_se, found.rate_se]).all()


@pytest.mark.parametrize(("name", "wrong"), [
    ("tau", 0.0), ("tau", float("nan")), ("strike", np.full(25, 100.0)), ("strike", np.arange(25.0)),
    ("shape", None),
])  # fmt: skip
def test_a_value_outside_its_domain_is_named(european_chain, name, wrong):
    sides = _sides(european_chain())
    sides |= {"call_bid": np.ones(3)} if name == "shape" else {name: wrong}
    with pytest.raises(InputError) as refused:
        implied_forward(**sides)
    assert refused.value.name == name
