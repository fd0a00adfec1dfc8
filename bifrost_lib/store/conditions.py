"""The market of one underlying at each moment: its price, its volatility, and where that stands."""

from __future__ import annotations

from datetime import datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from psycopg2.extras import execute_values
from sqlalchemy import Engine

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.core.vocabulary import CONDITION_COLUMNS, VOCABULARY
from bifrost_lib.store.partitions import make_partition, months_of
from bifrost_lib.store.reading import cursor_of
from bifrost_lib.store.snapshot_frames import moments_us
from bifrost_lib.store.stocks import is_simulated, stock_ids
from bifrost_lib.store.time_tables import PLAIN
from bifrost_lib.store.transactions import written

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

_STORED = (*CONDITION_COLUMNS, "source")


def append_market_conditions(store: Store, frame: pd.DataFrame, *, source: str) -> int:
    """Store what was known of underlyings at moments; return how many rows are new or completed.

    Parameters
    ----------
    store : Store
    frame : DataFrame
        `ts`, `symbol` and any of `spot`, `bid`, `ask`, `volume`, `rate`, `div_yield`, `iv` (at the money, 30 days),
        `iv_rank`, `iv_percentile`, `iv_days`, `realized_vol`, `skew`, `term_slope`, `put_call_volume`,
        `put_call_open_interest`, `vol_index`. NaN is unknown. A row for a symbol and moment that are stored fills in
        what is missing and changes nothing else.
    source : str
        Who supplied the data; ``simulated`` for made-up data.

    Raises
    ------
    InputError
        If a column is missing, unknown, or holds infinite numbers; nothing is stored.
    """
    make_condition_partitions(store, frame)
    with written(store.engine, store.place) as cursor:
        return store_conditions(cursor, frame, source=source)


def market_conditions(
    engine: Engine, symbol: str, *, at: datetime, start: datetime | None = None, daily: bool = False
) -> pd.DataFrame:
    """Return what was known of the market of `symbol` until `at`, in order of time.

    Parameters
    ----------
    engine : Engine
    symbol : str
    at : datetime, aware
        As-of time; nothing later is used.
    start : datetime, aware, optional
        First moment wanted. Without it only the newest row is returned.
    daily : bool
        Only the last row of each day at the exchange.

    Returns
    -------
    DataFrame
        `ts`, `symbol`, the numbers named in `append_market_conditions`, and `source`.

    Raises
    ------
    NoDataError
        If nothing was known.
    """
    at = as_utc(at)
    since = as_utc(start, name="start") if start is not None else None
    day = "(ts AT TIME ZONE 'America/New_York')::date"
    words = (
        f"SELECT {f'DISTINCT ON ({day})' if daily else ''} ts, {', '.join(_STORED)} FROM market_conditions "  # noqa: S608
        "WHERE stock_id = (SELECT stock_id FROM stocks WHERE symbol = %(symbol)s) AND ts <= %(at)s"
    )
    words += " AND ts >= %(since)s" if since is not None else ""
    words += f" ORDER BY {f'{day} DESC, ' if daily else ''}ts DESC" + (" LIMIT 1" if since is None else "")
    with cursor_of(engine) as cursor:
        cursor.execute(words, {"symbol": symbol, "at": at, "since": since})
        rows = cursor.fetchall()[::-1]
    if not rows:
        hint = f"none is stored from {since.isoformat()} on" if since else "the collectors have not computed any"
        raise NoDataError("market conditions", symbol=symbol, at=at, hint=hint)
    frame = pd.DataFrame(rows, columns=["ts", *_STORED]).astype(
        {"ts": "datetime64[us, UTC]", **dict.fromkeys(CONDITION_COLUMNS, "float64"), "source": "category"}
    )
    frame.insert(1, "symbol", pd.Series(symbol, index=frame.index, dtype="category"))
    return frame


def make_condition_partitions(store: Store, frame: pd.DataFrame) -> None:
    """Make the partitions that the rows of `frame` need, before the transaction that stores them."""
    _moments(frame)
    if store.level == PLAIN and len(frame):
        for month in months_of(moments_us(frame)):
            make_partition(store.engine, "market_conditions", month)


def store_conditions(cursor: Any, frame: pd.DataFrame, *, source: str) -> int:
    """Store rows in the transaction of `cursor`; see `append_market_conditions`."""
    if not source.strip():
        raise InputError("source", source, "the name of who supplied the data")
    moments, numbers = _moments(frame), _numbers(frame)
    if frame.empty:
        return 0
    if frame["symbol"].isna().any():
        raise InputError("frame.symbol", None, "a symbol in every row")
    ids = stock_ids(cursor, map(str, frame["symbol"].unique()), simulated=is_simulated(source))
    keys = [ids[str(symbol)] for symbol in frame["symbol"]]
    values = [[None if isnan(number) else number for number in row] for row in numbers.to_numpy().tolist()]
    # Two rows of one statement must not meet: of those for one moment the first counts.
    rows = {
        (ts, key): (ts, key, source, *row)
        for ts, key, row in reversed(list(zip(moments.tolist(), keys, values, strict=True)))
    }
    columns = ", ".join(("ts", "stock_id", "source", *CONDITION_COLUMNS))
    changes = ", ".join(f"{name} = coalesce(known.{name}, excluded.{name})" for name in CONDITION_COLUMNS)
    old = ", ".join(f"known.{name}" for name in CONDITION_COLUMNS)
    new = ", ".join(f"coalesce(known.{name}, excluded.{name})" for name in CONDITION_COLUMNS)
    execute_values(
        cursor,
        f"INSERT INTO market_conditions AS known ({columns}) VALUES %s ON CONFLICT (stock_id, ts) "  # noqa: S608
        f"DO UPDATE SET {changes} WHERE ({old}) IS DISTINCT FROM ({new})",
        list(rows.values()),
        page_size=len(rows),
    )
    return int(cursor.rowcount)


def _moments(frame: pd.DataFrame) -> pd.Series[Any]:
    for name in frame.columns:
        if name not in ("ts", "symbol", *CONDITION_COLUMNS):
            raise InputError("frame", name, "only columns of market_conditions: " + ", ".join(CONDITION_COLUMNS))
    for name in ("ts", "symbol"):
        if name not in frame.columns:
            raise InputError(f"frame.{name}", list(frame.columns), "this column to be present")
    if str(frame["ts"].dtype) != VOCABULARY["ts"].dtype:
        raise InputError("frame.ts", str(frame["ts"].dtype), f"dtype {VOCABULARY['ts'].dtype}")
    if frame["ts"].isna().any():
        raise InputError("frame.ts", None, "a moment in every row")
    return frame["ts"]


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    numbers = frame.reindex(columns=list(CONDITION_COLUMNS))
    for name in CONDITION_COLUMNS:
        try:
            numbers[name] = numbers[name].astype("float64")
        except (TypeError, ValueError):
            raise InputError(f"frame.{name}", str(numbers[name].dtype), "numbers") from None
        if np.isinf(numbers[name]).any():
            raise InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")
    return numbers
