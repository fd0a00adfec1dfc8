"""Where faults are asked for: a local socket named after the gateway's port, open to the gateway's own user and root.

It is no TCP port, so that it answers while the gateway refuses connections, and nobody on the network finds it.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import socket
import struct
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.errors import BifrostError, InputError

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.server import SimulatedGateway

LONGEST_LINE = 1 << 16
IS_LINUX: bool = platform.system() == "Linux"


def control_address(port: int) -> str:
    """Return the address of the control socket of the gateway on that port.

    On Linux it is an abstract one: it has no file, needs no folder that both sides agree on, and ends with its owner.
    """
    if IS_LINUX:
        return f"\0bifrost-simulated-gateway-{port}"
    return str(Path(tempfile.gettempdir()) / f"bifrost-simulated-gateway-{port}.sock")


class ControlServer:
    """Answers one line of JSON, ``{"fault": ..., "facts": {...}}``, with another."""

    def __init__(self, gateway: SimulatedGateway) -> None:
        self._gateway = gateway
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen."""
        address = control_address(self._gateway.port)
        if not address.startswith("\0"):
            Path(address).unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, address, limit=LONGEST_LINE)
        if not address.startswith("\0"):
            Path(address).chmod(0o600)

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not _is_trusted(writer.get_extra_info("socket")):
                return
            line = await reader.readline()
            writer.write(json.dumps(self._done(line)).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, ValueError):
            return  # whoever asked is gone, or sent no line
        finally:
            writer.close()

    def _done(self, line: bytes) -> dict[str, Any]:
        from bifrost_lib.sim.gateway.commands import obey

        try:
            asked = json.loads(line)
            return {"ok": True, "text": obey(self._gateway, str(asked["fault"]), dict(asked.get("facts", {})))}
        except BifrostError as exc:
            return {"ok": False, "text": str(exc)}
        except (ValueError, KeyError, TypeError):
            return {"ok": False, "text": str(InputError("request", line[:80], "a line of JSON with a fault"))}


def _is_trusted(connection: socket.socket) -> bool:
    if not IS_LINUX:
        return True  # the file's mode keeps others out
    _, user, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return user in (0, os.getuid())
