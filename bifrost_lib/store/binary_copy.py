"""Snapshots in PostgreSQL's binary COPY format; rows as tuples would take 30 times as long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.store.columns import DATA_TYPES, VALUE_COLUMNS, VENDOR_VALUES

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int8]

#: PostgreSQL counts microseconds from 2000-01-01, NumPy from 1970-01-01.
EPOCH_US = 946_684_800_000_000
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
# One list of labels for both columns that have some: those of market-data types follow those of quality.
_ALL_LABELS = (*QUALITY_LABELS, *DATA_TYPES)
_SHIFT = np.int8(len(QUALITY_LABELS))
_LENGTHS = np.array([len(label) for label in _ALL_LABELS], dtype=np.int64)
_LABELS = np.zeros((len(_ALL_LABELS), _LENGTHS.max()))
for _code, _label in enumerate(_ALL_LABELS):
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
        One array for each of `VALUE_COLUMNS`, then for each of `VENDOR_VALUES` if the rows have a `data_type`; NaN
        where nothing is known.
    quality : array (n,)
        Codes of `Quality`; -1 where nothing is known.
    data_type : array (n,), optional
        Places in `DATA_TYPES`; -1 where nothing is known. None for rows that no collector brought.
    """

    ts: Int64s
    stock_id: Int64s
    contract_id: Int64s
    values: tuple[Floats, ...]
    quality: Codes
    data_type: Codes | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns, in the order in which the stream has them."""
        keys = ("stock_id", "contract_id", "file_id", "quality")
        if self.data_type is None:
            return ("ts", *VALUE_COLUMNS, *keys)
        return ("ts", *VALUE_COLUMNS, *VENDOR_VALUES, *keys, "market_data_type")

    @property
    def codes(self) -> Codes:
        """All labels, as places in one list, one column after the other."""
        if self.data_type is None:
            return np.ascontiguousarray(self.quality)
        return np.concatenate([self.quality, np.where(self.data_type < 0, self.data_type, self.data_type + _SHIFT)])

    def take(self, rows: Int64s) -> SnapshotRows:
        """Return the given rows in the given order."""
        values = tuple(column[rows] for column in self.values)
        data_type = None if self.data_type is None else self.data_type[rows]
        keys = self.stock_id[rows], self.contract_id[rows]
        return SnapshotRows(self.ts[rows], *keys, values, self.quality[rows], data_type)


class SnapshotStream:
    """The stream from which the driver reads rows to be stored, columns as in `SnapshotRows.columns`.

    It encodes as it is read: a piece stays in the processor's cache, and the server works on one while the next is
    made.

    At an infinite number `read` raises, whereupon the driver takes the whole COPY back; `failure` then says why.
    """

    failure: Exception | None = None

    def __init__(self, rows: SnapshotRows, *, file_id: int) -> None:
        self._rows, self._file_id = rows, file_id
        self._codes, self._coded = rows.codes, 1 if rows.data_type is None else 2
        self._widest = 2 + 12 + 12 * len(rows.values) + 3 * 8 + self._coded * (4 + int(_LENGTHS.max()))
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
            self._codes,
            self._coded,
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
        columns = zip(self._rows.columns[1:], self._rows.values, strict=False)
        name = next(name for name, column in columns if np.isinf(column[row]))
        return InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")


def decode_rows(
    data: bytes, *, integers: int, floats: int, with_data_type: bool = False
) -> tuple[Int64s, Floats, Codes]:
    """Decode a whole binary COPY of rows: integer columns, float columns, a quality, perhaps a market-data type.

    Returns
    -------
    (integers, n) and (floats, n) arrays, and (1 or 2, n) codes: of `Quality`, and places in `DATA_TYPES`. A timestamp
    is an integer in microseconds since 2000-01-01 UTC. NULL is NaN in floats, 0 in integers (select none that can be
    NULL) and -1 as a code.
    """
    coded = 2 if with_data_type else 1
    narrowest = 2 + 8 * integers + 4 * floats + 4 * coded
    most = max(len(data) - len(HEADER), 0) // narrowest
    numbers = np.empty(integers * most, dtype=np.int64)
    values, codes = np.empty((floats, most)), np.empty(coded * most, dtype=np.int8)
    received = np.frombuffer(data, dtype=np.int8)
    rows = _decode(received, len(HEADER), numbers, integers, values, codes, coded, _LABELS, _LENGTHS)
    found = codes.reshape(coded, most)[:, :rows]
    if with_data_type:
        found[1, found[1] >= 0] -= _SHIFT
    return numbers.reshape(integers, most)[:, :rows], values[:, :rows], found
