"""IV rank and percentile: the vendors' own examples, bounds, and too little history."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.analytics import iv_percentile, iv_rank
from bifrost_lib.core.errors import InputError


def test_tastytrades_example():
    # "an IV between 30 and 60 over the past year and IV is currently at 45": a rank of 50 %
    assert iv_rank([30, 60], 45, fewest_days=2).value == 0.5


def test_rank_and_percentile_differ_after_one_spike():
    # 30, 10, 11, 15, 17 and now 20: halfway between the extremes, but above four of five days
    history = [30, 10, 11, 15, 17]
    assert iv_rank(history, 20, fewest_days=5).value == 0.5
    assert iv_percentile(history, 20, fewest_days=5).value == 0.8


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.01, 3), min_size=20, max_size=300), st.floats(0.01, 3))
def test_both_are_shares_that_rest_on_at_most_a_year(history, current):
    rank, percentile = iv_rank(history, current), iv_percentile(history, current)
    assert rank.days == percentile.days == min(len(history), 252)
    assert 0 <= percentile.value <= 1
    assert 0 <= rank.value <= 1 or rank.reason == "volatility never changed"


def test_only_the_last_year_counts_and_gaps_do_not():
    history = np.concatenate([[5.0] * 10, [0.1, 0.3] * 126])
    history[-2] = np.nan
    assert iv_rank(history, 0.2).value == pytest.approx(0.5)
    assert iv_rank(history, 0.2).days == 251


def test_a_new_extreme_is_the_end_of_the_scale():
    history = np.linspace(0.1, 0.3, 30)
    assert iv_rank(history, 0.9).value == 1.0
    assert iv_rank(history, 0.05).value == 0.0
    assert iv_percentile(history, 0.9).value == 1.0
    assert iv_percentile(history, 0.1).value == 0.0, "no day was strictly below"


@pytest.mark.parametrize(
    ("history", "current", "days", "reason"),
    [
        ([0.2] * 19, 0.2, 19, "fewer than 20"),
        ([0.2] * 30, math.nan, 30, "not known"),
        ([0.2] * 30, 0.2, 30, "never changed"),
        ([], 0.2, 0, "0 days"),
    ],
)
def test_no_rank_has_a_reason(history, current, days, reason):
    found = iv_rank(history, current)
    assert math.isnan(found.value)
    assert found.days == days
    assert reason in found.reason


def test_refusals_name_the_argument():
    for arguments, name in (
        (([[0.1]], 0.2), "history"),
        ((["a"], 0.2), "history"),
    ):
        with pytest.raises(InputError) as caught:
            iv_rank(*arguments)
        assert caught.value.name == name
    with pytest.raises(InputError) as caught:
        iv_percentile([0.1], 0.2, fewest_days=0)
    assert caught.value.name == "fewest_days"
