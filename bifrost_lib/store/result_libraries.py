"""Libraries of backtests computed before somebody asks: what worked on symbols like this one, and in which regime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.store.json_values import json_column, number
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_PROFILE_NUMBERS = ("spot", "iv", "realized_vol", "skew", "term_slope", "vol_of_iv", "spread")
PROFILE_COLUMNS = (
    *("library", "symbol", "computed_ts", "cube_sha256", "start_day", "split_day", "end_day", "sessions"),
    *_PROFILE_NUMBERS,
)
_COUNTS = ("trades", "priced", "wins", "unpriceable", "open", "trials")
_NUMBERS = (
    *("pnl", "commission", "pnl_mean", "pnl_worst", "days_mean", "margin_mean", "return_mean", "return_sd"),
    *("return_skew", "return_kurtosis", "return_low", "return_high", "sharpe", "probabilistic_sharpe"),
    *("deflated_sharpe", "effective_trials", "overfitting"),
)
RESULT_COLUMNS = (
    *("library", "symbol", "document_sha256", "sample", "iv_rank", "trend", "computed_ts", "strategy", "parameters"),
    *_COUNTS,
    *_NUMBERS,
)


def save_library(
    store: Store | Engine, library: str, *, definition: Mapping[str, Any], code_version: str, computed_ts: datetime
) -> None:
    """Write down what a library is made of, replacing what was said of it before."""
    if not library.strip():
        raise InputError("library", library, "a name")
    with written(store.engine) as cursor:
        cursor.execute(
            "INSERT INTO library_studies VALUES (%s, %s, %s, %s) ON CONFLICT (library) DO UPDATE SET "
            "computed_ts = excluded.computed_ts, definition = excluded.definition, "
            "code_version = excluded.code_version",
            (library, as_utc(computed_ts, name="computed_ts"), json_column(definition), code_version),
        )


def save_library_symbol(
    store: Store | Engine,
    library: str,
    *,
    profile: Mapping[str, Any],
    results: pd.DataFrame,
    computed_ts: datetime,
) -> int:
    """Store one symbol of a library whole, replacing what was there of it; return the rows of its results.

    Parameters
    ----------
    store : Store or Engine
    library : str
        One that `save_library` has written down.
    profile : mapping
        `symbol` and the other `PROFILE_COLUMNS`.
    results : DataFrame
        `RESULT_COLUMNS`; library, symbol and computed_ts may be left out. NaN is stored as unknown.
    computed_ts : datetime, aware
    """
    moment, symbol = as_utc(computed_ts, name="computed_ts"), str(profile["symbol"])
    same = {"library": library, "symbol": symbol, "computed_ts": moment}
    for column in RESULT_COLUMNS:
        if column not in results.columns and column not in same:
            raise InputError(f"results.{column}", list(results.columns), "this column to be present")
    told = {**profile, **same}
    row = [number(told.get(name)) if name in _PROFILE_NUMBERS else told[name] for name in PROFILE_COLUMNS]
    rows = [tuple(_value(name, {**one, **same}) for name in RESULT_COLUMNS) for one in _records(results)]
    with written(store.engine) as cursor:
        cursor.execute("DELETE FROM library_symbols WHERE library = %s AND symbol = %s", (library, symbol))
        execute_values(cursor, f"INSERT INTO library_symbols ({', '.join(PROFILE_COLUMNS)}) VALUES %s", [tuple(row)])  # noqa: S608
        if rows:
            columns = ", ".join(f'"{name}"' for name in RESULT_COLUMNS)
            execute_values(cursor, f"INSERT INTO library_results ({columns}) VALUES %s", rows, page_size=1_000)  # noqa: S608
    return len(rows)


def libraries(store: Store | Engine, *, at: datetime | None = None) -> pd.DataFrame:
    """Return the libraries computed by `at`: library, computed_ts, definition, code_version, and how many symbols."""
    columns = ("library", "computed_ts", "definition", "code_version", "symbols")
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            "SELECT library, computed_ts, definition, code_version, (SELECT count(*) FROM library_symbols "
            "WHERE library_symbols.library = library_studies.library AND computed_ts <= %(at)s) FROM library_studies "
            "WHERE computed_ts <= %(at)s ORDER BY computed_ts DESC, library",
            {"at": _until(at)},
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(columns))
    return frame.astype({"computed_ts": "datetime64[us, UTC]", "symbols": "int64"})


def library_symbols(store: Store | Engine, library: str, *, at: datetime | None = None) -> pd.DataFrame:
    """Return what the symbols of a library are like, `PROFILE_COLUMNS`, as computed by `at`."""
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {', '.join(PROFILE_COLUMNS)} FROM library_symbols WHERE library = %s AND computed_ts <= %s "  # noqa: S608
            "ORDER BY symbol",
            (library, _until(at)),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(PROFILE_COLUMNS))
    numbers = dict.fromkeys(_PROFILE_NUMBERS, "float64") | {"sessions": "int64"}
    days = dict.fromkeys(("start_day", "split_day", "end_day"), "datetime64[s]")
    return frame.astype(numbers | days | {"computed_ts": "datetime64[us, UTC]"})


def library_results(
    store: Store | Engine,
    library: str,
    *,
    at: datetime | None = None,
    symbols: Sequence[str] | None = None,
    sample: str | None = None,
    iv_rank: str | None = None,
    trend: str | None = None,
    strategy: str | None = None,
) -> pd.DataFrame:
    """Return results of a library, `RESULT_COLUMNS`, as computed by `at`; all of them unless told which."""
    given = {"sample": sample, "iv_rank": iv_rank, "trend": trend, "strategy": strategy}
    wanted: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    words = "".join(f" AND {name} = %({name})s" for name in wanted)
    if symbols is not None:
        words, wanted = words + " AND symbol = ANY(%(symbols)s)", wanted | {"symbols": list(symbols)}
    columns = ", ".join(f'"{name}"' for name in RESULT_COLUMNS)
    with cursor_of(store.engine) as cursor:
        cursor.execute(
            f"SELECT {columns} FROM library_results WHERE library = %(library)s AND computed_ts <= %(at)s{words} "  # noqa: S608
            "ORDER BY symbol, strategy, document_sha256, sample, iv_rank, trend",
            wanted | {"library": library, "at": _until(at)},
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(RESULT_COLUMNS))
    numbers = dict.fromkeys(_NUMBERS, "float64") | dict.fromkeys(_COUNTS, "int64")
    return frame.astype(numbers | {"computed_ts": "datetime64[us, UTC]"})


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _value(name: str, row: Mapping[str, Any]) -> Any:
    value = row[name]
    if name in _NUMBERS:
        return number(value)
    if name == "parameters":
        return json_column(value or {})
    if name in _COUNTS:
        return 0 if value is None or isnan(value) else int(value)
    return value


def _until(at: datetime | None) -> datetime:
    return as_utc(at) if at is not None else datetime.max.replace(tzinfo=UTC)
