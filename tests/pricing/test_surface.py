"""A surface gives its quotes back, has no arbitrage, and says nothing outside itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.pricing import (
    calendar_crossings,
    fit_ssvi,
    fit_surface,
    fit_svi,
    greeks,
    without_arbitrage,
)

TAU = np.array([10, 30, 60, 91, 182, 365, 730]) / 365
SPOT, RATE, RHO, ETA, GAMMA = 100.0, 0.04, -0.55, 0.9, 0.45


def ssvi(k, theta):
    """Gatheral & Jacquier (2014), equation (4.1) with the power law of Remark 4.4."""
    phi = ETA / (theta**GAMMA * (1 + theta) ** (1 - GAMMA))
    return theta / 2 * (1 + RHO * phi * k + np.sqrt((phi * k + RHO) ** 2 + 1 - RHO**2))


@pytest.fixture(scope="module")
def quotes():
    """Out-of-the-money quotes of a surface that SVI slices hold exactly."""
    theta = 0.04 * TAU + 0.01 * np.sqrt(TAU)
    rows = []
    for tau, level in zip(TAU, theta, strict=True):
        k = np.linspace(-2.5, 1.8, 25) * np.sqrt(level)
        forward = SPOT * np.exp(RATE * tau)
        rows.append([np.full(25, tau), np.full(25, forward), forward * np.exp(k), np.sqrt(ssvi(k, level) / tau)])
    return dict(zip(("tau", "forward", "strike", "iv"), np.hstack(rows), strict=True))


@pytest.fixture(scope="module")
def surface(quotes):
    return fit_surface(**quotes, iv_spread=np.full(len(quotes["tau"]), 0.002))


def test_it_gives_exact_quotes_back(surface, quotes):
    found = surface.iv(tau=quotes["tau"], strike=quotes["strike"])
    np.testing.assert_allclose(found, quotes["iv"], atol=2e-6)
    assert surface.rmse_vol.max() < 1e-6
    assert (surface.within_spread == 1).all()
    assert not surface.repaired.any()


def test_between_expiries_total_variance_is_linear_in_time(surface):
    k, share = np.linspace(-0.2, 0.2, 9), 0.3
    tau = (1 - share) * TAU[2] + share * TAU[3]
    ends = [surface.total_variance(log_moneyness=k, tau=t) for t in (TAU[2], TAU[3])]
    expected = (1 - share) * ends[0] + share * ends[1]
    np.testing.assert_allclose(surface.total_variance(log_moneyness=k, tau=tau), expected, rtol=1e-12)
    np.testing.assert_allclose(surface.forward_at(tau), SPOT * np.exp(RATE * tau), rtol=1e-12)


def test_outside_the_expiries_nothing_is_said(surface):
    outside = np.array([TAU[0] * 0.9, TAU[-1] * 1.01, np.nan])
    assert np.isnan(surface.atm_vol(outside)).all()
    assert np.isnan(surface.iv(tau=outside, delta=0.25)).all()
    assert np.isnan(surface.forward_at(outside)).all()
    assert np.isfinite(surface.atm_vol(TAU[[0, -1]])).all()


@given(st.floats(-0.97, 0.97).filter(lambda delta: abs(delta) > 0.03), st.floats(TAU[0], TAU[-1]))
def test_a_strike_found_by_delta_has_that_delta(surface, delta, tau):
    k = surface.log_moneyness_at(delta=delta, tau=tau)
    vol = float(surface.iv(tau=tau, delta=delta))
    right = "C" if delta > 0 else "P"
    common = {"strike": np.exp(k), "tau": tau, "vol": vol, "right": right}
    assert greeks(spot=1.0, **common, names=["delta"])["delta"] == pytest.approx(delta, abs=1e-9)


def test_the_standard_grid(surface):
    grid = surface.standard_grid()
    assert grid.iv.shape == grid.strike.shape == (11, 17)
    assert np.isfinite(grid.iv).all()
    assert (np.diff(grid.strike, axis=1) < 0).all()  # a call's delta falls with its strike
    puts = surface.standard_grid(right="P", deltas=[0.25])
    np.testing.assert_allclose(puts.delta, [-0.25])
    np.testing.assert_allclose(puts.iv, surface.standard_grid(deltas=[0.75]).iv, rtol=1e-12)  # the same strike
    np.testing.assert_allclose(surface.skew(30 / 365), puts.iv[1, 0] - surface.iv(tau=30 / 365, delta=0.25), rtol=1e-9)
    assert surface.term_slope() == pytest.approx(float(np.diff(surface.atm_vol(np.array([30, 90]) / 365))[0]))


def test_a_flat_surface_has_no_skew_and_no_slope():
    strike = np.tile(np.linspace(80, 120, 21), 3)
    tau = np.repeat([0.08, 0.25, 0.5], 21)
    flat = fit_surface(tau=tau, forward=np.full(63, 100.0), strike=strike, iv=np.full(63, 0.2))
    assert flat.atm_vol(0.3) == pytest.approx(0.2, abs=1e-9)
    assert flat.skew(0.3) == pytest.approx(0.0, abs=1e-7)
    assert flat.term_slope() == pytest.approx(0.0, abs=1e-9)


def test_tight_quotes_count_more(quotes):
    first = quotes["tau"] == TAU[0]
    given_ = {name: column[first] for name, column in quotes.items()}
    wrong = given_ | {"iv": given_["iv"] + np.where(np.arange(25) < 5, 0.05, 0.0)}
    spread = np.where(np.arange(25) < 5, 0.2, 0.001)
    weighted = fit_surface(**wrong, iv_spread=spread)
    plain = fit_surface(**wrong)
    near = np.log(given_["strike"] / given_["forward"])[8:]
    off = [np.abs(s.iv(tau=TAU[0], log_moneyness=near) - given_["iv"][8:]).max() for s in (weighted, plain)]
    assert off[0] < 0.2 * off[1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_arbitrage_is_removed_everywhere(seed):
    """Noisy levels make neighbouring expiries cross; afterwards they do not, however far out one looks."""
    rng = np.random.default_rng(seed)
    tau = np.cumsum(rng.uniform(0.02, 0.3, 5))
    k = np.linspace(-0.6, 0.5, 31)
    level = (0.04 * tau * np.exp(rng.normal(0, 0.12, 5)))[:, None]
    w = ssvi(k, level) * np.exp(rng.normal(0, 0.01, (5, 31)))
    raw = fit_svi(log_moneyness=k, total_variance=w)
    kept = without_arbitrage(raw, log_moneyness=k, total_variance=w)
    far = np.sinh(np.linspace(-6, 6, 4001))
    assert np.diff(kept.total_variance(far), axis=0).min() >= -1e-9 * 200
    assert np.diff(kept.total_variance(k), axis=0).min() >= -1e-12
    assert not calendar_crossings(kept).wings.any()
    assert (kept.least_g >= 0).all()


def test_slices_without_arbitrage_stay(surface):
    kept = without_arbitrage(surface.slices)
    np.testing.assert_array_equal(kept.a, surface.slices.a)


def test_ssvi_finds_its_own_parameters():
    k = np.linspace(-0.5, 0.4, 41)
    theta = 0.04 * TAU + 0.01 * np.sqrt(TAU)
    fitted = fit_ssvi(tau=TAU, log_moneyness=k, total_variance=np.array([ssvi(k, level) for level in theta]))
    assert [fitted.rho, fitted.eta, fitted.gamma] == pytest.approx([RHO, ETA, GAMMA], rel=1e-4)
    np.testing.assert_allclose(fitted.theta, theta, rtol=1e-6)
    assert fitted.rmse < 1e-8
    raw = fitted.slices()
    w = raw.a[:, None] + raw.b[:, None] * (
        raw.rho[:, None] * (k - raw.m[:, None]) + np.sqrt((k - raw.m[:, None]) ** 2 + raw.sigma[:, None] ** 2)
    )
    np.testing.assert_allclose(w, fitted.total_variance(log_moneyness=k, tau=TAU[:, None]), rtol=1e-9)
    assert np.isnan(fitted.total_variance(log_moneyness=0.0, tau=3.0))


def test_ssvi_has_no_arbitrage_whatever_the_quotes():
    rng = np.random.default_rng(8)
    k = np.linspace(-0.5, 0.4, 41)
    w = np.array([ssvi(k, level) for level in 0.04 * TAU * np.exp(rng.normal(0, 0.4, len(TAU)))])
    fitted = fit_ssvi(tau=TAU, log_moneyness=k, total_variance=w * np.exp(rng.normal(0, 0.05, w.shape)))
    assert fitted.eta * (1 + abs(fitted.rho)) <= 2 + 1e-12
    far = np.linspace(-5, 5, 801)
    assert np.diff(fitted.total_variance(log_moneyness=far, tau=TAU[:, None]), axis=0).min() >= -1e-12


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tau", {"tau": -0.1}),
        ("strike", {"strike": 0.0}),
        ("iv", {"iv": -0.2}),
        ("arbitrage", {"arbitrage": "maybe"}),
    ],
)
def test_what_is_refused(quotes, name, change):
    with pytest.raises(InputError) as caught:
        fit_surface(**{**quotes, **change})
    assert caught.value.name == name


def test_too_few_quotes_make_no_surface():
    with pytest.raises(NoDataError, match="needs 5 quotes"):
        fit_surface(tau=np.full(4, 0.1), forward=np.full(4, 100.0), strike=np.arange(98.0, 102), iv=np.full(4, 0.2))


def test_only_one_way_to_name_a_strike(surface):
    with pytest.raises(InputError) as caught:
        surface.iv(tau=0.2, strike=100.0, delta=0.5)
    assert caught.value.name == "strike"


def test_a_wing_that_is_all_but_flat_may_not_let_a_later_slice_through():
    # slopes b (1 + rho) of 2e-7 are known to 1e-17 only, and slices that gave way to each other are parallel there
    rng = np.random.default_rng(9)
    k, expiries = np.linspace(-0.4, 0.3, 15), 6
    far = np.linspace(-3.0, 3.0, 601)
    for _ in range(12):
        tau = np.sort(rng.uniform(0.02, 1.5, expiries))[:, None]
        theta = 0.04 * tau * np.exp(rng.normal(0.0, 0.2, (expiries, 1)))
        phi, rho = rng.uniform(0.5, 4.0, (expiries, 1)), rng.uniform(-0.8, 0.2, (expiries, 1))
        w = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
        w = w * np.exp(rng.normal(0.0, 0.04, w.shape))
        fixed = without_arbitrage(fit_svi(log_moneyness=k, total_variance=w), log_moneyness=k, total_variance=w)
        assert np.diff(fixed.total_variance(far), axis=0).min() >= -1e-12
        assert fixed.g(far).min() >= 0.0
