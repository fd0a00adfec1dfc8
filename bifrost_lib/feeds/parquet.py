"""Parquet read as if it were text, so that one set of rules judges every row."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import FileFormatError

_ROWS = 1 << 16


class ParquetText:
    """The rows of a parquet file as lines of comma-separated text, line 1 being the column names."""

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path: Path = path
        self.member: str | None = None
        self._damage = (pa.ArrowException, OSError)
        self._done = 0
        try:
            self._file = pq.ParquetFile(path)
        except self._damage as error:
            raise FileFormatError(path, f"no readable parquet file: {error}; is it cut off?") from None
        self._rows = max(self._file.metadata.num_rows, 1)
        self._batches = self._text()
        self._kept: set[int] | None = None

    @property
    def fraction(self) -> float:
        """Share of the rows that has been read."""
        return min(float(self._done) / float(self._rows), 1.0)

    def read(self, count: int = 0) -> bytes:
        """Return the next lines, empty at the end."""
        try:
            return next(self._batches, b"")
        except self._damage as error:
            raise FileFormatError(self.path, f"broken: {error}", line=self._done + 2) from None

    def keep(self, columns: Iterable[int]) -> None:
        """Leave all columns but these blank in what is read from now on, since nobody looks at them."""
        self._kept = set(columns)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _text(self) -> Iterator[bytes]:
        import pyarrow.csv as pcsv

        names = self._file.schema_arrow.names
        yield (",".join('"' + name.replace('"', "") + '"' for name in names) + "\n").encode()
        options = pcsv.WriteOptions(include_header=False)
        wanted = None if self._kept is None else [names[column] for column in sorted(self._kept)]
        for batch in self._file.iter_batches(batch_size=_ROWS, columns=wanted):
            text = io.BytesIO()
            pcsv.write_csv(_plain(batch, names), text, options)
            self._done += batch.num_rows
            yield text.getvalue()


def _plain(batch: Any, names: list[str]) -> Any:
    # Dictionaries become their values and decimals numbers; columns that were not read, and nested ones, which are
    # never quotes, become blanks.
    import pyarrow as pa

    columns = []
    found = dict(zip(batch.schema.names, batch.columns, strict=True))
    blank = pa.nulls(batch.num_rows, pa.string())
    for name in names:
        column = found.get(name, blank)
        if pa.types.is_dictionary(column.type):
            columns.append(column.dictionary_decode())
        elif pa.types.is_decimal(column.type):
            columns.append(column.cast(pa.float64()))
        elif pa.types.is_nested(column.type):
            columns.append(blank)
        else:
            columns.append(column)
    return pa.RecordBatch.from_arrays(columns, names=names)


@contextmanager
def open_parquet(path: Path) -> Iterator[ParquetText]:
    """Open a parquet file as text."""
    text = ParquetText(path)
    try:
        yield text
    finally:
        text.close()
