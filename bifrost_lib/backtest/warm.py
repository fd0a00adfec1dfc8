"""Compiling the simulation beforehand, so that nobody waits for it later."""

from __future__ import annotations

from bifrost_lib.core.native import compile_loops

LOOPS = (("bifrost_lib.backtest.engine.simulation_loops", "simulate"),)


def warm_up() -> None:
    """Compile the simulation into the cache on disk; what is there already costs milliseconds."""
    compile_loops(LOOPS)
