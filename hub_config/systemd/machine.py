"""What differs from one application server to the next."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import InputError

_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")
_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))


@dataclass(frozen=True)
class Machine:
    """A machine that runs the platform.

    Attributes
    ----------
    checkout : Path
        Where the repository is; only read.
    python : Path
        The interpreter of its environment.
    home : Path
        ``BIFROST_HOME``: data, secrets and logs; the one folder that the units may write.
    user : str
        The account that the parts run as; it has no shell and owns `home`.
    embedded_database : bool
        Keep Bifrost's own PostgreSQL running; otherwise the settings name a server.
    simulated_gateway : bool
        Keep a simulated gateway running; otherwise the settings name a real one.
    system_accounts : bool
        People log in with accounts of the system (setting ``hub_auth = "pam"``): the hub runs as root, because it
        starts each JupyterLab as its owner.
    viewers : int
        How many people look at notebook pages at once; each has a process of his own.
    systemd : int
        Its version: from 254 on the pauses between restarts grow.
    """

    checkout: Path
    python: Path
    home: Path = Path("/var/lib/bifrost")
    user: str = "bifrost"
    embedded_database: bool = False
    simulated_gateway: bool = False
    system_accounts: bool = False
    viewers: int = 10
    systemd: int = 252

    def __post_init__(self) -> None:
        for name in ("checkout", "python", "home"):
            if not _PATH.fullmatch(str(getattr(self, name))):
                raise InputError(name, str(getattr(self, name)), "an absolute path of letters, digits and ._/+@-")
        if not _ACCOUNT.fullmatch(self.user):
            raise InputError("user", self.user, "the name of an account: small letters, digits, _ and -")
        if isinstance(self.viewers, bool) or not isinstance(self.viewers, int) or self.viewers < 1:
            raise InputError("viewers", self.viewers, "a whole number >= 1")

    @property
    def restart(self) -> str:
        """Lines that start a part again however it ended, since none ends by itself; 143 is one answer to SIGTERM."""
        always = "Restart=always\nSuccessExitStatus=143\n"
        if self.systemd >= 254:
            return always + "RestartSec=1\nRestartSteps=6\nRestartMaxDelaySec=60"
        return always + "RestartSec=5"

    @property
    def lies_in_a_home(self) -> bool:
        """Whether the platform's files are among people's own, which a unit can otherwise be kept from."""
        places = (self.checkout, self.python, self.python.resolve(), self.home)
        return any(place.is_relative_to(home) for place in places for home in _HOMES)
