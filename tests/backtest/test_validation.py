"""Nothing that is learned from overlaps what it is tested on."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.backtest.overfitting.splits import (
    Window,
    history_paths,
    purged_combinations,
    purged_folds,
    walk_forward,
)
from bifrost_lib.core.errors import InputError


def test_walking_forward():
    assert walk_forward(100, train=60, test=20) == [Window(0, 60, 60, 80), Window(20, 80, 80, 100)]
    assert walk_forward(100, train=60, test=20, anchored=True)[1] == Window(0, 80, 80, 100)
    assert walk_forward(100, train=60, test=30, embargo=5) == [Window(0, 60, 65, 95), Window(30, 90, 95, 100)]
    assert len(walk_forward(100, train=60, test=20, step=5)) == 8
    with pytest.raises(InputError) as caught:
        walk_forward(60, train=60, test=20)
    assert caught.value.name == "train"


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 300), st.integers(1, 100), st.integers(1, 60), st.integers(0, 10), st.booleans())
def test_tests_cover_the_future_once_and_never_the_past(sessions, train, test, embargo, anchored):
    if sessions <= train + embargo:
        return
    windows = walk_forward(sessions, train=train, test=test, embargo=embargo, anchored=anchored)
    tested = [session for one in windows for session in range(one.test_start, one.test_stop)]
    assert tested == list(range(train + embargo, sessions))
    for one in windows:
        assert one.train_stop + embargo == one.test_start < one.test_stop
        assert one.train_start == (0 if anchored else one.train_stop - train)


def held(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    opened = rng.uniform(0, 100, count)
    return opened, opened + rng.exponential(8, count)


def test_purging_by_hand():
    # One trade a day, each held for two more days; the embargo of one day bars the one that opens next.
    opened = np.arange(12.0)
    splits = purged_folds(opened, opened + 2, folds=4, embargo=1.0)
    assert [list(one.test) for one in splits] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert list(splits[1].train) == [0, 9, 10, 11]  # 1 and 2 reach into day 3; 6, 7 overlap, 8 opens within a day
    assert list(splits[0].train) == [6, 7, 8, 9, 10, 11]
    days = np.datetime64("2024-01-01") + opened.astype("timedelta64[D]")
    same = purged_folds(days, days + np.timedelta64(2, "D"), folds=4, embargo=np.timedelta64(1, "D"))
    assert [list(one.train) for one in same] == [list(one.train) for one in splits]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 60), st.integers(2, 7), st.data())
def test_no_trade_that_is_learned_from_overlaps_a_tested_one(seed, count, groups, data):
    opened, closed = held(np.random.default_rng(seed), count)
    tested = data.draw(st.integers(1, groups - 1))
    splits = purged_combinations(opened, closed, groups=groups, tested=tested, embargo=1.5)
    assert len(splits) == math.comb(groups, tested)
    for one in splits:
        for trade in one.test:
            overlaps = (opened[one.train] <= closed[trade]) & (closed[one.train] >= opened[trade])
            assert not overlaps.any()
        assert not set(one.train) & set(one.test)
    assert (
        np.bincount(np.concatenate([one.test for one in splits]), minlength=count).tolist()
        == [math.comb(groups - 1, tested - 1)] * count
    )


def test_paths_of_the_book():
    # López de Prado (2018), section 12.4: six groups of which two are tested make 15 splits and 5 paths.
    paths = history_paths(6, 2)
    assert paths.shape == (5, 6)
    opened = np.arange(60.0)
    splits = purged_combinations(opened, opened + 0.5, groups=6, tested=2)
    assert len(splits) == 15
    for path in paths:
        assert all(group in splits[split].groups for group, split in enumerate(path))
    # Each split's tests are used up: once for each group that it tests.
    assert np.bincount(paths.ravel()).tolist() == [2] * 15


def test_an_open_trade_is_learned_from_only_before_everything():
    opened, closed = np.arange(10.0), np.arange(10.0) + 0.5
    closed[3] = math.nan
    splits = purged_folds(opened, closed, folds=5)
    assert all(3 not in one.train for one in splits[2:])
    assert 3 in splits[0].train
    with pytest.raises(InputError) as caught:
        purged_folds([1.0, 2.0], [0.5, 3.0], folds=2)
    assert caught.value.name == "opened"
