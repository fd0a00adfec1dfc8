"""Gains on a chain of Black-Scholes prices come from where they must, and every part adds up."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube, run
from bifrost_lib.backtest.statistics.attribution import GREEKS, PARTS, attribute
from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import greeks, price
from bifrost_lib.strategies import AtStrike, Costs, DteRange, Exits, Leg, StrategyDocument

FIRST = pd.Timestamp("2024-03-01", tz="America/New_York")
EXPIRY = pd.Timestamp("2024-06-21")
STRIKES = np.arange(80.0, 121.0, 5.0)
STRADDLE = StrategyDocument(
    name="straddle",
    view="it moves",
    legs=(Leg("call", "C", 1, AtStrike(100.0)), Leg("put", "P", 1, AtStrike(100.0))),
    dte=DteRange(1, 100, 200),
    exits=Exits(days_in_trade=30),
)


def chain(spot: np.ndarray, vol: np.ndarray, *, half_spread: float = 0.05) -> pd.DataFrame:
    """Closes of consecutive sessions, priced without rates, with their greeks."""
    days = pd.bdate_range(FIRST.date(), periods=len(spot))
    close = days.tz_localize("America/New_York") + pd.Timedelta(hours=16)
    tau = ((EXPIRY.tz_localize("America/New_York") + pd.Timedelta(hours=16)) - close) / pd.Timedelta(days=365)
    frames = []
    for right in ("C", "P"):
        terms: Any = {"spot": spot[:, None], "strike": STRIKES, "tau": np.array(tau)[:, None], "vol": vol[:, None]}
        mid = price(**terms, right=right)
        told = greeks(**terms, right=right)
        shape = mid.shape
        frames.append(pd.DataFrame({
            "ts": np.repeat(close.tz_convert("UTC"), len(STRIKES)),
            "expiry": np.full(mid.size, np.datetime64(EXPIRY, "s")),
            "strike": np.tile(STRIKES, len(spot)),
            "right": right,
            "bid": (mid - half_spread).ravel().clip(min=0.0),
            "ask": (mid + half_spread).ravel(),
            "spot": np.repeat(spot, len(STRIKES)),
            "iv": np.broadcast_to(vol[:, None], shape).ravel(),
            **{name: np.broadcast_to(told[name], shape).ravel() for name in GREEKS},
        }))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def path(sessions: int, *, move: float = 0.004, change: float = 0.002, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return 100 * np.exp(np.cumsum(move * rng.standard_normal(sessions))), 0.2 + np.cumsum(
        change * rng.standard_normal(sessions)
    )


@pytest.fixture(scope="module")
def cube() -> ChainCube:
    return ChainCube.from_frame(chain(*path(40)), symbol="SPY")


def test_parts_add_up_to_every_trade_and_session(cube):
    result = run(STRADDLE, cube)
    found = attribute(result, STRADDLE, cube)
    assert len(found.trades) == len(result.trades) >= 1
    assert found.trades[list(PARTS)].sum(axis=1).to_numpy() == pytest.approx(result.trades["pnl"].to_numpy())
    assert found.sessions["pnl"].sum() == pytest.approx(result.trades["pnl"].sum())
    assert found.trades["commission"].to_numpy() == pytest.approx(-result.trades["commission"].to_numpy())
    assert not found.reasons


def test_small_moves_leave_little_unexplained(cube):
    result = run(STRADDLE, cube)
    first = attribute(result, STRADDLE, cube).trades.iloc[0]
    explained = first[list(GREEKS)].abs().sum()
    assert abs(first["residual"]) < 0.03 * explained
    assert first["gamma"] > 0 > first["theta"]  # a bought straddle
    # Two legs bought and sold at 56 %... of the spread: each gives away (f - 1/2) of 10 cents, twice, times 100.
    given = (STRADDLE.costs.fill_of(2) - 0.5) * 0.10 * 100 * 2 * 2
    assert first["fills"] == pytest.approx(-given)


def test_a_still_market_pays_theta_alone():
    still = ChainCube.from_frame(chain(np.full(30, 100.0), np.full(30, 0.2)), symbol="SPY")
    document = STRADDLE.with_(costs=Costs(0.0, (0.5,)))
    result = run(document, still)
    first = attribute(result, document, still).trades.iloc[0]
    assert (first["delta"], first["gamma"], first["fills"], first["commission"]) == pytest.approx(
        (0, 0, 0, 0), abs=1e-9
    )
    assert first["vega"] == pytest.approx(0.0, abs=1e-6)
    assert first["theta"] == pytest.approx(result.trades["pnl"].iloc[0], rel=0.01)


def test_shares_are_delta():
    spot, vol = path(40, seed=3)
    cube = ChainCube.from_frame(chain(spot, vol), symbol="SPY")
    covered = StrategyDocument(
        name="covered", view="up", legs=(Leg("shares", "S", 1), Leg("call", "C", -1, AtStrike(120.0))),
        dte=DteRange(1, 100, 200), exits=Exits(days_in_trade=20),
    )  # fmt: skip
    result = run(covered, cube)
    found = attribute(result, covered, cube).trades.iloc[0]
    trade = result.trades.iloc[0]
    shares = 100 * (trade["close_spot"] - trade["open_spot"])
    assert found["delta"] == pytest.approx(shares, rel=0.1)
    assert abs(found["residual"]) < 0.1 * abs(shares)


def test_what_the_cube_lacks_is_said(cube):
    lean = replace(cube, vega=None, iv=None, gamma=None, known_sha256="")
    result = run(STRADDLE, lean)
    found = attribute(result, STRADDLE, lean)
    assert set(found.reasons) == {"gamma", "vega"}
    assert found.trades["vega"].isna().all()
    known = [part for part in PARTS if part not in found.reasons]
    assert found.trades[known].sum(axis=1).to_numpy() == pytest.approx(result.trades["pnl"].to_numpy())
    with pytest.raises(InputError) as caught:
        attribute(result, STRADDLE, {"QQQ": cube})
    assert caught.value.name == "cube"


def test_expiry_and_gaps_add_up_as_well():
    spot, vol = path(81, move=0.01, seed=5)
    frame = chain(spot, vol)
    gap = (frame["ts"] > frame["ts"].iloc[200]) & (frame["ts"] < frame["ts"].iloc[260]) & (frame["right"] == "C")
    frame.loc[gap, ["bid", "ask"]] = math.nan
    cube = ChainCube.from_frame(frame, symbol="SPY")
    document = STRADDLE.with_(exits=Exits())
    result = run(document, cube)
    assert result.trades["reason"].iloc[0] == "expired"
    assert result.trades["carried"].iloc[0] > 0
    found = attribute(result, document, cube)
    assert found.trades[list(PARTS)].sum(axis=1).to_numpy() == pytest.approx(result.trades["pnl"].to_numpy())
    assert found.trades["theta"].iloc[0] < 0
