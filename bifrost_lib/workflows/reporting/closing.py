"""The daily close: the state of each market, what moved most, what the finder ranks, and what collection missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import as_utc
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.reporting.completeness import collection_of, gaps_of
from bifrost_lib.workflows.reporting.contracts import contract_changes, largest_moves
from bifrost_lib.workflows.reporting.markets import (
    CONDITIONS,
    Known,
    conditions_of,
    daily_volatility,
    known_markets,
    sources_of,
)
from bifrost_lib.workflows.reporting.rankings import ranked_strategies


@dataclass(frozen=True)
class DailyClose:
    """What the report of the close shows.

    Attributes
    ----------
    at, as_of : datetime
        The time of the report, and its newest quote.
    sources : tuple of str
    conditions : DataFrame
        One row a symbol: what describes its market, and the change of spot and volatility since the close before.
    history : DataFrame
        `ts`, `symbol`, `spot`, `iv` of every session of the past year.
    volatility_moves, interest_moves, most_traded : DataFrame
        Contracts, the largest change or volume first.
    ranked : list of dict
        Candidates with `symbol` and `strategy`, best first.
    collection, gaps : DataFrame
        What the collectors brought on the day of the report, and what can still be filled.
    """

    at: datetime
    as_of: datetime
    sources: tuple[str, ...]
    conditions: pd.DataFrame
    history: pd.DataFrame
    volatility_moves: pd.DataFrame
    interest_moves: pd.DataFrame
    most_traded: pd.DataFrame
    ranked: list[dict[str, Any]]
    collection: pd.DataFrame
    gaps: pd.DataFrame


def daily_close(
    desk: Desk,
    *,
    symbols: Sequence[str] = (),
    at: datetime | None = None,
    strategies: Sequence[str] = (),
    top: int = 10,
) -> DailyClose:
    """Put together the report of the close.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Underlyings; empty: all that are stored.
    at : datetime, aware, optional
        Nothing later is used. Default: now.
    strategies : sequence of str
        Names of the catalogue; empty: all of them.
    top : int
        How many rows each list keeps.

    Raises
    ------
    NoDataError
        If no chain was known.
    UnknownNameError
        If a strategy is not in the catalogue.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    known = known_markets(desk, symbols, moment)
    histories = {one.symbol: daily_volatility(desk, one.symbol, at=moment) for one in known}
    changes = contract_changes(known)
    newest = max(one.day for one in known)
    return DailyClose(
        at=moment,
        as_of=max(one.as_of for one in known),
        sources=sources_of(known),
        conditions=pd.DataFrame([_conditions(one, histories[one.symbol]) for one in known]),
        history=pd.concat(histories.values(), ignore_index=True),
        volatility_moves=largest_moves(changes, "iv_change", top=top),
        interest_moves=largest_moves(changes, "open_interest_change", top=top),
        most_traded=largest_moves(changes, "volume", top=top),
        ranked=ranked_strategies(known, strategies, top=top),
        collection=collection_of(desk, newest, at=moment),
        gaps=gaps_of(desk, at=moment),
    )


def _conditions(one: Known, history: pd.DataFrame) -> dict[str, Any]:
    found = conditions_of(one.chain, history)
    earlier = history[history["ts"].dt.tz_convert(EXCHANGE_TZ).dt.date < one.day]
    row = {"symbol": one.symbol, "as_of": one.as_of} | {name: getattr(found, name) for name in CONDITIONS}
    if earlier.empty:
        return row | {"spot_return": float("nan"), "iv_change": float("nan")}
    last = earlier.iloc[-1]
    return row | {"spot_return": found.spot / last["spot"] - 1, "iv_change": found.iv - last["iv"]}
