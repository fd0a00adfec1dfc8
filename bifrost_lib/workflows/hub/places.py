"""Where the parts of a running platform listen: the public port is asked for, the others are whatever is free."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from bifrost_lib.core.errors import EnvironmentProblem, InputError
from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.hub.private_files import write_private

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Places:
    """Ports on loopback.

    Attributes
    ----------
    public : int
        The one that people open; all others are reached through it.
    proxy, hub : int
        The proxy's own interface, and the hub.
    pages : dict of str to int
        By a page's name.
    """

    public: int
    proxy: int
    hub: int
    pages: dict[str, int]

    @property
    def url(self) -> str:
        """What people open."""
        return f"http://{LOOPBACK}:{self.public}/"

    @property
    def hub_api(self) -> str:
        """Where pages ask the hub who somebody is."""
        return f"http://{LOOPBACK}:{self.hub}/hub/api"

    @property
    def origins(self) -> list[str]:
        """What a browser on this machine may call the platform; a web server before it has its own name."""
        return [f"{LOOPBACK}:{self.public}", f"localhost:{self.public}"]

    @classmethod
    def choose(cls, port: int, pages: Sequence[str]) -> Self:
        """Return places that are free at this moment.

        Raises
        ------
        InputError
            If `port` is taken.
        """
        with ExitStack() as kept:
            kept.enter_context(_taken(port))
            free = [kept.enter_context(_taken(0)) for _ in range(2 + len(pages))]
            ports = [one.getsockname()[1] for one in free]
        return cls(port, ports[0], ports[1], dict(zip(pages, ports[2:], strict=True)))

    @classmethod
    def read(cls, home: Path) -> Self:
        """Return the places that `bifrost up` chose.

        Raises
        ------
        EnvironmentProblem
            If it has not run in this home.
        """
        try:
            return cls(**json.loads(_record(home).read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            raise EnvironmentProblem(f"nothing is set up in {home}", "start it with: bifrost up") from None

    def write(self, home: Path) -> None:
        """Tell the parts where to listen."""
        write_private(_record(home), json.dumps(asdict(self)))


def platform_url(settings: Settings) -> str:
    """Return the address that people open: of the web server before the platform, else the platform's own.

    That is where the last `bifrost up` of this home listens, which may have been told another port than the settings'.
    A notebook in JupyterLab has a home of its own; the hub tells it by ``PLATFORM_URL``.
    """
    if told := os.environ.get("PLATFORM_URL"):
        return told
    if settings.hub_host:
        return f"https://{settings.hub_host}/"
    try:
        return Places.read(settings.home).url
    except (EnvironmentProblem, PermissionError):  # it has not run here, or is somebody else's
        return f"http://{LOOPBACK}:{settings.hub_port}/"


def _record(home: Path) -> Path:
    return home / "run" / "places.json"


def _taken(port: int) -> socket.socket:
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind((LOOPBACK, port))
    except OSError:
        probe.close()
        raise InputError("--port", port, "a free port; something else listens there, name another one") from None
    return probe
