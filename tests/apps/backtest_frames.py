"""A backtest's frames, made by hand: one condor a week, held for about twenty days, with a bad month in the middle."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

CAPITAL = 100_000.0
STATISTICS: dict[str, Any] = {
    "pnl": 4_211.0, "annual_return": 0.042, "annual_return_low": -0.031, "annual_return_high": 0.118,
    "volatility": 0.061, "sharpe": 0.69, "sharpe_low": -0.5, "sharpe_high": 1.9, "max_drawdown": -0.051,
    "max_drawdown_days": 77.0,
    "trades": 46, "closed": 45, "open": 1, "unpriceable": 1, "win_rate": 0.72, "win_rate_low": 0.57,
    "win_rate_high": 0.83, "mean_pnl": 93.6, "mean_pnl_low": -20.0, "mean_pnl_high": 201.0, "profit_factor": 1.4,
    "mean_days": 19.6, "sessions": 251, "min_track_record": 1_420.0, "carried": 3, "sortino": float("nan"),
    "reasons": {"sortino": "no losing day"},
}  # fmt: skip
STILL_OPEN: dict[str, Any] = {"reason": "open", "closed": pd.NaT}
UNPRICED: dict[str, Any] = {"reason": "unpriceable: no bid", "pnl": float("nan"), "carried": 3}


def sessions(count: int = 251) -> pd.DatetimeIndex:
    days = pd.bdate_range("2025-10-01", periods=count)
    closes = (days + pd.Timedelta(hours=16)).tz_localize("America/New_York").tz_convert("UTC")
    return closes.as_unit("us")


def trades_and_legs(symbol: str = "SIM") -> tuple[pd.DataFrame, pd.DataFrame]:
    draw, ts = np.random.default_rng(7), sessions()
    opened = ts[:-25:5]
    n = len(opened)
    held = draw.integers(6, 25, n)
    won = draw.random(n) < 0.72
    pnl = np.where(won, draw.uniform(60, 260, n), -draw.uniform(120, 620, n))
    reason = np.where(won, "take_profit", np.where(draw.random(n) < 0.5, "stop", "dte")).astype(object)
    closed = pd.DatetimeIndex([ts[place * 5 + days] for place, days in enumerate(held)])
    trades = pd.DataFrame(
        {
            "symbol": symbol, "opened": opened, "closed": closed, "reason": reason, "units": 1.0, "premium": 240.0,
            "pnl": pnl, "commission": 5.2, "mae": -np.abs(draw.normal(150, 90, n)) - np.where(won, 0, -pnl),
            "mfe": np.abs(draw.normal(90, 50, n)) + np.where(won, pnl, 0), "margin": 760.0, "max_profit": 240.0,
            "max_loss": 760.0, "dividends": 0.0, "carried": 0, "rolls": 0, "open_spot": 500.0, "close_spot": 503.0,
            "open_iv": draw.uniform(0.12, 0.3, n), "dte": 38,
        }
    )  # fmt: skip
    for row, changed in ((n - 1, STILL_OPEN), (n // 2, UNPRICED)):
        for name, value in changed.items():
            trades[name] = trades[name].where(trades.index != row, value)
    condor = (("short_put", "P", -1, 480.0), ("long_put", "P", 1, 470.0), ("short_call", "C", -1, 525.0),
              ("long_call", "C", 1, 535.0))  # fmt: skip
    legs = pd.DataFrame(
        [
            {
                "trade": place, "leg": leg, "right": right, "qty": qty, "strike": strike, "trading_class": symbol,
                "expiry": opened[place].tz_localize(None).normalize() + pd.Timedelta(days=38), "opened": opened[place],
                "closed": trades["closed"].iloc[place], "open_price": 2.41, "close_price": 1.02, "open_delta": -0.16,
                "multiplier": 100.0, "contract": place,
            }
            for place in range(n)
            for leg, right, qty, strike in condor
        ]
    )  # fmt: skip
    return trades, legs


def equity_of(trades: pd.DataFrame) -> pd.DataFrame:
    ts = sessions()
    noise = np.cumsum(np.random.default_rng(3).normal(0, 60, len(ts)))
    made = [trades.loc[(trades["closed"] <= at).to_numpy(), "pnl"].sum() for at in ts]
    active = [int(((trades["opened"] <= at) & ~(trades["closed"] <= at)).sum()) for at in ts]
    return pd.DataFrame(
        {"ts": ts, "equity": CAPITAL + np.array(made) + noise, "margin": 760.0 * np.array(active), "active": active}
    )


def bands_of(equity: pd.DataFrame) -> pd.DataFrame:
    drag = np.arange(len(equity)) * 8.0
    return pd.DataFrame(
        {
            "ts": equity["ts"], "mid": equity["equity"] + drag, "realistic": equity["equity"],
            "worst": equity["equity"] - drag, "costs_x2": equity["equity"] - drag / 3,
            "offset_1": equity["equity"] + 900 * np.sin(np.arange(len(equity)) / 30),
        }
    )  # fmt: skip


def grid_of(values: int = 4) -> pd.DataFrame:
    draw, rows = np.random.default_rng(5), []
    for delta in (-0.1, -0.16, -0.2, -0.3)[:values]:
        for share in (0.25, 0.5, 0.75):
            for dte in (21, 30, 45):
                sharpe = 1.0 - 3 * abs(delta + 0.18) + 0.4 * share - abs(dte - 38) / 40 + draw.normal(0, 0.25)
                rows.append(
                    {
                        "legs.short_put.rule.target": delta, "exits.take_profit.share": share, "dte.target": dte,
                        "sharpe": sharpe, "pnl": 4_000 * sharpe, "trades": 40, "win_rate": 0.7, "max_drawdown": -0.05,
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
