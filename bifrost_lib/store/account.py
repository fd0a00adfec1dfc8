"""Which account PostgreSQL's programs run as, and how they are run as it."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bifrost_lib.core.errors import EnvironmentProblem

_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """An account of this machine that may own a database cluster."""

    name: str
    uid: int
    gid: int

    @property
    def is_ours(self) -> bool:
        """Whether it is the account that this process runs as."""
        return self.uid == os.geteuid()

    def run(self, command: Sequence[str | Path], *, timeout_s: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, away from our terminal and without our environment.

        A session of its own keeps Ctrl-C away from the server, and variables such as ``PGDATA`` or ``PGOPTIONS``
        would change what the programs do.
        """
        identity = {} if self.is_ours else {"user": self.uid, "group": self.gid, "extra_groups": []}
        done: subprocess.CompletedProcess[str] = subprocess.run(
            [str(word) for word in command],
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout_s,
            start_new_session=True,
            check=False,
            **identity,  # type: ignore[call-overload]
        )
        return done

    def can_enter(self, folder: Path) -> bool:
        """Tell whether this account reaches `folder` through all of its parents."""
        if self.is_ours:
            return os.access(folder, os.X_OK)
        return self.run(["/bin/sh", "-c", 'cd "$0"', folder]).returncode == 0

    def own(self, path: Path, mode: int) -> None:
        """Give `path` to this account with `mode`."""
        path.chmod(mode)
        if not self.is_ours:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Return the account for the server: our own, or as root an existing unprivileged one.

    PostgreSQL refuses to run as root, and creating a user would change the system.

    Raises
    ------
    EnvironmentProblem
        If we are root and neither ``postgres`` nor ``nobody`` exists.
    """
    uid = os.geteuid()
    if uid != 0:
        return Account(_name_of(uid), uid, os.getegid())
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EnvironmentProblem(
        "PostgreSQL does not run as root, and there is no account postgres or nobody to run it as",
        "run Bifrost as an ordinary user, or set BIFROST_DATABASE_URL",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # containers are often started with a number that has no name
        return str(uid)
