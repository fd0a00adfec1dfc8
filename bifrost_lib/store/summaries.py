"""What the store holds, in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pandas as pd
from sqlalchemy import Engine, text

from bifrost_lib.core.clock import as_utc
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.trouble import translated

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_COUNTED = (
    "stocks",
    "option_contracts",
    "market_conditions",
    "option_changes",
    "strategy_history",
    "corporate_actions",
    "earnings_announcements",
    "ingested_files",
    "collection_runs",
    "collection_gaps",
)


@dataclass(frozen=True)
class StoreSummary:
    """A store in numbers.

    Attributes
    ----------
    level : {"plain", "apache", "community"}
    version : str
        Of the server.
    place : str
        Where it is, in words.
    size_bytes : int
        Of the database on disk.
    rows : dict
        Rows by table.
    """

    level: str
    version: str
    place: str
    size_bytes: int
    rows: dict[str, int]


def store_summary(store: Store) -> StoreSummary:
    """Count what is in the store; snapshots by their directory, so that it is quick at any size."""
    with translated(store.place), store.engine.connect() as connection:
        rows = {name: int(connection.scalar(text(f"SELECT count(*) FROM {name}")) or 0) for name in _COUNTED}  # noqa: S608
        snapshots = connection.scalar(text("SELECT coalesce(sum(rows), 0) FROM option_sessions"))
        size = connection.scalar(text("SELECT pg_database_size(current_database())"))
    rows = {"option_snapshots": int(snapshots or 0), **rows}
    return StoreSummary(store.level, store.version, store.place, int(size or 0), rows)


def list_symbols(engine: Engine, *, at: datetime | None = None) -> pd.DataFrame:
    """Return what is known of which symbol until `at`.

    Returns
    -------
    DataFrame
        One row a symbol, sorted: `symbol`, `first_ts`, `last_ts`, `sessions`, `rows`, `source` (all suppliers,
        separated by commas). Rows are counted by session: all of those that began by `at`. Empty if the store is.
    """
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    with cursor_of(engine) as cursor:
        cursor.execute(
            "SELECT symbol, min(first_ts), least(max(last_ts), %(until)s), count(DISTINCT session), "
            "sum(option_sessions.rows)::bigint, string_agg(DISTINCT source, ', ' ORDER BY source) "
            "FROM option_sessions JOIN stocks USING (stock_id) JOIN ingested_files USING (file_id) "
            "WHERE first_ts <= %(until)s GROUP BY symbol ORDER BY symbol",
            {"until": until},
        )
        rows = cursor.fetchall()
    frame = pd.DataFrame(rows, columns=["symbol", "first_ts", "last_ts", "sessions", "rows", "source"])
    moments = dict.fromkeys(("first_ts", "last_ts"), "datetime64[us, UTC]")
    return frame.astype({**moments, "symbol": "category", "sessions": "int64", "rows": "int64", "source": "category"})


def list_files(engine: Engine, *, newest: int = 1000) -> pd.DataFrame:
    """Return the ledger's newest files, the latest first: path, format, source, rows and when they were stored."""
    columns = ["path", "format", "source", "size", "rows_read", "rows_stored", "rejected", "started", "finished"]
    with cursor_of(engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM ingested_files ORDER BY file_id DESC LIMIT %s",  # noqa: S608
            (newest,),
        )
        return pd.DataFrame(cursor.fetchall(), columns=columns)
