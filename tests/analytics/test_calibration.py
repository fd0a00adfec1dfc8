"""Calibration finds a bias that was put in, and none where there is none."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import ndtr

from bifrost_lib.analytics import (
    Recalibration,
    check_expected_values,
    out_of_sample,
    recalibrate,
    reliability_curve,
    score_forecasts,
)
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.intervals import wilson_interval

RNG = np.random.default_rng


def market(seed: int, *, count: int = 2000) -> tuple[np.ndarray, np.ndarray]:
    """Short strangles on lognormal prices: their true probabilities of a profit, and whether each made one."""
    rng = RNG(seed)
    vol, days = rng.uniform(0.1, 0.5, count), rng.integers(10, 60, count)
    sd = vol * np.sqrt(days / 365)
    low, high = -rng.uniform(0.3, 2.0, count) * sd, rng.uniform(0.3, 2.0, count) * sd
    end = -0.5 * sd**2 + sd * rng.standard_normal(count)
    true = ndtr((high + 0.5 * sd**2) / sd) - ndtr((low + 0.5 * sd**2) / sd)
    return true, ((end > low) & (end < high)).astype(float)


def test_wilson_quotes_newcombe():
    """Newcombe (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20 and 1 of 29."""
    published = {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }
    for (wins, count), (low, high) in published.items():
        assert wilson_interval(wins, count) == pytest.approx((low, high), abs=5e-5)
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_a_bias_of_five_points_is_found_whatever_the_seed():
    """2,000 outcomes: the standard error is about a point, so five of them are hard to miss."""
    found = []
    for seed in range(100):
        true, won = market(seed)
        found.append(score_forecasts(np.clip(true + 0.05, 0, 1), won))
    assert all(scores.is_biased and scores.bias > 0 for scores in found)
    assert np.mean([scores.bias for scores in found]) == pytest.approx(0.0495, abs=0.003)
    covered = np.mean([scores.bias_low <= 0.0495 <= scores.bias_high for scores in found])
    assert 0.88 <= covered <= 1.0


def test_where_there_is_no_bias_none_is_found_more_often_than_luck_would():
    """At 95 % one in twenty honest markets looks biased: of 400 between 2.5 % and 8 %, and both ways."""
    verdicts = [score_forecasts(*market(seed)) for seed in range(1000, 1400)]
    false = [scores.bias for scores in verdicts if scores.is_biased]
    assert 0.025 <= len(false) / len(verdicts) <= 0.08
    assert min(false) < 0 < max(false)


def test_the_curve_covers_honest_forecasts_and_not_dishonest_ones():
    bins = pd.concat([reliability_curve(*market(seed)) for seed in range(60)])
    assert 0.03 <= bins["is_off"].mean() <= 0.08
    true, won = market(7, count=20_000)
    curve = reliability_curve(np.clip(true + 0.05, 0, 1), won)
    assert curve.loc[curve["n"] > 1000, "is_off"].all()
    assert curve["n"].sum() == 20_000 and (curve["observed_low"] <= curve["observed"]).all()


def test_brier_and_its_parts_by_hand():
    """Four forecasts of 0.8, of which three came true, and two of 0.1, of which none did."""
    scores = score_forecasts([0.8] * 4 + [0.1] * 2, [1, 1, 1, 0, 0, 0])
    assert scores.brier == pytest.approx((3 * 0.04 + 0.64 + 2 * 0.01) / 6)
    assert scores.reliability == pytest.approx((4 * 0.05**2 + 2 * 0.1**2) / 6)
    assert scores.resolution == pytest.approx((4 * 0.25**2 + 2 * 0.5**2) / 6)
    assert (scores.uncertainty, scores.within) == (pytest.approx(0.25), pytest.approx(0.0, abs=1e-15))
    assert scores.log_loss == pytest.approx(-(3 * math.log(0.8) + math.log(0.2) + 2 * math.log(0.9)) / 6)
    assert not scores.is_biased  # six say nothing


pairs = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@settings(max_examples=60, deadline=None)
@given(pairs)
def test_scores_obey_their_laws(rows):
    p, won = np.array([row[0] for row in rows]), np.array([float(row[1]) for row in rows])
    scores = score_forecasts(p, won)
    parts = scores.reliability - scores.resolution + scores.uncertainty + scores.within
    assert parts == pytest.approx(scores.brier, abs=1e-12)
    assert 0 <= scores.brier <= 1 and scores.log_loss >= 0
    assert scores.observed_low <= scores.observed <= scores.observed_high
    q = recalibrate(p, won)(np.sort(p))
    assert ((q >= 0) & (q <= 1)).all() and (np.diff(q) >= -1e-12).all()


def test_recalibration_takes_the_bias_away_out_of_sample():
    true, won = market(3, count=1200)
    told = np.clip(true + 0.08, 0.01, 0.99)
    days = np.arange(1200)
    better = out_of_sample(told, won, made=days, known=days + 40)
    before, after = score_forecasts(told[200:], won[200:]), score_forecasts(better[200:], won[200:])
    assert before.is_biased and not after.is_biased
    assert after.brier < before.brier and after.log_loss < before.log_loss
    np.testing.assert_array_equal(better[:40], told[:40])  # nothing was known yet


def test_no_later_outcome_touches_a_forecast():
    true, won = market(5, count=300)
    days = np.arange(300)
    first = out_of_sample(true, won, made=days, known=days + 30)
    changed = won.copy()
    changed[171:] = 1 - changed[171:]  # known on day 201 and after
    np.testing.assert_array_equal(out_of_sample(true, changed, made=days, known=days + 30)[:201], first[:201])


def test_few_outcomes_correct_little_and_none_nothing():
    p = np.array([0.0, 0.3, 0.7, 1.0, math.nan])
    np.testing.assert_array_equal(Recalibration()(p), p)
    np.testing.assert_array_equal(recalibrate([], [])(p), p)
    three = recalibrate([0.7] * 3, [0, 0, 0])(0.7)
    many = recalibrate([0.7] * 300, [0] * 300)(0.7)
    assert 0.4 < three < 0.7 and many < 0.1


def test_forecasts_that_point_the_wrong_way_are_not_turned_round():
    found = recalibrate([0.9] * 200 + [0.1] * 200, [0] * 200 + [1] * 200)
    assert found.slope > 0


def test_expected_values_by_hand():
    check = check_expected_values([10.0, 10.0, 10.0, -5.0], [30.0, -20.0, 15.0, -5.0])
    assert (check.positive, check.hit_rate, check.sign_rate) == (3, pytest.approx(2 / 3), 0.75)
    assert (check.ev, check.pnl, check.difference) == (6.25, 5.0, -1.25)
    assert check.difference_low < -1.25 < check.difference_high


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (([0.5, 1.2], [0, 1]), "forecast"),
        (([0.5, math.nan], [0, 1]), "forecast"),
        (([0.5, 0.6], [0, 2]), "won"),
        (([0.5], [0, 1]), "won"),
        (([], []), "won"),
        (([0.5, "x"], [0, 1]), "forecast"),
    ],
)
def test_a_wrong_argument_is_named(arguments, name):
    with pytest.raises(InputError) as caught:
        score_forecasts(*arguments)
    assert caught.value.name == name
