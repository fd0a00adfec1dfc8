"""Compiling the loops of scans beforehand, so that nobody waits for it later."""

from __future__ import annotations

from bifrost_lib.core.native import compile_loops

LOOPS = {
    "bifrost_lib.strategies.scanning.scan_loops": ("scan", "finish_block"),
    "bifrost_lib.strategies.scanning.walk_loops": ("next_block", "count_all"),
    "bifrost_lib.strategies.margins.margin_loops": ("least_margins",),
    "bifrost_lib.strategies.measures.two_expiry_loops": ("profits", "peaks", "zeros"),
}


def warm_up() -> None:
    """Compile the loops into the cache on disk; what is there already costs milliseconds."""
    compile_loops([(module, name) for module, names in LOOPS.items() for name in names])
