"""The kernel that reads delimited text: from bytes to numbers, moments and coded words, one pass, line by line.

A line end always ends a row, even inside quotes, so that a stray quote spoils its own line and no other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY, Bytes, Program, days_from_civil, read_moment
from bifrost_lib.feeds.number_text import is_blank_word, plain_number, read_number

Floats = npt.NDArray[np.float64]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

# What a column is read as.
SKIP: Final = 0
NUMBER: Final = 1
MOMENT: Final = 2
TEXT: Final = 3
OCC: Final = 4
SIZES: Final = 5
PERCENT: Final = 6

# What became of a line.
FINE: Final = 0
EMBEDDED_NUL: Final = 1
BAD_QUOTES: Final = 2
WRONG_COLUMNS: Final = 3


@kernel()
def _same(buf: Bytes, a: int, b: int, c: int, d: int) -> bool:
    if b - a != d - c:
        return False
    for k in range(b - a):  # noqa: SIM110 - a generator does not compile
        if buf[a + k] != buf[c + k]:
            return False
    return True


@kernel()
def _code(buf: Bytes, a: int, b: int, table: Ints, starts: Longs, stops: Longs, known: Longs, slot: int) -> int:
    # The code of a word: its place among the distinct words of this block, which `known` counts.
    key = 1469598103934665603
    for k in range(a, b):
        key = (key ^ int(buf[k])) * 1099511628211
    mask = table.size - 1
    place = (key ^ (key >> 29)) & mask
    while table[place] != 0:
        code = int(table[place]) - 1
        if _same(buf, a, b, starts[code], stops[code]):
            return code
        place = (place + 1) & mask
    new = int(known[slot])
    table[place] = new + 1
    starts[new], stops[new] = a, b
    known[slot] += 1
    return new


@kernel()
def _read_occ(buf: Bytes, a: int, b: int) -> tuple[int, int, float, int]:
    # End of the root, expiry in days, strike, and 1 call / 0 put / -1 unreadable; from the right: yymmdd C strike*1000.
    at = b - 15
    if at <= a or at - a > 12:
        return 0, 0, 0.0, -1
    for k in range(15):
        if k != 6 and not 48 <= buf[at + k] <= 57:
            return 0, 0, 0.0, -1
    right = 1 if buf[at + 6] == 67 else (0 if buf[at + 6] == 80 else -1)
    year = 2000 + (buf[at] - 48) * 10 + (buf[at + 1] - 48)
    month = (buf[at + 2] - 48) * 10 + (buf[at + 3] - 48)
    days = days_from_civil(year, month, (buf[at + 4] - 48) * 10 + (buf[at + 5] - 48))
    thousandths = 0
    for k in range(at + 7, b):
        thousandths = thousandths * 10 + (buf[k] - 48)
    while at > a and buf[at - 1] == 32:
        at -= 1
    if days < -(1 << 39) or thousandths == 0 or at == a:
        return 0, 0, 0.0, -1
    return at, days, thousandths / 1000.0, right


@kernel()
def _read_occ_into(
    buf: Bytes,
    a: int,
    b: int,
    slot: int,
    row: int,
    spans: Longs,
    numbers: Floats,
    moments: Longs,
    flags: Bytes,
    codes: Ints,
    tables: Ints,
    starts: Longs,
    stops: Longs,
    known: Longs,
) -> None:
    root_stop, days, strike, right = _read_occ(buf, a, b)
    at, word = spans[-1, 0], spans[-1, 1]
    if right < 0:
        root_stop = a
    codes[word, row] = _code(buf, a, root_stop, tables[word], starts[word], stops[word], known, word)
    numbers[at, row], numbers[at + 1, row] = strike, right
    moments[slot, row] = days * 86_400_000_000
    flags[slot, row] = BLANK if a == b else (BAD if right < 0 else DATE_ONLY)


@kernel()
def _repeat_occ(slot: int, row: int, spans: Longs, numbers: Floats, moments: Longs, flags: Bytes, codes: Ints) -> None:
    moments[slot, row], flags[slot, row] = moments[slot, row - 1], flags[slot, row - 1]
    at, word = spans[-1, 0], spans[-1, 1]
    codes[word, row] = codes[word, row - 1]
    numbers[at, row], numbers[at + 1, row] = numbers[at, row - 1], numbers[at + 1, row - 1]


@kernel()
def find_separators(
    buf: Bytes, begin: int, delimiter: int, line_end: int, quoted: bool, places: Ints, line_ends: Ints
) -> tuple[int, int]:
    """Find the field and line ends of ``buf[begin:]``; returns how many of each.

    Parameters
    ----------
    quoted : bool
        Whether there may be quotes, between which a delimiter counts as text. A line end closes any open quote.
    places : array
        Takes the place of each separator; as long as `buf` and one more.
    line_ends : array
        Takes, for each line, the number of separators up to and including its end.
    """
    # Without branches, so that the time does not depend on how fields and lines fall.
    mark, end = np.uint8(delimiter), np.uint8(line_end)
    found, lines = np.uint64(0), np.uint64(0)
    if quoted:
        inside = np.uint64(0)
        for i in range(np.uint64(begin), np.uint64(buf.size)):
            c = buf[i]
            ended = np.uint64(c == end)
            inside = (inside ^ np.uint64(c == 34)) & (np.uint64(1) ^ ended)
            places[found] = i
            found += (np.uint64(c == mark) & (np.uint64(1) ^ inside)) | ended
            line_ends[lines] = found
            lines += ended
    else:
        for i in range(np.uint64(begin), np.uint64(buf.size)):
            c = buf[i]
            ended = np.uint64(c == end)
            places[found] = i
            found += np.uint64(c == mark) | ended
            line_ends[lines] = found
            lines += ended
    return np.int64(found), np.int64(lines)  # type: ignore[return-value]


@kernel()
def scan(  # noqa: PLR0915 - one loop, since its arrays are its state
    buf: Bytes,
    begin: int,
    line: int,
    has_nul: bool,
    marks: Longs,
    blank_words: Bytes,
    places: Ints,
    line_ends: Ints,
    first_line: int,
    lines: int,
    columns: int,
    used: Longs,
    kinds: Longs,
    slots: Longs,
    programs: Program,
    spans: Longs,
    numbers: Floats,
    bad_numbers: Longs,
    moments: Longs,
    flags: Bytes,
    codes: Ints,
    tables: Ints,
    starts: Longs,
    stops: Longs,
    known: Longs,
    row_line: Longs,
    row_start: Longs,
    row_stop: Longs,
    row_status: Bytes,
) -> tuple[int, int]:
    """Read lines, whose separators are known, into the given arrays.

    Parameters
    ----------
    begin, line : int
        Where line `first_line` begins in `buf`, and its number in the file.
    has_nul : bool
        Whether there is a NUL byte somewhere in `buf`.
    marks : array (3,)
        Decimal mark, thousands mark and line end, as byte values (0 for none).
    places, line_ends, first_line, lines : what `find_separators` found, the first line to read and the last plus one
    columns : int
        Fields that a line must have.
    used, kinds, slots : array
        The columns that are read, how, and the row of the output arrays that takes each. A SIZES column fills
        `numbers` at slot and slot + 1; an OCC column fills `numbers` (strike, and after it the right: 1 call, 0 put),
        `moments` (expiry, local microseconds) and `codes` (root), the former and the last at the slots `spans[-1]`.
    programs, spans : compiled formats, and for each moment slot the first and last program to try
    numbers, bad_numbers : values (slots, rows), NaN when blank; a bit per slot for what is no number
    moments, flags : microseconds and what they are, (slots, rows)
    codes, tables, starts, stops, known : words coded by first appearance, per text slot
    row_line, row_start, row_stop, row_status : where each row stands, and what became of its line

    Returns
    -------
    rows, next_line : int
        Rows written, and the first line not yet read, when the arrays were full before.
    """
    decimal, thousands = marks[0], marks[1]
    capacity, row = row_line.size, 0
    last_start = np.zeros(used.size, dtype=np.int64)
    last_length = np.full(used.size, -1, dtype=np.int64)
    at_line, start = first_line, begin
    while at_line < lines and row < capacity:
        before = line_ends[at_line - 1] if at_line > 0 else 0
        after = line_ends[at_line]
        stop = places[after - 1]
        line_start, number = start, line + at_line - first_line
        start = stop + 1
        at_line += 1
        if after - before == 1:
            a, b = _trimmed(buf, line_start, stop)
            if a == b:
                continue
        status = FINE if after - before == columns else WRONG_COLUMNS
        if has_nul:
            for i in range(line_start, stop):
                if buf[i] == 0:
                    status = EMBEDDED_NUL
        bad = 0
        if status == FINE:
            for j in range(used.size):
                column, kind, slot = used[j], kinds[j], slots[j]
                a = places[before + column - 1] + 1 if column > 0 else line_start
                b = places[before + column]
                if kind in (NUMBER, PERCENT):
                    value = plain_number(buf, a, b, decimal)
                    if np.isnan(value) and a < b:
                        a, b = _trimmed(buf, a, b)
                        a, b, status = _unquoted(buf, a, b, status)
                        value = plain_number(buf, a, b, decimal)
                        if np.isnan(value):
                            value, good = read_number(buf, a, b, decimal, thousands, blank_words, kind == PERCENT)
                            if not good:
                                bad |= 1 << slot
                    numbers[slot, row] = value
                    continue
                # The same text as in the row before has the same meaning; compared here, since a call would cost more.
                length, earlier, k = b - a, last_start[j], 0
                if length == last_length[j]:
                    while k < length and buf[a + k] == buf[earlier + k]:
                        k += 1
                if k == length and length == last_length[j]:
                    if kind == TEXT:
                        codes[slot, row] = codes[slot, row - 1]
                    elif kind == MOMENT:
                        moments[slot, row], flags[slot, row] = moments[slot, row - 1], flags[slot, row - 1]
                    else:
                        _repeat_occ(slot, row, spans, numbers, moments, flags, codes)
                    continue
                last_start[j], last_length[j] = a, length
                a, b = _trimmed(buf, a, b)
                a, b, status = _unquoted(buf, a, b, status)
                if kind == TEXT:
                    codes[slot, row] = _code(buf, a, b, tables[slot], starts[slot], stops[slot], known, slot)
                elif kind == MOMENT:
                    if is_blank_word(buf, a, b, blank_words):
                        moments[slot, row], flags[slot, row] = 0, BLANK
                    else:
                        value_us, flag = read_moment(buf, a, b, programs[spans[slot, 0] : spans[slot, 1]])
                        moments[slot, row], flags[slot, row] = value_us, flag
                elif kind == SIZES:
                    good = _read_sizes(buf, a, b, decimal, thousands, blank_words, numbers, slot, row)
                    last_length[j] = -1
                    if not good:
                        bad |= 1 << slot
                else:
                    _read_occ_into(
                        buf, a, b, slot, row, spans, numbers, moments, flags, codes, tables, starts, stops, known
                    )
        if status != FINE:
            last_length[:] = -1
        bad_numbers[row] = bad
        row_line[row] = number
        row_start[row] = line_start
        row_stop[row] = stop
        row_status[row] = status
        row += 1
    return row, at_line


@kernel()
def _trimmed(buf: Bytes, a: int, b: int) -> tuple[int, int]:
    while a < b and (buf[a] == 32 or buf[a] == 9):
        a += 1
    while b > a and (buf[b - 1] == 32 or buf[b - 1] == 13 or buf[b - 1] == 9):
        b -= 1
    return a, b


@kernel(inline="always")
def _unquoted(buf: Bytes, a: int, b: int, status: int) -> tuple[int, int, int]:
    if a < b and buf[a] == 34:
        if b - a >= 2 and buf[b - 1] == 34:
            a, b = _trimmed(buf, a + 1, b - 1)
        else:
            status = BAD_QUOTES
    return a, b, status


@kernel()
def _read_sizes(
    buf: Bytes, a: int, b: int, decimal: int, thousands: int, words: Bytes, numbers: Floats, slot: int, row: int
) -> bool:
    # "12 x 340": contracts at the bid and at the ask.
    middle = a
    while middle < b and (buf[middle] | 32) != 120:
        middle += 1
    if middle == b:
        value, good = read_number(buf, a, b, decimal, thousands, words, False)
        numbers[slot, row] = numbers[slot + 1, row] = np.nan
        return good and np.isnan(value)
    c, d = _trimmed(buf, a, middle)
    value, good = read_number(buf, c, d, decimal, thousands, words, False)
    numbers[slot, row] = value
    c, d = _trimmed(buf, middle + 1, b)
    value, well = read_number(buf, c, d, decimal, thousands, words, False)
    numbers[slot + 1, row] = value
    return good and well
