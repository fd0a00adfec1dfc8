"""Our speed against what one would use instead, measured side by side in one run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from math import isnan
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import UnknownNameError

SUBJECTS = ("store", "pricing", "strategies", "backtest", "pages")


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
    result = {"machine": machine(), "rows": [asdict(line) | {"ratio": line.ratio} for line in lines]}
    _keep(subject, result)
    return result


def _keep(subject: str, result: dict[str, Any]) -> None:
    """Write the table into the checkout, where its history is kept; an installed library has no such place."""
    folder = Path(__file__).resolve().parents[3] / "tests" / "benchmarks" / "results"
    if not os.access(folder, os.W_OK):
        return
    head = f"# bifrost bench {subject}\n\n{result['machine']}\n\n| work | ours | peer | peer's | unit | ours / peer |\n"
    cells = [
        (row["work"], _digits(row["ours"]), row["peer_name"], _digits(row["peer"]), row["unit"], _digits(row["ratio"]))
        for row in result["rows"]
    ]
    lines = "".join(f"| {' | '.join(row)} |\n" for row in cells)
    (folder / f"{subject}.md").write_text(f"{head}|---|--:|---|--:|---|--:|\n{lines}", encoding="utf-8")


def _digits(value: float | None) -> str:
    return "" if value is None or isnan(value) else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def machine() -> str:
    """Describe this machine in a line."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = f"{len(models)} x {models[0]}" if models else name
    return f"{name}, Python {platform.python_version()}"
