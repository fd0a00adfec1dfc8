"""How a message is declared: a frozen dataclass, and its layout on the wire as a tuple of names and parts.

A name in a layout is an attribute (dotted for an attribute of a part, as in ``order.action``); the annotation of the
attribute says how it is written. Both directions, encoding and decoding, are derived from the same layout.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T", bound=type)

#: The protocol versions between which every layout is known.
MIN_VERSION, MAX_VERSION = 151, 178


@dataclass(frozen=True)
class Fixed:
    """A text that says nothing, such as the version of a message: written as it is, skipped when read."""

    text: str


@dataclass(frozen=True)
class Value:
    """One attribute, written by the codec of that name instead of the one that its annotation implies."""

    path: str
    codec: str


@dataclass(frozen=True)
class Gate:
    """Parts that only exist in some versions, or only when the attribute at `path` passes `test`."""

    parts: tuple[Part, ...]
    first: int = MIN_VERSION
    last: int = MAX_VERSION
    path: str = ""
    test: Callable[[Any], bool] = bool


@dataclass(frozen=True)
class Many:
    """A count followed by that many rows; `path` is a tuple of records, or of plain values when `parts` is empty.

    With `variants`, each row starts with a number that says which record it is.
    """

    path: str
    parts: tuple[Part, ...] = ()
    variants: Mapping[int, type] = field(default_factory=dict)


@dataclass(frozen=True)
class Maybe:
    """A flag, followed by a record's parts when the attribute is not None."""

    path: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Tail:
    """Options that end a message; most clients send their number before them, the newest official one does not."""

    path: str


Part = str | Fixed | Value | Gate | Many | Maybe | Tail


@dataclass(frozen=True)
class Layout:
    """What follows the number `number` of a message whose class is `message`."""

    message: type
    number: int
    parts: tuple[Part, ...]


REQUESTS: dict[int, Layout] = {}
RESPONSES: dict[int, Layout] = {}
LAYOUTS: dict[type, Layout] = {}


def since(first: int, *parts: Part) -> Gate:
    """Return parts that exist from version `first` on."""
    return Gate(parts, first=first)


def until(last: int, *parts: Part) -> Gate:
    """Return parts that exist up to version `last`."""
    return Gate(parts, last=last)


def given(path: str, *parts: Part) -> Gate:
    """Return parts that follow when the attribute at `path` is set (not empty, not 0)."""
    return Gate(parts, path=path)


def among(path: str, values: tuple[Any, ...], *parts: Part) -> Gate:
    """Return parts that follow when the attribute at `path` is one of `values`."""
    return Gate(parts, path=path, test=frozenset(values).__contains__)


def request(number: int, *parts: Part) -> Callable[[T], T]:
    """Declare a message from the client to the gateway."""
    return _declare(REQUESTS, number, parts)


def response(number: int, *parts: Part) -> Callable[[T], T]:
    """Declare a message from the gateway to the client."""
    return _declare(RESPONSES, number, parts)


def _declare(home: dict[int, Layout], number: int, parts: tuple[Part, ...]) -> Callable[[T], T]:
    def keep(message: T) -> T:
        home[number] = LAYOUTS[message] = Layout(message, number, parts)
        return message

    return keep
