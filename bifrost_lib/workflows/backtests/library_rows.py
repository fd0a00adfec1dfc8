"""A document's trades on one symbol as rows of a library: by sample and regime, with intervals and deflated."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import (
    IV_RANKS,
    TRENDS,
    bootstrap_interval,
    effective_trials,
    expected_max_sharpe,
    moments,
    probabilistic_sharpe,
    probability_of_overfitting,
)
from bifrost_lib.core.intervals import Z95

Floats = npt.NDArray[np.float64]
#: A document's hash, its strategy, and what was varied of it.
Named = tuple[str, str, dict[str, Any]]

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


#: Samples and regimes in which a document's trades are looked at, each of them with "any".
CELLS = tuple(product(("in", "out"), (ANY, *IV_RANKS), (ANY, *TRENDS)))
#: What is known of a document in each cell, as numbers.
FIGURES = (
    *("trades", "priced", "wins", "unpriceable", "open", "pnl", "commission", "pnl_mean", "pnl_worst", "days_mean"),
    *("margin_mean", "return_mean", "return_sd", "return_skew", "return_kurtosis", "return_low", "return_high"),
    *("sharpe", "independent", "probabilistic_sharpe"),
)
_COUNTS = FIGURES[:5]


def cells_of(trades: pd.DataFrame, *, split: date) -> Floats:
    """Return what one document did on one symbol, in each sample and regime.

    Parameters
    ----------
    trades : DataFrame
        Of `backtest.run`, with ``day`` (datetime64[s]), ``iv_rank`` and ``trend`` of each entry.
    split : date
        Trades opened from here on are out of sample. Those opened before and held on this day are in neither sample.

    Returns
    -------
    float64 (len(CELLS), len(FIGURES))
        All NaN where it did not trade. Returns are pnl over margin, else over the largest loss.
    """
    cells = np.full((len(CELLS), len(FIGURES)), math.nan)
    first = np.datetime64(split, "s")
    closed = trades["closed"].dt.tz_convert("America/New_York").dt.tz_localize(None).to_numpy()
    later = trades["day"].to_numpy() >= first
    samples = {"in": ~later & (closed < first.astype("datetime64[us]")), "out": later}
    rank, trend = (trades[name].to_numpy(dtype=str) for name in ("iv_rank", "trend"))
    told = _Told.of(trades)
    for place, (sample, in_rank, in_trend) in enumerate(CELLS):
        chosen = samples[sample]
        chosen = chosen & (rank == in_rank) if in_rank != ANY else chosen
        chosen = chosen & (trend == in_trend) if in_trend != ANY else chosen
        if chosen.any():
            figures = _figures(told, chosen)
            cells[place] = [figures[name] for name in FIGURES]
    return cells


def rows_of_symbol(documents: Sequence[Named], cells: Floats, daily: Floats) -> pd.DataFrame:
    """Return the rows of one symbol, deflated by all documents that were run on it.

    Parameters
    ----------
    documents : sequence of (hash, strategy, parameters)
    cells : float64 (documents, CELLS, FIGURES)
        Of `cells_of`.
    daily : float64 (documents, sessions)
        Gains in currency.

    Returns
    -------
    DataFrame
        `ROW_COLUMNS`; a row for each document, sample and regime in which it traded, "any" regime included.
    """
    which, where = np.nonzero(np.isfinite(cells[:, :, 0]))
    frame = pd.DataFrame(cells[which, where], columns=list(FIGURES)).astype(dict.fromkeys(_COUNTS, "int64"))
    named = [(*documents[one], *CELLS[cell]) for one, cell in zip(which.tolist(), where.tolist(), strict=True)]
    names = ("document_sha256", "strategy", "parameters", "sample", "iv_rank", "trend")
    for name, values in zip(names, zip(*named, strict=True) if named else [()] * len(names), strict=True):
        frame[name] = list(values)
    moved = len(daily) > 0 and bool((np.ptp(daily, axis=1) > 0).any())
    trials = effective_trials(daily).count if moved else math.nan
    blocks = min(16, daily.shape[1] // 4 * 2) if moved else 0
    frame["trials"] = len(documents)
    frame["effective_trials"] = trials
    frame["overfitting"] = probability_of_overfitting(daily, blocks=blocks).probability if blocks >= 2 else math.nan
    frame["deflated_sharpe"] = deflated(frame, trials)
    return frame[list(ROW_COLUMNS)]


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
    records = frame[["sharpe", "return_skew", "return_kurtosis", "independent"]].to_dict("records")
    sharpe, independent = (frame[name].to_numpy(dtype=np.float64) for name in ("sharpe", "independent"))
    for _, rows in frame.groupby(["sample", "iv_rank", "trend"]).indices.items():
        known = sharpe[rows][independent[rows] >= FEWEST]
        known = known[np.isfinite(known)]
        spread = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
        luck = expected_max_sharpe(max(trials, 1.0), variance=spread) if math.isfinite(trials) else math.nan
        found[rows] = [probability_above(records[place], luck) for place in rows]
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


class _Told(NamedTuple):
    # What is looked at of trades, as arrays: frames are slow in small pieces.
    pnl: Floats
    commission: Floats
    margin: Floats
    max_loss: Floats
    days: Floats
    is_open: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, trades: pd.DataFrame) -> _Told:
        pnl, commission, margin, max_loss = (
            trades[name].to_numpy(dtype=np.float64) for name in ("pnl", "commission", "margin", "max_loss")
        )
        days = (trades["closed"] - trades["opened"]).dt.total_seconds().to_numpy(dtype=np.float64) / 86_400
        return cls(pnl, commission, margin, max_loss, days, trades["reason"].to_numpy(dtype=str) == "open")


def _figures(told: _Told, chosen: npt.NDArray[np.bool_]) -> dict[str, float]:
    is_open, known = told.is_open[chosen], np.isfinite(told.pnl[chosen])
    held = chosen & ~told.is_open & np.isfinite(told.pnl)
    gains, margin = told.pnl[held], told.margin[held]
    risk = np.where(margin > 0, margin, told.max_loss[held])
    safe = np.isfinite(risk) & (risk > 0)
    return {
        "trades": len(is_open),
        "priced": len(gains),
        "wins": int((gains > 0).sum()),
        "unpriceable": int((~is_open & ~known).sum()),
        "open": int(is_open.sum()),
        "pnl": float(gains.sum()) if len(gains) else math.nan,
        "commission": float(np.nansum(told.commission[chosen])),
        "pnl_mean": _mean(gains),
        "pnl_worst": float(gains.min()) if len(gains) else math.nan,
        "days_mean": _mean(told.days[held]),
        "margin_mean": _mean(margin[margin > 0]),
        **_of_returns(gains[safe] / risk[safe]),
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
