"""The ledger of what is missing: each gap with its reason, until it is filled or cannot be filled any more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import Json
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_COLUMNS = (
    *("gap_id", "run_id", "collector", "symbol", "first_ts", "last_ts", "expected", "received", "reason"),
    *("fillable_until", "wanted"),
)
_KINDS = {
    **dict.fromkeys(("first_ts", "last_ts", "fillable_until"), "datetime64[us, UTC]"),
    **dict.fromkeys(("expected", "received"), "Int64"),
    **dict.fromkeys(("gap_id", "run_id"), "int64"),
}


@dataclass(frozen=True)
class Gap:
    """Data that are missing.

    Attributes
    ----------
    first_ts, last_ts : datetime, aware
        First and last moment without data.
    reason : str
        Why they are missing.
    expected, received : int, optional
        Observations that should have come, and those that came.
    fillable_until : datetime, aware, optional
        When asking again becomes pointless; never when not given.
    wanted : JSON-ready data, optional
        What to ask for again, in the collector's own words.
    """

    first_ts: datetime
    last_ts: datetime
    reason: str
    expected: int | None = None
    received: int | None = None
    fillable_until: datetime | None = None
    wanted: Any = None

    def check(self) -> None:
        """Refuse a gap that cannot be (`InputError`)."""
        first, last = as_utc(self.first_ts, name="first_ts"), as_utc(self.last_ts, name="last_ts")
        if last < first:
            raise InputError("last_ts", last, f"a moment not before first_ts, {first.isoformat()}")
        if not self.reason.strip():
            raise InputError("reason", self.reason, "why the data are missing")
        if self.fillable_until is not None:
            as_utc(self.fillable_until, name="fillable_until")


def record_gap(store: Store, run_id: int, gap: Gap) -> int:
    """Note that data of a run's symbol are missing; return the gap's key.

    Raises
    ------
    InputError
        If the gap ends before it begins or has no reason, or there is no such run.
    """
    with written(store.engine, store.place) as cursor:
        return enter_gap(cursor, run_id, gap)


def enter_gap(cursor: Any, run_id: int, gap: Gap) -> int:
    """Write a gap in the transaction of `cursor`; see `record_gap`."""
    gap.check()
    cursor.execute(
        "INSERT INTO collection_gaps (run_id, stock_id, first_ts, last_ts, expected, received, reason, "
        "fillable_until, wanted) SELECT run_id, stock_id, %s, %s, %s, %s, %s, %s, %s FROM collection_runs "
        "WHERE run_id = %s RETURNING gap_id",
        (
            *(gap.first_ts, gap.last_ts, gap.expected, gap.received, gap.reason, gap.fillable_until),
            *(None if gap.wanted is None else Json(gap.wanted), int(run_id)),
        ),
    )
    made = cursor.fetchone()
    if made is None:
        raise InputError("run_id", run_id, "a run of the ledger")
    return int(made[0])


def open_gaps(store: Store | Engine, *, at: datetime, symbol: str | None = None) -> pd.DataFrame:
    """Return the gaps known at `at` that were not filled then and could still be, the oldest first.

    Returns
    -------
    DataFrame
        `gap_id`, `run_id`, `collector`, `symbol`, `first_ts`, `last_ts`, `expected`, `received`, `reason`,
        `fillable_until`, `wanted`. Empty where nothing is missing.
    """
    condition = "" if symbol is None else " AND symbol = %(symbol)s"
    columns = [f"collection_gaps.{name}" if name in ("expected", "received") else name for name in _COLUMNS]
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(columns)} FROM collection_gaps JOIN collection_runs USING (run_id) "  # noqa: S608
            "LEFT JOIN stocks ON stocks.stock_id = collection_gaps.stock_id "
            "WHERE first_ts <= %(at)s AND (filled IS NULL OR filled > %(at)s) "
            f"AND (fillable_until IS NULL OR fillable_until > %(at)s){condition} ORDER BY first_ts, gap_id",
            {"at": as_utc(at), "symbol": symbol},
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(_COLUMNS))
    return frame.astype(_KINDS)


def close_gap(store: Store, gap_id: int, *, at: datetime) -> None:
    """Note that a gap was filled at `at`; a second time changes nothing.

    Raises
    ------
    InputError
        If there is no such gap.
    """
    with written(store.engine, store.place) as cursor:
        cursor.execute(
            "UPDATE collection_gaps SET filled = coalesce(filled, %s) WHERE gap_id = %s",
            (as_utc(at), int(gap_id)),
        )
        if cursor.rowcount != 1:
            raise InputError("gap_id", gap_id, "a gap of the ledger")
