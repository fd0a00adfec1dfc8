"""Record what passes between a client and a gateway: ``python -m bifrost_lib.sim.record --listen 4003 --to HOST:PORT``.

The client connects to the recorder instead of the gateway. Every byte passes unchanged; the file gets each message
with account ids masked. Two recordings, one of a real gateway and one of the simulated, are compared with
``--compare A B``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.sim.wire.recording import Difference, Mask, Tap, compare

__all__ = ["Difference", "compare", "main", "recorder"]


@asynccontextmanager
async def recorder(*, to: tuple[str, int], out: Path, listen: int = 0, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """Listen on a port and pass every connection on to a gateway, until the block is left; yields the port.

    Parameters
    ----------
    to : tuple of (str, int)
        Host and port of the gateway.
    out : Path
        The file that gets the recording; it must not exist yet.
    listen : int
        The port to listen on; 0 chooses a free one.
    host : str
        The address to listen on.

    Raises
    ------
    InputError
        If `out` exists already, or the port is taken.
    """
    loop = asyncio.get_running_loop()
    started, mask, numbers, tasks = loop.time(), Mask(), itertools.count(1), set[asyncio.Task[None]]()
    try:
        file = out.open("x", encoding="utf-8", buffering=1)
    except FileExistsError:
        raise InputError("out", str(out), "a file that does not exist yet") from None

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tap = Tap(file.write, lambda: (loop.time() - started) * 1000, mask, next(numbers))
        task = asyncio.create_task(_pass_on(reader, writer, to, tap))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        # Leaving the block cancels the task, which is no news to the server that called us.
        with contextlib.suppress(asyncio.CancelledError):
            await task

    try:
        server = await asyncio.start_server(connected, host, listen)
    except OSError as problem:
        file.close()
        raise InputError("listen", listen, f"a free port ({problem.strerror})") from None
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
        file.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: tuple[str, int], tap: Tap) -> None:
    # A gateway that does not answer is, to the client, a connection that closes.
    try:
        gateway_reader, gateway_writer = await asyncio.open_connection(*to)
    except OSError:
        writer.close()
        return
    try:
        requests = asyncio.create_task(_pump(reader, gateway_writer, tap, "request"))
        responses = asyncio.create_task(_pump(gateway_reader, writer, tap, "response"))
        await asyncio.gather(requests, responses)
    finally:
        for task in (requests, responses):
            task.cancel()
        for side in (writer, gateway_writer):
            side.close()
            with contextlib.suppress(OSError):
                await side.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tap: Tap, direction: str) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            tap.hear(direction, data)
            await writer.drain()
    # The other side learns that no more comes, and may still finish what it says.
    with contextlib.suppress(OSError):
        writer.write_eof()


async def _record(listen: int, to: tuple[str, int], out: Path) -> None:
    async with recorder(to=to, out=out, listen=listen) as port:
        sys.stderr.write(f"recording what passes from port {port} to {to[0]}:{to[1]} into {out}; stop with Ctrl-C\n")
        await asyncio.Event().wait()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def main(words: list[str] | None = None) -> int:
    """Run the command line; returns 0, or 1 when two recordings differ or something cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m bifrost_lib.sim.record", description=__doc__.splitlines()[0])
    parser.add_argument("--listen", type=int, default=4003, metavar="PORT", help="port for the client (4003)")
    parser.add_argument("--to", type=_address, metavar="HOST:PORT", help="the gateway")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the recording, lines of JSON")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"), help="two recordings")
    given = parser.parse_args(words)
    if not given.compare and not (given.to and given.out):
        parser.error("say either --to and --out, or --compare")
    try:
        if given.compare:
            differences = compare(*given.compare)
            sys.stdout.writelines(f"{d.direction} {d.name}: {d.what}\n" for d in differences)
            return 1 if differences else 0
        asyncio.run(_record(given.listen, given.to, given.out))
    except (BifrostError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
