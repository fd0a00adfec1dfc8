"""Which process wrote something, and whether it still lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process of a machine; `mark` tells it from later ones that are given the same number."""

    host: str
    pid: int
    mark: str

    @property
    def is_ours_to_judge(self) -> bool:
        """Whether it ran on this machine, where we can look for it."""
        return self.host == socket.gethostname()

    def is_alive(self) -> bool:
        """Tell whether this very process runs on; only for one of this machine."""
        found = _mark(self.pid)
        if found is not None:
            return found == self.mark
        return not Path("/proc/self").exists() and _answers(self.pid)


def this_process() -> Process:
    """Return the process that asks."""
    return Process(socket.gethostname(), os.getpid(), _mark(os.getpid()) or "")


def _mark(pid: int) -> str | None:
    """Return the start of a living process, in ticks since the machine's start; None if there is no such process."""
    try:
        # the name of the program, in parentheses, may contain anything
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in "ZX" else f"{_BOOT.read_text(encoding='ascii').strip()}/{fields[19]}"
    except (OSError, IndexError):
        return None


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
