"""When companies report their earnings, as it was known at a moment.

An event is a symbol and a fiscal period. Each row says what was learnt of it and when; at a moment the row that was
learnt last counts, so that a day which moves is a new row and what was believed before stays on record. A row without a
day says that none is expected any more, or of a fund or an index, that it never reports.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import EARNINGS_TIMES
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

#: Of `earnings_announcements`, in the table's order.
EARNINGS_COLUMNS = (
    *("symbol", "fiscal_period", "report_date", "time_of_day", "known_at", "known_assumed"),
    *("confirmed", "source", "simulated"),
)
_COLUMNS = ", ".join(EARNINGS_COLUMNS)


class _Row(NamedTuple):
    symbol: str
    fiscal_period: str
    report_date: date | None
    time_of_day: str
    known_at: datetime
    known_assumed: bool
    confirmed: bool
    source: str
    simulated: bool

    @property
    def key(self) -> tuple[str, str, datetime, str]:
        return self.symbol, self.fiscal_period, self.known_at, self.source

    @property
    def event(self) -> tuple[str, str, str]:
        return self.symbol, self.fiscal_period, self.source


class _Assumed:
    """What a supply says of events and spans of days whose moments it only assumes."""

    def __init__(self, rows: Sequence[_Row]) -> None:
        self._events = {row.event for row in rows}
        self._spans: dict[tuple[str, str], tuple[date, date]] = {}
        for row in rows:
            if (day := row.report_date) is not None:
                first, last = self._spans.get((row.symbol, row.source), (day, day))
                self._spans[row.symbol, row.source] = min(first, day), max(last, day)

    def replaces(self, stored: _Row) -> bool:
        if stored.event in self._events:
            return True
        first, last = self._spans.get((stored.symbol, stored.source), (date.max, date.min))
        return stored.report_date is not None and first <= stored.report_date <= last


def save_earnings(engine: Engine, announcements: pd.DataFrame) -> int:
    """Store announcements, all of them or none; return how many are new or changed.

    Parameters
    ----------
    engine : Engine
    announcements : DataFrame
        `EARNINGS_COLUMNS`: `known_at` aware, `report_date` NaT where no day is expected. Where `known_assumed`, the
        moment is a convention: a new supply from the same source takes the place of what that source said of the same
        events, and of the same span of days of the symbol. What was recorded is never changed.

    Raises
    ------
    InputError
        If a column is missing, a figure lies outside its domain, or a row contradicts what is recorded for the same
        event, moment and source.
    """
    rows = _rows(announcements)
    if not rows:
        return 0
    assumed = _Assumed([row for row in rows.values() if row.known_assumed])
    with written(engine) as cursor:
        cursor.execute("LOCK TABLE earnings_announcements IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            f"SELECT {_COLUMNS} FROM earnings_announcements WHERE symbol = ANY(%s)",  # noqa: S608
            (sorted({row.symbol for row in rows.values()}),),
        )
        stored = {row.key: row for row in map(_stored, cursor.fetchall())}
        changed = {row.key: row for row in rows.values() if _is_news(row, stored.get(row.key))}
        replaced = [
            key
            for key, row in stored.items()
            if row.known_assumed and (key in changed or (key not in rows and assumed.replaces(row)))
        ]
        if replaced:
            execute_values(
                cursor,
                "DELETE FROM earnings_announcements WHERE (symbol, fiscal_period, known_at, source) IN (VALUES %s)",
                replaced,
                template="(%s, %s, %s::timestamptz, %s)",
                page_size=len(replaced),
            )
        if changed:
            execute_values(
                cursor,
                f"INSERT INTO earnings_announcements ({_COLUMNS}) VALUES %s",  # noqa: S608
                list(changed.values()),
                page_size=len(changed),
            )
    return len(changed)


def earnings_announcements(
    engine: Engine,
    symbols: str | Iterable[str] | None = None,
    *,
    at: datetime | None = None,
    versions: bool = False,
) -> pd.DataFrame:
    """Return the earnings events of symbols as they were known at a moment.

    Parameters
    ----------
    engine : Engine
    symbols : str or iterable of str, optional
        Default: all.
    at : datetime, aware, optional
        Nothing that was learnt later is read. Default: all that is stored.
    versions : bool
        Everything that was learnt by then, in that order, and not only the last word on each event.

    Returns
    -------
    DataFrame
        `EARNINGS_COLUMNS`, by symbol, day and moment. `report_date` is NaT where no day is expected. Of two words of
        one moment the confirmed one is the last, then that of the source that comes first in the alphabet.
    """
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    wanted = [symbols] if isinstance(symbols, str) else list(symbols) if symbols is not None else None
    last_word = "" if versions else "DISTINCT ON (symbol, fiscal_period) "
    query = (
        f"SELECT {last_word}{_COLUMNS} FROM earnings_announcements "  # noqa: S608
        "WHERE known_at <= %(until)s AND (%(wanted)s::text[] IS NULL OR symbol = ANY(%(wanted)s)) "
        "ORDER BY symbol, fiscal_period, known_at DESC, confirmed DESC, source"
    )
    with cursor_of(engine) as cursor:
        cursor.execute(query, {"until": until, "wanted": wanted})
        frame = pd.DataFrame(cursor.fetchall(), columns=list(EARNINGS_COLUMNS))
    words = ("symbol", "fiscal_period", "time_of_day", "source")
    frame = frame.astype(
        {
            **dict.fromkeys(words, "category"),
            **dict.fromkeys(("known_assumed", "confirmed", "simulated"), "bool"),
            "report_date": "datetime64[s]",
            "known_at": "datetime64[us, UTC]",
        }
    )
    # Rows come with the last word first; among equal moments that order has to stay when it is turned around.
    order = ["symbol", "known_at"] if versions else ["symbol", "report_date"]
    return frame.iloc[::-1].sort_values(order, kind="stable", ignore_index=True)


def known_reports(engine: Engine, symbol: str, *, at: datetime) -> tuple[tuple[date, str], ...] | None:
    """Return the day of each report of `symbol` that was known at `at`, and when on it; None if nothing was known.

    Nothing but an empty tuple is known of what never reports.
    """
    with cursor_of(engine) as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (fiscal_period) report_date, time_of_day FROM earnings_announcements "
            "WHERE symbol = %s AND known_at <= %s "
            "ORDER BY fiscal_period, known_at DESC, confirmed DESC, source",
            (symbol, as_utc(at)),
        )
        rows = cursor.fetchall()
    return tuple((day, time) for day, time in rows if day is not None) if rows else None


def _stored(found: tuple[Any, ...]) -> _Row:
    row = _Row(*found)
    return row._replace(known_at=as_utc(row.known_at))


def _is_news(row: _Row, known: _Row | None) -> bool:
    if known is None or known == row:
        return known is None
    if known.known_assumed:
        return True
    if known == row._replace(known_assumed=False):
        return False
    raise InputError(
        "announcements.known_at",
        f"{row.symbol} {row.fiscal_period} {row.known_at.isoformat()}",
        f"a moment of its own for what has changed: {row.source} is on record with {_words(known)} then",
    )


def _words(row: _Row) -> str:
    day = row.report_date.isoformat() if row.report_date else "no day"
    return f"{day} {row.time_of_day} {'confirmed' if row.confirmed else 'estimated'}"


def _rows(announcements: pd.DataFrame) -> dict[Any, _Row]:
    for column in EARNINGS_COLUMNS:
        if column not in announcements.columns:
            raise InputError(f"announcements.{column}", list(announcements.columns), "this column to be present")
    found: dict[Any, _Row] = {}
    for values in announcements[list(EARNINGS_COLUMNS)].itertuples(index=False, name=None):
        row = _row(*values)
        if found.setdefault(row.key, row) != row:
            raise InputError(
                "announcements.known_at",
                f"{row.symbol} {row.fiscal_period} {row.known_at.isoformat()}",
                "one row for each event, moment and source",
            )
    return found


def _row(
    symbol: Any, period: Any, day: Any, time: Any, known_at: Any, assumed: Any, confirmed: Any, source: Any, made: Any
) -> _Row:
    for name, word in (("symbol", symbol), ("fiscal_period", period), ("source", source)):
        if not (isinstance(word, str) and word.strip()):
            raise InputError(f"announcements.{name}", word, "a word in every row")
    if time not in EARNINGS_TIMES:
        raise InputError("announcements.time_of_day", time, " or ".join(EARNINGS_TIMES))
    if pd.isna(known_at):
        raise InputError("announcements.known_at", known_at, "a moment in every row")
    known = as_utc(pd.Timestamp(known_at).to_pydatetime(), name="announcements.known_at")
    report = None if pd.isna(day) else pd.Timestamp(day).date()
    return _Row(
        symbol.upper(), period, report, str(time), known, bool(assumed), bool(confirmed), source, bool(made)
    )  # fmt: skip
