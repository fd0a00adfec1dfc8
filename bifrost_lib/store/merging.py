"""Rows for moments that are stored already: what is missing is filled in, what is there stays."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.vocabulary import ANALYTIC_COLUMNS, VENDOR_COLUMNS
from bifrost_lib.store.columns import STORED_COLUMNS

STAGING = "incoming_snapshots"
_DECOMPRESSION_LIMIT = "timescaledb.max_tuples_decompressed_per_dml_transaction"
_QUOTE = ("bid", "ask", "bid_size", "ask_size")
_DERIVED = ("spot", *ANALYTIC_COLUMNS)
_LONELY = ("last", "volume", "open_interest")
_KEY = "stock_id, ts, contract_id"


def _merge_sql() -> str:
    """Return the statement that merges the staged rows.

    The two sides of a quote and what was computed from it are one observation: they come from one row, so that
    nobody sees a bid of one source with an ask or a volatility of another. Analytics that could not be computed at
    first (no spot) come from a later row with the same quote. Trades and open interest are filled in one by one.
    What the vendor computed from a quote belongs to that quote, all of it or nothing.
    """
    unquoted = "stored.bid IS NULL AND stored.ask IS NULL"
    brings = "(excluded.bid IS NOT NULL OR excluded.ask IS NOT NULL)"
    same = "stored.bid IS NOT DISTINCT FROM excluded.bid AND stored.ask IS NOT DISTINCT FROM excluded.ask"
    improves = f"{same} AND stored.iv IS NULL AND (excluded.iv IS NOT NULL OR stored.spot IS NULL)"
    chosen = {name: f"CASE WHEN {unquoted} THEN excluded.{name} ELSE stored.{name} END" for name in _QUOTE}
    for name in _DERIVED:
        chosen[name] = (
            f"CASE WHEN ({unquoted} AND {brings}) OR ({improves}) THEN coalesce(excluded.{name}, stored.{name}) "
            f"ELSE stored.{name} END"
        )
    unexplained = f"({', '.join(f'stored.{name}' for name in VENDOR_COLUMNS)}) IS NULL"
    for name in VENDOR_COLUMNS:
        chosen[name] = (
            f"CASE WHEN ({unquoted} AND {brings}) OR ({same} AND {unexplained}) THEN excluded.{name} "
            f"ELSE stored.{name} END"
        )
    for name in _LONELY:
        chosen[name] = f"coalesce(stored.{name}, excluded.{name})"
    columns = ", ".join(STORED_COLUMNS)
    changes = ", ".join(f"{name} = {value}" for name, value in chosen.items())
    old, new = ", ".join(f"stored.{name}" for name in chosen), ", ".join(chosen.values())
    return (
        f"INSERT INTO option_snapshots AS stored ({columns}) SELECT {columns} FROM {STAGING} "  # noqa: S608
        f"ON CONFLICT ({_KEY}) DO UPDATE SET {changes} WHERE ({old}) IS DISTINCT FROM ({new})"
    )


_MERGE = _merge_sql()
_FRESH = (
    "SELECT stock_id, (ts AT TIME ZONE 'America/New_York')::date, count(*) FROM incoming_snapshots AS new WHERE "
    "NOT EXISTS (SELECT 1 FROM option_snapshots AS stored WHERE stored.stock_id = new.stock_id "
    "AND stored.ts = new.ts AND stored.contract_id = new.contract_id) GROUP BY 1, 2"
)


def make_staging(cursor: Any) -> None:
    """Make this transaction's table for rows that meet stored ones."""
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {STAGING} ON COMMIT DROP AS "  # noqa: S608
        f"SELECT {', '.join(STORED_COLUMNS)} FROM option_snapshots WITH NO DATA"
    )
    cursor.execute(f"TRUNCATE {STAGING}")


def allow_decompression(cursor: Any) -> None:
    """Lift TimescaleDB's limit for this transaction: rows for a compressed month would stop after 100,000 others."""
    cursor.execute("SELECT set_config(name, '0', true) FROM pg_settings WHERE name = %s", (_DECOMPRESSION_LIMIT,))


def merge_staged(cursor: Any) -> tuple[int, dict[tuple[int, Any], int]]:
    """Merge the staged rows; return the rows stored or changed, and those new by underlying and session.

    Each moment and contract must be staged once: one statement cannot touch a row twice.
    """
    cursor.execute(f"ANALYZE {STAGING}")
    cursor.execute(_FRESH)
    fresh = {(stock_id, session): rows for stock_id, session, rows in cursor}
    cursor.execute(_MERGE)
    return cursor.rowcount, fresh
