"""Make things go wrong at a running simulated gateway.

``python -m bifrost_lib.sim.control --port N FAULT [name=value ...]``
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import Any

from bifrost_lib.core.errors import BifrostError, InputError, SourceUnavailable
from bifrost_lib.sim.gateway.commands import check_name, listing
from bifrost_lib.sim.gateway.control_server import control_address

TIMEOUT_S = 10.0


class ControlError(BifrostError):
    """The gateway understood and refused; the message is its own."""


async def control(port: int, fault: str, /, **facts: Any) -> str:
    """Ask the simulated gateway on `port` of this machine for a fault or a command, and return what it says.

    Parameters
    ----------
    port : int
        The gateway's TCP port.
    fault : str
        A fault, or one of list, status, clear, set, advance.
    **facts
        What it takes, and `duration` in seconds for a fault that should end by itself.

    Raises
    ------
    SourceUnavailable
        If no simulated gateway of this user is there.
    ControlError
        If it refuses; the message says why, and the nearest name for an unknown one.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(control_address(port))
    except OSError as exc:
        raise SourceUnavailable(f"simulated gateway on port {port}", exc.strerror or str(exc)) from None
    try:
        writer.write(json.dumps({"fault": fault, "facts": facts}).encode() + b"\n")
        line = await asyncio.wait_for(reader.readline(), TIMEOUT_S)
    except (OSError, TimeoutError) as exc:
        raise SourceUnavailable(f"simulated gateway on port {port}", str(exc) or "no answer") from None
    finally:
        writer.close()
    if not line:
        raise SourceUnavailable(f"simulated gateway on port {port}", "it belongs to another user")
    answer = json.loads(line)
    if not answer["ok"]:
        raise ControlError(answer["text"])
    return str(answer["text"])


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bifrost_lib.sim.control", description="Make things go wrong at a simulated IB Gateway."
    )
    parser.add_argument("--port", type=int, required=True, help="the gateway's port")
    parser.add_argument("fault", help="its name; `list` prints all of them")
    parser.add_argument("facts", nargs="*", metavar="name=value", help="for example duration=10 symbol=SPY share=0.5")
    given = parser.parse_args(arguments)
    try:
        check_name(given.fault)
        if given.fault == "list":
            sys.stdout.write(listing() + "\n")
            return 0
        sys.stdout.write(asyncio.run(control(given.port, given.fault, **_read(given.facts))) + "\n")
    except BifrostError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    return 0


def _read(words: list[str]) -> dict[str, str]:
    facts = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise InputError("fact", word, "name=value, for example duration=10")
        facts[name] = value
    return facts


if __name__ == "__main__":
    sys.exit(main())
