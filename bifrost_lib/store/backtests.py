"""Backtests that were kept: what was run on what, what was found, and all that is needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.json_values import json_column
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_SHORT = (
    *("run_id", "owner", "ts", "strategy", "document_hash", "symbols", "cadence", "at", "start_day", "end_day"),
    *("fills", "capital", "cube_sha256", "code_version", "simulated", "result_sha256"),
)
_JSON = ("document", "settings", "trades", "legs", "equity", "bands", "skipped", "statistics")
_WRITTEN = tuple(name for name in (*_SHORT, *_JSON) if name not in ("run_id", "owner"))
#: Figures of the statistics that the list of runs shows.
FIGURES = ("trades", "pnl", "win_rate", "sharpe", "max_drawdown")


def save_backtest(store: Store, run: Mapping[str, Any]) -> int | None:
    """Keep a backtest; return its key, None where the login may not write.

    Parameters
    ----------
    store : Store
    run : mapping
        The columns of ``backtest_runs`` but its key and owner; JSON-ready where they are documents.
    """
    values = [json_column(run[name]) if name in _JSON and run[name] is not None else run[name] for name in _WRITTEN]
    with written(store.engine, store.place) as cursor:
        cursor.execute("SELECT has_table_privilege('backtest_runs', 'INSERT')")
        if not cursor.fetchone()[0]:
            return None
        cursor.execute(
            f"INSERT INTO backtest_runs ({', '.join(_WRITTEN)}) "  # noqa: S608
            f"VALUES ({', '.join(['%s'] * len(_WRITTEN))}) RETURNING run_id",
            values,
        )
        return int(cursor.fetchone()[0])


def list_backtests(store: Store | Engine, *, at: datetime | None = None, limit: int = 1_000) -> pd.DataFrame:
    """Return the backtests kept by `at`, the newest first: what was run, and `FIGURES` of what was found."""
    figures = ", ".join(f"(statistics->>'{name}')::float8" for name in FIGURES)
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(_SHORT)}, {figures} FROM backtest_runs WHERE ts <= %s "  # noqa: S608
            "ORDER BY ts DESC, run_id DESC LIMIT %s",
            (as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC), limit),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=[*_SHORT, *FIGURES])
    moments = dict.fromkeys(("ts", "at"), "datetime64[us, UTC]")
    days = dict.fromkeys(("start_day", "end_day"), "datetime64[s]")
    return frame.astype(moments | days | {"run_id": "int64", **dict.fromkeys(FIGURES, "float64")})


def read_backtest(store: Store | Engine, run_id: int) -> dict[str, Any]:
    """Return a backtest that was kept, by the columns of ``backtest_runs``.

    Raises
    ------
    InputError
        If there is none with that key.
    """
    columns = (*_SHORT, *_JSON)
    with cursor_of(store.engine) as cursor:
        cursor.execute(f"SELECT {', '.join(columns)} FROM backtest_runs WHERE run_id = %s", (run_id,))  # noqa: S608
        row = cursor.fetchone()
        if row is None:
            cursor.execute("SELECT min(run_id), max(run_id), count(*) FROM backtest_runs")
            first, last, count = cursor.fetchone()
            known = f"one of the {count} kept, {first} to {last}" if count else "one that was kept; none is yet"
            raise InputError("run", run_id, known)
    found = dict(zip(columns, row, strict=True))
    return found | {name: as_utc(found[name]) for name in ("ts", "at")}


def remove_backtest(store: Store, run_id: int) -> bool:
    """Forget a backtest that was kept; tell whether it was there."""
    with written(store.engine, store.place) as cursor:
        cursor.execute("DELETE FROM backtest_runs WHERE run_id = %s", (run_id,))
        return int(cursor.rowcount) == 1
