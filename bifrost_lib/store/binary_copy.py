"""PostgreSQL's binary COPY format, written and read by compiled loops; rows as tuples would be 30 times slower.

The layout is that of the PostgreSQL manual, "COPY", section "Binary Format": a header, then for each row a 16-bit
count of fields and for each field a 32-bit length (-1 for NULL) and its bytes, all big-endian.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.store.byte_order import load_big_endian, store_big_endian
from bifrost_lib.store.columns import VALUE_COLUMNS

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]

#: PostgreSQL counts microseconds from 2000-01-01, NumPy from 1970-01-01.
EPOCH_US = 946_684_800_000_000
HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
_LONGEST_LABEL = max(map(len, QUALITY_LABELS))
_LABELS = np.zeros((len(QUALITY_LABELS), _LONGEST_LABEL), dtype=np.uint8)
for _code, _label in enumerate(QUALITY_LABELS):
    _LABELS[_code, : len(_label)] = np.frombuffer(_label.encode(), dtype=np.uint8)
_LABEL_LENGTHS = np.array([len(label) for label in QUALITY_LABELS], dtype=np.int64)


@kernel(nogil=True)
def _encode(
    out: Bytes,
    ts: Int64s,
    values: tuple[npt.NDArray[np.uint64], ...],
    stock: Int32s,
    contract: Int32s,
    file_id: int,
    quality: Codes,
    labels: Bytes,
    label_lengths: Int64s,
) -> np.int64:
    # `values` is a tuple of equally long arrays, bit patterns of float64; returns the bytes written, or -1 - row at
    # an infinite number. All positions are unsigned: signed ones would be checked for being negative.
    at = np.uint64(0)
    two, four, twelve = np.uint64(2), np.uint64(4), np.uint64(12)
    length_4, length_8, null = np.uint32(4), np.uint32(8), np.uint32(0xFFFFFFFF)
    exponent, mantissa = np.uint64(0x7FF0000000000000), np.uint64(0x000FFFFFFFFFFFFF)
    fields = np.uint16(len(values) + 5)
    for row in range(len(ts)):
        store_big_endian(out, at, fields)
        at += two
        store_big_endian(out, at, length_8)
        store_big_endian(out, at + four, np.uint64(ts[row] - EPOCH_US))
        at += twelve
        for column in values:
            bits = column[row]
            if (bits & exponent) != exponent:
                store_big_endian(out, at, length_8)
                store_big_endian(out, at + four, bits)
                at += twelve
            elif (bits & mantissa) != np.uint64(0):
                store_big_endian(out, at, null)
                at += four
            else:
                return np.int64(-1 - row)
        for number in (np.int64(stock[row]), np.int64(contract[row]), np.int64(file_id)):
            store_big_endian(out, at, length_4)
            store_big_endian(out, at + four, np.uint32(number))
            at += four + four
        code = quality[row]
        if code < 0:
            store_big_endian(out, at, null)
            at += four
            continue
        length = label_lengths[code]
        store_big_endian(out, at, np.uint32(length))
        at += four
        for letter in range(length):
            out[at + np.uint64(letter)] = labels[code, letter]
        at += np.uint64(length)
    return np.int64(at)


@kernel(nogil=True)
def _decode(
    data: Bytes,
    start: int,
    numbers: Int64s,
    floats: npt.NDArray[np.uint64],
    codes: Codes,
    labels: Bytes,
    label_lengths: Int64s,
) -> int:
    # Rows of `numbers` integers, then floats, then one label; returns how many rows there were.
    at = np.uint64(start)
    end = np.uint64(len(data))
    two, four, eight = np.uint64(2), np.uint64(4), np.uint64(8)
    like_4, like_8, null = np.uint32(0), np.uint64(0), np.uint32(0xFFFFFFFF)
    row = 0
    while at + two <= end and data[at] != 255:  # a count of -1 ends the data
        at += two
        for column in range(numbers.shape[0]):
            length = load_big_endian(data, at, like_4)
            at += four
            if length == 4:
                numbers[column, row] = np.int32(load_big_endian(data, at, like_4))
                at += four
            elif length == 8:
                numbers[column, row] = np.int64(load_big_endian(data, at, like_8))
                at += eight
        for column in range(floats.shape[0]):
            length = load_big_endian(data, at, like_4)
            at += four
            if length != null:
                floats[column, row] = load_big_endian(data, at, like_8)
                at += eight
        length = load_big_endian(data, at, like_4)
        at += four
        codes[row] = -1
        if length == null:
            row += 1
            continue
        for code in range(len(label_lengths)):
            if label_lengths[code] == length:
                same = True
                for letter in range(length):
                    same = same and data[at + np.uint64(letter)] == labels[code, letter]
                if same:
                    codes[row] = code
                    break
        at += np.uint64(length)
        row += 1
    return row


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
    stock_id: Int32s
    contract_id: Int32s
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

    At an infinite number `read` raises, whereupon the driver takes the whole COPY back; `refusal` then says why.
    """

    refusal: InputError | None = None

    def __init__(self, rows: SnapshotRows, *, file_id: int) -> None:
        self._rows, self._file_id = rows, file_id
        self._bits = tuple(np.ascontiguousarray(column).view(np.uint64) for column in rows.values)
        self._widest = 2 + 12 + 12 * len(rows.values) + 3 * 8 + 4 + _LONGEST_LABEL
        self._piece = np.empty(0, dtype=np.uint8)
        self._next, self._stage = 0, 0

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, empty at the end."""
        if self._stage == 0:
            self._stage = 1
            return HEADER
        if self._next < len(self._rows.ts):
            return self._encoded(size)
        if self._stage == 1:
            self._stage = 2
            return TRAILER
        return b""

    def _encoded(self, size: int) -> bytes:
        if len(self._piece) != size:
            self._piece = np.empty(size, dtype=np.uint8)
        part = slice(self._next, self._next + size // self._widest)
        rows = self._rows
        written = _encode(
            self._piece,
            rows.ts[part],
            tuple(column[part] for column in self._bits),
            rows.stock_id[part],
            rows.contract_id[part],
            self._file_id,
            rows.quality[part],
            _LABELS,
            _LABEL_LENGTHS,
        )
        if written < 0:
            self.refusal = self._infinite(part.start - 1 - int(written))
            raise self.refusal
        self._next = part.stop
        return self._piece[:written].tobytes()

    def _infinite(self, row: int) -> InputError:
        columns = zip(VALUE_COLUMNS, self._rows.values, strict=True)
        name = next(name for name, column in columns if np.isinf(column[row]))
        return InputError(f"frame.{name}", "an infinite number", "finite numbers, and NaN where nothing is known")


def decode_rows(data: bytes, *, integers: int, floats: int) -> tuple[Int64s, Floats, npt.NDArray[np.int8]]:
    """Decode a whole binary COPY of rows with `integers` integer columns, `floats` float columns and a quality.

    Returns
    -------
    (integers, n) and (floats, n) arrays and (n,) codes of `Quality`. A timestamp is an integer in microseconds since
    2000-01-01 UTC. NULL is NaN in floats, 0 in integers (select none that can be NULL) and -1 as quality.
    """
    narrowest = 2 + 8 * integers + 4 * floats + 4
    most = max(len(data) - len(HEADER), 0) // narrowest
    numbers = np.zeros((integers, most), dtype=np.int64)
    bits = np.full((floats, most), np.float64(np.nan).view(np.uint64), dtype=np.uint64)
    codes = np.empty(most, dtype=np.int8)
    rows = _decode(np.frombuffer(data, dtype=np.uint8), len(HEADER), numbers, bits, codes, _LABELS, _LABEL_LENGTHS)
    return numbers[:, :rows], bits.view(np.float64)[:, :rows], codes[:rows]
