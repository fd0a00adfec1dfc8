"""What every read shares: connections, binary results, and errors that name what exists instead."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.store.trouble import translated


@contextmanager
def cursor_of(engine: Engine) -> Iterator[Any]:
    """Give a driver cursor in a transaction of its own that only reads.

    Scans of whole months lose against the index in every query that is asked here; statistics of a freshly loaded
    table do not know that yet.
    """
    with translated(name_of(engine)):
        pooled = engine.raw_connection()
        try:
            cursor: Any = pooled.cursor()
            cursor.execute(
                "SET TRANSACTION READ ONLY; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
            )
            yield cursor
        finally:
            pooled.close()


def name_of(engine: Engine) -> str:
    """Return the database in words, without a password."""
    return f"database at {engine.url.host}" if engine.url.host else "embedded database"


def binary_rows(cursor: Any, query: str, parameters: dict[str, Any]) -> bytes:
    """Return the result of a query in binary COPY format."""
    received = io.BytesIO()
    words = cursor.mogrify(f"COPY ({query}) TO STDOUT (FORMAT binary)", parameters)
    cursor.copy_expert(words, received)
    return received.getvalue()


def no_such_data(cursor: Any, what: str, symbol: str, at: datetime | None) -> NoDataError:
    """Return the error for a symbol of which nothing was known, with what is known instead."""
    cursor.execute(
        "SELECT symbol, min(first_ts), max(last_ts) FROM stocks JOIN option_sessions USING (stock_id) GROUP BY symbol"
    )
    known = {found: (first, last) for found, first, last in cursor}
    if symbol in known:
        first, last = (as_utc(moment) for moment in known[symbol])
        hint = f"{symbol} is known from {first:%Y-%m-%dT%H:%MZ} to {last:%Y-%m-%dT%H:%MZ}"
    elif not known:
        hint = "the store is empty: ingest a file first"
    else:
        hint = _likeliest(symbol, list(known))
    return NoDataError(what, symbol=symbol, at=at, hint=hint)


def _likeliest(symbol: str, known: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(symbol.upper(), known, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]}?"
    shown = sorted(known)[:20]
    return "the store has " + ", ".join(shown) + (f" and {len(known) - 20} more" if len(known) > 20 else "")
