"""SVI slices: the fit, its bounds, and what it says about slices that cannot be fitted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import durrleman_g, fit_svi, svi_total_variance

NAMES = ("a", "b", "rho", "m", "sigma")
VOGT = {"a": -0.0410, "b": 0.1331, "rho": 0.3060, "m": 0.3586, "sigma": 0.4153}  # Gatheral & Jacquier, example 3.1
K = np.linspace(-1.0, 0.8, 25)


def _slices(size, seed):
    rng = np.random.default_rng(seed)
    sigma, b, rho = rng.uniform(0.05, 0.6, size), rng.uniform(0.02, 0.4, size), rng.uniform(-0.95, 0.95, size)
    least = rng.uniform(0.002, 0.05, size)
    a = least - b * sigma * np.sqrt(1 - rho**2)
    return {"a": a, "b": b, "rho": rho, "m": rng.uniform(-0.3, 0.3, size), "sigma": sigma}


def _curves(slices, k=K):
    return svi_total_variance(log_moneyness=k, **{name: np.asarray(x)[..., None] for name, x in slices.items()})


def _of(fit):
    return {name: getattr(fit, name) for name in NAMES}


def test_exact_slices_are_recovered():
    truth = _slices(2_000, 1)
    fit = fit_svi(log_moneyness=K, total_variance=_curves(truth))
    for name in NAMES:
        assert getattr(fit, name) == pytest.approx(truth[name], abs=1e-8)
    assert fit.rmse.max() < 1e-12


def test_the_published_slice_and_its_arbitrage():
    k = np.linspace(-1.5, 1.5, 31)
    fit = fit_svi(log_moneyness=k, total_variance=_curves(VOGT, k))
    assert {name: float(x) for name, x in _of(fit).items()} == pytest.approx(VOGT, abs=1e-12)
    assert np.ndim(fit.a) == 0
    assert fit.has_butterfly_arbitrage
    dense = durrleman_g(log_moneyness=np.linspace(-3, 3, 60_001), **VOGT)
    assert fit.least_g == pytest.approx(dense.min(), abs=1e-8)
    assert fit.least_g_at == pytest.approx(0.8793, abs=1e-4)
    assert fit.g(0.9)[0] == pytest.approx(-0.03268513071, abs=5e-12)


def test_least_g_is_the_least_anywhere():
    fit = fit_svi(log_moneyness=K, total_variance=_curves(_slices(200, 2)))
    dense = fit.g(np.linspace(-4, 4, 8_001)).min(axis=1)
    assert (fit.least_g <= dense + 1e-9).all()
    at = durrleman_g(log_moneyness=fit.least_g_at, **_of(fit))
    assert at == pytest.approx(fit.least_g, rel=1e-9, abs=1e-12)


def test_noise_is_fitted_at_least_as_well_as_by_the_truth():
    rng = np.random.default_rng(3)
    truth = _slices(1_000, 3)
    exact = _curves(truth)
    noisy = exact * (1 + 0.01 * rng.standard_normal(exact.shape))
    fit = fit_svi(log_moneyness=K, total_variance=noisy)
    of_truth = np.sqrt(((noisy - exact) ** 2).mean(axis=1))
    assert (fit.rmse <= of_truth).all()
    shown = np.sqrt(((fit.total_variance(K) - noisy) ** 2).mean(axis=1))
    assert fit.rmse == pytest.approx(shown, rel=1e-9)


def _best_of_slsqp(k, w, rng):
    # the same problem for a general solver, from several starts
    span, lowest = np.ptp(k), np.inf
    bounds = [(None, None), (0, 2), (-1, 1), (k.min() - 1.5 * span, k.max() + 1.5 * span), (1e-3 * span, 20 * span)]
    limits = [
        {"type": "ineq", "fun": lambda x: 2 - x[1] * (1 + abs(x[2]))},
        {"type": "ineq", "fun": lambda x: x[0] + x[1] * x[4] * np.sqrt(max(1 - x[2] ** 2, 0))},
    ]

    def error(x):
        return 1e3 * np.mean((x[0] + x[1] * (x[2] * (k - x[3]) + np.hypot(k - x[3], x[4])) - w) ** 2)

    for _ in range(4):
        start = [w.mean() / 2, *rng.uniform([0.05, -0.8, -0.6, 0.02], [1, 0.8, 0.5, 0.8])]
        found = minimize(error, start, bounds=bounds, constraints=limits, method="SLSQP", options={"maxiter": 300})
        if all(limit["fun"](found.x) > -1e-9 for limit in limits):
            lowest = min(lowest, found.fun)
    return np.sqrt(lowest / 1e3)


@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::scipy.optimize.OptimizeWarning")
@pytest.mark.parametrize("kind", ["touches zero", "steeper than Lee allows", "noise", "frown"])
def test_bounds_hold_and_the_constrained_optimum_is_found(kind):
    rng = np.random.default_rng(5)
    for _ in range(6):
        k = np.sort(rng.uniform(-0.6, 0.5, 12))
        w = {
            "touches zero": np.maximum(1.2 * k**2 + 0.3 * k * rng.standard_normal() - 0.02, 0),
            "steeper than Lee allows": 3 * np.abs(k) + 0.02 * rng.random(12),
            "noise": 0.05 * rng.random(12),
            "frown": np.maximum(0.06 - 0.1 * k**2 + 0.002 * rng.standard_normal(12), 0),
        }[kind]
        fit = fit_svi(log_moneyness=k, total_variance=w)
        assert fit.b >= 0
        assert abs(fit.rho) <= 1
        assert fit.b * (1 + abs(fit.rho)) <= 2 + 1e-12
        assert fit.a + fit.b * fit.sigma * np.sqrt(1 - fit.rho**2) >= -1e-12
        assert fit.rmse <= 1.02 * _best_of_slsqp(k, w, rng)


@settings(max_examples=40, deadline=None)
@given(shift=st.floats(-0.5, 0.5), heavier=st.floats(1e-6, 1e6), seed=st.integers(0, 99))
def test_order_place_and_scale_of_weights_do_not_matter(shift, heavier, seed):
    rng = np.random.default_rng(seed)
    truth = {name: float(x[0]) for name, x in _slices(1, seed).items()}
    w = svi_total_variance(log_moneyness=K, **truth) * (1 + 0.002 * rng.standard_normal(K.size))
    base, order = fit_svi(log_moneyness=K, total_variance=w), rng.permutation(K.size)
    others = (
        fit_svi(log_moneyness=K[order], total_variance=w[order]).total_variance(K),
        fit_svi(log_moneyness=K, total_variance=w, weights=np.full(K.size, heavier)).total_variance(K),
        fit_svi(log_moneyness=K + shift, total_variance=w).total_variance(K + shift),
    )
    for other in others:
        assert other == pytest.approx(base.total_variance(K), rel=1e-5)


def test_missing_points_count_for_nothing():
    truth = _slices(3, 7)
    w = _curves(truth)
    holes = w.copy()
    holes[0, ::3], holes[1, np.arange(25) % 6 > 0], holes[2, :21] = np.nan, np.nan, np.nan
    fit = fit_svi(log_moneyness=K, total_variance=holes)
    assert fit.points.tolist() == [16, 5, 4]
    assert fit.a[0] == pytest.approx(truth["a"][0], abs=1e-8)
    assert fit.m[1] == pytest.approx(truth["m"][1], abs=1e-8)
    assert all(np.isnan(getattr(fit, name)[2]) for name in (*NAMES, "rmse", "least_g"))
    assert fit.has_butterfly_arbitrage.tolist()[2] is False
    spoilt = w + np.where(np.arange(K.size) % 4 == 0, 0.5, 0.0)
    weights = np.where(np.arange(K.size) % 4 == 0, [0.0, np.nan] * 12 + [0.0], 1.0)
    again = fit_svi(log_moneyness=K, total_variance=spoilt, weights=weights)
    assert again.m == pytest.approx(truth["m"], abs=1e-8)


def test_one_log_moneyness_is_no_slice():
    fit = fit_svi(log_moneyness=np.zeros(9), total_variance=np.full(9, 0.04))
    assert np.isnan(fit.a)
    assert fit.points == 9


def test_a_flat_smile_and_an_empty_batch():
    fit = fit_svi(log_moneyness=K, total_variance=np.full(K.size, 0.04))
    assert fit.total_variance(K) == pytest.approx(0.04, rel=1e-9)
    assert not fit.has_butterfly_arbitrage
    assert fit_svi(log_moneyness=K, total_variance=np.empty((0, K.size))).a.shape == (0,)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("total_variance", {"total_variance": -np.ones(25)}),
        ("total_variance", {"total_variance": np.full(25, np.inf)}),
        ("total_variance", {"total_variance": np.ones((2, 2, 25))}),
        ("total_variance", {"total_variance": ["x"] * 25}),
        ("log_moneyness", {"log_moneyness": K[:-1]}),
        ("log_moneyness", {"log_moneyness": np.full(25, np.inf)}),
        ("weights", {"weights": np.ones(24)}),
        ("weights", {"weights": -np.ones(25)}),
    ],
)
def test_what_is_refused(name, change):
    with pytest.raises(InputError) as caught:
        fit_svi(**({"log_moneyness": K, "total_variance": np.ones(25)} | change))
    assert caught.value.name == name
