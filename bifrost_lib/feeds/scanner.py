"""The kernel that reads delimited text: from bytes to numbers, moments and coded words, one pass, line by line.

A line end always ends a row, even inside quotes, so that a stray quote spoils its own line and no other.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.moments import BAD, BLANK, Bytes, Program, days_from_civil, read_moment

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

# What became of a line.
FINE: Final = 0
EMBEDDED_NUL: Final = 1
BAD_QUOTES: Final = 2
WRONG_COLUMNS: Final = 3

_EXACT = 1 << 53
_POWERS = np.array([10.0**k for k in range(23)])


@kernel()
def _scaled(mantissa: int, exponent: int) -> float:
    # mantissa * 10**exponent, rounded once: exactly where a double divides exactly, else in doubled precision.
    if exponent == 0 and mantissa < _EXACT:
        return float(mantissa)
    if mantissa < _EXACT and -22 <= exponent <= 22:
        return mantissa / _POWERS[-exponent] if exponent < 0 else mantissa * _POWERS[exponent]
    high = float(mantissa)
    low = float(mantissa - int(high))
    while exponent != 0:
        step = min(22, abs(exponent))
        power = _POWERS[step]
        first = high / power if exponent < 0 else high * power
        other = first if exponent < 0 else high
        split = 134217729.0 * other
        top = split - (split - other)
        tail = other - top
        split = 134217729.0 * power
        power_top = split - (split - power)
        power_tail = power - power_top
        product = other * power
        error = ((top * power_top - product) + top * power_tail + tail * power_top) + tail * power_tail
        rest = ((high - product) - error + low) / power if exponent < 0 else error + low * power
        high = first + rest
        low = rest - (high - first)
        exponent += step if exponent < 0 else -step
        if not np.isfinite(high) or high == 0.0:
            break
    return high


@kernel()
def _is_blank_word(buf: Bytes, a: int, b: int, words: Bytes) -> bool:
    # `words` are lower-case, each ended by a line feed.
    i = 0
    while i < words.size:
        k = a
        while words[i] != 10 and k < b and (buf[k] | 32 if 65 <= buf[k] <= 90 else buf[k]) == words[i]:
            i += 1
            k += 1
        if words[i] == 10 and k == b:
            return True
        while words[i] != 10:
            i += 1
        i += 1
    return False


@kernel()
def read_number(buf: Bytes, a: int, b: int, decimal: int, thousands: int, words: Bytes) -> tuple[float, bool]:
    """Read ``buf[a:b]`` as a number; returns the value (NaN when blank) and whether it could be read.

    A leading ``$``, a trailing ``%`` (divides by 100) and well-formed thousands groups are understood.
    """
    if a >= b:
        return np.nan, True
    i, sign = a, 1.0
    if buf[i] == 45 or buf[i] == 43:
        sign = -1.0 if buf[i] == 45 else 1.0
        i += 1
    if i < b and buf[i] == 36:
        i += 1
    mantissa, digits, exponent = 0, 0, 0
    group, grouped, point, any_digit = 0, False, False, False
    while i < b:
        c = buf[i]
        if 48 <= c <= 57:
            any_digit = True
            group += 1
            if digits < 18:
                mantissa = mantissa * 10 + (c - 48)
                digits += mantissa > 0
                exponent -= point
            elif not point:
                exponent += 1
        elif c == decimal and not point:
            if grouped and group != 3:
                return np.nan, False
            point = True
        elif c == thousands and not point and any_digit and (group == 3 if grouped else group <= 3):
            grouped, group = True, 0
        else:
            break
        i += 1
    if not any_digit or (grouped and not point and group != 3):
        return np.nan, _is_blank_word(buf, a, b, words)
    if i < b and (buf[i] | 32) == 101:
        i += 1
        power, negative, first = 0, False, i
        if i < b and (buf[i] == 45 or buf[i] == 43):
            negative = buf[i] == 45
            i += 1
            first = i
        while i < b and i < first + 4 and 48 <= buf[i] <= 57:
            power = power * 10 + (buf[i] - 48)
            i += 1
        if i == first:
            return np.nan, False
        exponent += -power if negative else power
    if i < b and buf[i] == 37:
        exponent -= 2
        i += 1
    if i != b:
        return np.nan, False
    value = sign * _scaled(mantissa, exponent)
    return (value, True) if np.isfinite(value) else (np.nan, False)


@kernel()
def _same(buf: Bytes, a: int, b: int, c: int, d: int) -> bool:
    if b - a != d - c:
        return False
    for k in range(b - a):
        if buf[a + k] != buf[c + k]:
            return False
    return True


@kernel()
def _code(buf: Bytes, a: int, b: int, table: Ints, starts: Longs, stops: Longs, known: int) -> int:
    # The code of a word: its place among the distinct words of this block; == known when it is new.
    key = np.int64(1469598103934665603)
    for k in range(a, b):
        key = (key ^ np.int64(buf[k])) * np.int64(1099511628211)
    mask = table.size - 1
    place = (key ^ (key >> 29)) & mask
    while table[place] != 0:
        code = table[place] - 1
        if _same(buf, a, b, starts[code], stops[code]):
            return code
        place = (place + 1) & mask
    table[place] = known + 1
    starts[known], stops[known] = a, b
    return known


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
def scan(
    buf: Bytes,
    begin: int,
    final: bool,
    line: int,
    marks: Longs,
    blank_words: Bytes,
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
) -> tuple[int, int, int, bool]:
    """Read the whole lines of ``buf[begin:]`` into the given arrays.

    Parameters
    ----------
    marks : array (4,)
        Delimiter, decimal mark, thousands mark and line end, as byte values (0 for none).
    kinds, slots : array (columns,)
        How each column is read, and the row of the output arrays that takes it. A SIZES column fills `numbers` at
        slot and slot + 1; an OCC column fills `numbers` (strike), `moments` (expiry, local microseconds) and `codes`
        (root) at the slots of `spans[-1]`, and `flags` of that moment with BAD when it cannot be read; the right is
        appended to `numbers` after the strike (1 call, 0 put).
    programs, spans : compiled formats, and for each moment slot the first and last program to try
    numbers, bad_numbers : values (slots, rows), NaN when blank; a bit per slot for what is no number
    moments, flags : microseconds and what they are, (slots, rows)
    codes, tables, starts, stops, known : words coded by first appearance, per text slot
    row_line, row_start, row_stop, row_status : where each row stands, and what became of its line

    Returns
    -------
    rows, consumed, line, unterminated
        Rows written, bytes used from the start of `buf`, the number of the next line, and whether the last row had
        no line end.
    """
    delimiter, decimal, thousands, line_end = marks[0], marks[1], marks[2], marks[3]
    columns, size, capacity = kinds.size, buf.size, row_line.size
    row, pos, unterminated = 0, begin, False
    last_start = np.full(columns, -1, dtype=np.int64)
    last_stop = np.full(columns, -1, dtype=np.int64)
    while pos < size and row < capacity:
        first, i, column, status, ended, blank = pos, pos, 0, FINE, False, True
        bad_numbers[row] = 0
        while not ended:
            while i < size and buf[i] == 32:
                i += 1
            a = i
            quoted = i < size and buf[i] == 34
            if quoted:
                a = i + 1
                i = a
                while i < size and buf[i] != line_end:
                    if buf[i] == 34:
                        if i + 1 < size and buf[i + 1] == 34:
                            i += 1
                        else:
                            break
                    i += 1
                b = i
                if i < size and buf[i] == 34:
                    i += 1
                else:
                    status = BAD_QUOTES if status == FINE else status
                while i < size and (buf[i] == 32 or buf[i] == 13):
                    i += 1
                if i < size and buf[i] != delimiter and buf[i] != line_end:
                    status = BAD_QUOTES if status == FINE else status
                    while i < size and buf[i] != delimiter and buf[i] != line_end:
                        i += 1
                blank = False
            else:
                while i < size:
                    c = buf[i]
                    if c == delimiter or c == line_end:
                        break
                    if c == 0:
                        status = EMBEDDED_NUL
                    i += 1
                b = i
                while b > a and (buf[b - 1] == 32 or buf[b - 1] == 13):
                    b -= 1
                blank = blank and a == b
            ended = i >= size or buf[i] == line_end
            blank = blank and ended
            kind = kinds[column] if column < columns else SKIP
            if kind != SKIP and status == FINE:
                slot = slots[column]
                if kind == NUMBER:
                    value, good = read_number(buf, a, b, decimal, thousands, blank_words)
                    numbers[slot, row] = value
                    if not good:
                        bad_numbers[row] |= 1 << slot
                elif kind == SIZES:
                    middle = a
                    while middle < b and (buf[middle] | 32) != 120:
                        middle += 1
                    end = middle
                    while end > a and buf[end - 1] == 32:
                        end -= 1
                    value, good = read_number(buf, a, end, decimal, thousands, blank_words)
                    numbers[slot, row] = value
                    other = middle + 1
                    while other < b and buf[other] == 32:
                        other += 1
                    value, well = read_number(buf, min(other, b), b, decimal, thousands, blank_words)
                    numbers[slot + 1, row] = value
                    if not good or not well or (a < b and middle == b):
                        bad_numbers[row] |= 1 << slot
                elif row > 0 and last_start[column] >= 0 and _same(buf, a, b, last_start[column], last_stop[column]):
                    if kind == TEXT:
                        codes[slot, row] = codes[slot, row - 1]
                    else:
                        moments[slot, row], flags[slot, row] = moments[slot, row - 1], flags[slot, row - 1]
                        if kind == OCC:
                            at = spans[-1, 0]
                            codes[spans[-1, 1], row] = codes[spans[-1, 1], row - 1]
                            numbers[at, row], numbers[at + 1, row] = numbers[at, row - 1], numbers[at + 1, row - 1]
                elif kind == MOMENT:
                    if _is_blank_word(buf, a, b, blank_words):
                        moments[slot, row], flags[slot, row] = 0, BLANK
                    else:
                        value_us, flag = read_moment(buf, a, b, programs[spans[slot, 0] : spans[slot, 1]])
                        moments[slot, row], flags[slot, row] = value_us, flag
                elif kind == TEXT:
                    code = _code(buf, a, b, tables[slot], starts[slot], stops[slot], known[slot])
                    known[slot] += code == known[slot]
                    codes[slot, row] = code
                else:
                    root_stop, days, strike, right = _read_occ(buf, a, b)
                    at, word = spans[-1, 0], spans[-1, 1]
                    if right < 0:
                        root_stop = a
                    code = _code(buf, a, root_stop, tables[word], starts[word], stops[word], known[word])
                    known[word] += code == known[word]
                    codes[word, row] = code
                    numbers[at, row], numbers[at + 1, row] = strike, right
                    moments[slot, row] = days * 86_400_000_000
                    flags[slot, row] = BLANK if a == b else (BAD if right < 0 else 2)
                last_start[column], last_stop[column] = a, b
            column += 1
            i += 1
        if i > size and not final:
            break
        if i > size:
            unterminated = True
            i = size
        pos = i
        line += 1
        if blank and column == 1 and status == FINE:
            unterminated = False
            continue
        if status == FINE and column != columns:
            status = WRONG_COLUMNS
        if status != FINE:
            last_start[:] = -1
        row_line[row] = line - 1
        row_start[row] = first
        row_stop[row] = i
        row_status[row] = status
        row += 1
    return row, pos, line, unterminated
