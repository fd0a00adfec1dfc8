"""What a backtest amounts to, and how sure each figure is: one flat dictionary that can be stored and compared.

References
----------
Bacon (2008), "Practical portfolio performance measurement and attribution", for the ratios; Sortino and van der Meer
(1991), downside risk about a target; Politis and Romano (1994) for the intervals, see `bootstrap`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.overfitting.sharpe_ratios import min_track_record, moments, probabilistic_sharpe
from bifrost_lib.backtest.statistics.bootstrap import FEWEST, Interval, bootstrap_interval
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.intervals import wilson_interval

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]

YEAR_DAYS = 365.25
_DAY_US = 86_400_000_000
_ROUNDING = 1e-12
OPEN, UNPRICEABLE = "open", "unpriceable"


@dataclass(frozen=True)
class _Resampling:
    confidence: float
    draws: int
    seed: int

    def interval(self, values: Floats, figure: Any) -> Interval:
        return bootstrap_interval(values, figure, confidence=self.confidence, draws=self.draws, seed=self.seed)


def summarize(
    trades: pd.DataFrame,
    equity: pd.DataFrame,
    *,
    capital: float,
    rate: float = 0.0,
    sessions_per_year: float = 252.0,
    confidence: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the figures of a run by name.

    Parameters
    ----------
    trades : DataFrame
        One row a trade: opened, closed (aware UTC), reason, pnl (net, currency); margin, max_loss, commission and
        carried where they are known.
    equity : DataFrame
        One row a session, in the order of time: ts (aware UTC), equity (currency); margin and active where known.
    capital : float
        Currency, > 0: what the account held before the first session.
    rate : float
        Annual, what cash earns; Sharpe and Sortino are above it.
    sessions_per_year : float
        By which figures of sessions are made annual; the annual return goes by the calendar.
    confidence, draws, seed
        Of the intervals, see `bootstrap_interval`; 0 draws leave them out, which is what a sweep wants.

    Returns
    -------
    dict
        Trades: ``trades`` in all, of which ``closed`` have a result, ``open`` were not over when the data ended and
        ``unpriceable`` ended without an honest price; of the closed ones ``wins``, ``win_rate`` (Wilson's interval
        ``win_rate_low``, ``win_rate_high``), ``pnl``, ``mean_pnl`` (with ``_low``, ``_high``), ``median_pnl``,
        ``best_pnl``, ``worst_pnl``, ``mean_win``, ``mean_loss``, ``profit_factor``, ``expectancy`` (mean pnl as a
        share of what could be lost: max_loss, else margin), ``return_on_margin``, ``commission``, ``mean_days``
        (calendar days in trade), ``carried`` (moments without a price).
        Equity: ``sessions``, ``final_equity``, ``total_return``, ``annual_return`` (with interval), ``volatility``,
        ``sharpe`` (with interval), ``sortino``, ``calmar``, ``skew``, ``kurtosis`` (3 is normal), ``max_drawdown``
        (<= 0, share of the peak), ``max_drawdown_pnl`` (<= 0), ``max_drawdown_days`` (from the peak until it is
        reached again, or to the end), ``exposure`` (share of sessions with a trade open), ``mean_margin``,
        ``max_margin``, ``probabilistic_sharpe`` and ``min_track_record`` (sessions, for 95 %).
        ``by_reason`` has trades, pnl, mean_pnl and win_rate of each way to end, ``bootstrap`` what the intervals rest
        on, and ``reasons`` says of each figure that is NaN why.

    Raises
    ------
    InputError
        If the capital is not positive or a frame lacks a column.
    """
    if not capital > 0:
        raise InputError("capital", capital, "an amount > 0")
    _check_columns("trades", trades, ("opened", "closed", "reason", "pnl"))
    _check_columns("equity", equity, ("ts", "equity"))
    how, why = _Resampling(confidence, draws, seed), dict[str, str]()
    bootstrap: dict[str, Any] = {"confidence": confidence, "draws": draws, "seed": seed}
    found = {
        **_of_trades(trades, how, why, bootstrap),
        **_of_equity(equity, capital, rate, sessions_per_year, how, why, bootstrap),
        "by_reason": _by_reason(trades),
        "bootstrap": bootstrap,
    }
    unknown = [name for name, value in found.items() if isinstance(value, float) and math.isnan(value)]
    return {**found, "reasons": {name: why.get(name, "not known") for name in unknown}}


def _of_trades(
    trades: pd.DataFrame, how: _Resampling, why: dict[str, str], bootstrap: dict[str, Any]
) -> dict[str, Any]:
    reason = trades["reason"].astype(str).to_numpy(dtype=str)
    pnl = trades["pnl"].to_numpy(dtype=np.float64)
    is_open = (reason == OPEN) & ~np.isnan(pnl)
    unpriceable = ~is_open & (np.char.startswith(reason, UNPRICEABLE) | np.isnan(pnl))
    closed = ~is_open & ~unpriceable
    order = np.argsort(trades["opened"].to_numpy(), kind="stable")
    gains = pnl[order][closed[order]]
    n, wins = len(gains), int((gains > 0).sum())
    low, high = wilson_interval(wins, n)
    interval = _interval("mean_pnl", gains, _mean, how, why)
    bootstrap["block_trades"] = interval.block
    won, lost = float(gains[gains > 0].sum()), float(-gains[gains < 0].sum())
    if n == 0:
        names = ("win_rate", "mean_pnl", "median_pnl", "best_pnl", "worst_pnl", "mean_days", "expectancy")
        why.update(dict.fromkeys((*names, "return_on_margin"), "no trade was closed"))
    why["profit_factor"] = "no trade lost" if n else "no trade was closed"
    why["mean_win"], why["mean_loss"] = "no trade won", "no trade lost"
    held = trades.loc[closed]
    days = (_microseconds(held["closed"]) - _microseconds(held["opened"])) / _DAY_US
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
        "commission": float(np.nansum(_column(trades, "commission"))),
        "mean_days": float(days.mean()) if n else math.nan,
        "carried": int(np.nansum(_column(trades, "carried"))),
    }


def _per_risk(held: pd.DataFrame, why: dict[str, str]) -> dict[str, float]:
    pnl, margin, loss = held["pnl"].to_numpy(dtype=np.float64), _column(held, "margin"), _column(held, "max_loss")
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


def _of_equity(
    equity: pd.DataFrame,
    capital: float,
    rate: float,
    per_year: float,
    how: _Resampling,
    why: dict[str, str],
    bootstrap: dict[str, Any],
) -> dict[str, Any]:
    level = equity["equity"].to_numpy(dtype=np.float64)
    known = np.isfinite(level)
    level, ts = level[known], _microseconds(equity["ts"])[known]
    path = np.concatenate([[capital], level])
    solvent = bool((path > 0).all())
    returns = path[1:] / path[:-1] - 1.0 if solvent else np.full(len(level), math.nan)
    years = (ts[-1] - ts[0]) / _DAY_US / YEAR_DAYS * len(ts) / (len(ts) - 1) if len(ts) > 1 else math.nan
    if not solvent:
        names = ("annual_return", "volatility", "sharpe", "sortino", "calmar", "skew", "kurtosis")
        why.update(dict.fromkeys((*names, "probabilistic_sharpe", "min_track_record"), "the account was lost"))
    ratios = _ratios(returns, rate / per_year, per_year, why)
    annual = (path[-1] / capital) ** (1 / years) - 1.0 if solvent and years > 0 else math.nan
    down = _drawdown(path, ts)
    why.setdefault("annual_return", "fewer than two sessions")
    why.setdefault("calmar", why.get("annual_return", "") if math.isnan(annual) else "there was no drawdown")
    excess = returns - rate / per_year
    at_risk = _interval("sharpe", excess, lambda draw: _sharpe(draw) * math.sqrt(per_year), how, why)
    grown = _interval("annual_return", returns, lambda draw: _grown(draw, years), how, why)
    bootstrap["block_sessions"] = at_risk.block
    active, margin = _column(equity, "active")[known], _column(equity, "margin")[known]
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
        "max_drawdown_days": float((when[end] - when[top]) / _DAY_US),
    }


def _by_reason(trades: pd.DataFrame) -> dict[str, dict[str, Any]]:
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


def _interval(name: str, values: Floats, figure: Any, how: _Resampling, why: dict[str, str]) -> Interval:
    if not np.isfinite(values).all():
        found = Interval(math.nan, math.nan, math.nan, "the account was lost")
    elif how.draws == 0:
        found = Interval(math.nan, math.nan, math.nan, "intervals were not asked for")
    elif len(values) >= FEWEST and not np.ptp(values) > 0 and name == "sharpe":
        found = Interval(math.nan, math.nan, math.nan, "the equity never moved")
    else:
        found = how.interval(values, figure)
    why[f"{name}_low"] = why[f"{name}_high"] = found.reason
    return found


def _mean(draws: Floats) -> Floats:
    means: Floats = draws.mean(axis=1)
    return means


def _sharpe(draws: Floats) -> Floats:
    spread = draws.std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio: Floats = np.where(spread > 1e-14, draws.mean(axis=1) / spread, math.nan)
    return ratio


def _grown(draws: Floats, years: float) -> Floats:
    grown: Floats = np.expm1(np.log1p(draws).sum(axis=1) / years)
    return grown


def _column(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame.columns:
        return np.full(len(frame), math.nan)
    values: Floats = frame[name].to_numpy(dtype=np.float64, na_value=math.nan)
    return values


def _microseconds(column: pd.Series[Any]) -> npt.NDArray[np.int64]:
    values = column.to_numpy()
    if values.dtype == object:
        values = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    moments_us: npt.NDArray[np.int64] = values.astype("datetime64[us]").astype(np.int64)
    return moments_us


def _check_columns(name: str, frame: pd.DataFrame, columns: tuple[str, ...]) -> None:
    for column in columns:
        if column not in frame.columns:
            raise InputError(name, list(frame.columns), f"a frame with a column {column}")
