"""The weekly review: volatility and where it stands day by day, skew and term structure, and what the finder ranked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from bifrost_lib.analytics import iv_at_tenor
from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date, previous_session, session_close, sessions
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.reporting.markets import (
    CONDITIONS,
    Known,
    conditions_of,
    daily_volatility,
    day_close,
    known_markets,
    sources_of,
)
from bifrost_lib.workflows.reporting.rankings import ranked_strategies

TENORS_DAYS = (7, 14, 21, 30, 45, 60, 90, 120, 180)
#: Absolute deltas and their side, from dear downside to far upside; None is the money.
SMILE = ((0.10, "P"), (0.25, "P"), (0.40, "P"), (None, "C"), (0.40, "C"), (0.25, "C"), (0.10, "C"))
_CHART_TENOR = 30.0


@dataclass(frozen=True)
class WeeklyReview:
    """What the weekly report shows.

    Attributes
    ----------
    at, as_of : datetime
        The time of the report, and its newest quote.
    sources : tuple of str
    first, last : date
        The sessions of the week that it covers.
    days : DataFrame
        One row for each symbol and session: `day`, `symbol`, `spot`, `spot_return`, and what describes the market.
    history : DataFrame
        `ts`, `symbol`, `spot`, `iv` of every session of the past year.
    terms, smiles : DataFrame
        `symbol`, `when` (start, end), `tenor_days` or `point`, `iv`: the week's last session against the one before it.
    ranked : list of dict
        The best candidate of each session and symbol, with `day`, `symbol` and `strategy`.
    """

    at: datetime
    as_of: datetime
    sources: tuple[str, ...]
    first: date
    last: date
    days: pd.DataFrame
    history: pd.DataFrame
    terms: pd.DataFrame
    smiles: pd.DataFrame
    ranked: list[dict[str, Any]]


def weekly_review(
    desk: Desk,
    *,
    symbols: Sequence[str] = (),
    at: datetime | None = None,
    strategies: Sequence[str] = (),
) -> WeeklyReview:
    """Put together the review of the week of the newest quote before `at`.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Underlyings; empty: all that are stored.
    at : datetime, aware, optional
        Nothing later is used. Default: now.
    strategies : sequence of str
        Names of the catalogue; empty: all of them.

    Raises
    ------
    NoDataError
        If no chain was known.
    UnknownNameError
        If a strategy is not in the catalogue.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    known = known_markets(desk, symbols, moment)
    newest = max(one.day for one in known)
    days = sessions(newest - timedelta(days=newest.weekday()), newest) or [newest]
    rows, ranked, terms, smiles, histories = [], [], [], [], []
    for one in known:
        history = daily_volatility(desk, one.symbol, at=moment)
        chains = _chains(desk, one.symbol, days, moment)
        rows += [_day(day, one.symbol, chain, history) for day, chain in chains.items()]
        ranked += [found for day, chain in chains.items() for found in _best(day, one.symbol, chain, strategies)]
        ends = _ends(desk, one.symbol, chains, days[0])
        terms += [point for when, chain in ends.items() for point in _terms(one.symbol, when, chain)]
        smiles += [point for when, chain in ends.items() for point in _smiles(one.symbol, when, chain)]
        histories.append(history)
    return WeeklyReview(
        at=moment,
        as_of=max(one.as_of for one in known),
        sources=sources_of(known),
        first=days[0],
        last=days[-1],
        days=pd.DataFrame(rows),
        history=pd.concat(histories, ignore_index=True),
        terms=pd.DataFrame(terms, columns=["symbol", "when", "tenor_days", "iv"]),
        smiles=pd.DataFrame(smiles, columns=["symbol", "when", "point", "iv"]),
        ranked=ranked,
    )


def _chains(desk: Desk, symbol: str, days: Sequence[date], at: datetime) -> dict[date, pd.DataFrame]:
    """Return the chain of each session in which there was one, at its close."""
    found = {day: _chain_at(desk, symbol, day_close(day, at)) for day in days}
    return {
        day: chain for day, chain in found.items() if chain is not None and exchange_date(chain.attrs["as_of"]) == day
    }


def _chain_at(desk: Desk, symbol: str, at: datetime) -> pd.DataFrame | None:
    try:
        return read_chain(desk, symbol, at=at)
    except NoDataError:
        return None


def _ends(desk: Desk, symbol: str, chains: dict[date, pd.DataFrame], first: date) -> dict[str, pd.DataFrame]:
    """Return the chain of the week's end, and the one of the close before the week, where they are known."""
    before = _chain_at(desk, symbol, session_close(previous_session(first)))
    ends = {"start": before} if before is not None else {}
    return ends | ({"end": chains[max(chains)]} if chains else {})


def _day(day: date, symbol: str, chain: pd.DataFrame, history: pd.DataFrame) -> dict[str, Any]:
    found = conditions_of(chain, history)
    earlier = history[history["ts"].dt.tz_convert(EXCHANGE_TZ).dt.date < day]
    change = found.spot / earlier["spot"].iloc[-1] - 1 if len(earlier) else float("nan")
    values = {name: getattr(found, name) for name in CONDITIONS}
    return {"day": day, "symbol": symbol, "spot_return": change, "as_of": chain.attrs["as_of"], **values}


def _best(day: date, symbol: str, chain: pd.DataFrame, strategies: Sequence[str]) -> list[dict[str, Any]]:
    found = ranked_strategies([Known(symbol, chain, None)], strategies, top=1)
    return [{**record, "day": day} for record in found]


def _terms(symbol: str, when: str, chain: pd.DataFrame) -> list[dict[str, Any]]:
    at = chain.attrs["as_of"]
    return [
        {"symbol": symbol, "when": when, "tenor_days": days, "iv": iv_at_tenor(chain, at=at, tenor_days=days).value}
        for days in TENORS_DAYS
    ]


def _smiles(symbol: str, when: str, chain: pd.DataFrame) -> list[dict[str, Any]]:
    at, points = chain.attrs["as_of"], []
    for delta, right in SMILE:
        vol = iv_at_tenor(chain, at=at, tenor_days=_CHART_TENOR, delta=delta, right=right).value
        name = "ATM" if delta is None else f"{delta * 100:.0f}{right}"
        points.append({"symbol": symbol, "when": when, "point": name, "iv": vol})
    return points
