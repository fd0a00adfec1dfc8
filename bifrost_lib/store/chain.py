"""The chain of a symbol as it was known at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError, StaleQuoteError
from bifrost_lib.store.binary_copy import decode_rows
from bifrost_lib.store.chain_frames import chain_frame
from bifrost_lib.store.columns import VALUE_COLUMNS, VENDOR_VALUES
from bifrost_lib.store.contract_book import ContractBook, book_of
from bifrost_lib.store.directory import microseconds, moment
from bifrost_lib.store.moments import Session, newest_session
from bifrost_lib.store.reading import binary_rows, cursor_of
from bifrost_lib.store.selection import ChosenRows, Newest

Int64s = npt.NDArray[np.int64]

#: Quotes this much older than the newest one still belong to the same picture; older ones are marked stale.
FRESH = timedelta(minutes=15)
#: How far back to look at a time: most chains are complete at the first step or soon after.
_STEPS = (timedelta(0), timedelta(minutes=1), timedelta(minutes=5))
_US = timedelta(microseconds=1)


def option_chain(
    engine: Engine,
    symbol: str,
    *,
    at: datetime | None = None,
    expiry: date | None = None,
    max_age: timedelta | None = None,
    fresh: timedelta = FRESH,
    vendor: bool = False,
) -> pd.DataFrame:
    """Return the chain of `symbol` as it was known at `at`.

    Parameters
    ----------
    engine : Engine
        ``store.engine``.
    symbol : str
        Underlying.
    at : datetime, aware, optional
        As-of time; nothing later is used. The newest stored moment of the symbol when not given.
    expiry : date, optional
        Only this expiration.
    max_age : timedelta, optional
        Refuse a chain whose newest quote is older than this at `at`.
    fresh : timedelta
        How much older than the chain's newest quote a quote may be without being marked `stale`.
    vendor : bool
        Also return what the vendor computed of each quote, and what kind of market data it sent.

    Returns
    -------
    DataFrame, CHAIN_COLUMNS, followed by VENDOR_COLUMNS if `vendor`
        One row a contract, sorted by expiry, strike, right, class. ``attrs``: `at`, `as_of` (its newest quote) and
        `source`. Contracts whose moment of expiry has come by `at` are left out.

    Raises
    ------
    NoDataError
        If nothing was known at `at`; the hint says what is.
    StaleQuoteError
        If `max_age` is given and the newest quote is older.

    Notes
    -----
    Each contract's row is its newest one with a quote out of the time `fresh` before the newest moment; without one,
    its newest trade or open interest there; without that, its newest row of the same session, with quality `stale`.
    `mid` is NaN where a side is missing. `tau` and `dte` run from the row's own `ts`.
    """
    at = as_utc(at) if at is not None else None
    for name, duration in (("max_age", max_age), ("fresh", fresh)):
        if duration is not None and duration < timedelta(0):
            raise InputError(name, duration, "a duration >= 0")
    with cursor_of(engine) as cursor:
        book = book_of(engine)
        session = newest_session(engine, cursor, symbol, at, what="option chain")
        moment_at = at or moment(session.as_of_us)
        _check_age(symbol, session, moment_at, max_age)
        wanted = _alive(cursor, book, session, moment_at, expiry)
        if not len(wanted):
            raise _nothing_left(symbol, session, moment_at, expiry)
        rows = _collect(cursor, session, wanted, fresh // _US, _Slice(expiry is None, vendor))
        if not len(rows.contract_ids):
            raise _nothing_left(symbol, session, moment_at, expiry)
        frame = chain_frame(rows, book, book.positions(cursor, rows.contract_ids), symbol)
    frame.attrs = {"at": moment_at, "as_of": moment(session.as_of_us), "source": session.source}
    return frame


def _check_age(symbol: str, session: Session, at: datetime, max_age: timedelta | None) -> None:
    if max_age is None:
        return
    age = at - moment(session.as_of_us)
    if age > max_age:
        raise StaleQuoteError(f"option chain of {symbol}", age_s=age.total_seconds(), max_age_s=max_age.total_seconds())


def _alive(cursor: Any, book: ContractBook, session: Session, at: datetime, expiry: date | None) -> Int64s:
    """Return the contracts of the session that have not expired at `at`."""
    places = book.positions(cursor, session.contract_ids)
    wanted = book.column("expires_us")[places] > microseconds(at)
    if expiry is not None:
        wanted &= book.column("expiry_day")[places] == np.datetime64(expiry, "D").astype(np.int64)
    return session.contract_ids[wanted]


def _nothing_left(symbol: str, session: Session, at: datetime, expiry: date | None) -> NoDataError:
    facts: dict[str, Any] = {"symbol": symbol} | ({"expiry": expiry} if expiry else {})
    hint = f"its newest data are of {moment(session.as_of_us):%Y-%m-%dT%H:%MZ}, and all of those have expired"
    if expiry:
        hint = "ask for the chain without an expiry to see those listed"
    return NoDataError("option chain", at=at, hint=hint, **facts)


@dataclass(frozen=True)
class _Slice:
    """What the queries for the rows of one chain have in common."""

    everything: bool  # no expiration was asked for: at the newest moment take every row
    vendor: bool

    def rows(
        self, cursor: Any, session: Session, since: int, until: int, missing: Int64s, *, only_last: bool = False
    ) -> tuple[Int64s, npt.NDArray[np.float64], npt.NDArray[np.int8]]:
        """Return the rows from `since` to `until` of the contracts that are missing."""
        parameters: dict[str, Any] = {"stock": session.stock_id, "since": moment(since), "until": moment(until)}
        condition = "stock_id = %(stock)s AND ts BETWEEN %(since)s AND %(until)s"
        if not (self.everything and since == session.as_of_us):
            condition += " AND contract_id = ANY(%(missing)s::int[])"
            parameters["missing"] = "{" + ",".join(map(str, missing.tolist())) + "}"
        values = (*VALUE_COLUMNS, *VENDOR_VALUES) if self.vendor else VALUE_COLUMNS
        columns = f"contract_id, ts, {', '.join(values)}, quality" + (", market_data_type" if self.vendor else "")
        query = f"SELECT {columns} FROM option_snapshots WHERE {condition}"  # noqa: S608
        if only_last:
            query = (
                f"SELECT {columns} FROM (SELECT DISTINCT ON (contract_id) * FROM option_snapshots WHERE {condition} "  # noqa: S608
                f"ORDER BY contract_id, (bid IS NULL AND ask IS NULL), ts DESC) AS newest"
            )
        received = binary_rows(cursor, query, parameters)
        return decode_rows(received, integers=2, floats=len(values), with_data_type=self.vendor)


def _collect(cursor: Any, session: Session, wanted: Int64s, fresh_us: int, part: _Slice) -> ChosenRows:
    """Read backwards from the newest moment, in steps, until every contract has a row."""
    newest = Newest(wanted)
    until = session.as_of_us
    for back_us in sorted({*(min(step // _US, fresh_us) for step in _STEPS), fresh_us}):
        since = max(session.as_of_us - back_us, session.first_us)
        if since <= until:
            missing = newest.without_quote()
            if not len(missing):
                return newest.found()
            newest.offer(part.rows(cursor, session, since, until, missing))
        until = since - 1
    missing = newest.without_row()
    if len(missing) and session.first_us <= until:
        newest.offer(part.rows(cursor, session, session.first_us, until, missing, only_last=True))
        newest.mark_stale(session.as_of_us - fresh_us)
    return newest.found()
