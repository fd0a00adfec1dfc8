"""A document's trades on one symbol as rows of a library: by sample and regime, with intervals and deflated."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import (
    bootstrap_interval,
    effective_trials,
    expected_max_sharpe,
    moments,
    probabilistic_sharpe,
    probability_of_overfitting,
)
from bifrost_lib.core.intervals import Z95

Floats = npt.NDArray[np.float64]

#: With fewer trades a Sharpe ratio says nothing about how those of others spread.
FEWEST = 8
_DRAWS = 400
ANY = "any"
#: Columns of a row; library, symbol and the moment of computation are the same for all rows of a symbol. `independent`
#: is how many independent trades know as much, and is not stored.
ROW_COLUMNS = (
    *("document_sha256", "strategy", "parameters", "sample", "iv_rank", "trend", "trades", "priced", "wins"),
    *("unpriceable", "open", "pnl", "commission", "pnl_mean", "pnl_worst", "days_mean", "margin_mean", "return_mean"),
    *("return_sd", "return_skew", "return_kurtosis", "return_low", "return_high", "sharpe", "probabilistic_sharpe"),
    *("deflated_sharpe", "trials", "effective_trials", "overfitting", "independent"),
)


@dataclass(frozen=True, eq=False)
class Tried:
    """A document that was run on a symbol: what was varied, its trades with ``day``, ``iv_rank``, ``trend``, its days.

    `daily` are gains in currency of each session.
    """

    document_sha256: str
    strategy: str
    parameters: dict[str, Any]
    trades: pd.DataFrame
    daily: Floats


def rows_of_symbol(tried: Sequence[Tried], *, split: date) -> pd.DataFrame:
    """Return the rows of one symbol.

    Parameters
    ----------
    tried : sequence of Tried
        All documents that were run on it: as many trials as there are of them deflate each.
    split : date
        Trades opened from here on are out of sample. Those opened before and held on this day are in neither sample.

    Returns
    -------
    DataFrame
        `ROW_COLUMNS`; a row for each document, sample and regime in which it traded, "any" regime included. Returns are
        pnl over margin, else over the largest loss.
    """
    frame = pd.DataFrame([row for one in tried for row in _rows(one, split)], columns=list(ROW_COLUMNS))
    daily = np.array([one.daily for one in tried])
    moved = daily.shape[0] > 0 and bool((np.ptp(daily, axis=1) > 0).any())
    trials = effective_trials(daily).count if moved else math.nan
    blocks = min(16, daily.shape[1] // 4 * 2) if moved else 0
    frame["trials"] = len(tried)
    frame["effective_trials"] = trials
    frame["overfitting"] = probability_of_overfitting(daily, blocks=blocks).probability if blocks >= 2 else math.nan
    frame["deflated_sharpe"] = deflated(frame, trials)
    return frame


def deflated(frame: pd.DataFrame, trials: float) -> Floats:
    """Return the probability that each row's Sharpe ratio is above what the best of its sample and regime has by luck.

    Parameters
    ----------
    frame : DataFrame
        sample, iv_rank, trend, sharpe, return_skew, return_kurtosis, independent (trades that count as such).
    trials : float
        Independent trials.
    """
    found = np.full(len(frame), math.nan)
    for _, rows in frame.groupby(["sample", "iv_rank", "trend"]).indices.items():
        told = frame.iloc[rows]
        known = told["sharpe"].to_numpy(dtype=np.float64)[told["independent"].to_numpy(dtype=np.float64) >= FEWEST]
        known = known[np.isfinite(known)]
        spread = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
        luck = expected_max_sharpe(max(trials, 1.0), variance=spread) if math.isfinite(trials) else math.nan
        for place in rows:
            found[place] = probability_above(frame.iloc[place], luck)
    return found


def probability_above(row: Any, benchmark: float) -> float:
    """Return the probability that a row's true Sharpe ratio is above a benchmark; NaN with too few trades."""
    count = row["independent"]
    if not count >= FEWEST or math.isnan(row["sharpe"]) or math.isnan(benchmark):
        return math.nan
    return probabilistic_sharpe(
        row["sharpe"], benchmark=benchmark, count=int(count), skew=row["return_skew"], kurtosis=row["return_kurtosis"]
    )


def independent_trades(count: int, sd: float, low: float, high: float) -> float:
    """Return how many independent trades would know a mean as well as these do, at most as many as there are."""
    error = (high - low) / (2 * Z95)
    return float(min(count, (sd / error) ** 2)) if error > 0 else float(count)


def _rows(one: Tried, split: date) -> Iterator[dict[str, Any]]:
    trades = one.trades
    first = np.datetime64(split, "s")
    closed = trades["closed"].dt.tz_convert("America/New_York").dt.tz_localize(None).to_numpy()
    later = trades["day"].to_numpy() >= first
    inside = ~later & (closed < first.astype("datetime64[us]"))
    named = {"document_sha256": one.document_sha256, "strategy": one.strategy, "parameters": one.parameters}
    for sample, chosen in (("in", inside), ("out", later)):
        part = trades[chosen]
        ranks, trends = ([ANY, *part[name].unique()] for name in ("iv_rank", "trend"))
        for rank, trend in product(ranks, trends):
            rows = part[(rank == ANY) | (part["iv_rank"] == rank)]
            rows = rows[(trend == ANY) | (rows["trend"] == trend)]
            if len(rows):
                yield {**named, "sample": sample, "iv_rank": rank, "trend": trend, **_figures(rows)}


def _figures(trades: pd.DataFrame) -> dict[str, Any]:
    reason, pnl = trades["reason"].to_numpy(dtype=str), trades["pnl"].to_numpy(dtype=np.float64)
    is_open = reason == "open"
    priced = ~is_open & np.isfinite(pnl)
    held, gains = trades[priced], pnl[priced]
    margin, loss = (held[name].to_numpy(dtype=np.float64) for name in ("margin", "max_loss"))
    risk = np.where(margin > 0, margin, loss)
    safe = np.isfinite(risk) & (risk > 0)
    returns = gains[safe] / risk[safe]
    days = (held["closed"] - held["opened"]).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400
    return {
        "trades": len(trades),
        "priced": len(gains),
        "wins": int((gains > 0).sum()),
        "unpriceable": int((~is_open & ~np.isfinite(pnl)).sum()),
        "open": int(is_open.sum()),
        "pnl": float(gains.sum()) if len(gains) else math.nan,
        "commission": float(np.nansum(trades["commission"].to_numpy(dtype=np.float64))),
        "pnl_mean": _mean(gains),
        "pnl_worst": float(gains.min()) if len(gains) else math.nan,
        "days_mean": _mean(days),
        "margin_mean": _mean(margin[margin > 0]),
        **_of_returns(returns),
    }


def _of_returns(returns: Floats) -> dict[str, float]:
    count, sd = len(returns), float(returns.std(ddof=1)) if len(returns) > 1 else math.nan
    skew, kurtosis = moments(returns) if count > 1 else (math.nan, math.nan)
    interval = bootstrap_interval(returns, lambda draws: draws.mean(axis=1), draws=_DRAWS)
    figures = {
        "return_mean": _mean(returns),
        "return_sd": sd,
        "return_skew": skew,
        "return_kurtosis": kurtosis,
        "return_low": interval.low,
        "return_high": interval.high,
        "sharpe": float(returns.mean()) / sd if sd > 0 else math.nan,
        "independent": independent_trades(count, sd, interval.low, interval.high) if sd > 0 else 0.0,
    }
    return {**figures, "probabilistic_sharpe": probability_above(figures, 0.0)}


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else math.nan
