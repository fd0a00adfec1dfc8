"""A cube for other tools: as an Arrow table whose quotes are the cube's own memory, and as a Parquet file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest import BELIEVABLE, FIT, OPTIONAL, ChainCube

if TYPE_CHECKING:
    import pyarrow as pa

Array = npt.NDArray[Any]
_ROWS_TOGETHER = 1 << 20


def cube_table(cube: ChainCube) -> pa.Table:
    """Return the quotes of a cube, one row a contract and moment, by session, contract and moment.

    Returns
    -------
    pyarrow.Table
        `ts`, `trading_class`, `expiry`, `strike`, `right`, `multiplier`, `spot`, `bid`, `ask`, `delta`, the cube's
        other figures, `believable` and `fit`. Prices and figures are not copied: NaN is unknown.
    """
    return _table(cube, 0, cube.sessions)


def save_cube(cube: ChainCube, path: Path | str) -> int:
    """Write the table of a cube as one Parquet file; return its rows. Memory is that of some sessions, not of all."""
    import pyarrow.parquet as pq

    path, rows = Path(path), 0
    new = path.with_name(f".{path.name}.new")
    try:
        writer = None
        for first, last in _pieces(cube):
            table = _table(cube, first, last)
            writer = writer or pq.ParquetWriter(new, table.schema, compression="zstd")
            writer.write_table(table)
            rows += len(table)
        if writer is not None:
            writer.close()
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)
    return rows


def _pieces(cube: ChainCube) -> Iterator[tuple[int, int]]:
    first = 0
    while first < cube.sessions:
        last = first + 1
        begins = _quote_at(cube, first)
        while last < cube.sessions and _quote_at(cube, last + 1) - begins <= _ROWS_TOGETHER:
            last += 1
        yield first, last
        first = last


def _quote_at(cube: ChainCube, session: int) -> int:
    row = int(cube.session_row[session])
    return int(cube.row_quote[row]) if row < len(cube.row_quote) else len(cube.bid)


def _table(cube: ChainCube, first: int, last: int) -> pa.Table:
    import pyarrow as pa

    rows = slice(int(cube.session_row[first]), int(cube.session_row[last]))
    quotes = slice(_quote_at(cube, first), _quote_at(cube, last))
    session = np.repeat(np.arange(first, last), np.diff(cube.session_row[first : last + 1]))
    widths = np.diff(cube.session_moment)[session]
    row = np.repeat(np.arange(len(widths)), widths)
    moment = np.arange(len(row)) - (cube.row_quote[rows] - quotes.start)[row] + cube.session_moment[session][row]
    contract = cube.row_contract[rows][row]
    columns = {
        "ts": pa.array(cube.moment_us[moment].astype("datetime64[us]")).cast(pa.timestamp("us", "UTC")),
        "trading_class": _words(cube.class_code[contract].astype(np.int32), cube.classes),
        "expiry": pa.array(cube.expiry_day[contract].astype("datetime64[D]")),
        "strike": _shared(cube.strike[contract]),
        "right": _words((~cube.is_call[contract]).astype(np.int32), ("C", "P")),
        "multiplier": _shared(cube.multiplier[contract]),
        "spot": _shared(cube.spot[moment]),
    }
    for name in ("bid", "ask", "delta", *OPTIONAL):
        if (values := getattr(cube, name)) is not None:
            columns[name] = _shared(values[quotes])
    columns["believable"] = pa.array(cube.flags[quotes] & BELIEVABLE > 0)
    columns["fit"] = pa.array(cube.flags[quotes] & FIT > 0)
    return pa.table(columns, metadata={"symbol": cube.symbol})


def _shared(values: Array) -> pa.Array:
    """Return an Arrow array over the same memory."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def _words(codes: Array, words: tuple[str, ...]) -> pa.Array:
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pa.array(codes), pa.array(list(words)))
