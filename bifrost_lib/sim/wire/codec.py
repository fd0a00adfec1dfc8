"""Encoding and decoding of messages, derived from their layouts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from bifrost_lib.sim.wire.compiled import compiled
from bifrost_lib.sim.wire.declare import REQUESTS, RESPONSES, Layout
from bifrost_lib.sim.wire.errors import WireError
from bifrost_lib.sim.wire.fields import escaped
from bifrost_lib.sim.wire.framing import frame

#: From this version on, characters beyond ASCII travel as escapes.
ESCAPED_SINCE = 153


def encode(message: Any, version: int) -> bytes:
    """Return the frame of a message, its length first.

    Parameters
    ----------
    message : one of this package's messages
        A request or a response.
    version : int
        The protocol version that was agreed on, `MIN_VERSION` to `MAX_VERSION`.

    Raises
    ------
    InputError
        If `message` is no message, or the version is not known.
    WireError
        If an attribute has no text: NaN, or a text with a NUL in it.
    """
    kind: Any = type(message)
    number, write, _ = compiled(kind, version)
    out = [number]
    write(message, out)
    text = "\0".join(out)
    if text.count("\0") != len(out) - 1:
        raise WireError(320, f"Error writing message. {type(message).__name__} has a text with a NUL in it")
    return frame((escaped(text) if version >= ESCAPED_SINCE else text) + "\0")


def decode_request(fields: Sequence[str], version: int) -> Any:
    """Return the request that the fields of a frame say.

    Raises
    ------
    WireError
        505 for a number that stands for no request, 320 for fields that cannot be read.
    InputError
        If the version is not known.
    """
    return _decode(fields, version, REQUESTS)


def decode_response(fields: Sequence[str], version: int) -> Any:
    """Return the response that the fields of a frame say; raises as `decode_request` does."""
    return _decode(fields, version, RESPONSES)


def _decode(texts: Sequence[str], version: int, home: dict[int, Layout]) -> Any:
    load_families()
    number = texts[0] if texts else ""
    layout = home.get(int(number)) if number.isascii() and number.isdigit() and len(number) < 6 else None
    if layout is None:
        raise WireError(505, f"Fatal Error: Unknown message id. {number[:20]!r}")
    _, _, read = compiled(layout.message, version)
    rest = iter(texts)
    next(rest)
    try:
        message = read(rest)
    except StopIteration:
        text = f"Error reading request. {layout.message.__name__} ends after {len(texts)} fields"
        raise WireError(320, text) from None
    # Empty texts at the end are harmless; anything else means that the two sides disagree about the layout.
    if any(rest):
        raise WireError(320, f"Error reading request. {layout.message.__name__} has more fields than it should")
    return message


@cache
def load_families() -> None:
    """Import every family of messages, once, so that all numbers are known."""
    for family in ("account", "contracts", "history", "market_data", "news", "orders", "system"):
        import_module(f"bifrost_lib.sim.wire.{family}")
