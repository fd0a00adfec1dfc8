"""What the trades of a run amount to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.statistics.columns import DAY_US, microseconds_of, numbers_of
from bifrost_lib.backtest.statistics.resampling import Resampling
from bifrost_lib.core.intervals import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
OPEN, UNPRICEABLE = "open", "unpriceable"


def trade_figures(
    trades: pd.DataFrame, how: Resampling, why: dict[str, str], bootstrap: dict[str, Any]
) -> dict[str, Any]:
    """Return the figures of trades; `why` gets the reasons of those that are NaN, `bootstrap` the length of blocks."""
    reason = trades["reason"].astype(str).to_numpy(dtype=str)
    pnl = trades["pnl"].to_numpy(dtype=np.float64)
    is_open = (reason == OPEN) & ~np.isnan(pnl)
    unpriceable = ~is_open & (np.char.startswith(reason, UNPRICEABLE) | np.isnan(pnl))
    closed = ~is_open & ~unpriceable
    order = np.argsort(trades["opened"].to_numpy(), kind="stable")
    gains = pnl[order][closed[order]]
    n, wins = len(gains), int((gains > 0).sum())
    low, high = wilson_interval(wins, n)
    interval = how.interval("mean_pnl", gains, _mean, why)
    bootstrap["block_trades"] = interval.block
    won, lost = float(gains[gains > 0].sum()), float(-gains[gains < 0].sum())
    if n == 0:
        names = ("win_rate", "mean_pnl", "median_pnl", "best_pnl", "worst_pnl", "mean_days", "expectancy")
        why.update(dict.fromkeys((*names, "return_on_margin"), "no trade was closed"))
    why["profit_factor"] = "no trade lost" if n else "no trade was closed"
    why["mean_win"], why["mean_loss"] = "no trade won", "no trade lost"
    held = trades.loc[closed]
    days = (microseconds_of(held["closed"]) - microseconds_of(held["opened"])) / DAY_US
    return {
        "trades": len(trades),
        "closed": n,
        "open": int(is_open.sum()),
        "unpriceable": int(unpriceable.sum()),
        "wins": wins,
        "win_rate": wins / n if n else math.nan,
        "win_rate_low": low,
        "win_rate_high": high,
        "pnl": float(gains.sum()),
        "mean_pnl": float(gains.mean()) if n else math.nan,
        "mean_pnl_low": interval.low,
        "mean_pnl_high": interval.high,
        "median_pnl": float(np.median(gains)) if n else math.nan,
        "best_pnl": float(gains.max()) if n else math.nan,
        "worst_pnl": float(gains.min()) if n else math.nan,
        "mean_win": won / wins if wins else math.nan,
        "mean_loss": -lost / int((gains < 0).sum()) if lost else math.nan,
        "profit_factor": won / lost if lost else math.nan,
        **_per_risk(held, why),
        "commission": float(np.nansum(numbers_of(trades, "commission"))),
        "mean_days": float(days.mean()) if n else math.nan,
        "carried": int(np.nansum(numbers_of(trades, "carried"))),
    }


def _per_risk(held: pd.DataFrame, why: dict[str, str]) -> dict[str, float]:
    pnl, margin, loss = held["pnl"].to_numpy(dtype=np.float64), numbers_of(held, "margin"), numbers_of(held, "max_loss")
    risk = np.where(np.isfinite(loss) & (loss != 0), np.abs(loss), margin)
    risky, carried = risk > 0, margin > 0
    if not risky.any():
        why.setdefault("expectancy", "neither the largest loss nor the margin of any trade is known")
    if not carried.any():
        why.setdefault("return_on_margin", "no trade has a margin")
    return {
        "expectancy": float((pnl[risky] / risk[risky]).mean()) if risky.any() else math.nan,
        "return_on_margin": float(pnl[carried].sum() / margin[carried].sum()) if carried.any() else math.nan,
    }


def figures_by_reason(trades: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Return trades, pnl, mean_pnl and win_rate of each way to end."""
    found: dict[str, dict[str, Any]] = {}
    for reason, rows in trades.groupby("reason", sort=True):
        pnl = rows["pnl"].to_numpy(dtype=np.float64)
        pnl = pnl[~np.isnan(pnl)]
        n = len(pnl)
        found[str(reason)] = {
            "trades": len(rows),
            "pnl": float(pnl.sum()) if n else math.nan,
            "mean_pnl": float(pnl.mean()) if n else math.nan,
            "win_rate": float((pnl > 0).mean()) if n else math.nan,
        }
    return found


def _mean(draws: Floats) -> Floats:
    means: Floats = draws.mean(axis=1)
    return means
