"""The kernel that reads delimited text: from bytes to numbers, moments and coded words, one pass, line by line.

A line end always ends a row, even inside quotes, so that a stray quote spoils its own line and no other.
"""

from __future__ import annotations

import numpy as np

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.characters import QUOTE, RETURN, SMALL, SMALL_X, SPACE, TAB
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY, read_moment
from bifrost_lib.feeds.number_text import is_blank_word, plain_number, read_number
from bifrost_lib.feeds.occ_text import read_occ
from bifrost_lib.feeds.scan_layout import (
    BAD_QUOTES,
    EMBEDDED_NUL,
    FINE,
    MOMENT,
    NUMBER,
    PERCENT,
    SIZES,
    TEXT,
    WRONG_COLUMNS,
    Bytes,
    Cells,
    Columns,
    Floats,
    Ints,
    Longs,
    Rows,
    Separators,
    Style,
    Words,
)

_DAY_US = 86_400_000_000


@kernel()
def scan(  # noqa: PLR0915 - one loop, since its arrays are its state
    buf: Bytes, begin: int, line: int, has_nul: bool, separators: Separators, first_line: int, lines: int,
    style: Style, columns: Columns, cells: Cells, words: Words, rows: Rows,
) -> tuple[int, int]:  # fmt: skip
    """Read lines, whose separators are known, into the given arrays.

    Parameters
    ----------
    begin, line : int
        Where line `first_line` begins in `buf`, and its number in the file.
    has_nul : bool
        Whether there is a NUL byte somewhere in `buf`.
    separators, first_line, lines
        What `find_separators` found, the first line to read and the last plus one.
    style, columns
        How numbers are written, and what the columns hold.
    cells, words, rows
        Take what is read, and are full at the length of `rows`.

    Returns
    -------
    rows, next_line : int
        Rows written, and the first line not yet read, when the arrays were full before.
    """
    # All arrays are names of this one function: looked up in their tuples, or handed on, each access costs more.
    places, line_ends = separators
    decimal = style.decimal
    width, used, kinds, slots, programs, spans = columns
    numbers, bad_numbers, moments, flags = cells
    codes, tables, starts, stops, known = words
    row_line, row_start, row_stop, row_status = rows
    row, at_line, start = 0, first_line, begin
    last_start = np.zeros(used.size, dtype=np.int64)
    last_length = np.full(used.size, -1, dtype=np.int64)
    while at_line < lines and row < row_line.size:
        before = line_ends[at_line - 1] if at_line > 0 else 0
        after = line_ends[at_line]
        stop = places[after - 1]
        line_start, number = start, line + at_line - first_line
        start = stop + 1
        at_line += 1
        if after - before == 1 and _is_blank(buf, line_start, stop):
            continue
        status = FINE if after - before == width else WRONG_COLUMNS
        if has_nul and _holds_nul(buf, line_start, stop):
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
                        value, is_good, status = _other_number(buf, a, b, style, kind == PERCENT, status)
                        bad |= 0 if is_good else 1 << slot
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
                        _repeat_occ(slot, row, columns, cells, words)
                    continue
                last_start[j], last_length[j] = a, length
                a, b = _trimmed(buf, a, b)
                a, b, status = _unquoted(buf, a, b, status)
                if kind == TEXT:
                    codes[slot, row] = _code(buf, a, b, tables[slot], starts[slot], stops[slot], known, slot)
                elif kind == MOMENT:
                    if is_blank_word(buf, a, b, style.blank_words):
                        moments[slot, row], flags[slot, row] = 0, BLANK
                    else:
                        formats = programs[spans[slot, 0] : spans[slot, 1]]
                        moments[slot, row], flags[slot, row] = read_moment(buf, a, b, formats)
                elif kind == SIZES:
                    last_length[j] = -1
                    bad |= 0 if _read_sizes(buf, a, b, style, numbers, slot, row) else 1 << slot
                else:
                    _read_occ_into(buf, a, b, slot, row, columns, cells, words)
        if status != FINE:
            last_length[:] = -1
        bad_numbers[row] = bad
        row_line[row], row_start[row], row_stop[row], row_status[row] = number, line_start, stop, status
        row += 1
    return row, at_line


@kernel()
def _is_blank(buf: Bytes, a: int, b: int) -> bool:
    a, b = _trimmed(buf, a, b)
    return a == b


@kernel()
def _holds_nul(buf: Bytes, a: int, b: int) -> bool:
    for i in range(a, b):  # noqa: SIM110 - a generator does not compile
        if buf[i] == 0:
            return True
    return False


@kernel()
def _other_number(
    buf: Bytes, a: int, b: int, style: Style, percent: bool, status: int
) -> tuple[float, bool, int]:  # fmt: skip
    # A number with blanks, quotes, a sign, groups or an exponent; whether it is one, and the status of its line.
    a, b = _trimmed(buf, a, b)
    a, b, status = _unquoted(buf, a, b, status)
    value = plain_number(buf, a, b, style.decimal)
    if not np.isnan(value):
        return value, True, status
    value, is_good = read_number(buf, a, b, style.decimal, style.thousands, style.blank_words, percent)
    return value, is_good, status


@kernel()
def _read_occ_into(
    buf: Bytes, a: int, b: int, slot: int, row: int, columns: Columns, cells: Cells, words: Words
) -> None:
    root_stop, days, strike, right = read_occ(buf, a, b)
    at, word = columns.spans[-1, 0], columns.spans[-1, 1]
    stop = root_stop if right >= 0 else a
    words.codes[word, row] = _code(
        buf, a, stop, words.table[word], words.start[word], words.stop[word], words.known, word
    )
    cells.numbers[at, row], cells.numbers[at + 1, row] = strike, right
    cells.moments[slot, row] = days * _DAY_US
    cells.flags[slot, row] = BLANK if a == b else (BAD if right < 0 else DATE_ONLY)


@kernel()
def _repeat_occ(slot: int, row: int, columns: Columns, cells: Cells, words: Words) -> None:
    numbers, moments, flags, codes = cells.numbers, cells.moments, cells.flags, words.codes
    at, word = columns.spans[-1, 0], columns.spans[-1, 1]
    moments[slot, row], flags[slot, row] = moments[slot, row - 1], flags[slot, row - 1]
    codes[word, row] = codes[word, row - 1]
    numbers[at, row], numbers[at + 1, row] = numbers[at, row - 1], numbers[at + 1, row - 1]


@kernel()
def _read_sizes(buf: Bytes, a: int, b: int, style: Style, numbers: Floats, slot: int, row: int) -> bool:
    # "12 x 340": contracts at the bid and at the ask; whether both can be read.
    middle = a
    while middle < b and (buf[middle] | SMALL) != SMALL_X:
        middle += 1
    if middle == b:
        value, good = read_number(buf, a, b, style.decimal, style.thousands, style.blank_words, False)
        numbers[slot, row] = numbers[slot + 1, row] = np.nan
        return good and np.isnan(value)
    c, d = _trimmed(buf, a, middle)
    value, good = read_number(buf, c, d, style.decimal, style.thousands, style.blank_words, False)
    numbers[slot, row] = value
    c, d = _trimmed(buf, middle + 1, b)
    value, well = read_number(buf, c, d, style.decimal, style.thousands, style.blank_words, False)
    numbers[slot + 1, row] = value
    return good and well


@kernel()
def _code(buf: Bytes, a: int, b: int, table: Ints, starts: Longs, stops: Longs, known: Longs, slot: int) -> int:
    # The code of a word: its place among the distinct words of this block, which `known` counts. Fowler, Noll and Vo's
    # hash finds it.
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
def _same(buf: Bytes, a: int, b: int, c: int, d: int) -> bool:
    if b - a != d - c:
        return False
    for k in range(b - a):  # noqa: SIM110 - a generator does not compile
        if buf[a + k] != buf[c + k]:
            return False
    return True


@kernel()
def _trimmed(buf: Bytes, a: int, b: int) -> tuple[int, int]:
    while a < b and (buf[a] == SPACE or buf[a] == TAB):
        a += 1
    while b > a and (buf[b - 1] == SPACE or buf[b - 1] == RETURN or buf[b - 1] == TAB):
        b -= 1
    return a, b


@kernel(inline="always")
def _unquoted(buf: Bytes, a: int, b: int, status: int) -> tuple[int, int, int]:
    if a < b and buf[a] == QUOTE:
        if b - a >= 2 and buf[b - 1] == QUOTE:
            a, b = _trimmed(buf, a + 1, b - 1)
        else:
            status = BAD_QUOTES
    return a, b, status
