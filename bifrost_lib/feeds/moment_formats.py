"""Formats of dates and times as programs: a row of steps that `feeds.moments` follows through a text."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Program = npt.NDArray[np.int16]

# Steps of a program; a literal byte is its own code (below 256).
YEAR4, YEAR2, MONTH, DAY, HOUR24, HOUR12, MINUTE, SECOND, FRACTION, NAME, AMPM, OFFSET, ISO, UNIX = range(300, 314)
END: Final = -1

_LENGTH = 40
_DIRECTIVES = {
    "Y": YEAR4, "y": YEAR2, "m": MONTH, "d": DAY, "H": HOUR24, "I": HOUR12, "M": MINUTE, "S": SECOND, "f": FRACTION,
    "b": NAME, "B": NAME, "p": AMPM, "z": OFFSET,
}  # fmt: skip
#: Units of moments that are counts since 1970; a program names one by its place.
_UNIX_UNITS = ("unix_s", "unix_ms", "unix_us", "unix_ns")


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
    rows = np.full((len(formats), _LENGTH), END, dtype=np.int16)
    for row, text in zip(rows, formats, strict=True):
        steps = _steps(text, name)
        if len(steps) >= _LENGTH:
            raise InputError(name, text, f"a format of at most {_LENGTH - 1} characters")
        row[: len(steps)] = steps
    return rows


def _steps(text: str, name: str) -> list[int]:
    if text == "iso":
        return [ISO]
    if text in _UNIX_UNITS:
        return [UNIX, _UNIX_UNITS.index(text)]
    steps: list[int] = []
    letters = iter(text)
    for letter in letters:
        if letter != "%":
            steps += list(letter.encode())
            continue
        directive = next(letters, "")
        if directive not in _DIRECTIVES:
            raise InputError(
                name, text, "iso, unix_s, unix_ms, unix_us, unix_ns or a format of %" + " %".join(sorted(_DIRECTIVES))
            )
        steps.append(_DIRECTIVES[directive])
    if not steps:
        raise InputError(name, text, "a format that is not empty")
    return steps
