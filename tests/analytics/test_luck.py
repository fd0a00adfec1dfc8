"""The best of many trials without skill, against published order statistics."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import t as student

from bifrost_lib.analytics import chance_of_best, expected_best
from bifrost_lib.core.errors import InputError


@pytest.mark.parametrize(
    ("trials", "expected"),
    # Harter (1961), table 1: expected value of the largest of n normal values.
    [(1, 0.0), (2, 0.56419), (3, 0.84628), (5, 1.16296), (10, 1.53875), (20, 1.86748), (100, 2.50759)],
)
def test_the_expected_best_is_harters(trials, expected):
    assert expected_best(trials) == pytest.approx(expected, abs=5e-6)


def test_two_and_three_are_known_exactly():
    assert expected_best(2) == pytest.approx(1 / math.sqrt(math.pi), rel=1e-9)
    assert expected_best(3) == pytest.approx(1.5 / math.sqrt(math.pi), rel=1e-9)


def test_the_chance_of_one_trial_is_the_tail_and_grows_with_trials():
    assert chance_of_best(2.0, trials=1, count=11) == pytest.approx(student.sf(2.0, 10), rel=1e-12)
    chances = [chance_of_best(2.0, trials=trials, count=11) for trials in (1, 2, 12, 1000)]
    assert chances == sorted(chances) and chances[-1] < 1
    assert chance_of_best(2.0, trials=12, count=11) == pytest.approx(1 - (1 - student.sf(2.0, 10)) ** 12, rel=1e-9)


def test_the_chance_is_that_of_simulated_trials():
    best = np.random.default_rng(1).standard_t(10, size=(20_000, 12)).max(axis=1)
    assert chance_of_best(2.5, trials=12, count=11) == pytest.approx((best >= 2.5).mean(), abs=0.01)


def test_what_is_not_known_stays_unknown():
    assert math.isnan(chance_of_best(math.nan, trials=3, count=5))


@pytest.mark.parametrize(
    ("arguments", "name"), [({"trials": 0, "count": 5}, "trials"), ({"trials": 3, "count": 1}, "count")]
)
def test_too_few_are_named(arguments, name):
    with pytest.raises(InputError) as caught:
        chance_of_best(1.0, **arguments)
    assert caught.value.name == name
