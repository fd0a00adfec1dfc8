"""What this machine does for people beside the services: kernels, batches that wait for the database, the cluster."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd

from bifrost_lib.core.settings import Settings
from bifrost_lib.store import Backlog, spool_backlog
from bifrost_lib.workflows.collection import spool_folder
from bifrost_lib.workflows.reporting import process_facts, process_ids

#: Whom a kernel works for, by a word of the command of a process above it; the first that is found.
_PURPOSES = {
    "bifrost_lib.workflows.reporting.execution": "reports",
    "apps.nursery": "pages",
    "apps.serve": "pages",
    "jupyterhub": "JupyterLab",
    "jupyter-lab": "JupyterLab",
}
_OTHERS = "others"
ANSWER_WITHIN_S = 0.5
_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process as the system shows it; `words` are its command."""

    pid: int
    parent: int
    words: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """What there is to tell of the machine that serves the pages.

    Attributes
    ----------
    kernels : DataFrame
        `purpose` (whom they work for), `kernels` (how many), `memory_mb` (their own, and their share of what they have
        in common; NaN where another account has one of them).
    cluster, cluster_state : str
        Where sweeps are computed; "answers", "silent" or, for this machine's own cores, "".
    backlog : Backlog
        Batches that were collected here and are not in the database yet.
    """

    kernels: pd.DataFrame
    cluster: str
    cluster_state: str
    backlog: Backlog


def look_at_machine(settings: Settings) -> Machine:
    """Look once; a scheduler that does not answer is waited for `ANSWER_WITHIN_S`."""
    cluster = settings.dask_scheduler
    state = "" if cluster is None else ("answers" if _answers(cluster) else "silent")
    return Machine(_kernels(), cluster or "this machine", state, spool_backlog(spool_folder(settings)))


def purposes_of_kernels(processes: dict[int, Process]) -> dict[int, str]:
    """Return whom each kernel among `processes` works for, by process."""
    found = {}
    for process in processes.values():
        above = processes.get(process.parent)
        is_forked = "apps.nursery" in process.words and above is not None and "apps.nursery" in above.words
        if is_forked or "ipykernel_launcher" in process.words:
            found[process.pid] = _purpose(process, processes)
    return found


def _purpose(kernel: Process, processes: dict[int, Process]) -> str:
    process = processes.get(kernel.parent)
    while process is not None:
        for word, purpose in _PURPOSES.items():
            if any(word in each for each in process.words):
                return purpose
        process = processes.get(process.parent)
    return _OTHERS


def _kernels() -> pd.DataFrame:
    memory_mb: dict[str, list[float]] = {}
    for pid, purpose in purposes_of_kernels(_processes()).items():
        memory_mb.setdefault(purpose, []).append(_memory_mb(pid))
    rows = [
        {"purpose": purpose, "kernels": len(each), "memory_mb": sum(each)}  # unknown as soon as one of them is
        for purpose, each in sorted(memory_mb.items())
    ]
    return pd.DataFrame(rows, columns=["purpose", "kernels", "memory_mb"])


def _processes() -> dict[int, Process]:
    found = {}
    for pid in process_ids():
        facts = process_facts(pid)
        with suppress(OSError):  # it has ended meanwhile
            words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if facts is not None:
                found[pid] = Process(pid, facts[0], tuple(words))
    return found


def _memory_mb(pid: int) -> float:
    """Return the memory of a process, shared pages by its share; NaN for that of another account."""
    try:
        lines = (_PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    return sum(float(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / 1e6


def _answers(address: str) -> bool:
    place = urlsplit(address)
    try:
        socket.create_connection((place.hostname, place.port), timeout=ANSWER_WITHIN_S).close()
    except OSError:
        return False
    return True
