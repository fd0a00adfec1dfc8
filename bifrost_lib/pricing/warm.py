"""Compiling everything beforehand, so that nobody waits for it later."""

from __future__ import annotations

from bifrost_lib.core.native import compile_loops

LOOPS = {
    "bifrost_lib.pricing.european_loops": ("price_all", "greeks_all"),
    "bifrost_lib.pricing.implied_loops": ("implied_all",),
    "bifrost_lib.pricing.parity_loops": ("one_expiry",),
    "bifrost_lib.pricing.quotes_loops": ("fit_all", "value_all"),
    "bifrost_lib.pricing.svi_loops": ("fit_all",),
    "bifrost_lib.pricing.svi_repair_loops": ("repair_all",),
    "bifrost_lib.pricing.american_reduce_loops": ("reduce_all", "sort_all", "settle"),
    "bifrost_lib.pricing.american_solve_loops": ("solve_group",),
    "bifrost_lib.pricing.american_double_loops": ("solve_double",),
    "bifrost_lib.pricing.american_implied_loops": ("begin", "improve"),
    "bifrost_lib.pricing.american_dividend_loops": ("value_all",),
}


def warm_up() -> None:
    """Compile all loops of pricing into the cache on disk; what is there already costs milliseconds.

    Notes
    -----
    Later processes, of any user who shares the cache folder, load the machine code instead of compiling. The code is
    made for this machine's processor and kept by the state of the sources, so an upgrade compiles anew.
    """
    compile_loops([(module, name) for module, names in LOOPS.items() for name in names])
