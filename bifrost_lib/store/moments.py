"""Which moments are known of a symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.directory import directory_of, microseconds, moment
from bifrost_lib.store.reading import cursor_of, no_such_data


@dataclass(frozen=True)
class Session:
    """The newest session of a symbol at some time.

    Attributes
    ----------
    as_of_us, first_us : int
        Its newest moment until then and its first one, in microseconds since 1970.
    contract_ids : array (n,)
        Contracts observed in it until `as_of_us`, ascending.
    source : str
        Who supplied it; several are separated by commas.
    """

    stock_id: int
    as_of_us: int
    first_us: int
    contract_ids: npt.NDArray[np.int64]
    source: str


def latest_moment(engine: Engine, symbol: str, *, at: datetime | None = None) -> datetime:
    """Return the newest moment until `at` of which something of the symbol's chain is known.

    Raises
    ------
    NoDataError
        If nothing was known at `at`.
    """
    with cursor_of(engine) as cursor:
        return moment(newest_session(engine, cursor, symbol, as_utc(at) if at else None, what="moment").as_of_us)


def chain_moments(engine: Engine, symbol: str, start: datetime, end: datetime) -> pd.DatetimeIndex:
    """Return all moments from `start` to `end`, both included, at which something of the chain was observed.

    Raises
    ------
    InputError
        If `end` is before `start`, or one of them is naive.
    NoDataError
        If there is none.
    """
    start, end = as_utc(start, name="start"), as_utc(end, name="end")
    if end < start:
        raise InputError("end", end, f"a moment not before start, {start.isoformat()}")
    with cursor_of(engine) as cursor:
        stock_id = _stock(cursor, symbol, end, what="chain moments")
        cursor.execute(
            "SELECT session, min(first_ts), max(last_ts) FROM option_sessions WHERE stock_id = %s AND last_ts >= %s "
            "AND first_ts <= %s GROUP BY session ORDER BY session",
            (stock_id, start, end),
        )
        found = [one for _, *span in cursor.fetchall() for one in _within(cursor, stock_id, span, start, end)]
        if not found:
            raise no_such_data(cursor, "chain moments", symbol, end)
    return pd.DatetimeIndex(found, dtype="datetime64[us, UTC]", name="ts")


def session_ends(engine: Engine, symbol: str, start: datetime, end: datetime) -> dict[date, datetime]:
    """Return the sessions from `start` to `end` of which something is stored, each with its newest moment until `end`.

    By the directory alone, so that a year costs one look. Empty where nothing is stored.
    """
    start, end = as_utc(start, name="start"), as_utc(end, name="end")
    with cursor_of(engine) as cursor:
        cursor.execute(
            "SELECT session, max(least(last_ts, %(end)s)) FROM option_sessions JOIN stocks USING (stock_id) "
            "WHERE symbol = %(symbol)s AND last_ts >= %(start)s AND first_ts <= %(end)s GROUP BY session "
            "ORDER BY session",
            {"symbol": symbol, "start": start, "end": end},
        )
        return {session: as_utc(last) for session, last in cursor}


def newest_session(engine: Engine, cursor: Any, symbol: str, at: datetime | None, *, what: str) -> Session:
    """Find the newest moment of the symbol until `at`: the session by the directory, then the moment in it."""
    stock_id = _stock(cursor, symbol, at, what=what)
    until = at or datetime.max.replace(tzinfo=UTC)
    day = exchange_date(at) if at else date.max
    known = directory_of(engine).newest_session(cursor, stock_id, until=until, day=day)
    if known is None:
        raise no_such_data(cursor, what, symbol, at)
    begun = known.first_us <= microseconds(until)
    first_us, as_of_us = int(known.first_us.min()), int(known.last_us[begun].max())
    if moment(as_of_us) > until:
        cursor.execute(
            "SELECT ts FROM option_snapshots WHERE stock_id = %s AND ts BETWEEN %s AND %s ORDER BY ts DESC LIMIT 1",
            (stock_id, moment(first_us), until),
        )
        as_of_us = microseconds(cursor.fetchone()[0])
    ids = known.contract_ids[known.seen_us <= as_of_us]
    source = ", ".join(sorted({known.sources[place] for place in np.unique(known.supplier[begun]).tolist()}))
    return Session(stock_id, as_of_us, first_us, ids, source)


def _stock(cursor: Any, symbol: str, at: datetime | None, *, what: str) -> int:
    cursor.execute("SELECT stock_id FROM stocks WHERE symbol = %s", (symbol,))
    found = cursor.fetchone()
    if found is None:
        raise no_such_data(cursor, what, symbol, at)
    return int(found[0])


def _within(cursor: Any, stock_id: int, span: list[datetime], start: datetime, end: datetime) -> list[datetime]:
    """Return the moments of one session; from one to the next by the index, never touching the rows between."""
    first, last = max(span[0], start), min(span[1], end)
    if first == last:
        return [first]
    cursor.execute(
        "WITH RECURSIVE known (ts) AS ("
        "(SELECT ts FROM option_snapshots WHERE stock_id = %(stock)s AND ts BETWEEN %(first)s AND %(last)s "
        "ORDER BY ts LIMIT 1) UNION ALL "
        "SELECT (SELECT ts FROM option_snapshots WHERE stock_id = %(stock)s AND ts > known.ts AND ts <= %(last)s "
        "AND ts >= %(first)s ORDER BY ts LIMIT 1) FROM known WHERE known.ts IS NOT NULL) "
        "SELECT ts FROM known WHERE ts IS NOT NULL",
        {"stock": stock_id, "first": first, "last": last},
    )
    return [ts for (ts,) in cursor]
