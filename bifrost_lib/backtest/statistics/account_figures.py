"""What the account of a run amounts to: returns, their ratios, drawdown and margin."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.overfitting.sharpe_ratios import min_track_record, moments, probabilistic_sharpe
from bifrost_lib.backtest.statistics.columns import DAY_US, microseconds_of, numbers_of
from bifrost_lib.backtest.statistics.resampling import Resampling

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
YEAR_DAYS = 365.25
_ROUNDING = 1e-12


def account_figures(
    equity: pd.DataFrame,
    capital: float,
    rate: float,
    per_year: float,
    how: Resampling,
    why: dict[str, str],
    bootstrap: dict[str, Any],
) -> dict[str, Any]:
    """Return the figures of an account; `why` and `bootstrap` as for `trade_figures`."""
    level = equity["equity"].to_numpy(dtype=np.float64)
    known = np.isfinite(level)
    level, ts = level[known], microseconds_of(equity["ts"])[known]
    path = np.concatenate([[capital], level])
    solvent = bool((path > 0).all())
    returns = path[1:] / path[:-1] - 1.0 if solvent else np.full(len(level), math.nan)
    years = (ts[-1] - ts[0]) / DAY_US / YEAR_DAYS * len(ts) / (len(ts) - 1) if len(ts) > 1 else math.nan
    if not solvent:
        names = ("annual_return", "volatility", "sharpe", "sortino", "calmar", "skew", "kurtosis")
        why.update(dict.fromkeys((*names, "probabilistic_sharpe", "min_track_record"), "the account was lost"))
    ratios = _ratios(returns, rate / per_year, per_year, why)
    annual = (path[-1] / capital) ** (1 / years) - 1.0 if solvent and years > 0 else math.nan
    down = _drawdown(path, ts)
    why.setdefault("annual_return", "fewer than two sessions")
    why.setdefault("calmar", why.get("annual_return", "") if math.isnan(annual) else "there was no drawdown")
    excess = returns - rate / per_year
    at_risk = how.interval("sharpe", excess, lambda draw: _sharpe(draw) * math.sqrt(per_year), why)
    grown = how.interval("annual_return", returns, lambda draw: _grown(draw, years), why)
    bootstrap["block_sessions"] = at_risk.block
    active, margin = numbers_of(equity, "active")[known], numbers_of(equity, "margin")[known]
    why["exposure"] = why["mean_margin"] = why["max_margin"] = "not recorded"
    return {
        "sessions": len(level),
        "final_equity": float(path[-1]),
        "total_return": float(path[-1] / capital - 1.0),
        "annual_return": float(annual),
        "annual_return_low": grown.low,
        "annual_return_high": grown.high,
        **ratios,
        "sharpe_low": at_risk.low,
        "sharpe_high": at_risk.high,
        "calmar": float(annual / -down["max_drawdown"]) if down["max_drawdown"] < 0 else math.nan,
        **down,
        "exposure": float((active[np.isfinite(active)] > 0).mean()) if np.isfinite(active).any() else math.nan,
        "mean_margin": float(np.nanmean(margin)) if np.isfinite(margin).any() else math.nan,
        "max_margin": float(np.nanmax(margin)) if np.isfinite(margin).any() else math.nan,
    }


def _ratios(returns: Floats, rate: float, per_year: float, why: dict[str, str]) -> dict[str, float]:
    names = ("volatility", "sharpe", "sortino", "skew", "kurtosis", "probabilistic_sharpe", "min_track_record")
    n = len(returns)
    if n < 2 or not np.isfinite(returns).all():
        for name in names:
            why.setdefault(name, "fewer than two sessions")
        return dict.fromkeys(names, math.nan)
    excess = returns - rate
    spread = float(excess.std(ddof=1))
    if not np.ptp(excess) > 0:
        why.update(dict.fromkeys(names[1:], "the equity never moved"))
        return {**dict.fromkeys(names, math.nan), "volatility": 0.0}
    sharpe, downside = float(excess.mean()) / spread, math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    skew, kurtosis = moments(excess)
    why["sortino"] = "no session lost"
    why["min_track_record"] = "the Sharpe ratio is not above 0"
    why["probabilistic_sharpe"] = "skew and kurtosis leave the error of the Sharpe ratio undefined"
    return {
        "volatility": float(returns.std(ddof=1)) * math.sqrt(per_year),
        "sharpe": sharpe * math.sqrt(per_year),
        "sortino": float(excess.mean()) / downside * math.sqrt(per_year) if downside > 0 else math.nan,
        "skew": skew,
        "kurtosis": kurtosis,
        "probabilistic_sharpe": probabilistic_sharpe(sharpe, count=n, skew=skew, kurtosis=kurtosis),
        "min_track_record": min_track_record(sharpe, skew=skew, kurtosis=kurtosis),
    }


def _drawdown(path: Floats, ts: npt.NDArray[np.int64]) -> dict[str, Any]:
    # The capital stands before the first session, and has its time. Levels that differ by rounding alone are one, and
    # of equal drawdowns the first is told.
    peak = np.maximum.accumulate(path)
    share = path / peak - 1.0
    bottom = int(np.argmax(share <= share.min() + _ROUNDING))
    if share[bottom] >= -_ROUNDING or not len(ts):
        return {"max_drawdown": 0.0, "max_drawdown_pnl": 0.0, "max_drawdown_days": 0.0}
    at_peak = path >= peak[bottom] * (1 - _ROUNDING)
    top = int(np.flatnonzero(at_peak[: bottom + 1])[-1])
    back = np.flatnonzero(at_peak[bottom:])
    end = bottom + int(back[0]) if len(back) else len(path) - 1
    when = np.concatenate([ts[:1], ts])
    return {
        "max_drawdown": float(share[bottom]),
        "max_drawdown_pnl": float((path - peak).min()),
        "max_drawdown_days": float((when[end] - when[top]) / DAY_US),
    }


def _sharpe(draws: Floats) -> Floats:
    spread = draws.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where(spread > 1e-14, draws.mean(axis=1) / spread, math.nan)
    return ratio


def _grown(draws: Floats, years: float) -> Floats:
    grown: Floats = np.expm1(np.log1p(draws).sum(axis=1) / years)
    return grown
