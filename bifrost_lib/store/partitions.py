"""Monthly partitions of the time tables on plain PostgreSQL, made when the first row of a month arrives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sqlalchemy import Engine, text

_LOCK = 0x50_41_52_54


def months_of(ts_us: npt.NDArray[np.int64]) -> set[np.datetime64]:
    """Return the months (UTC) that contain moments given in microseconds since 1970."""
    first, last = ts_us.min(), ts_us.max()
    months = np.arange(_month(first), _month(last) + 1)
    if len(months) > 2:
        months = np.unique(ts_us.astype("datetime64[us]").astype("datetime64[M]"))
    return set(months)


def partition_name(table: str, month: np.datetime64) -> str:
    """Return the name of a month's partition, for example ``option_snapshots_2014_06``."""
    return f"{table}_{str(month).replace('-', '_')}"


def make_partition(engine: Engine, table: str, month: np.datetime64) -> None:
    """Make the partition of one month unless it exists.

    In a transaction of its own, as a table that is then attached: that neither waits for writers and readers of the
    other months nor makes them wait, as ``CREATE TABLE ... PARTITION OF`` would. An empty partition does no harm if
    the rows never come.
    """
    name = partition_name(table, month)
    bounds = [f"{month + step}-01 00:00:00+00" for step in (0, 1)]
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if connection.scalar(text("SELECT to_regclass(:name)"), {"name": name}) is not None:
            return
        connection.execute(text(f"CREATE TABLE {name} (LIKE {table} INCLUDING ALL)"))
        connection.execute(
            text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')")
        )


def _month(ts_us: np.int64) -> np.datetime64:
    month: np.datetime64 = np.datetime64(int(ts_us), "us").astype("datetime64[M]")
    return month
