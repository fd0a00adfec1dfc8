"""The kernels that read dates and times: a text and compiled formats in, microseconds since 1970 out."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.characters import (
    COLON,
    MINUS,
    NINE,
    PLUS,
    POINT,
    SMALL,
    SMALL_A,
    SMALL_M,
    SMALL_P,
    SMALL_T,
    SMALL_Z,
    SPACE,
    ZERO,
)
from bifrost_lib.feeds.moment_formats import (
    DAY,
    END,
    FRACTION,
    HOUR12,
    HOUR24,
    ISO,
    MINUTE,
    MONTH,
    NAME,
    OFFSET,
    SECOND,
    UNIX,
    YEAR2,
    YEAR4,
    Program,
    compile_formats,
)

Bytes = npt.NDArray[np.uint8]

# What a read moment is: local time, UTC, a bare date, nothing, or unreadable.
LOCAL: Final = 0
UTC: Final = 1
DATE_ONLY: Final = 2
BLANK: Final = 3
BAD: Final = 4

NO_SUCH_DAY: Final = -(1 << 40)

_MONTHS = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", dtype=np.uint8).copy()


@kernel()
def _digits(buf: Bytes, i: int, stop: int, least: int, most: int) -> tuple[int, int]:
    # The number at i of least..most digits and where it ends, or -1.
    value, count = 0, 0
    while i < stop and count < most and ZERO <= buf[i] <= NINE:
        value = value * 10 + (buf[i] - ZERO)
        i += 1
        count += 1
    return (value, i) if count >= least else (0, -1)


@kernel()
def _month_by_name(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    if i + 3 > stop:
        return 0, -1
    for month in range(12):
        if (
            (buf[i] | SMALL) == _MONTHS[3 * month]
            and (buf[i + 1] | SMALL) == _MONTHS[3 * month + 1]
            and (buf[i + 2] | SMALL) == _MONTHS[3 * month + 2]
        ):
            i += 3
            while i < stop and SMALL_A <= (buf[i] | SMALL) <= SMALL_Z:
                i += 1
            return month + 1, i
    return 0, -1


@kernel()
def _offset_minutes(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    if i < stop and ((buf[i] | SMALL) == SMALL_Z):
        return 0, i + 1
    if i >= stop or (buf[i] != PLUS and buf[i] != MINUS):
        return 0, -1
    sign = 1 if buf[i] == PLUS else -1
    hours, i = _digits(buf, i + 1, stop, 2, 2)
    if i < 0 or hours > 14:
        return 0, -1
    minutes = 0
    if i < stop:
        if buf[i] == COLON:
            i += 1
        minutes, i = _digits(buf, i, stop, 2, 2)
        if i < 0 or minutes > 59:
            return 0, -1
    return sign * (hours * 60 + minutes), i


@kernel()
def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date of the proleptic Gregorian calendar, or `NO_SUCH_DAY`."""
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1 <= month <= 12 and 1 <= year <= 9999):
        return NO_SUCH_DAY
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 29 if (month == 2 and leap) else lengths[month - 1]
    if not 1 <= day <= last:
        return NO_SUCH_DAY
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (9 if month <= 2 else -3)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@kernel()
def _fraction_us(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    value, count, first = 0, 0, i
    while i < stop and ZERO <= buf[i] <= NINE:
        if count < 6:
            value = value * 10 + (buf[i] - ZERO)
            count += 1
        i += 1
    if i == first:
        return 0, -1
    for _ in range(6 - count):
        value *= 10
    return value, i


@kernel()
def _read_unix(buf: Bytes, a: int, b: int, unit: int) -> tuple[int, int]:
    # Seconds with an optional decimal part, or whole milli-, micro- or nanoseconds.
    i, negative = a, False
    if i < b and buf[i] == MINUS:
        negative, i = True, i + 1
    value, i = _digits(buf, i, b, 1, 18)
    if i < 0:
        return 0, BAD
    fraction = 0
    if i < b and buf[i] == POINT:
        fraction, i = _fraction_us(buf, i + 1, b)
    if i != b:
        return 0, BAD
    if unit == 0:
        if value > 10**11:
            return 0, BAD
        value = value * 1_000_000 + fraction
    elif unit == 1:
        value = value * 1_000 + fraction // 1_000
    elif unit == 3:
        value //= 1_000
    return (-value if negative else value), UTC


@kernel()
def _read_iso(buf: Bytes, a: int, b: int) -> tuple[int, int]:
    year, i = _digits(buf, a, b, 4, 4)
    if i < 0 or i >= b:
        return 0, BAD
    dashed = buf[i] == MINUS
    month, i = _digits(buf, i + 1 if dashed else i, b, 2, 2)
    if i < 0 or i >= b or (dashed and buf[i] != MINUS):
        return 0, BAD
    day, i = _digits(buf, i + 1 if dashed else i, b, 2, 2)
    if i < 0:
        return 0, BAD
    days = days_from_civil(year, month, day)
    if days == NO_SUCH_DAY:
        return 0, BAD
    if i == b:
        return days * 86_400_000_000, DATE_ONLY
    if buf[i] != SPACE and (buf[i] | SMALL) != SMALL_T:
        return 0, BAD
    hour, i = _digits(buf, i + 1, b, 2, 2)
    if i < 0 or i >= b or buf[i] != COLON:
        return 0, BAD
    minute, i = _digits(buf, i + 1, b, 2, 2)
    if i < 0:
        return 0, BAD
    second, fraction = 0, 0
    if i < b and buf[i] == COLON:
        second, i = _digits(buf, i + 1, b, 2, 2)
        if i < 0:
            return 0, BAD
        if i < b and buf[i] == POINT:
            fraction, i = _fraction_us(buf, i + 1, b)
            if i < 0:
                return 0, BAD
    if hour > 23 or minute > 59 or second > 59:
        return 0, BAD
    value = days * 86_400_000_000 + (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
    if i == b:
        return value, LOCAL
    offset, i = _offset_minutes(buf, i, b)
    return (value - offset * 60_000_000, UTC) if i == b else (0, BAD)


@kernel()
def _run(buf: Bytes, a: int, b: int, program: Program) -> tuple[int, int]:
    if program[0] == ISO:
        return _read_iso(buf, a, b)
    if program[0] == UNIX:
        return _read_unix(buf, a, b, program[1])
    year, month, day, hour, minute, second, fraction, offset = 1900, 1, 1, 0, 0, 0, 0, 0
    has_time, has_offset, half = False, False, -1
    i = a
    for step in program:
        if step == END:
            break
        if step < 256:
            i = i + 1 if i < b and buf[i] == step else -1
        elif step == YEAR4:
            year, i = _digits(buf, i, b, 4, 4)
        elif step == YEAR2:
            year, i = _digits(buf, i, b, 2, 2)
            year += 2000 if year < 70 else 1900
        elif step == MONTH:
            month, i = _digits(buf, i, b, 1, 2)
        elif step == DAY:
            day, i = _digits(buf, i, b, 1, 2)
        elif step in (HOUR24, HOUR12):
            hour, i = _digits(buf, i, b, 1, 2)
            has_time = True
            if step == HOUR12 and not 1 <= hour <= 12:
                return 0, BAD
        elif step == MINUTE:
            minute, i = _digits(buf, i, b, 2, 2)
        elif step == SECOND:
            second, i = _digits(buf, i, b, 2, 2)
        elif step == FRACTION:
            fraction, i = _fraction_us(buf, i, b)
        elif step == NAME:
            month, i = _month_by_name(buf, i, b)
        elif step == OFFSET:
            offset, i = _offset_minutes(buf, i, b)
            has_offset = True
        else:
            if (
                i + 2 > b
                or (buf[i + 1] | SMALL) != SMALL_M
                or ((buf[i] | SMALL) != SMALL_A and (buf[i] | SMALL) != SMALL_P)
            ):
                return 0, BAD
            half = 0 if (buf[i] | SMALL) == SMALL_A else 12
            i += 2
        if i < 0:
            return 0, BAD
    if half >= 0:
        hour = hour % 12 + half
    days = days_from_civil(year, month, day)
    if i != b or days == NO_SUCH_DAY or hour > 23 or minute > 59 or second > 59:
        return 0, BAD
    if not has_time:
        return days * 86_400_000_000, DATE_ONLY
    value = days * 86_400_000_000 + (hour * 3600 + minute * 60 + second) * 1_000_000 + fraction
    return (value - offset * 60_000_000, UTC) if has_offset else (value, LOCAL)


@kernel()
def read_moment(buf: Bytes, a: int, b: int, programs: Program) -> tuple[int, int]:
    """Read ``buf[a:b]`` by the first program that fits.

    Returns
    -------
    value : int
        Microseconds since 1970-01-01, of local time unless the flag is UTC.
    flag : int
        LOCAL, UTC, DATE_ONLY, BLANK or BAD.
    """
    if a >= b:
        return 0, BLANK
    for row in range(programs.shape[0]):
        value, flag = _run(buf, a, b, programs[row])
        if flag != BAD:
            return value, flag
    return 0, BAD


def parse_moment_text(text: str, formats: list[str]) -> tuple[int, int]:
    """Read one text as `read_moment` does."""
    data = np.frombuffer(text.strip().encode() or b"\0", dtype=np.uint8)
    return read_moment(data, 0, len(text.strip().encode()), compile_formats(formats))
