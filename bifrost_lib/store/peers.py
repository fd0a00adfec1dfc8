"""What one would use instead of this package, for the benchmark only: COPY of the bare file, and pandas."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Engine

from bifrost_lib.store.reading import name_of
from bifrost_lib.store.trouble import translated

_TABLE = "benchmark_peer"
_PIECE = 1 << 19


def plain_copy(engine: Engine, path: Path) -> int:
    """COPY a csv with a header into a table of its own columns, without a key; return the rows, drop the table.

    Nothing is checked, computed or remembered, and a second run would store everything twice.
    """
    with path.open(encoding="utf-8", newline="") as file:
        head, first = (next(csv.reader(file)) for _ in range(2))
    columns = ", ".join(f'"{name}" {_kind(value)}' for name, value in zip(head, first, strict=True))
    with _scratch(engine) as connection, path.open("rb") as binary:
        cursor = connection.cursor()
        cursor.execute(f"CREATE TABLE {_TABLE} ({columns})")
        connection.commit()  # else COPY could skip the log, which it cannot for a table that is there to stay
        cursor.copy_expert(f"COPY {_TABLE} FROM STDIN (FORMAT csv, HEADER true)", binary, size=_PIECE)
        connection.commit()
        return int(cursor.rowcount)


def plain_to_sql(engine: Engine, frame: pd.DataFrame) -> int:
    """Write `frame` with pandas and its defaults; return the rows, drop the table."""
    with _scratch(engine):
        frame.to_sql(_TABLE, engine, index=False)
    return len(frame)


@contextmanager
def _scratch(engine: Engine) -> Iterator[Any]:
    with translated(name_of(engine)):
        pooled = engine.raw_connection()
        try:
            yield pooled
        finally:
            pooled.rollback()
            pooled.cursor().execute(f"DROP TABLE IF EXISTS {_TABLE}")
            pooled.commit()
            pooled.close()


def _kind(value: str) -> str:
    try:
        float(value)
    except ValueError:
        return "timestamptz" if value.endswith("Z") else "text"
    return "double precision"
