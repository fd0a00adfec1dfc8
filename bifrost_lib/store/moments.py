"""Which moments are known of a symbol."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.reading import cursor_of, no_such_data

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Session:
    """The newest session of a symbol at some time.

    Attributes
    ----------
    as_of_us, first_us : int
        Its newest moment until then and its first one, in microseconds since 1970.
    contract_ids : array (n,)
        Contracts observed in it until `as_of_us`, ascending.
    """

    stock_id: int
    as_of_us: int
    first_us: int
    contract_ids: npt.NDArray[np.int64]


def moment(ts_us: int) -> datetime:
    """Return microseconds since 1970 as aware UTC."""
    return _EPOCH + ts_us * _US


def microseconds(when: datetime) -> int:
    """Return an aware moment as microseconds since 1970."""
    return (as_utc(when) - _EPOCH) // _US


def latest_moment(engine: Engine, symbol: str, *, at: datetime | None = None) -> datetime:
    """Return the newest moment until `at` of which something of the symbol's chain is known.

    Raises
    ------
    NoDataError
        If nothing was known at `at`.
    """
    with cursor_of(engine) as cursor:
        return moment(newest_session(cursor, symbol, as_utc(at) if at else None, what="moment").as_of_us)


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


def newest_session(cursor: Any, symbol: str, at: datetime | None, *, what: str) -> Session:
    """Find the newest moment of the symbol until `at`: the session by the directory, then the moment in it."""
    stock_id = _stock(cursor, symbol, at, what=what)
    until = at or datetime.max.replace(tzinfo=UTC)
    cursor.execute(
        "SELECT first_ts, last_ts, contract_ids, first_s FROM option_sessions WHERE stock_id = %(stock)s "
        "AND session = (SELECT session FROM option_sessions WHERE stock_id = %(stock)s AND session <= %(day)s "
        "AND first_ts <= %(until)s ORDER BY session DESC LIMIT 1) AND first_ts <= %(until)s",
        {"stock": stock_id, "until": until, "day": exchange_date(at) if at else date.max},
    )
    parts = cursor.fetchall()
    if not parts:
        raise no_such_data(cursor, what, symbol, at)
    first, last = min(part[0] for part in parts), min(max(part[1] for part in parts), until)
    cursor.execute(
        "SELECT ts FROM option_snapshots WHERE stock_id = %s AND ts BETWEEN %s AND %s ORDER BY ts DESC LIMIT 1",
        (stock_id, first, last),
    )
    as_of_us = microseconds(cursor.fetchone()[0])
    ids = []
    for first_ts, _, contract_ids, first_s in parts:
        seen = microseconds(first_ts) + np.array(first_s, dtype=np.int64) * 1_000_000
        ids.append(np.array(contract_ids, dtype=np.int64)[seen <= as_of_us])
    return Session(stock_id, as_of_us, microseconds(first), np.unique(np.concatenate(ids)))


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
