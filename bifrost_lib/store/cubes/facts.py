"""What the store's directory says of each session of a symbol: one look tells what a cube lacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

import numpy as np
from sqlalchemy import Engine

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.store.directory import microseconds, moment
from bifrost_lib.store.reading import cursor_of, no_such_data

_CLOSE = time(16)


@dataclass(frozen=True)
class SessionFacts:
    """One stored session: its day, moments in microseconds, its rows, and words that change whenever it does."""

    day: date
    stock_id: int
    first_us: int
    last_us: int
    rows: int
    words: str

    @property
    def number(self) -> int:
        """Its day, in days since 1970-01-01."""
        return int(np.datetime64(self.day, "D").astype(np.int64))


def session_facts(engine: Engine, symbol: str, *, now: datetime) -> list[SessionFacts]:
    """Return the sessions that were over at `now`, in order.

    Raises
    ------
    NoDataError
        If nothing is stored of the symbol.
    """
    with cursor_of(engine) as cursor:
        found = _read(cursor, symbol)
        if not found:
            raise no_such_data(cursor, "chain history", symbol, None)
    return [one for one in found if _ends(one.day) <= now]


def counted_rows(cursor: Any, facts: SessionFacts) -> int:
    """Return how many rows the store really has of a session; every one is counted."""
    cursor.execute(
        "SELECT count(*) FROM option_snapshots WHERE stock_id = %s AND ts BETWEEN %s AND %s",
        (facts.stock_id, moment(facts.first_us), moment(facts.last_us)),
    )
    return int(cursor.fetchone()[0])


def _read(cursor: Any, symbol: str) -> list[SessionFacts]:
    # The moment at which its newest file was begun tells a database that was made anew from the one before.
    cursor.execute(
        "SELECT session, stock_id, min(first_ts), max(last_ts), sum(option_sessions.rows), count(*), max(file_id), "
        "max(started) FROM option_sessions JOIN stocks USING (stock_id) JOIN ingested_files USING (file_id) "
        "WHERE symbol = %s GROUP BY session, stock_id ORDER BY session",
        (symbol,),
    )
    found = []
    for day, stock_id, first, last, rows, entries, file_id, started in cursor.fetchall():
        first_us, last_us, started_us = (microseconds(one) for one in (first, last, started))
        words = f"{rows} rows, {entries} entries to {file_id} of {started_us}, {first_us} to {last_us}"
        found.append(SessionFacts(day, stock_id, first_us, last_us, int(rows), words))
    return found


def _ends(day: date) -> datetime:
    return datetime.combine(day, _CLOSE, EXCHANGE_TZ).astimezone(UTC)
