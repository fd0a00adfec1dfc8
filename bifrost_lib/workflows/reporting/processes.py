"""A process and everything that it has started, so that a limit reaches all of it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")


class ProcessTree:
    """All processes that descend from `root`, those included whose parent has gone since they were first seen.

    A kernel leads a session of its own, so that killing its parent's group would leave it running.
    """

    def __init__(self, root: int) -> None:
        facts = process_facts(root)
        self._known = {root: facts[1]} if facts else {}

    def look(self) -> int:
        """Find what was started since; return the memory of all that lives, in bytes."""
        living = {pid: facts for pid in process_ids() if (facts := process_facts(pid)) is not None}
        self._known = {pid: mark for pid, mark in self._known.items() if pid in living and living[pid][1] == mark}
        grows = True
        while grows:
            new = {pid: mark for pid, (parent, mark) in living.items() if parent in self._known} | self._known
            grows, self._known = len(new) > len(self._known), new
        return sum(_resident_bytes(pid) for pid in self._known)

    def kill(self) -> None:
        """End all of it, at once and without asking."""
        deadline = time.monotonic() + 10.0
        self.look()
        while self._known and time.monotonic() < deadline:
            for pid in self._known:
                _kill(pid)
            time.sleep(0.02)
            self.look()


def process_ids() -> list[int]:
    """Return the processes of this machine, those that have just ended included."""
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def process_facts(pid: int) -> tuple[int, str] | None:
    """Return the parent of a living process and when it began; None if there is no such process."""
    try:
        # the name of the program, in parentheses, may contain anything
        fields = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (int(fields[1]), fields[19])


def _resident_bytes(pid: int) -> int:
    try:
        return int((_PROC / str(pid) / "statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES
    except (OSError, IndexError):
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
