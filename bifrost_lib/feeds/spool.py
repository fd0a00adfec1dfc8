"""Quotes of a file that is not in time order, set aside on disk by period and taken up again in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import numpy as np

from bifrost_lib.feeds.ordering import BATCH_ROWS
from bifrost_lib.feeds.quotes import DTYPES, Quotes, take

_HOUR_US = 3_600_000_000
_MOST_FILES = 200


class Spool:
    """A folder of Arrow files, one per period, each with about as many rows as a batch.

    Parameters
    ----------
    folder : Path
        Where the files go; the caller removes it.
    rows_by_hour : Counter of int
        Rows per hour since 1970 (UTC), from which the periods are chosen.
    """

    def __init__(self, folder: Path, rows_by_hour: Counter[int]) -> None:
        self._folder = folder
        self._edges = _edges(rows_by_hour)
        self._writers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def add(self, quotes: Quotes) -> None:
        """Set some quotes aside."""
        import pyarrow as pa

        period = np.searchsorted(self._edges, quotes["ts"] // _HOUR_US, side="right")
        for place in np.unique(period).tolist():
            piece = take(quotes, period == place)
            batch = pa.RecordBatch.from_arrays([pa.array(piece[name]) for name in DTYPES], names=list(DTYPES))
            if place not in self._writers:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._writers[place] = pa.ipc.new_file(self._path(place), batch.schema, options=options)
            self._writers[place].write_batch(batch)

    def in_time_order(self) -> Iterator[tuple[Quotes, float]]:
        """Yield the quotes period by period, with the share of the periods done."""
        import pyarrow as pa

        places = sorted(self._writers)
        self._close()
        for done, place in enumerate(places, start=1):
            with pa.OSFile(str(self._path(place))) as source:
                table = pa.ipc.open_file(source).read_all()
            yield {name: table[name].to_numpy() for name in DTYPES}, done / len(places)
            self._path(place).unlink()

    def _path(self, place: int) -> Path:
        return self._folder / f"{place}.arrow"

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()


def _edges(rows_by_hour: Counter[int]) -> Any:
    # First hours of all periods but the first.
    target = max(BATCH_ROWS, sum(rows_by_hour.values()) // _MOST_FILES)
    edges, rows = [], 0
    for hour in sorted(rows_by_hour):
        if rows and rows + rows_by_hour[hour] > target:
            edges.append(hour)
            rows = 0
        rows += rows_by_hour[hour]
    return np.array(edges, dtype=np.int64)
