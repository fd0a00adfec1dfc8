"""Snapshots in PostgreSQL's binary COPY format; rows as tuples would take 30 times as long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.store.columns import VALUE_COLUMNS

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

#: PostgreSQL counts microseconds from 2000-01-01, NumPy from 1970-01-01.
EPOCH_US = 946_684_800_000_000
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_LENGTHS = np.array([len(label) for label in QUALITY_LABELS], dtype=np.int64)
_LABELS = np.zeros((len(QUALITY_LABELS), _LENGTHS.max()))
for _code, _label in enumerate(QUALITY_LABELS):
    _LABELS[_code, : len(_label)] = list(_label.encode())

_encode = loop("bifrost_lib.store.loops", "encode")
_decode = loop("bifrost_lib.store.loops", "decode")


@dataclass(frozen=True)
class SnapshotRows:
    """Rows of `option_snapshots`; all arrays have one entry a row.

    Attributes
    ----------
    ts : array (n,)
        Microseconds since 1970-01-01 UTC.
    stock_id, contract_id : arrays (n,)
        Keys.
    values : tuple of arrays (n,)
        One array for each of `VALUE_COLUMNS`; NaN where nothing is known.
    quality : array (n,)
        Codes of `Quality`; -1 where nothing is known.
    """

    ts: Int64s
    stock_id: Int64s
    contract_id: Int64s
    values: tuple[Floats, ...]
    quality: Codes

    def take(self, rows: Int64s) -> SnapshotRows:
        """Return the given rows in the given order."""
        values = tuple(column[rows] for column in self.values)
        return SnapshotRows(self.ts[rows], self.stock_id[rows], self.contract_id[rows], values, self.quality[rows])


class SnapshotStream:
    """The stream from which the driver reads rows to be stored, columns as in `STORED_COLUMNS`.

    It encodes as it is read: a piece stays in the processor's cache, and the server works on one while the next is
    made.

    At an infinite number `read` raises, whereupon the driver takes the whole COPY back; `failure` then says why.
    """

    failure: Exception | None = None

    def __init__(self, rows: SnapshotRows, *, file_id: int) -> None:
        self._rows, self._file_id = rows, file_id
        self._widest = 2 + 12 + 12 * len(rows.values) + 3 * 8 + 4 + int(_LENGTHS.max())
        self._piece, self._values = np.empty(0, dtype=np.int8), np.empty((0, 0))
        self._next, self._stage = 0, 0

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, empty at the end."""
        if self._stage == 0:
            self._stage = 1
            return HEADER
        if self._next < len(self._rows.ts):
            try:
                return self._encoded(size)
            except Exception as failure:  # the driver would tell of it in its own words
                self.failure = failure
                raise
        if self._stage == 1:
            self._stage = 2
            return TRAILER
        return b""

    def _encoded(self, size: int) -> bytes:
        rows, first = self._rows, self._next
        most = size // self._widest
        if len(self._piece) != size:
            self._piece, self._values = np.empty(size, dtype=np.int8), np.empty((len(rows.values), most))
        count = min(most, len(rows.ts) - first)
        for piece, column in zip(self._values, rows.values, strict=True):
            piece[:count] = column[first : first + count]
        written = _encode(
            self._piece,
            rows.ts,
            self._values,
            rows.stock_id,
            rows.contract_id,
            self._file_id,
            rows.quality,
            _LABELS,
            _LENGTHS,
            first,
            count,
        )
        if written < 0:
            raise self._infinite(-1 - written)
        self._next = first + count
        return self._piece[:written].tobytes()

    def _infinite(self, row: int) -> InputError:
        columns = zip(VALUE_COLUMNS, self._rows.values, strict=True)
        name = next(name for name, column in columns if np.isinf(column[row]))
        return InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")


def decode_rows(data: bytes, *, integers: int, floats: int) -> tuple[Int64s, Floats, Codes]:
    """Decode a whole binary COPY of rows with `integers` integer columns, `floats` float columns and a quality.

    Returns
    -------
    (integers, n) and (floats, n) arrays and (n,) codes of `Quality`. A timestamp is an integer in microseconds since
    2000-01-01 UTC. NULL is NaN in floats, 0 in integers (select none that can be NULL) and -1 as quality.
    """
    narrowest = 2 + 8 * integers + 4 * floats + 4
    most = max(len(data) - len(HEADER), 0) // narrowest
    numbers = np.empty(integers * most, dtype=np.int64)
    values, codes = np.empty((floats, most)), np.empty(most, dtype=np.int8)
    received = np.frombuffer(data, dtype=np.int8)
    rows = _decode(received, len(HEADER), numbers, integers, values, codes, _LABELS, _LENGTHS)
    return numbers.reshape(integers, most)[:, :rows], values[:, :rows], codes[:rows]
