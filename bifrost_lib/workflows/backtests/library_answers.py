"""What worked on symbols like this one, in this regime, out of sample and after costs: answers from a library."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from bifrost_lib.backtest import IV_RANKS, PROFILE, TRENDS
from bifrost_lib.core.errors import InputError, NoDataError, UnknownNameError
from bifrost_lib.store import libraries, library_results, library_symbols
from bifrost_lib.workflows.backtests.library_pooling import POOLED_COLUMNS, pooled
from bifrost_lib.workflows.backtests.library_rows import ANY

if TYPE_CHECKING:
    from bifrost_lib.workflows.desk import Desk

ANSWER_COLUMNS = (*POOLED_COLUMNS, "return_mean_in", "priced_in")
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
        A symbol of the library, or a profile (`backtest.symbol_profile`): its nearest `neighbours` answer, the
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
    Several symbols are pooled as `library_pooling.pooled` says. Luck is that of the best of all documents of this
    answer: the effective number of trials and the variance of their Sharpe ratios (Bailey and López de Prado 2014).
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


def _check(*, iv_rank: str, trend: str, sample: str, order: str) -> None:
    for name, value, words in (
        ("iv_rank", iv_rank, (ANY, *IV_RANKS)),
        ("trend", trend, (ANY, *TRENDS)),
        ("sample", sample, ("in", "out")),
        ("order", order, ORDERS),
    ):
        if value not in words:
            raise UnknownNameError(name, value, words)
