"""What worked on symbols like this one, in this regime, out of sample and after costs: answers from a library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.backtest import IV_RANKS, PROFILE, TRENDS, expected_max_sharpe
from bifrost_lib.core.errors import InputError, NoDataError, UnknownNameError
from bifrost_lib.core.intervals import Z95, wilson_interval
from bifrost_lib.store import libraries, library_results, library_symbols
from bifrost_lib.workflows.backtests.library_rows import ANY, FEWEST, probability_above

if TYPE_CHECKING:
    from bifrost_lib.workflows.desk import Desk

Floats = npt.NDArray[np.float64]

ANSWER_COLUMNS = (
    *("strategy", "parameters", "document_sha256", "symbols", "trades", "priced", "wins", "win_rate", "win_rate_low"),
    *("win_rate_high", "return_mean", "return_low", "return_high", "return_sd", "return_skew", "return_kurtosis"),
    *("pnl_mean", "pnl_worst", "days_mean", "commission", "unpriceable", "open", "sharpe", "probabilistic_sharpe"),
    *("deflated_sharpe", "independent", "trials", "effective_trials", "overfitting", "return_mean_in", "priced_in"),
)
#: What an answer may be ordered by, best first.
ORDERS = ("return_low", "return_mean", "deflated_sharpe", "probabilistic_sharpe", "sharpe", "win_rate_low", "pnl_mean")


@dataclass(frozen=True, eq=False)
class LibraryAnswer:
    """The strategies that did best, and what the answer rests on.

    Parameters
    ----------
    table : DataFrame
        `ANSWER_COLUMNS`: returns are pnl over margin a trade, after fills and commission, intervals 95 %. `independent`
        is how many independent trades know as much, `trials` how many documents were tried on each symbol; columns
        ending in ``_in`` are those of the other sample, in which a choice could have been made.
    symbols : DataFrame
        symbol, distance (0 is the same; NaN where nobody asked for likeness), and the profile it was compared by.
    thin : int
        Documents that were left out because they had too few trades.
    library, sample, iv_rank, trend : str
    computed : datetime
        When the newest of it was computed.
    """

    table: pd.DataFrame
    symbols: pd.DataFrame
    thin: int
    library: str
    sample: str
    iv_rank: str
    trend: str
    computed: datetime


def what_worked(
    desk: Desk,
    library: str,
    *,
    like: str | Mapping[str, float] | None = None,
    neighbours: int = 10,
    symbols: Sequence[str] | None = None,
    iv_rank: str = ANY,
    trend: str = ANY,
    sample: Literal["out", "in"] = "out",
    strategy: str | None = None,
    least_trades: int = 30,
    order: str = "return_low",
    top: int = 50,
    at: datetime | None = None,
) -> LibraryAnswer:
    """Return what worked on some symbols, in some regime, after costs.

    Parameters
    ----------
    desk : Desk
    library : str
    like : str or mapping, optional
        A symbol of the library, or a profile (`backtest.regimes.symbol_profile`): its nearest `neighbours` answer, the
        symbol itself among them.
    symbols : sequence of str, optional
        These answer instead; without both all of them do.
    iv_rank : {"any", "low", "middle", "high", "unknown"}
    trend : {"any", "up", "flat", "down", "unknown"}
    sample : {"out", "in"}
        "in" is what one might have chosen by, and no evidence.
    strategy : str, optional
        Only documents of this name.
    least_trades : int
        Priced trades below which a document is left out, and counted in `LibraryAnswer.thin`.
    order : str
        One of `ORDERS`; the cautious default asks for the lower end of the mean return.
    top : int
    at : datetime, aware, optional
        As it was known then; default: now.

    Raises
    ------
    UnknownNameError
        If there is no such library or symbol.
    NoDataError
        If nothing was traded in this regime.

    Notes
    -----
    Counts and moments of several symbols are pooled exactly. Their errors are added up as if all symbols moved
    together, which is cautious. Luck is that of the best of all documents of this answer: the effective number of
    trials and the variance of their Sharpe ratios (Bailey and López de Prado 2014).
    """
    _check(iv_rank=iv_rank, trend=trend, sample=sample, order=order)
    moment = desk.clock.now() if at is None else at
    chosen = _chosen(_profiles(desk, library, moment), like, neighbours, symbols)
    found = library_results(
        desk.store, library, at=moment, symbols=list(chosen["symbol"]), iv_rank=iv_rank, trend=trend, strategy=strategy
    )
    found = found[found["priced"] > 0]
    table = pooled(found[found["sample"] == sample])
    if table.empty:
        facts = {"library": library, "iv_rank": iv_rank, "trend": trend, "sample": sample}
        raise NoDataError("backtested trade", **facts, at=moment)
    other = pooled(found[found["sample"] != sample]).set_index("document_sha256")
    for name in ("return_mean", "priced"):
        told = other[name] if len(other) else pd.Series(dtype=np.float64)
        table[f"{name}_in"] = table["document_sha256"].map(told)
    enough = table["priced"] >= least_trades
    best = table[enough].sort_values(order, ascending=False, kind="stable", na_position="last")
    return LibraryAnswer(
        table=best[list(ANSWER_COLUMNS)].head(top).reset_index(drop=True),
        symbols=chosen,
        thin=int((~enough).sum()),
        library=library,
        sample=sample,
        iv_rank=iv_rank,
        trend=trend,
        computed=found["computed_ts"].max().to_pydatetime(),
    )


def pooled(results: pd.DataFrame) -> pd.DataFrame:
    """Return rows of one sample and regime pooled over their symbols, a row a document, deflated by all of them.

    Parameters
    ----------
    results : DataFrame
        Columns of ``library_results``.
    """
    rows = [_pool(part) for _, part in results.groupby("document_sha256", sort=True)]
    table = pd.DataFrame(rows, columns=[name for name in ANSWER_COLUMNS if not name.endswith("_in")])
    if table.empty:
        return table
    known = table.loc[table["independent"] >= FEWEST, "sharpe"].dropna().to_numpy(dtype=np.float64)
    spread = float(np.var(known, ddof=1)) if len(known) > 1 else 0.0
    trials = table["effective_trials"].max()
    luck = expected_max_sharpe(max(float(trials), 1.0), variance=spread) if math.isfinite(trials) else math.nan
    records = table.to_dict("records")
    table["probabilistic_sharpe"] = [probability_above(row, 0.0) for row in records]
    table["deflated_sharpe"] = [probability_above(row, luck) for row in records]
    return table


def nearest(profiles: pd.DataFrame, profile: Mapping[str, float], count: int) -> pd.DataFrame:
    """Return the symbols whose profiles are most like one, nearest first, with their distance.

    Parameters
    ----------
    profiles : DataFrame
        symbol and `PROFILE`.
    profile : mapping
        `PROFILE` of the one; NaN where not known.
    count : int

    Notes
    -----
    The distance is the root mean square of the differences in units of the symbols' own spread (median absolute
    deviation), over what is known of both. Symbols of which nothing is known beside it are left out.
    """
    differences = []
    for name in PROFILE:
        column = profiles[name].to_numpy(dtype=np.float64)
        known = column[np.isfinite(column)]
        scale = 1.4826 * float(np.median(np.abs(known - np.median(known)))) if len(known) else 0.0
        scale = scale or (float(known.std()) if len(known) else 0.0) or 1.0  # all alike: as it is
        differences.append((column - float(profile.get(name, math.nan))) / scale)
    squares = np.array(differences) ** 2
    counts = np.isfinite(squares).sum(axis=0)
    distance = np.sqrt(np.nansum(squares, axis=0) / np.maximum(counts, 1))
    found = profiles.assign(distance=np.where(counts > 0, distance, math.nan)).dropna(subset="distance")
    return found.sort_values(["distance", "symbol"], kind="stable").head(count)


def _profiles(desk: Desk, library: str, at: datetime) -> pd.DataFrame:
    # Symbols that were computed before the library was defined anew are no part of it.
    known = libraries(desk.store, at=at).set_index("library")
    if library not in known.index:
        raise UnknownNameError("library", library, known.index)
    profiles = library_symbols(desk.store, library, at=at)
    current: pd.DataFrame = profiles[profiles["computed_ts"] >= known["computed_ts"][library]]
    return current


def _chosen(
    profiles: pd.DataFrame, like: str | Mapping[str, float] | None, neighbours: int, symbols: Sequence[str] | None
) -> pd.DataFrame:
    columns = ["symbol", "distance", *PROFILE]
    if symbols is not None:
        for symbol in symbols:
            if symbol not in set(profiles["symbol"]):
                raise UnknownNameError("symbols", symbol, profiles["symbol"])
        return profiles[profiles["symbol"].isin(symbols)].assign(distance=math.nan)[columns].reset_index(drop=True)
    if like is None:
        return profiles.assign(distance=math.nan)[columns].reset_index(drop=True)
    if neighbours < 1:
        raise InputError("neighbours", neighbours, "at least 1 symbol")
    if isinstance(like, str):
        if like not in set(profiles["symbol"]):
            raise UnknownNameError("like", like, profiles["symbol"])
        is_own = profiles["symbol"] == like
        own = profiles[is_own].assign(distance=0.0)
        others = nearest(profiles[~is_own], {name: float(own[name].iloc[0]) for name in PROFILE}, neighbours - 1)
        return pd.concat([own, others])[columns].reset_index(drop=True)
    return nearest(profiles, like, neighbours)[columns].reset_index(drop=True)


def _pool(rows: pd.DataFrame) -> dict[str, Any]:
    first = rows.iloc[0]
    count, mean, sd, skew, kurtosis = _moments(rows)
    weight = rows["priced"].to_numpy(dtype=np.float64)
    priced, wins = int(weight.sum()), int(rows["wins"].sum())
    error = _error(rows, weight)
    low, high = wilson_interval(wins, priced)
    return {
        "strategy": first["strategy"],
        "parameters": first["parameters"],
        "document_sha256": first["document_sha256"],
        "symbols": rows["symbol"].nunique(),
        **{name: int(rows[name].sum()) for name in ("trades", "unpriceable", "open")},
        "priced": priced,
        "wins": wins,
        "win_rate": wins / priced,
        "win_rate_low": low,
        "win_rate_high": high,
        "return_mean": mean,
        "return_low": mean - Z95 * error,
        "return_high": mean + Z95 * error,
        "return_sd": sd,
        "return_skew": skew,
        "return_kurtosis": kurtosis,
        "pnl_mean": float(rows["pnl"].sum() / priced),
        "pnl_worst": rows["pnl_worst"].min(),
        "days_mean": float((rows["days_mean"] * weight).sum() / priced),
        "commission": rows["commission"].sum(),
        "sharpe": mean / sd if sd > 0 else math.nan,
        "independent": min(count, (sd / error) ** 2) if error > 0 else math.nan,
        "trials": int(rows["trials"].max()),
        "effective_trials": rows["effective_trials"].max(),
        "overfitting": rows["overfitting"].median(),
    }


def _moments(rows: pd.DataFrame) -> tuple[float, float, float, float, float]:
    # Count, mean, deviation, skew and kurtosis of all trades together, from those of each symbol.
    known = rows[np.isfinite(rows["return_mean"])]
    n, mean = known["priced"].to_numpy(dtype=np.float64), known["return_mean"].to_numpy(dtype=np.float64)
    total = float(n.sum())
    if total < 2:
        return total, float(mean[0]) if len(mean) else math.nan, math.nan, math.nan, math.nan
    middle, nothing = float((n * mean).sum() / total), np.zeros(len(n))
    second = np.where(n > 1, known["return_sd"].fillna(0.0).to_numpy(dtype=np.float64) ** 2 * (n - 1), nothing)
    width = np.sqrt(second / n)
    third = n * known["return_skew"].fillna(0.0).to_numpy(dtype=np.float64) * width**3
    fourth = n * known["return_kurtosis"].fillna(0.0).to_numpy(dtype=np.float64) * width**4
    d = mean - middle
    m2 = float((second + n * d**2).sum())
    m3 = float((third + 3 * d * second + n * d**3).sum())
    m4 = float((fourth + 4 * d * third + 6 * d**2 * second + n * d**4).sum())
    if not m2 > 0:
        return total, middle, 0.0, math.nan, math.nan
    return total, middle, math.sqrt(m2 / (total - 1)), m3 / total / (m2 / total) ** 1.5, m4 * total / m2**2


def _error(rows: pd.DataFrame, weight: Floats) -> float:
    # The standard error of the mean of all, from the symbols' intervals, as if the symbols moved together. Without an
    # interval a symbol has too few trades for its own: its deviation says as much as there is to say.
    own = ((rows["return_high"] - rows["return_low"]) / (2 * Z95)).to_numpy(dtype=np.float64)
    plain = rows["return_sd"].to_numpy(dtype=np.float64) / np.sqrt(weight)
    error = np.where(np.isfinite(own), own, plain)
    known = np.isfinite(error)
    return float((weight[known] * error[known]).sum() / weight[known].sum()) if known.any() else math.nan


def _check(*, iv_rank: str, trend: str, sample: str, order: str) -> None:
    for name, value, words in (
        ("iv_rank", iv_rank, (ANY, *IV_RANKS)),
        ("trend", trend, (ANY, *TRENDS)),
        ("sample", sample, ("in", "out")),
        ("order", order, ORDERS),
    ):
        if value not in words:
            raise UnknownNameError(name, value, words)
