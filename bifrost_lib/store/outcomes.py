"""What a document would have entered on each past day, and how that ended: computed once, kept for every later look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.store.json_values import json_column, number
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.stocks import stock_ids
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_NUMBERS = (
    *("spot", "premium", "max_loss", "pop", "ev", "score", "dte", "iv", "iv_rank", "skew", "term_slope"),
    *("earnings_days", "pnl"),
)
_COLUMNS = ("session", "at", "legs", *_NUMBERS, "exit_reason", "ended", "hindrance", "seen")


def save_outcomes(store: Store, symbol: str, document_hash: str, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep what became of past entries; return how many are new or better known.

    A day whose entry has ended is final; one that was still held, or had no result, is replaced by what was seen later.
    So is every day of which other earnings are known than when it was computed.
    Where the login may not write, nothing is kept, and the next look computes it again.

    Parameters
    ----------
    store : Store
    symbol : str
        An underlying that the store knows.
    document_hash : str
    rows : sequence of mapping
        `session`, `at`, `legs`, the numbers, `exit_reason`, `ended`, `hindrance`, `seen`; missing is None or NaN.
    """
    if not rows:
        return 0
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "SELECT bool_and(has_table_privilege('document_outcomes', verb)) "
            "FROM unnest('{INSERT,UPDATE}'::text[]) AS verb"
        )
        if not cursor.fetchone()[0]:
            return 0
        key = stock_ids(cursor, [symbol], simulated=None)[symbol]
        values = [(document_hash, key, *_values(row)) for row in rows]
        changes = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[1:])
        execute_values(
            cursor,
            f"INSERT INTO document_outcomes AS known (document_hash, stock_id, {', '.join(_COLUMNS)}) VALUES %s "  # noqa: S608
            f"ON CONFLICT (document_hash, stock_id, session) DO UPDATE SET {changes} "
            "WHERE (known.ended IS NULL AND known.seen < excluded.seen) "
            "OR (known.earnings_days, known.legs IS NULL) IS DISTINCT FROM "
            "(excluded.earnings_days, excluded.legs IS NULL)",
            values,
            page_size=len(values),
        )
        return int(cursor.rowcount)


def document_outcomes(
    store: Store | Engine, symbol: str, document_hash: str, *, at: datetime | None = None
) -> pd.DataFrame:
    """Return the entries of a document until `at` with the results that were known then, the oldest first.

    Returns
    -------
    DataFrame
        `session`, `at`, `legs`, `spot`, `premium`, `max_loss`, `pop`, `ev`, `score`, `dte`, `iv`, `iv_rank`,
        `skew`, `term_slope`, `earnings_days`, `pnl`, `exit_reason`, `ended`, `hindrance`, `seen`. An entry that ended
        after `at` has no result.
    """
    until = as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_COLUMNS)} FROM document_outcomes WHERE document_hash = %s AND stock_id = "  # noqa: S608
            "(SELECT stock_id FROM stocks WHERE symbol = %s) AND at <= %s ORDER BY session",
            (document_hash, symbol, until),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS))
    moments = dict.fromkeys(("at", "ended", "seen"), "datetime64[us, UTC]")
    frame = frame.astype({**moments, **dict.fromkeys(_NUMBERS, "float64")})
    later = frame["ended"] > until
    frame.loc[later, ["pnl", "exit_reason", "ended"]] = [float("nan"), None, pd.NaT]
    return frame


def _values(row: Mapping[str, Any]) -> tuple[Any, ...]:
    legs = row.get("legs")
    known = {
        **{name: number(row.get(name)) for name in _NUMBERS},
        **{name: row.get(name) for name in ("session", "exit_reason", "hindrance")},
        **{name: as_utc(row[name], name=name) if row.get(name) else None for name in ("at", "ended", "seen")},
        "legs": json_column(legs) if legs else None,
    }
    return tuple(known[name] for name in _COLUMNS)
