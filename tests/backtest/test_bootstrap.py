"""Blocks are as long as the paper says, and intervals cover what they promise where observations hang together."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bifrost_lib.backtest.statistics.bootstrap import block_length, bootstrap_interval, resamples
from bifrost_lib.core.errors import InputError


def autoregressive(rho: float, count: int, *, seed: int) -> np.ndarray:
    shocks = np.random.default_rng(seed).standard_normal(count + 100)
    for place in range(1, len(shocks)):
        shocks[place] += rho * shocks[place - 1]
    return shocks[100:]


def test_block_length_of_a_published_series():
    # The series and the length (13.635665) with which the package arch checks itself against the authors' program.
    series = np.random.RandomState(0).standard_normal(10_100)
    for place in range(1, len(series)):
        series[place] += 0.3 * series[place - 1]
    assert block_length(series[100:]) == pytest.approx(13.635665, rel=1e-7)


def test_block_length_nears_the_optimum_of_theory():
    # Politis and White (2004), eq. 6 with the corrected constant, for an AR(1): (2ρ / (1 - ρ²))^(2/3) n^(1/3).
    lengths = [block_length(autoregressive(0.7, 800, seed=seed)) for seed in range(40)]
    assert np.median(lengths) == pytest.approx((1.4 / 0.51) ** (2 / 3) * 800 ** (1 / 3), rel=0.25)
    assert block_length(np.ones(50)) == 1.0
    assert block_length([1.0, 2.0]) == 1.0


def test_blocks_follow_the_series_and_have_the_mean_length():
    rows = np.concatenate(list(resamples(50, block=5.0, draws=400, seed=3)))
    follows = (np.diff(rows, axis=1) % 50) == 1
    assert follows.mean() == pytest.approx(1 - 1 / 5 + 1 / 5 / 50, abs=0.01)
    assert np.bincount(rows.ravel(), minlength=50).std() / rows.size * 50 < 0.1  # no place is favoured
    single = np.concatenate(list(resamples(50, block=1.0, draws=400, seed=3)))
    assert ((np.diff(single, axis=1) % 50) == 1).mean() == pytest.approx(1 / 50, abs=0.01)


def test_a_seed_gives_an_interval_to_the_bit():
    series = autoregressive(0.5, 300, seed=1)
    first = bootstrap_interval(series, lambda draw: draw.mean(axis=1), draws=200, seed=9)
    assert bootstrap_interval(series, lambda draw: draw.mean(axis=1), draws=200, seed=9) == first
    assert bootstrap_interval(series, lambda draw: draw.mean(axis=1), draws=200, seed=8) != first


def test_intervals_cover_the_truth_where_single_draws_do_not():
    hit = {"blocks": 0, "single": 0}
    for seed in range(120):
        series = autoregressive(0.6, 300, seed=seed)
        for name, block in (("blocks", None), ("single", 1.0)):
            found = bootstrap_interval(series, lambda draw: draw.mean(axis=1), draws=200, seed=seed, block=block)
            hit[name] += found.low <= 0 <= found.high
    assert hit["blocks"] / 120 > 0.85
    assert hit["single"] / 120 < 0.75


def test_too_little_is_said():
    found = bootstrap_interval([1.0, 2.0, 3.0], lambda draw: draw.mean(axis=1))
    assert math.isnan(found.low)
    assert "fewer than 8" in found.reason
    with pytest.raises(InputError) as caught:
        bootstrap_interval(np.arange(20.0), lambda draw: draw.mean(axis=1), confidence=95)
    assert caught.value.name == "confidence"
