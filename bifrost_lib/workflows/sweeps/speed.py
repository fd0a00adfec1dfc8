"""How fast sweeps are on so many processes of this machine."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_lib.workflows.sweeps.connecting import connect
from bifrost_lib.workflows.sweeps.running import run_sweep
from bifrost_lib.workflows.sweeps.shipping import Cubes

if TYPE_CHECKING:
    from bifrost_lib.strategies import StrategyDocument


def sets_per_s(documents: Sequence[StrategyDocument], cubes: Cubes, *, workers: int, **options: Any) -> float:
    """Return how many parameter sets a second are simulated by `workers` processes, all of Dask's work included.

    Parameters
    ----------
    documents : sequence of StrategyDocument
        All different; enough of them to take many seconds.
    cubes : ChainCube or mapping of symbol to ChainCube
    workers : int
    **options
        As of `backtest.sweep`.

    Notes
    -----
    Workers are started, and have compiled their loops and mapped the cubes, before the clock runs; results are written
    to a checkpoint as always.
    """
    with tempfile.TemporaryDirectory(prefix="bifrost-speed-") as folder, connect(workers=workers) as client:
        first = [*documents[: 2 * workers]]
        for attempt in range(workers):  # a chunk for each, in case one took them all
            run_sweep(first, cubes, client=client, home=Path(folder) / f"warm-{attempt}", **options)
        begun = time.perf_counter()
        run_sweep(documents, cubes, client=client, home=Path(folder) / "timed", **options)
        return len(documents) / (time.perf_counter() - begun)
