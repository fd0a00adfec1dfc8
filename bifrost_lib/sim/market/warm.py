"""Compiling the market's own loops beforehand; those of pricing have a `warm_up` of their own."""

from __future__ import annotations

from bifrost_lib.core.native import compile_loops

LOOPS = {"bifrost_lib.sim.market.bridge_loops": ("walk_at", "fill")}


def warm_up() -> None:
    """Compile the loops of simulated markets into the cache on disk; what is there already costs milliseconds."""
    compile_loops([(module, name) for module, names in LOOPS.items() for name in names])
