"""The simulation as workers run it: on their processor, or on their GPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.kernels import sources_digest
from bifrost_lib.workflows.sweeps.checkpoint import Arrays
from bifrost_lib.workflows.sweeps.shipping import Cubes

if TYPE_CHECKING:
    from bifrost_lib.strategies import StrategyDocument


def simulate_documents(
    documents: Sequence[StrategyDocument], cubes: Cubes, *, device: str = "cpu", **options: Any
) -> Arrays:
    """Return what `backtest.sweep_chunk` does, computed where the chunk was admitted to; both agree to 1e-9."""
    if device == "cuda":
        from bifrost_lib.backtest import gpu_sweep_chunk

        return gpu_sweep_chunk(documents, cubes, **options)
    from bifrost_lib.backtest import sweep_chunk

    return sweep_chunk(documents, cubes, **options)


def simulation_version() -> str:
    """Return a name of the code that decides what a sweep finds; it changes when a line of it does."""
    from bifrost_lib.backtest import sweep_chunk

    return sources_digest(Path(sweep_chunk.__code__.co_filename))
