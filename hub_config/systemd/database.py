"""Keep the embedded database running: ``python -m hub_config.systemd.database`` serves until SIGTERM or SIGINT.

The first process that needs the embedded server starts it, and systemd ends with a unit whatever that has started. So
one unit does nothing else.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import watchlist
from bifrost_lib.workflows import open_desk

LOOK_EVERY_S = 10.0


def keep(stop: threading.Event) -> None:
    """Bring the tables up to date and hold the server until `stop` is set; one that was killed is started again.

    Raises
    ------
    EnvironmentProblem
        If the settings name a server of their own, which is not ours to keep.
    """
    settings = load_settings()
    if settings.database_url is not None:
        raise EnvironmentProblem("the settings name a database server", "disable this unit: bifrost-database.service")
    with open_desk(settings=settings) as desk:
        tell("READY=1")
        while not stop.wait(LOOK_EVERY_S):
            watchlist(desk.store)  # a connection that has gone is made anew, and with it the server
            tell("WATCHDOG=1")
        tell("STOPPING=1")


def tell(words: str) -> None:
    """Say something to systemd, if it is what has started us."""
    if address := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.sendto(words.encode(), "\0" + address[1:] if address.startswith("@") else address)


def main() -> int:
    """Keep it; problems are one line on standard error."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        keep(stop)
    except BifrostError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
