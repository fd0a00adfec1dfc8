"""What changed of a contract between two observations, for someone to see."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.frames import check_frame
from bifrost_lib.core.vocabulary import VOCABULARY
from bifrost_lib.store.columns import CONTRACT_COLUMNS
from bifrost_lib.store.contracts import ContractKeys
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

CHANGE_COLUMNS = ("symbol", *CONTRACT_COLUMNS, "since_ts", "ts", "what", "old", "new")


def append_option_changes(store: Store, frame: pd.DataFrame) -> int:
    """Store changes of contracts; return how many are new.

    Parameters
    ----------
    store : Store
    frame : DataFrame
        `symbol`, `trading_class`, `expiry`, `strike`, `right`, `style`, `settlement`, `multiplier`, `since_ts` (the
        earlier observation), `ts` (the later one), `what` (the column that changed, or listed, delisted), `old`,
        `new`. A change of the same thing at the same moment is stored once.

    Raises
    ------
    InputError
        If a column is missing or of another dtype, a number is infinite, or nothing is known of a symbol yet.
    """
    with written(store.engine, store.place) as cursor:
        return store_changes(cursor, frame)


def option_changes(engine: Engine, symbol: str, *, at: datetime, start: datetime) -> pd.DataFrame:
    """Return the changes of the contracts of `symbol` from `start` to `at`, both included, in order of time.

    Returns
    -------
    DataFrame
        Columns as in `append_option_changes`. Empty where nothing changed.

    Raises
    ------
    InputError
        If `at` is before `start`, or one of them is naive.
    """
    at, start = as_utc(at), as_utc(start, name="start")
    if at < start:
        raise InputError("at", at, f"a moment not before start, {start.isoformat()}")
    columns = ", ".join(f'"{name}"' for name in CHANGE_COLUMNS)
    with cursor_of(engine) as cursor:
        cursor.execute(
            f"SELECT {columns} FROM option_changes JOIN option_contracts USING (contract_id, stock_id) "  # noqa: S608
            "JOIN stocks USING (stock_id) WHERE stock_id = (SELECT stock_id FROM stocks WHERE symbol = %s) "
            "AND ts BETWEEN %s AND %s ORDER BY ts, change_id",
            (symbol, start, at),
        )
        frame = pd.DataFrame(cursor.fetchall(), columns=list(CHANGE_COLUMNS))
    kinds = {name: VOCABULARY[name].dtype for name in ("symbol", *CONTRACT_COLUMNS, "ts")}
    kinds |= {"since_ts": kinds["ts"], "what": "category", "old": "float64", "new": "float64"}
    return frame.astype(kinds)


def store_changes(cursor: Any, frame: pd.DataFrame) -> int:
    """Store changes in the transaction of `cursor`; see `append_option_changes`."""
    named = check_frame(frame, ("symbol", *CONTRACT_COLUMNS, "ts"))
    _check_own_columns(frame)
    if frame.empty:
        return 0
    stocks, contracts = ContractKeys(cursor, simulated=None).resolve(named)
    # Ascending keys: of two processes that store the same changes one then waits instead of both for ever.
    order = np.lexsort((frame["ts"].to_numpy(), contracts))
    numbers = [_or_null(frame[name].iloc[order]) for name in ("old", "new")]
    moments = [frame[name].iloc[order].tolist() for name in ("since_ts", "ts")]
    what = frame["what"].iloc[order].astype(str).tolist()
    rows = list(zip(stocks[order].tolist(), contracts[order].tolist(), *moments, what, *numbers, strict=True))
    execute_values(
        cursor,
        "INSERT INTO option_changes (stock_id, contract_id, since_ts, ts, what, old, new) VALUES %s "
        "ON CONFLICT (contract_id, ts, what) DO NOTHING",
        rows,
        page_size=len(rows),
    )
    return int(cursor.rowcount)


def _check_own_columns(frame: pd.DataFrame) -> None:
    kinds = {"since_ts": VOCABULARY["ts"].dtype, "old": "float64", "new": "float64"}
    for name in ("since_ts", "what", "old", "new"):
        if name not in frame.columns:
            raise InputError(f"frame.{name}", list(frame.columns), "this column to be present")
        if name in kinds and str(frame[name].dtype) != kinds[name]:
            raise InputError(f"frame.{name}", str(frame[name].dtype), f"dtype {kinds[name]}")
    for name in ("since_ts", "ts", "what"):
        if frame[name].isna().any():
            raise InputError(f"frame.{name}", None, "a value in every row")
    for name in ("old", "new"):
        if np.isinf(frame[name]).any():
            raise InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")


def _or_null(column: pd.Series[Any]) -> list[float | None]:
    return [None if isnan(number) else number for number in column.tolist()]
