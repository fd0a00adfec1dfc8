"""Messages out of what the socket delivers, for a connection that is past its greeting, and into what it is sent."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

PREFIX_BYTES = 4

log = logging.getLogger(__name__)


class FrameSplitter:
    """Hands each message of a stream of bytes to whoever reads its number.

    The client libraries cut every message off the front of what was read, which is quadratic in the read's size; in a
    sweep of thousands of contracts that costs more than all the rest.

    Parameters
    ----------
    ticks : mapping of number, as the wire has it, to callable
        Readers of the messages that come by the thousand; they take fields as bytes, which Python's numbers read too.
    handlers : mapping of number to callable
        The library's readers of everything else; they take fields as text.
    rest : bytes
        What was read before and is not a whole message yet.
    arrived : callable
        Called once for every read, before its messages.
    """

    def __init__(
        self,
        ticks: Mapping[bytes, Callable[[list[bytes]], None]],
        handlers: Mapping[int, Callable[[list[str]], None]],
        rest: bytes,
        arrived: Callable[[], None],
    ) -> None:
        self._ticks, self._handlers, self._rest, self._arrived = ticks, handlers, rest, arrived

    def feed(self, data: bytes) -> None:
        """Take in bytes; a message that is not whole yet waits for more."""
        self._arrived()
        data, at, ticks = self._rest + data, 0, self._ticks
        while (start := at + PREFIX_BYTES) <= len(data):
            end = start + int.from_bytes(data[at:start])
            if end > len(data):
                break
            at = end
            fields = data[start : end - 1].split(b"\0")
            try:
                read = ticks.get(fields[0])
                if read is not None:
                    read(fields)
                else:
                    self._handlers[int(fields[0])]([field.decode(errors="backslashreplace") for field in fields])
            except Exception:  # one message that cannot be read must not stop those behind it
                log.exception("message %s cannot be read", fields)
        self._rest = data[at:]


def frame_of(*fields: object) -> bytes:
    """Return the frame of a message whose fields are numbers and plain texts."""
    body = "".join([f"{field}\0" for field in fields]).encode()
    return len(body).to_bytes(PREFIX_BYTES) + body
