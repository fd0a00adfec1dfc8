"""Our speed against what one would use instead, measured side by side in one run."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import UnknownNameError

SUBJECTS = ("store", "pricing", "strategies")


@dataclass(frozen=True)
class Measured:
    """One line of a benchmark; `ratio` is ours / peer in `unit`, None without a peer."""

    work: str
    ours: float
    unit: str
    peer: float | None = None
    peer_name: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the peer's figure ours is."""
        return self.ours / self.peer if self.peer else None


def run_benchmark(subject: str, *, rows: int) -> dict[str, Any]:
    """Run the benchmark of `subject` on work of about `rows` rows.

    Returns
    -------
    dict
        ``machine`` in words and ``rows``: work, ours, peer, peer_name, unit, ratio.

    Raises
    ------
    UnknownNameError
        If there is no such benchmark.
    """
    if subject not in SUBJECTS:
        raise UnknownNameError("benchmark", subject, SUBJECTS)
    measure: Callable[..., list[Measured]] = import_module(f"{__name__}.{subject}").measure
    lines = measure(rows=rows)
    return {"machine": machine(), "rows": [asdict(line) | {"ratio": line.ratio} for line in lines]}


def machine() -> str:
    """Describe this machine in a line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = f"{len(models)} x {models[0]}" if models else name
    return f"{name}, Python {platform.python_version()}"
