"""The results of documents on several symbols as one row each, as if all their trades had been looked at together."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import expected_max_sharpe
from bifrost_lib.core.intervals import Z95, wilson_interval
from bifrost_lib.workflows.backtests.library_rows import FEWEST, probability_above

Floats = npt.NDArray[np.float64]

POOLED_COLUMNS = (
    *("strategy", "parameters", "document_sha256", "symbols", "trades", "priced", "wins", "win_rate", "win_rate_low"),
    *("win_rate_high", "return_mean", "return_low", "return_high", "return_sd", "return_skew", "return_kurtosis"),
    *("pnl_mean", "pnl_worst", "days_mean", "commission", "unpriceable", "open", "sharpe", "probabilistic_sharpe"),
    *("deflated_sharpe", "independent", "trials", "effective_trials", "overfitting"),
)
_MEASURED = (
    *("priced", "days_mean", "return_mean", "return_sd", "return_skew", "return_kurtosis"),
    *("return_low", "return_high"),
)


def pooled(results: pd.DataFrame) -> pd.DataFrame:
    """Return rows of one sample and regime pooled over their symbols, a row a document, deflated by all of them.

    Parameters
    ----------
    results : DataFrame
        Columns of ``library_results``; all rows have priced trades.

    Returns
    -------
    DataFrame
        `POOLED_COLUMNS`, by the documents' hashes.

    Notes
    -----
    Counts and moments are exact. Errors are added up as if all symbols moved together, which is cautious.
    """
    if results.empty:
        return pd.DataFrame(columns=list(POOLED_COLUMNS))
    table = _counted(results)
    groups = _Groups(results["document_sha256"])
    rows = {name: results[name].to_numpy(dtype=np.float64) for name in _MEASURED}
    table["days_mean"] = groups.total(np.nan_to_num(rows["days_mean"]) * rows["priced"]) / table["priced"].to_numpy()
    count, mean, sd, skew, kurtosis = _moments(rows, groups)
    error = _errors(rows, groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        table = table.assign(
            return_mean=mean, return_low=mean - Z95 * error, return_high=mean + Z95 * error, return_sd=sd,
            return_skew=skew, return_kurtosis=kurtosis, sharpe=np.where(sd > 0, mean / sd, math.nan),
            independent=np.where(error > 0, np.fmin(count, (sd / error) ** 2), math.nan),
        )  # fmt: skip
    _add_chances(table)
    return table[list(POOLED_COLUMNS)]


class _Groups:
    # Which rows are of one document, in the order of the hashes.
    def __init__(self, hashes: pd.Series[str]) -> None:
        names, self.codes = np.unique(hashes.to_numpy(dtype=str), return_inverse=True)
        self.count = len(names)

    def total(self, values: Floats) -> Floats:
        found: Floats = np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)
        return found


def _counted(results: pd.DataFrame) -> pd.DataFrame:
    # What is counted, added, or as it is.
    how: dict[str, Any] = {name: (name, "first") for name in ("strategy", "parameters")}
    how |= {name: (name, "sum") for name in ("trades", "priced", "wins", "unpriceable", "open", "pnl", "commission")}
    how |= {
        "symbols": ("symbol", "nunique"),
        "pnl_worst": ("pnl_worst", "min"),
        "overfitting": ("overfitting", "median"),
    }
    how |= {name: (name, "max") for name in ("trials", "effective_trials")}
    table: pd.DataFrame = results.groupby("document_sha256", sort=True).agg(**how).reset_index()
    ends = [wilson_interval(*pair) for pair in zip(table["wins"].tolist(), table["priced"].tolist(), strict=True)]
    table["win_rate_low"], table["win_rate_high"] = np.array(ends).T
    table["win_rate"] = table["wins"] / table["priced"]
    table["pnl_mean"] = table["pnl"] / table["priced"]
    return table


def _moments(rows: dict[str, Floats], groups: _Groups) -> tuple[Floats, ...]:
    # Count, mean, deviation, skew and kurtosis of all trades together, from those of each symbol.
    known = np.isfinite(rows["return_mean"])
    n, mean = np.where(known, rows["priced"], 0.0), np.where(known, rows["return_mean"], 0.0)
    sd, skew, kurtosis = (np.nan_to_num(rows[f"return_{name}"]) for name in ("sd", "skew", "kurtosis"))
    with np.errstate(divide="ignore", invalid="ignore"):
        count = groups.total(n)
        middle = groups.total(n * mean) / count
        d = mean - middle[groups.codes]
        second = np.where(n > 1, sd**2 * (n - 1), 0.0)
        width = np.where(n > 0, np.sqrt(second / n), 0.0)
        third, fourth = n * skew * width**3, n * kurtosis * width**4
        d = np.where(n > 0, d, 0.0)
        m2 = groups.total(second + n * d**2)
        m3 = groups.total(third + 3 * d * second + n * d**3)
        m4 = groups.total(fourth + 4 * d * third + 6 * d**2 * second + n * d**4)
        moved = (count >= 2) & (m2 > 0)
        return (
            count,
            middle,
            np.where(count < 2, math.nan, np.sqrt(m2 / (count - 1))),
            np.where(moved, m3 / count / (m2 / count) ** 1.5, math.nan),
            np.where(moved, m4 * count / m2**2, math.nan),
        )


def _errors(rows: dict[str, Floats], groups: _Groups) -> Floats:
    # The standard error of each mean, from the symbols' intervals, as if the symbols moved together. Without an
    # interval a symbol has too few trades for its own: its deviation says as much as there is to say.
    weight = rows["priced"]
    own = (rows["return_high"] - rows["return_low"]) / (2 * Z95)
    error = np.where(np.isfinite(own), own, rows["return_sd"] / np.sqrt(weight))
    known = np.isfinite(error)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = groups.total(np.where(known, weight * error, 0.0)) / groups.total(np.where(known, weight, 0.0))
    return found


def _add_chances(table: pd.DataFrame) -> None:
    # Luck is that of the best of all documents: their effective number, and how their Sharpe ratios spread.
    known = table.loc[table["independent"] >= FEWEST, "sharpe"].dropna().to_numpy(dtype=np.float64)
    spread = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    trials = table["effective_trials"].max()
    luck = expected_max_sharpe(max(float(trials), 1.0), variance=spread) if math.isfinite(trials) else math.nan
    records = table[["sharpe", "return_skew", "return_kurtosis", "independent"]].to_dict("records")
    table["probabilistic_sharpe"] = [probability_above(row, 0.0) for row in records]
    table["deflated_sharpe"] = [probability_above(row, luck) for row in records]
