"""The store's compiled loops: PostgreSQL's binary rows, the newest row of each contract, keys of contracts.

Binary COPY is that of the PostgreSQL manual, "COPY", section "Binary Format": for each row a 16-bit count of fields,
then for each field a 32-bit length (-1 for NULL) and its bytes, all big-endian.
"""

from __future__ import annotations

import numpy as np

from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.store.byte_order import load_big_endian, store_big_endian

# PostgreSQL counts microseconds from 2000-01-01, NumPy from 1970-01-01.
EPOCH_US = 946_684_800_000_000


def encode(
    out: Flags,
    ts: Counts,
    values: Table,
    stock: Counts,
    contract: Counts,
    file_id: int,
    codes: Flags,
    coded: int,
    labels: Table,
    lengths: Counts,
    first: int,
    rows: int,
) -> int:
    """Write `rows` rows from `first` on to `out`, their `values` beginning at column 0 of the table.

    `codes` holds `coded` columns one after the other. Returns the bytes written, or -1 - row at an infinite number.
    NaN becomes NULL, and so does a code below 0.
    """
    # All positions are unsigned: signed ones would be checked for being negative.
    at = np.uint64(0)
    two, four, twelve = np.uint64(2), np.uint64(4), np.uint64(12)
    length_4, length_8, null = np.uint32(4), np.uint32(8), np.uint32(0xFFFFFFFF)
    exponent, mantissa = np.uint64(0x7FF0000000000000), np.uint64(0x000FFFFFFFFFFFFF)
    columns = values.shape[0]
    fields = np.uint16(columns + coded + 4)
    for place in range(rows):
        row = first + place
        store_big_endian(out, at, fields)
        at += two
        store_big_endian(out, at, length_8)
        store_big_endian(out, at + four, np.uint64(ts[row] - EPOCH_US))
        at += twelve
        for column in range(columns):
            bits = np.float64(values[column, place]).view(np.uint64)
            if (bits & exponent) != exponent:
                store_big_endian(out, at, length_8)
                store_big_endian(out, at + four, bits)
                at += twelve
            elif (bits & mantissa) != np.uint64(0):
                store_big_endian(out, at, null)
                at += four
            else:
                return -1 - row
        for number in (stock[row], contract[row], file_id):
            store_big_endian(out, at, length_4)
            store_big_endian(out, at + four, np.uint32(number))
            at += four + four
        for column in range(coded):
            code = codes[column * len(ts) + row]
            if code < 0:
                store_big_endian(out, at, null)
                at += four
                continue
            length = lengths[code]
            store_big_endian(out, at, np.uint32(length))
            at += four
            for letter in range(length):
                out[at + np.uint64(letter)] = np.int8(labels[code, letter])
            at += np.uint64(length)
    return np.int64(at)  # type: ignore[return-value]


def decode(
    data: Flags,
    start: int,
    numbers: Counts,
    integers: int,
    floats: Table,
    codes: Flags,
    coded: int,
    labels: Table,
    lengths: Counts,
) -> int:
    """Read rows of `integers` whole numbers, then floats, then `coded` labels; return how many there were.

    `numbers` and `codes` hold one column after the other. NULL is 0 in numbers, NaN in floats and -1 as a code.
    """
    at, end = np.uint64(start), np.uint64(len(data))
    two, four, eight = np.uint64(2), np.uint64(4), np.uint64(8)
    like_4, like_8, null = np.uint32(0), np.uint64(0), np.uint32(0xFFFFFFFF)
    most = len(codes) // coded
    row = 0
    while at + two <= end and data[at] != -1:  # a count of -1 ends the data
        at += two
        for column in range(integers):
            length = load_big_endian(data, at, like_4)
            at += four
            number = np.int64(0)
            if length == 4:
                number = np.int64(np.int32(load_big_endian(data, at, like_4)))
                at += four
            elif length == 8:
                number = np.int64(load_big_endian(data, at, like_8))
                at += eight
            numbers[column * most + row] = number
        for column in range(floats.shape[0]):
            length = load_big_endian(data, at, like_4)
            at += four
            if length == null:
                floats[column, row] = np.nan
            else:
                floats[column, row] = np.uint64(load_big_endian(data, at, like_8)).view(np.float64)
                at += eight
        for column in range(coded):
            length = load_big_endian(data, at, like_4)
            at += four
            codes[column * most + row] = -1
            if length != null:
                for code in range(len(lengths)):
                    same = lengths[code] == length
                    for letter in range(lengths[code] if same else 0):
                        same = same and data[at + np.uint64(letter)] == labels[code, letter]
                    if same:
                        codes[column * most + row] = code
                        break
                at += np.uint64(length)
        row += 1
    return row


def choose(
    wanted: Counts,
    state: Flags,
    kept: Counts,
    kept_ts: Counts,
    contract: Counts,
    ts: Counts,
    bid: Floats,
    ask: Floats,
    offset: int,
) -> int:
    """Offer rows to the wanted contracts (ascending): each keeps its newest one, one with a quote before one without.

    `kept` holds the number of the row chosen, the rows of this offer being numbered from `offset`; `state` is 0
    without a row, 1 with one, 2 with a quoted one. Returns how many contracts have a quoted row.
    """
    place = 0
    for row in range(len(contract)):
        if not (place < len(wanted) and wanted[place] == contract[row]):  # rows mostly come in the contracts' order
            place = np.searchsorted(wanted, contract[row])
        if place == len(wanted) or wanted[place] != contract[row]:
            continue
        rank = 1 if np.isnan(bid[row]) and np.isnan(ask[row]) else 2
        if rank > state[place] or (rank == state[place] and ts[row] > kept_ts[place]):
            state[place], kept[place], kept_ts[place] = rank, offset + row, ts[row]
        place += 1
    quoted = 0
    for place in range(len(wanted)):
        quoted += state[place] == 2
    return quoted


def find(
    low: Counts,
    high: Counts,
    terms: Flags,
    start: int,
    slots: Counts,
    known_low: Counts,
    known_high: Counts,
    known_terms: Flags,
    count: Counts,
    found: Counts,
) -> int:
    """Number the keys of two words each: a known key keeps its number, a new one gets the next, ``count[0]``.

    An open-addressing hash table. Returns the rows done: fewer than all when the table is half full; or -1 - row at
    a row whose exercise terms differ from those first seen with its key.
    """
    mask = np.uint64(len(slots) - 1)
    for row in range(start, len(low)):
        if row > start and low[row] == low[row - 1] and high[row] == high[row - 1]:
            number = found[row - 1]
        else:
            mixed = np.uint64(low[row]) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= np.uint64(high[row]) * np.uint64(0xC2B2AE3D27D4EB4F)
            slot = (mixed ^ (mixed >> np.uint64(29))) & mask
            while True:
                number = slots[slot] - 1
                if number < 0 or (known_low[number] == low[row] and known_high[number] == high[row]):
                    break
                slot = (slot + np.uint64(1)) & mask
            if number < 0:
                if 2 * (count[0] + 1) > len(slots):
                    return row
                number = count[0]
                slots[slot] = number + 1
                known_low[number], known_high[number], known_terms[number] = low[row], high[row], terms[row]
                count[0] += 1
        if known_terms[number] != terms[row]:
            return -1 - row
        found[row] = number
    return len(low)
