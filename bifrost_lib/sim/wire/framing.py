"""Frames: a length of 4 bytes, then fields that each end with a NUL; and the greeting that comes before them."""

from __future__ import annotations

import re
import struct

from bifrost_lib.sim.wire.declare import MAX_VERSION, MIN_VERSION
from bifrost_lib.sim.wire.errors import WireError

GREETING = b"API\0"
#: No request is longer; a length above it means that something else than a client talks to us.
LONGEST_FRAME = 16 * 1024 * 1024

_LENGTH = struct.Struct(">I")
_RANGE = re.compile(r"v(\d{1,6})(?:\.\.(\d{1,6}))?(?: .*)?\0?", re.DOTALL)


def frame(text: str) -> bytes:
    """Return the frame of fields that are already joined, each with its NUL."""
    body = text.encode("utf-8", "backslashreplace")
    return _LENGTH.pack(len(body)) + body


class FrameReader:
    """Turns what arrives on a socket, in pieces of any size, into the fields of frames.

    Parameters
    ----------
    greets : bool
        True on the gateway's side: the client's bytes start with ``API\\0``, and the first frame is the greeting, one
        field such as ``v157..178``.
    longest : int
        Bytes; a longer frame raises.
    """

    def __init__(self, *, greets: bool = True, longest: int = LONGEST_FRAME) -> None:
        self._greets, self._longest = greets, longest
        self._rest = b""

    def feed(self, data: bytes) -> list[list[str]]:
        """Return the fields of every frame that is now complete.

        Raises
        ------
        WireError
            502 when the bytes do not start with the greeting, 507 when a frame is too long. The connection is of no
            use any more.
        """
        buffer = self._rest + data if self._rest else data
        at = self._greeted(buffer)
        found: list[list[str]] = []
        end = len(buffer)
        while end - at >= 4:
            (length,) = _LENGTH.unpack_from(buffer, at)
            if length > self._longest:
                raise WireError(507, f"Bad Message Length. {length} bytes")
            if end - at - 4 < length:
                break
            fields = buffer[at + 4 : at + 4 + length].decode("utf-8", "backslashreplace").split("\0")
            if len(fields) > 1 and not fields[-1]:
                fields.pop()
            found.append(fields)
            at += 4 + length
        self._rest = buffer[at:]
        return found

    def _greeted(self, buffer: bytes) -> int:
        if not self._greets:
            return 0
        if not GREETING.startswith(buffer[:4]):
            raise WireError(502, "The connection does not start with the greeting of an API client")
        if len(buffer) < 4:
            return 0
        self._greets = False
        return 4


def negotiated_version(greeting: str, server_max: int = MAX_VERSION) -> int:
    """Return the version to speak with a client that offers ``v<min>..<max>``, options behind it or not.

    Raises
    ------
    WireError
        502 when the greeting says no range, 503 when no version suits both sides.
    """
    match = _RANGE.fullmatch(greeting)
    if match is None:
        raise WireError(502, f"The greeting {greeting[:40]!r} says no range of versions")
    lowest, highest = int(match[1]), int(match[2] or match[1])
    version = min(highest, server_max)
    if version < max(lowest, MIN_VERSION):
        raise WireError(503, f"No version suits both sides: the client speaks {lowest} to {highest}")
    return version


def handshake_reply(version: int, conn_time: str) -> bytes:
    """Return the gateway's answer to the greeting; `conn_time` is a text such as ``20240105 09:30:00 EST``."""
    return frame(f"{version}\0{conn_time}\0")
