"""Probabilities and expectations of many random structures against brute force, and under other distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bifrost_lib.pricing import risk_neutral_density
from bifrost_lib.strategies import evaluate
from bifrost_lib.strategies.measures.laws import Lognormal, SmileLaw
from bifrost_lib.strategies.measures.outcomes import outcomes
from bifrost_lib.strategies.measures.profile import profile_of

STRUCTURES = 1_000
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(24)
MARKET = {"spot": 100.0, "vol": 0.25, "rate": 0.03, "tau": 45 / 365}
CONDOR = [
    {"right": r, "qty": q, "strike": k} for r, q, k in (("P", 1, 85), ("P", -1, 90), ("C", -1, 110), ("C", 1, 115))
]


def _random_structure(rng):
    size = int(rng.integers(1, 7))
    return {
        "strike": rng.integers(30, 200, size).astype(float),
        "weight": rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], size),
        "is_call": rng.random(size) < 0.5,
        "shares": float(rng.choice([-1, 0, 0, 0, 1])),
        "premium": float(rng.integers(-4000, 4000)) / 100,
    }


def _profit(one, spot):
    moves = np.where(one["is_call"], spot[:, None] - one["strike"], one["strike"] - spot[:, None])
    return one["premium"] + np.maximum(moves, 0.0) @ one["weight"] + one["shares"] * spot


def _quadrature(one, forward, deviation):
    """Integrate piece by piece between strikes and sign changes, which a bisection on the profit itself finds."""
    edges = np.unique(np.concatenate([one["strike"], forward * np.exp(deviation * np.linspace(-9, 9, 37))]))
    values = _profit(one, edges)
    low, high = edges[:-1][values[:-1] * values[1:] < 0], edges[1:][values[:-1] * values[1:] < 0]
    for _ in range(60):
        middle = 0.5 * (low + high)
        left = np.sign(_profit(one, middle)) == np.sign(_profit(one, low)) if len(low) else np.zeros(0, dtype=bool)
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    cuts = np.unique(np.concatenate([edges, low]))
    z = (np.log(cuts / forward) + deviation**2 / 2) / deviation
    half, centre = 0.5 * np.diff(z), 0.5 * (z[1:] + z[:-1])
    at = centre[:, None] + half[:, None] * NODES
    mass = half[:, None] * NODE_WEIGHTS * np.exp(-0.5 * at**2) / math.sqrt(2 * math.pi)
    profit = _profit(one, (forward * np.exp(deviation * at - deviation**2 / 2)).ravel()).reshape(at.shape)
    wins = _profit(one, 0.5 * (cuts[1:] + cuts[:-1])) > 1e-9
    return float(mass[wins].sum()), float((mass * profit).sum()), float((mass * profit)[wins].sum())


def test_thousands_of_structures_equal_brute_force():
    rng = np.random.default_rng(20261121)
    forward, deviation = 101.0, 0.2
    law = Lognormal(forward, deviation)
    for _ in range(STRUCTURES):
        one = _random_structure(rng)
        profile = profile_of(**one)
        found = outcomes(profile, law)
        pop, ev, gained = _quadrature(one, forward, deviation)
        assert found.pop == pytest.approx(pop, abs=1e-9)
        assert found.ev == pytest.approx(ev, abs=1e-9 * 600)
        if pop > 1e-6:
            assert found.win == pytest.approx(gained / pop, rel=1e-6, abs=1e-6)
        kinks = _profit(one, np.append(0.0, one["strike"]))
        assert (profile.lowest, profile.highest) == pytest.approx((kinks.min(), kinks.max()), abs=1e-10)


def test_a_flat_smile_is_lognormal():
    law, deviation = Lognormal(100.0, 0.2 * math.sqrt(0.25)), 0.2
    smile = SmileLaw(
        risk_neutral_density(forward=100.0, tau=0.25, smile=lambda strike: np.full(strike.shape, deviation))
    )
    price = np.array([0.0, 60.0, 95.0, 100.0, 130.0, np.inf])
    np.testing.assert_allclose(smile.below(price), law.below(price), atol=1e-10)
    np.testing.assert_allclose(smile.mean_below(price), law.mean_below(price), atol=1e-8)


def test_skew_moves_the_odds_and_says_so():
    def smile(strike):
        return 0.25 - 0.15 * np.tanh(2 * np.log(strike / 100.0))

    skewed = risk_neutral_density(forward=100.0, tau=MARKET["tau"], smile=smile)
    plain, found = (evaluate(legs=CONDOR, **MARKET, premium=120.0, surface=one) for one in (None, skewed))
    assert (plain["law"], found["law"]) == ("lognormal", "surface")
    assert found["lognormal"] == plain["lognormal"] == {"pop": plain["pop"], "ev": plain["ev"]}
    assert abs(found["pop"] - plain["pop"]) > 0.001
    below = skewed.below(np.array([88.8, 111.2]))
    assert found["pop"] == pytest.approx(below[1] - below[0], abs=1e-12)


def test_wins_and_losses_average_to_the_expected_value():
    found = evaluate(legs=CONDOR, **MARKET, premium=120.0)
    average = found["pop"] * found["expected_win"] + (1 - found["pop"]) * found["expected_loss"]
    assert average == pytest.approx(found["ev"], rel=1e-12)
    assert found["prob_half_profit"] < found["pop"]
    assert found["prob_half_profit"] < found["prob_half_profit_touch"] < 1
    itm, touched = found["assignment"], found["prob_touch"]
    assert [leg["strike"] for leg in itm] == [90, 110]
    assert all(one["probability_itm"] < other["probability"] for one, other in zip(itm, touched, strict=True))


def test_real_world_measures_follow_drift_and_volatility():
    call = [{"right": "C", "qty": 1, "strike": 100, "price": 3.0}]
    up, down = (evaluate(legs=call, **MARKET, drift=drift, real_vol=0.2)["real_world"] for drift in (0.3, -0.3))
    assert up["pop"] > down["pop"]
    same = evaluate(legs=call, **MARKET, drift=0.03, real_vol=0.25)
    assert (same["real_world"]["pop"], same["real_world"]["ev"]) == pytest.approx((same["pop"], same["ev"]), rel=1e-12)


def test_what_is_not_known_is_null_with_its_reason():
    found = evaluate(legs=[{"right": "C", "qty": -1, "strike": 110}], **MARKET)
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == {
        "max_loss", "return_on_risk", "real_world", "beta_weighted_delta", "ex_dividend_risk", "slippage_cost",
        "liquidity",
    }  # fmt: skip
    assert unknown - {"max_loss"} == set(found["reasons"])
    known = evaluate(
        legs=[{"right": "C", "qty": -1, "strike": 90, "price": 10.2, "bid": 10.0, "ask": 10.4}],
        **MARKET, beta=1.2, index_spot=600.0, dividend=(0.5, 0.05),
    )  # fmt: skip
    assert known["ex_dividend_risk"] is True
    assert known["beta_weighted_delta"] == pytest.approx(known["delta"] * 1.2 * 100 / 600)
    assert known["slippage_cost"] == pytest.approx(20.0)


def test_portfolio_margin_is_the_worst_of_ten_moves():
    stock = evaluate(legs=[{"right": "S", "qty": 1}], **MARKET)
    assert stock["portfolio_margin"] == pytest.approx(1500.0)
    assert evaluate(legs=CONDOR, **MARKET)["portfolio_margin"] < 500
    surface = evaluate(legs=CONDOR, **MARKET, premium=120.0)["pnl_surface"]
    assert np.array(surface["pnl"]).shape == (3, 5, 13)
    at_expiry = np.array(surface["pnl"])[1, -1]
    assert at_expiry[6] == pytest.approx(120.0)
