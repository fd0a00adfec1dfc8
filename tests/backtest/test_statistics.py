"""Figures of a run that can be worked out by hand, and what is said of those that cannot be known."""

from __future__ import annotations

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bifrost_lib.backtest.statistics.summary import summarize
from bifrost_lib.core.errors import InputError

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-01-02 21:00", tz="UTC")


def trades(pnl: list[float], reasons: list[str] | None = None, **columns: object) -> pd.DataFrame:
    opened = pd.Series(pd.date_range(START, periods=len(pnl), freq="7D").as_unit("us"))
    reasons = reasons or ["take profit" if value > 0 else "stop" for value in pnl]
    frame = {"opened": opened, "closed": opened + 5 * DAY, "reason": reasons, "pnl": pnl, "commission": 2.6}
    return pd.DataFrame({**frame, "margin": 1000.0, "max_loss": -500.0, "carried": 0, **columns})


def equity(levels: list[float] | np.ndarray, *, every: str = "1D", **columns: object) -> pd.DataFrame:
    ts = pd.date_range(START, periods=len(levels), freq=every).as_unit("us")
    return pd.DataFrame({"ts": ts, "equity": np.asarray(levels, dtype=float), "margin": 0.0, "active": 0, **columns})


def test_trades_by_hand():
    found = summarize(trades([100.0, -50.0, 25.0, -25.0, 150.0]), equity([1000.0] * 10), capital=1000.0, draws=50)
    assert (found["trades"], found["closed"], found["wins"]) == (5, 5, 3)
    assert found["win_rate"] == 0.6
    assert (found["pnl"], found["mean_pnl"], found["median_pnl"]) == (200.0, 40.0, 25.0)
    assert (found["best_pnl"], found["worst_pnl"]) == (150.0, -50.0)
    assert found["profit_factor"] == pytest.approx(275 / 75)
    assert (found["mean_win"], found["mean_loss"]) == (pytest.approx(275 / 3), -37.5)
    assert found["expectancy"] == pytest.approx(40 / 500)
    assert found["return_on_margin"] == pytest.approx(200 / 5000)
    assert found["commission"] == pytest.approx(13.0)
    assert found["mean_days"] == 5.0
    assert found["by_reason"]["stop"] == {"trades": 2, "pnl": -75.0, "mean_pnl": -37.5, "win_rate": 0.0}
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", Table I: 81 of 263.
    shares = summarize(trades([1.0] * 81 + [-1.0] * 182), equity([1.0, 1.0]), capital=1.0, draws=0)
    assert (shares["win_rate_low"], shares["win_rate_high"]) == pytest.approx((0.2553, 0.3662), abs=5e-5)


def test_open_and_unpriceable_trades_are_counted_apart():
    frame = trades([100.0, 40.0, math.nan, -10.0], ["expired", "open", "unpriceable: split", "stop"])
    found = summarize(frame, equity([1000.0] * 3), capital=1000.0)
    assert (found["trades"], found["closed"], found["open"], found["unpriceable"]) == (4, 2, 1, 1)
    assert (found["win_rate"], found["pnl"]) == (0.5, 90.0)
    assert math.isnan(found["by_reason"]["unpriceable: split"]["pnl"])
    # An open trade that nobody could mark is not priced either; each trade is counted once.
    lost = summarize(trades([math.nan], ["open"]), equity([1000.0] * 3), capital=1000.0)
    assert (lost["closed"], lost["open"], lost["unpriceable"]) == (0, 0, 1)


def test_equity_by_hand():
    levels = [1010.0, 1000.0, 990.0, 1005.0, 1020.0]
    found = summarize(
        trades([20.0]), equity(levels, active=[0, 1, 1, 0, 0], margin=[0, 100, 200, 0, 0]), capital=1000.0
    )
    path = np.array([1000.0, *levels])
    returns = path[1:] / path[:-1] - 1
    assert found["total_return"] == pytest.approx(0.02)
    assert found["annual_return"] == pytest.approx(1.02 ** (365.25 / 5) - 1)
    assert found["volatility"] == pytest.approx(returns.std(ddof=1) * 252**0.5)
    assert found["sharpe"] == pytest.approx(returns.mean() / returns.std(ddof=1) * 252**0.5)
    downside = math.sqrt((np.minimum(returns, 0) ** 2).mean())
    assert found["sortino"] == pytest.approx(returns.mean() / downside * 252**0.5)
    assert found["max_drawdown"] == pytest.approx(990 / 1010 - 1)
    assert found["max_drawdown_pnl"] == -20.0
    assert found["max_drawdown_days"] == 4.0  # from the first session until the fifth is above it
    assert found["calmar"] == pytest.approx(found["annual_return"] / (1 - 990 / 1010))
    assert (found["exposure"], found["mean_margin"], found["max_margin"]) == (0.4, 60.0, 200.0)


def test_a_rate_lowers_what_is_above_it():
    levels = 1000 * np.cumprod(1 + 0.001 * np.random.default_rng(2).standard_normal(60) + 0.0005)
    without, above = (
        summarize(trades([1.0]), equity(levels), capital=1000.0, rate=rate, draws=0) for rate in (0.0, 0.05)
    )
    assert above["sharpe"] == pytest.approx(without["sharpe"] - 0.05 / without["volatility"])
    assert above["total_return"] == without["total_return"]


def test_what_cannot_be_known_is_nan_with_a_reason():
    found = summarize(trades([]), equity([1000.0] * 20), capital=1000.0)
    assert found["reasons"]["win_rate"] == "no trade was closed"
    assert found["reasons"]["sharpe"] == "the equity never moved"
    assert (found["total_return"], found["volatility"], found["max_drawdown"]) == (0.0, 0.0, 0.0)
    winners = summarize(trades([10.0, 20.0]), equity([1010.0, 1030.0]), capital=1000.0)
    assert math.isnan(winners["profit_factor"])
    assert winners["reasons"]["profit_factor"] == "no trade lost"
    assert winners["reasons"]["mean_pnl_low"] == "fewer than 8 observations"
    ruined = summarize(trades([-2000.0]), equity([500.0, -1000.0, -1000.0]), capital=1000.0)
    assert ruined["total_return"] == -2.0
    assert ruined["reasons"]["annual_return"] == "the account was lost"
    for each in (found, winners, ruined):
        unknown = {name for name, value in each.items() if isinstance(value, float) and math.isnan(value)}
        assert set(each["reasons"]) == unknown
        assert all(each["reasons"].values())


def test_intervals_hold_the_figure_and_repeat():
    rng = np.random.default_rng(4)
    levels = 1000 * np.cumprod(1 + 0.004 * rng.standard_normal(300) + 0.001)
    frame, path = trades(list(rng.normal(20, 100, 60))), equity(levels)
    found = summarize(frame, path, capital=1000.0)
    assert found == summarize(frame, path, capital=1000.0)
    for name in ("mean_pnl", "sharpe", "annual_return", "win_rate"):
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
    wide = summarize(frame, path, capital=1000.0, confidence=0.99)
    assert wide["sharpe_low"] < found["sharpe_low"]
    assert found["bootstrap"]["block_sessions"] >= 1
    json.dumps(found, allow_nan=False)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-0.2, 0.25), min_size=2, max_size=40), st.floats(0.1, 1e6))
@example([0.0, -0.002354350553488649, 0.046875, -0.002354350553488649], 0.109375)  # equal to rounding
def test_figures_do_not_depend_on_the_currency(returns, capital):
    path = np.cumprod(1 + np.array(returns))
    one, other = (summarize(trades([size]), equity(path * size), capital=size, draws=0) for size in (1.0, capital))
    for name in ("total_return", "volatility", "max_drawdown", "max_drawdown_days"):
        assert other[name] == pytest.approx(one[name], rel=1e-6, abs=1e-9)
    assert -1 < one["max_drawdown"] <= 0
    assert one["max_drawdown_days"] >= 0


def test_mistakes_are_named():
    with pytest.raises(InputError) as caught:
        summarize(trades([1.0]), equity([1.0]), capital=0.0)
    assert caught.value.name == "capital"
    with pytest.raises(InputError) as caught:
        summarize(trades([1.0]).drop(columns="pnl"), equity([1.0]), capital=1.0)
    assert caught.value.name == "trades"
