"""Numbers as vendors write them, read by kernels and rounded exactly as Python's ``float`` would."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.characters import DOLLAR, LINE_FEED, MINUS, NINE, PER_CENT, PLUS, SMALL, SMALL_E, ZERO, A, Z

Bytes = npt.NDArray[np.uint8]

_EXACT = 1 << 53
_POWERS = np.array([10.0**k for k in range(23)])


@kernel()
def _scaled(mantissa: int, exponent: int) -> float:
    # mantissa * 10**exponent, rounded once: exactly where a double divides exactly, else in doubled precision.
    if exponent == 0 and mantissa < _EXACT:
        return float(mantissa)
    if mantissa < _EXACT and -22 <= exponent <= 22:
        return float(mantissa / _POWERS[-exponent] if exponent < 0 else mantissa * _POWERS[exponent])
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
def is_blank_word(buf: Bytes, a: int, b: int, words: Bytes) -> bool:
    """Tell whether ``buf[a:b]`` is one of `words`, which are lower-case and each ended by a line feed."""
    i = 0
    while i < words.size:
        k = a
        while words[i] != LINE_FEED and k < b and (buf[k] | SMALL if A <= buf[k] <= Z else buf[k]) == words[i]:
            i += 1
            k += 1
        if words[i] == LINE_FEED and k == b:
            return True
        while words[i] != LINE_FEED:
            i += 1
        i += 1
    return False


@kernel()
def read_number(
    buf: Bytes, a: int, b: int, decimal: int, thousands: int, words: Bytes, percent: bool
) -> tuple[float, bool]:
    """Read ``buf[a:b]`` as a number; returns the value (NaN when blank) and whether it could be read.

    A leading ``$``, well-formed thousands groups and, if `percent`, a trailing ``%`` (divides by 100) are understood.
    """
    if a >= b:
        return np.nan, True
    i, sign = a, 1.0
    if buf[i] == MINUS or buf[i] == PLUS:
        sign = -1.0 if buf[i] == MINUS else 1.0
        i += 1
    if i < b and buf[i] == DOLLAR:
        i += 1
    mantissa, digits, exponent = 0, 0, 0
    group, grouped, point, any_digit = 0, False, False, False
    while i < b:
        c = buf[i]
        if ZERO <= c <= NINE:
            any_digit = True
            group += 1
            if digits < 18:
                mantissa = mantissa * 10 + (c - ZERO)
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
        return np.nan, is_blank_word(buf, a, b, words)
    if i < b and (buf[i] | SMALL) == SMALL_E:
        i += 1
        power, negative, first = 0, False, i
        if i < b and (buf[i] == MINUS or buf[i] == PLUS):
            negative = buf[i] == MINUS
            i += 1
            first = i
        while i < b and i < first + 4 and ZERO <= buf[i] <= NINE:
            power = power * 10 + (buf[i] - ZERO)
            i += 1
        if i == first:
            return np.nan, False
        exponent += -power if negative else power
    if percent and i < b and buf[i] == PER_CENT:
        exponent -= 2
        i += 1
    if i != b:
        return np.nan, False
    value = sign * _scaled(mantissa, exponent)
    return (value, True) if np.isfinite(value) else (np.nan, False)


@kernel(inline="always")
def plain_number(buf: Bytes, a: int, b: int, decimal: int) -> float:
    """Read digits with at most one decimal mark, as nearly all numbers are; NaN asks for `read_number`."""
    mantissa, point = 0, -1
    for i in range(a, b):
        digit = int(buf[i]) - ZERO
        if 0 <= digit <= 9:
            mantissa = mantissa * 10 + digit
        elif buf[i] == decimal and point < 0:
            point = i
        else:
            return np.nan
    if b - a > 18 + (point >= 0) or b - a <= (point >= 0):
        return np.nan
    decimals = b - 1 - point if point >= 0 else 0
    return float(mantissa / _POWERS[decimals]) if mantissa < _EXACT else _scaled(mantissa, -decimals)
