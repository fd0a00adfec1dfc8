"""Compiling everything beforehand, so that nobody waits for it later."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.native import compile_loops

LOOPS = {
    "bifrost_lib.pricing.european_loops": ("price_all", "greeks_all"),
    "bifrost_lib.pricing.implied_loops": ("implied_all",),
    "bifrost_lib.pricing.parity_loops": ("one_expiry",),
    "bifrost_lib.pricing.quotes_loops": ("fit_all", "value_all"),
    "bifrost_lib.pricing.svi_loops": ("fit_all",),
    "bifrost_lib.pricing.svi_repair_loops": ("repair_all",),
}


def warm_up(*, american: bool = True) -> None:
    """Compile all loops and kernels of pricing into the cache on disk; what is there already costs milliseconds.

    Parameters
    ----------
    american : bool
        Include the kernels of American exercise, which need the compiler in this process.

    Notes
    -----
    Later processes, of any user who shares the cache folder, load the machine code instead of compiling. The code is
    made for this machine's processor and kept by the state of the sources, so an upgrade compiles anew.
    """
    compile_loops([(module, name) for module, names in LOOPS.items() for name in names])
    if american:
        _warm_american()


def _warm_american() -> None:
    from bifrost_lib.pricing import american

    for rate, div_yield in ((0.03, 0.01), (-0.02, -0.04)):  # the second pair has two exercise boundaries
        common: dict[str, Any] = {"strike": 100.0, "tau": 0.5, "rate": rate, "div_yield": div_yield}
        american.american_price(spot=[100.0, 90.0], right=["C", "P"], vol=0.2, **common)
        american.american_greeks(spot=[100.0, 90.0], right=["C", "P"], vol=0.2, **common)
        american.american_implied_vol(spot=[100.0, 90.0], right=["C", "P"], price=[8.0, 12.0], **common)
    american.american_exercise_boundary(strike=100.0, tau=0.5, right="P", vol=0.2, rate=0.03)
    paid: dict[str, Any] = {"dividend_taus": [0.2], "dividends": [1.0]}
    american.american_dividend_price(spot=100.0, strike=100.0, tau=0.5, right="C", vol=0.2, rate=0.03, **paid)
