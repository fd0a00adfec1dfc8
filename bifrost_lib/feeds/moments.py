"""Dates and times in the formats of vendors: compiled once per format, then read by a kernel."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.kernels import kernel

Bytes = npt.NDArray[np.uint8]
Program = npt.NDArray[np.int16]

# What a read moment is: local time, UTC, a bare date, nothing, or unreadable.
LOCAL: Final = 0
UTC: Final = 1
DATE_ONLY: Final = 2
BLANK: Final = 3
BAD: Final = 4

US_PER_S: Final = 1_000_000
US_PER_DAY: Final = 86_400 * US_PER_S

_PROGRAM_LENGTH = 40
# Steps of a program; a literal byte is its own code (below 256).
_YEAR4, _YEAR2, _MONTH, _DAY, _HOUR24, _HOUR12, _MINUTE, _SECOND, _FRACTION, _NAME, _AMPM, _OFFSET, _ISO, _UNIX = range(
    300, 314
)
_END: Final = -1
_STEPS = {
    "Y": _YEAR4,
    "y": _YEAR2,
    "m": _MONTH,
    "d": _DAY,
    "H": _HOUR24,
    "I": _HOUR12,
    "M": _MINUTE,
    "S": _SECOND,
    "f": _FRACTION,
    "b": _NAME,
    "B": _NAME,
    "p": _AMPM,
    "z": _OFFSET,
}
_UNIX_UNITS = {"unix_s": US_PER_S, "unix_ms": 1_000, "unix_us": 1, "unix_ns": 0}
_MONTHS = np.frombuffer(b"janfebmaraprmayjunjulaugsepoctnovdec", dtype=np.uint8).copy()


def compile_formats(formats: list[str], *, name: str = "formats") -> Program:
    """Compile formats into programs for `read_moment`, one row each, tried in order.

    Parameters
    ----------
    formats : list of str
        ``strptime`` formats of the directives %Y %y %m %d %H %I %M %S %f %b %B %p %z; or ``iso`` (any ISO 8601 date or
        moment), ``unix_s``, ``unix_ms``, ``unix_us``, ``unix_ns`` (since 1970, UTC).

    Raises
    ------
    InputError
        If a format has another directive, or is too long.
    """
    rows = np.full((len(formats), _PROGRAM_LENGTH), _END, dtype=np.int16)
    for row, text in zip(rows, formats, strict=True):
        steps = _steps(text, name)
        if len(steps) >= _PROGRAM_LENGTH:
            raise InputError(name, text, f"a format of at most {_PROGRAM_LENGTH - 1} characters")
        row[: len(steps)] = steps
    return rows


def _steps(text: str, name: str) -> list[int]:
    if text == "iso":
        return [_ISO]
    if text in _UNIX_UNITS:
        return [_UNIX, list(_UNIX_UNITS).index(text)]
    steps: list[int] = []
    letters = iter(text)
    for letter in letters:
        if letter != "%":
            steps += list(letter.encode())
            continue
        directive = next(letters, "")
        if directive not in _STEPS:
            raise InputError(
                name, text, "iso, unix_s, unix_ms, unix_us, unix_ns or a format of %" + " %".join(sorted(_STEPS))
            )
        steps.append(_STEPS[directive])
    if not steps:
        raise InputError(name, text, "a format that is not empty")
    return steps


@kernel()
def _digits(buf: Bytes, i: int, stop: int, least: int, most: int) -> tuple[int, int]:
    # The number at i of least..most digits and where it ends, or -1.
    value, count = 0, 0
    while i < stop and count < most and 48 <= buf[i] <= 57:
        value = value * 10 + (buf[i] - 48)
        i += 1
        count += 1
    return (value, i) if count >= least else (0, -1)


@kernel()
def _month_by_name(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    if i + 3 > stop:
        return 0, -1
    for month in range(12):
        if (
            (buf[i] | 32) == _MONTHS[3 * month]
            and (buf[i + 1] | 32) == _MONTHS[3 * month + 1]
            and (buf[i + 2] | 32) == _MONTHS[3 * month + 2]
        ):
            i += 3
            while i < stop and 97 <= (buf[i] | 32) <= 122:
                i += 1
            return month + 1, i
    return 0, -1


@kernel()
def _offset_minutes(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    if i < stop and (buf[i] == 90 or buf[i] == 122):
        return 0, i + 1
    if i >= stop or (buf[i] != 43 and buf[i] != 45):
        return 0, -1
    sign = 1 if buf[i] == 43 else -1
    hours, i = _digits(buf, i + 1, stop, 2, 2)
    if i < 0 or hours > 14:
        return 0, -1
    minutes = 0
    if i < stop:
        if buf[i] == 58:
            i += 1
        minutes, i = _digits(buf, i, stop, 2, 2)
        if i < 0 or minutes > 59:
            return 0, -1
    return sign * (hours * 60 + minutes), i


@kernel()
def days_from_civil(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01 to a date of the proleptic Gregorian calendar; -1 << 40 for no such date."""
    lengths = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (1 <= month <= 12 and 1 <= year <= 9999):
        return -1 << 40
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    last = 29 if (month == 2 and leap) else lengths[month - 1]
    if not 1 <= day <= last:
        return -1 << 40
    shifted = year - 1 if month <= 2 else year
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + (9 if month <= 2 else -3)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468


@kernel()
def _fraction_us(buf: Bytes, i: int, stop: int) -> tuple[int, int]:
    value, count, first = 0, 0, i
    while i < stop and 48 <= buf[i] <= 57:
        if count < 6:
            value = value * 10 + (buf[i] - 48)
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
    if i < b and buf[i] == 45:
        negative, i = True, i + 1
    value, i = _digits(buf, i, b, 1, 18)
    if i < 0:
        return 0, BAD
    fraction = 0
    if i < b and buf[i] == 46:
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
    dashed = buf[i] == 45
    month, i = _digits(buf, i + 1 if dashed else i, b, 2, 2)
    if i < 0 or i >= b or (dashed and buf[i] != 45):
        return 0, BAD
    day, i = _digits(buf, i + 1 if dashed else i, b, 2, 2)
    if i < 0:
        return 0, BAD
    days = days_from_civil(year, month, day)
    if days < -(1 << 39):
        return 0, BAD
    if i == b:
        return days * 86_400_000_000, DATE_ONLY
    if buf[i] != 32 and (buf[i] | 32) != 116:
        return 0, BAD
    hour, i = _digits(buf, i + 1, b, 2, 2)
    if i < 0 or i >= b or buf[i] != 58:
        return 0, BAD
    minute, i = _digits(buf, i + 1, b, 2, 2)
    if i < 0:
        return 0, BAD
    second, fraction = 0, 0
    if i < b and buf[i] == 58:
        second, i = _digits(buf, i + 1, b, 2, 2)
        if i < 0:
            return 0, BAD
        if i < b and buf[i] == 46:
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
    if program[0] == _ISO:
        return _read_iso(buf, a, b)
    if program[0] == _UNIX:
        return _read_unix(buf, a, b, program[1])
    year, month, day, hour, minute, second, fraction, offset = 1900, 1, 1, 0, 0, 0, 0, 0
    has_time, has_offset, half = False, False, -1
    i = a
    for step in program:
        if step == _END:
            break
        if step < 256:
            i = i + 1 if i < b and buf[i] == step else -1
        elif step == _YEAR4:
            year, i = _digits(buf, i, b, 4, 4)
        elif step == _YEAR2:
            year, i = _digits(buf, i, b, 2, 2)
            year += 2000 if year < 70 else 1900
        elif step == _MONTH:
            month, i = _digits(buf, i, b, 1, 2)
        elif step == _DAY:
            day, i = _digits(buf, i, b, 1, 2)
        elif step in (_HOUR24, _HOUR12):
            hour, i = _digits(buf, i, b, 1, 2)
            has_time = True
            if step == _HOUR12 and not 1 <= hour <= 12:
                return 0, BAD
        elif step == _MINUTE:
            minute, i = _digits(buf, i, b, 2, 2)
        elif step == _SECOND:
            second, i = _digits(buf, i, b, 2, 2)
        elif step == _FRACTION:
            fraction, i = _fraction_us(buf, i, b)
        elif step == _NAME:
            month, i = _month_by_name(buf, i, b)
        elif step == _OFFSET:
            offset, i = _offset_minutes(buf, i, b)
            has_offset = True
        else:
            if i + 2 > b or (buf[i + 1] | 32) != 109 or ((buf[i] | 32) != 97 and (buf[i] | 32) != 112):
                return 0, BAD
            half = 0 if (buf[i] | 32) == 97 else 12
            i += 2
        if i < 0:
            return 0, BAD
    if half >= 0:
        hour = hour % 12 + half
    days = days_from_civil(year, month, day)
    if i != b or days < -(1 << 39) or hour > 23 or minute > 59 or second > 59:
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
