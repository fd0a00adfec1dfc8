"""How single values are written as text: numbers, flags, "no value", infinity, escaped text, lists of options."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bifrost_lib.sim.wire.errors import WireError
from bifrost_lib.sim.wire.records import UNSET_DOUBLE, UNSET_INT, TagValue

#: UNSET_DOUBLE as IB writes it where it does not leave the field empty.
UNSET_TEXT = "1.7976931348623157E308"
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_INFINITE = {"Infinite": math.inf, "Infinity": math.inf, "-Infinity": -math.inf}
_FLAGS = {"1": True, "0": False, "true": True, "false": False}


@dataclass(frozen=True)
class Codec:
    """Both directions of one kind of value; `empty` is what an empty text means where no default is declared."""

    write: Callable[[Any], str]
    read: Callable[[str], Any]
    empty: Any


def number_text(value: float) -> str:
    """Write a number as IB does: no trailing ".0", infinity in words; NaN has no text and raises."""
    text = repr(float(value))
    if text.endswith(".0"):
        return text[:-2]
    if text == "inf":
        return "Infinity"
    if text == "nan":
        raise WireError(320, "Error writing message. NaN has no text")
    return text


def _write_float(value: float) -> str:
    return UNSET_TEXT if value == UNSET_DOUBLE else number_text(value)


def _write_float_or_empty(value: float) -> str:
    return "" if value == UNSET_DOUBLE else number_text(value)


def _read_float(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = _INFINITE.get(text, math.nan)
    if math.isnan(value):
        raise _unreadable(text, "a number")
    return value


def _write_int(value: int) -> str:
    return str(int(value))


def _write_int_or_empty(value: int) -> str:
    return "" if value == UNSET_INT else str(int(value))


def _read_int(text: str) -> int:
    try:
        return int(text)
    except ValueError:  # clients in dynamic languages send 5.0 where 5 is meant
        value = _read_float(text)
    if not value.is_integer():
        raise _unreadable(text, "a whole number")
    return int(value)


def _write_bool(value: bool) -> str:
    return "1" if value else "0"


def _read_bool(text: str) -> bool:
    flag = _FLAGS.get(text)
    return flag if flag is not None else _read_int(text) != 0


def _write_text(text: str) -> str:
    return text


def _read_text(text: str) -> str:
    return unescaped(text) if "\\u" in text else text


def escaped(text: str) -> str:
    """Return text in which every character beyond ASCII is a ``\\uXXXX``, as all texts are since version 153."""
    if text.isascii():
        return text
    units = text.encode("utf-16-be", "surrogatepass")
    codes = [int.from_bytes(units[at : at + 2], "big") for at in range(0, len(units), 2)]
    return "".join([chr(code) if code < 128 else f"\\u{code:04x}" for code in codes])


def unescaped(text: str) -> str:
    """Return text whose ``\\uXXXX`` are characters again."""
    units = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return units.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "replace")


def _write_named(text: str) -> str:
    return text or "None"


def _read_named(text: str) -> str:
    return "" if text == "None" else text


def _write_options(options: tuple[TagValue, ...]) -> str:
    return "".join([f"{option.tag}={option.value};" for option in options])


def _read_options(text: str) -> tuple[TagValue, ...]:
    pairs = [pair.partition("=") for pair in text.split(";") if pair]
    return tuple([TagValue(tag, value) for tag, _, value in pairs])


def _unreadable(text: str, expected: str) -> WireError:
    shown = text if len(text) <= 40 else text[:37] + "..."
    return WireError(320, f"Error reading request. {shown!r} is not {expected}")


#: By the name of a type, or by the name that a layout gives with `Value`.
CODECS: dict[str, Codec] = {
    "int": Codec(_write_int, _read_int, 0),
    "float": Codec(_write_float, _read_float, 0.0),
    "bool": Codec(_write_bool, _read_bool, False),
    "str": Codec(_write_text, _read_text, ""),
    "number": Codec(_write_float, _read_float, UNSET_DOUBLE),
    "int or empty": Codec(_write_int_or_empty, _read_int, UNSET_INT),
    "float or empty": Codec(_write_float_or_empty, _read_float, UNSET_DOUBLE),
    "named": Codec(_write_named, _read_named, ""),
    "options": Codec(_write_options, _read_options, ()),
}
