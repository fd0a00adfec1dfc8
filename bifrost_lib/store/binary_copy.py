"""PostgreSQL's binary COPY format, written and read by compiled loops; rows as tuples would be 30 times slower.

The layout is that of the PostgreSQL manual, "COPY", section "Binary Format": a header, then for each row a 16-bit
count of fields and for each field a 32-bit length (-1 for NULL) and its bytes, all big-endian.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.quality import QUALITY_LABELS
from bifrost_lib.store.byte_order import load_big_endian, store_big_endian

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
def _encode(  # noqa: PLR0917 - kernels take their arguments by place
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
        store_big_endian(out, at + four, np.uint64(ts[row]))
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
def _decode(  # noqa: PLR0917
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


def encode_snapshots(
    *,
    ts: Int64s,
    values: tuple[Floats, ...],
    stock_id: Int32s,
    contract_id: Int32s,
    file_id: int,
    quality: Codes,
) -> tuple[Bytes | None, int]:
    """Encode rows of `option_snapshots`, columns as in `STORED_COLUMNS`, header and trailer not included.

    Parameters
    ----------
    ts : array (n,)
        Microseconds since 1970-01-01 UTC.
    values : tuple of arrays (n,)
        One array for each of `VALUE_COLUMNS`; NaN becomes NULL.
    stock_id, contract_id : arrays (n,)
        Keys.
    quality : array (n,)
        Codes of `Quality`; -1 becomes NULL.

    Returns
    -------
    (array of bytes, -1), or (None, row) at the first row that holds an infinite number.
    """
    widest = 2 + 12 + 12 * len(values) + 3 * 8 + 4 + _LONGEST_LABEL
    out = np.empty(len(ts) * widest, dtype=np.uint8)
    bits = tuple(np.ascontiguousarray(column).view(np.uint64) for column in values)
    written = _encode(out, ts - EPOCH_US, bits, stock_id, contract_id, file_id, quality, _LABELS, _LABEL_LENGTHS)
    return (out[:written], -1) if written >= 0 else (None, int(-1 - written))


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
