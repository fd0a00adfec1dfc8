"""Messages out of what the socket delivers, for a connection that is past its greeting."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

PREFIX_BYTES = 4

log = logging.getLogger(__name__)


class FrameSplitter:
    """Hands each message of a stream of bytes to the handler of its number.

    The client libraries cut every message off the front of what was read, which is quadratic in the read's size; in a
    sweep of thousands of contracts that costs more than all the rest.
    """

    def __init__(self, handlers: Mapping[int, Callable[[list[str]], None]], rest: bytes, arrived: Callable[[], None]):
        self._handlers, self._rest, self._arrived = handlers, rest, arrived

    def feed(self, data: bytes) -> None:
        """Take in bytes; a message that is not whole yet waits for more."""
        self._arrived()
        data, at = self._rest + data, 0
        while (start := at + PREFIX_BYTES) <= len(data):
            end = start + int.from_bytes(data[at:start])
            if end > len(data):
                break
            at = end
            self._handle(data[start : end - 1].decode(errors="backslashreplace").split("\0"))
        self._rest = data[at:]

    def _handle(self, fields: list[str]) -> None:
        try:
            self._handlers[int(fields[0])](fields)
        except Exception:  # one message that cannot be read must not stop those behind it
            log.exception("message %s cannot be read", fields)
