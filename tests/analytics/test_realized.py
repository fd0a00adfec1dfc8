"""Realised volatility: simulated paths of known volatility, formulas by hand, and bars that cannot be."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.analytics import realized_vol
from bifrost_lib.core.errors import InputError, UnknownNameError

ESTIMATORS = ("close_to_close", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang")
VOL = 0.3
#: Variance of each estimator over that of close-to-close, the other way round: the papers' efficiencies.
EFFICIENCY = {"close_to_close": 1.0, "parkinson": 4.9, "garman_klass": 7.4, "rogers_satchell": 6.0, "yang_zhang": 7.0}


def paths(*, days, drift=0.0, overnight=0.0, steps=2_000, seed=1):
    """Daily bars of a geometric Brownian motion whose total daily variance is VOL**2 / 252."""
    rng = np.random.default_rng(seed)
    daily = VOL**2 / 252
    jump = rng.normal(0, math.sqrt(overnight * daily), days)
    ticks = rng.normal((drift - VOL**2 / 2) / 252 / steps, math.sqrt((1 - overnight) * daily / steps), (days, steps))
    path = np.concatenate([np.zeros((days, 1)), ticks.cumsum(axis=1)], axis=1)
    start = np.concatenate([[0.0], (path[:, -1] + np.append(jump[1:], 0.0)).cumsum()[:-1]])
    logs = start[:, None] + path
    bars = {"open": logs[:, 0], "high": logs.max(axis=1), "low": logs.min(axis=1), "close": logs[:, -1]}
    return pd.DataFrame({name: 100 * np.exp(column) for name, column in bars.items()})


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_the_volatility_of_a_brownian_motion_is_recovered(estimator):
    days = 3_000
    found = realized_vol(paths(days=days), window=days - 1, estimator=estimator).iloc[-1]
    standard_error = VOL / math.sqrt(2 * days * EFFICIENCY[estimator])
    # A range over discrete steps is too narrow by about 1.3 / sqrt(steps) of a day's deviation.
    bias = 0.0 if estimator == "close_to_close" else 1.2 * VOL / math.sqrt(2_000)
    assert abs(found - VOL) < 4 * standard_error + bias


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators_are_as_efficient_as_their_papers_say(estimator):
    bars = paths(days=6_300, steps=500, seed=2)
    found = realized_vol(bars, window=21, estimator=estimator).iloc[21::21]
    efficiency = VOL**2 / (2 * 20) / found.var()
    assert efficiency == pytest.approx(EFFICIENCY[estimator], rel=0.3)


def test_yang_zhang_sees_the_night_and_is_not_moved_by_a_drift():
    bars = paths(days=3_000, drift=2.0, overnight=0.25, seed=3)
    of = {name: realized_vol(bars, window=2_999, estimator=name).iloc[-1] for name in ESTIMATORS}
    assert of["yang_zhang"] == pytest.approx(VOL, rel=0.03)
    assert of["close_to_close"] == pytest.approx(VOL, rel=0.04)
    assert of["rogers_satchell"] == pytest.approx(VOL * math.sqrt(0.75), rel=0.03)
    assert of["parkinson"] > 1.02 * of["rogers_satchell"], "a drift looks like volatility"


BARS = pd.DataFrame(
    {
        "open": [100.0, 102.0, 101.0, 103.0],
        "high": [103.0, 104.0, 103.5, 106.0],
        "low": [99.0, 101.0, 99.5, 102.5],
        "close": [102.0, 101.5, 103.0, 105.0],
    }
)


def test_formulas_by_hand():
    o, h, low, c = (np.log(BARS[name].to_numpy()) for name in ("open", "high", "low", "close"))
    rs = [(h[i] - c[i]) * (h[i] - o[i]) + (low[i] - c[i]) * (low[i] - o[i]) for i in (1, 2, 3)]
    night = [o[i] - c[i - 1] for i in (1, 2, 3)]
    day = [c[i] - o[i] for i in (1, 2, 3)]
    k = 0.34 / (1.34 + 4 / 2)
    expected = {
        "close_to_close": np.var([c[i] - c[i - 1] for i in (1, 2, 3)], ddof=1),
        "parkinson": sum((h[i] - low[i]) ** 2 for i in (1, 2, 3)) / 3 / (4 * math.log(2)),
        "garman_klass": sum(0.5 * (h[i] - low[i]) ** 2 - 0.3862943611 * (c[i] - o[i]) ** 2 for i in (1, 2, 3)) / 3,
        "rogers_satchell": sum(rs) / 3,
        "yang_zhang": np.var(night, ddof=1) + k * np.var(day, ddof=1) + (1 - k) * sum(rs) / 3,
    }
    for name, variance in expected.items():
        found = realized_vol(BARS, window=3, estimator=name)
        assert found.iloc[-1] == pytest.approx(math.sqrt(252 * variance), rel=1e-9), name
        assert found.iloc[:2].isna().all()
        assert found.name == "realized_vol"
        assert realized_vol(BARS, window=3, estimator=name, annualised=63).iloc[-1] == pytest.approx(found.iloc[-1] / 2)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), seed=st.integers(0, 50))
def test_the_unit_of_money_does_not_matter(scale, seed):
    bars = paths(days=30, steps=20, overnight=0.2, seed=seed)
    for name in ESTIMATORS:
        base, other = (realized_vol(frame, estimator=name).to_numpy() for frame in (bars, bars * scale))
        assert other == pytest.approx(base, rel=1e-8, nan_ok=True)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_a_broken_bar_is_missing_as_long_as_the_window_holds_it(estimator):
    bars = paths(days=40, steps=20)
    bars.loc[10, ["open", "high", "low", "close"]] = np.nan
    bars.loc[30, ["high", "close"]] = [1.0, 0.0]
    found = realized_vol(bars, window=5, estimator=estimator)
    assert found.iloc[10:15].isna().all()
    assert found.iloc[16:30].notna().all()
    assert found.iloc[30:35].isna().all()
    assert found.iloc[36:].notna().all()


def test_short_histories_and_refusals():
    assert realized_vol(BARS, window=4).isna().all(), "four returns need five closes"
    assert realized_vol(BARS.iloc[:0]).empty
    assert realized_vol(BARS[["close"]], window=3).notna().iloc[-1]
    for arguments, kind, name in (
        ({"window": 1}, InputError, "window"),
        ({"annualised": 0.0}, InputError, "annualised"),
        ({"estimator": "garch"}, UnknownNameError, "estimator"),
    ):
        with pytest.raises(kind) as caught:
            realized_vol(BARS, **arguments)
        assert caught.value.name == name
    with pytest.raises(InputError) as caught:
        realized_vol(BARS[["close"]], estimator="parkinson")
    assert caught.value.name == "bars.open"
