"""Prove that the GPU computes what the processor computes, and measure how fast: ``python -m gpu_cluster.smoke``.

Without a GPU the compiler's simulator stands in for one, thread by thread, where ``NUMBA_ENABLE_CUDASIM=1`` and
``NUMBA_DISABLE_JIT=1`` ask for it; give it little to do, such as ``--size 48 --sets 5 --days 12``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest import gpu_sweep_chunk, sweep_chunk
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.pricing import (
    GREEKS,
    american_greeks,
    american_implied_vol,
    american_price,
    gpu_american_greeks,
    gpu_american_implied_vol,
    gpu_american_price,
    gpu_greeks,
    gpu_implied_vol,
    gpu_price,
    greeks,
    implied_vol,
    price,
)
from gpu_cluster.smoke_sweeps import made_up_cube, many_documents

TOLERANCE = 1e-12
#: American vega and rho are differences of two prices over a small step, which enlarges the last digit of each.
TOLERANCE_OF_QUOTIENTS = 1e-9
#: Where the method takes other nodes, an American price steps by its own error; a search may end anywhere on the step.
TOLERANCE_ON_STEPS = 1e-6
#: What hundreds of trades add up to.
TOLERANCE_OF_SWEEPS = 1e-9
_REPEATS = 5
#: A greek near zero is the difference of large terms: its error is compared with the greek's usual size instead.
_SMALL = 1e-6
_AMERICAN_PART = 8  # there is one American option for so many European ones

Floats = npt.NDArray[np.float64]
Row = dict[str, Any]


def options(size: int, *, seed: int = 7) -> dict[str, Any]:
    """Return arguments of `size` options from a day to two years, near and far from the money, calm and wild."""
    rng = np.random.default_rng(seed)
    return {
        "spot": rng.uniform(50.0, 150.0, size),
        "strike": rng.uniform(60.0, 140.0, size),
        "tau": np.exp(rng.uniform(np.log(1 / 365), np.log(2.0), size)),
        "right": rng.integers(0, 2, size, dtype=np.int8),
        "rate": rng.uniform(-0.01, 0.08, size),
        "div_yield": rng.uniform(0.0, 0.05, size),
    }


def compare(size: int) -> list[Row]:
    """Return one row for each quantity: its worst difference from the processor, and both speeds in options a second.

    Differences are relative; where a number is below a millionth of the column's largest, relative to that.
    """
    terms = options(size)
    vol = np.exp(np.random.default_rng(8).uniform(np.log(0.05), np.log(1.5), size))
    value, theirs, speeds = _both(price, gpu_price, size, **terms, vol=vol)
    rows = [_row("price", _difference(value, theirs), **speeds)]
    ours, theirs, speeds = _both(greeks, gpu_greeks, size, **terms, vol=vol)
    rows += [_row(name, _difference(ours[name], theirs[name])) for name in GREEKS]
    rows[-1] |= speeds  # of all of them
    ours, theirs, speeds = _both(implied_vol, gpu_implied_vol, size, **terms, price=value, return_status=True)
    rows += [_row("implied vol", _difference(ours[0], theirs[0]), **speeds)]
    return [*rows, _row("status", float((ours[1] != theirs[1]).mean()))]


def compare_american(size: int, accuracy: str = "default") -> list[Row]:
    """Return rows like those of `compare` for American options, some of them exercised between two boundaries.

    Differences of greeks are relative to the column's largest. Volatilities are compared by what their difference makes
    of the price, in units of the strike: next to where an option is exercised now, its price hardly depends on them.
    """
    rng = np.random.default_rng(9)
    terms = {**options(size), "div_yield": rng.uniform(-0.02, 0.05, size), "accuracy": accuracy}
    vol = np.exp(rng.uniform(np.log(0.05), np.log(1.5), size))
    value, theirs, speeds = _both(american_price, gpu_american_price, size, **terms, vol=vol)
    rows = [_row("American price", _difference(value, theirs), **speeds)]
    slopes, theirs, speeds = _both(american_greeks, gpu_american_greeks, size, **terms, vol=vol)
    for name in slopes:
        allowed = TOLERANCE_OF_QUOTIENTS if name in ("vega", "rho") else TOLERANCE
        rows += [_row(f"American {name}", _difference(slopes[name], theirs[name], small=1.0), allowed)]
    rows[-1] |= speeds  # of all of them
    solvers = american_implied_vol, gpu_american_implied_vol
    ours, theirs, speeds = _both(*solvers, size, **terms, price=value, return_status=True)
    found = ~np.isnan(ours[0])
    moved = (np.abs(ours[0] - theirs[0]) * slopes["vega"] / terms["strike"])[found]
    rows += [_row("American implied vol, 99 % of them", float(np.quantile(moved, 0.99)) if moved.size else 0.0)]
    rows += [_row("American implied vol", float(moved.max(initial=0.0)), TOLERANCE_ON_STEPS, **speeds)]
    return [*rows, _row("American status", float((ours[1] != theirs[1]).mean()))]


def compare_sweeps(sets: int, days: int) -> list[Row]:
    """Return a row for each figure of a sweep over made-up chains; speeds are parameter sets a second.

    Differences are relative to the largest of the figure.
    """
    given = {"documents": many_documents(sets), "cubes": made_up_cube(days)}
    ours, theirs, speeds = _both(sweep_chunk, gpu_sweep_chunk, sets, **given)
    figures = [name for name in ours if name != "document_sha256"]
    rows = [
        _row(f"sweep {name}", _difference(1.0 * ours[name], 1.0 * theirs[name], small=1.0), TOLERANCE_OF_SWEEPS)
        for name in figures
    ]
    rows[-1] |= speeds  # of all of them
    return rows


def _row(what: str, difference: float, tolerance: float = TOLERANCE, **speeds: float) -> Row:
    return {"what": what, "difference": difference, "tolerance": tolerance, **speeds}


def _both(
    ours: Callable[..., Any], theirs: Callable[..., Any], size: int, **arguments: Any
) -> tuple[Any, Any, dict[str, float]]:
    """Return what two functions give and, unless the simulator stands in for a GPU, how fast they are."""
    found = ours(**arguments), theirs(**arguments)
    if _simulated():
        return *found, {}
    return *found, {"cpu_per_s": _speed(ours, arguments, size), "gpu_per_s": _speed(theirs, arguments, size)}


def _simulated() -> bool:
    return os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def _difference(ours: Floats, theirs: Floats, small: float = _SMALL) -> float:
    missing = np.isnan(ours)
    if (missing != np.isnan(theirs)).any():
        return float("inf")
    ours, theirs = ours[~missing], theirs[~missing]
    scale = np.maximum(np.abs(ours), small * np.abs(ours).max(initial=1e-300))
    return float((np.abs(ours - theirs) / scale).max(initial=0.0))


def _speed(run: Callable[..., Any], arguments: dict[str, Any], size: int) -> float:
    took = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        run(**arguments)
        took.append(time.perf_counter() - begun)
    return size / sorted(took)[len(took) // 2]


def main(words: list[str] | None = None) -> int:
    """Print the comparison as JSON; return 0 when every difference is within its tolerance."""
    parser = argparse.ArgumentParser(prog="python -m gpu_cluster.smoke", description=__doc__)
    parser.add_argument("--size", type=int, default=4_000_000, help="number of options (default: %(default)s)")
    parser.add_argument(
        "--accuracy", choices=("fast", "default", "accurate"), default="default", help="of American ones"
    )
    parser.add_argument("--sets", type=int, default=8_192, help="parameter sets of a sweep (default: %(default)s)")
    parser.add_argument("--days", type=int, default=250, help="daily chains of the sweep (default: %(default)s)")
    asked = parser.parse_args(words)
    for name, thing in (("size", "options"), ("sets", "parameter sets"), ("days", "days")):
        if getattr(asked, name) < 1:
            parser.error(f"--{name}: got {getattr(asked, name)}, expected a number of {thing} >= 1")
    try:
        rows = compare(asked.size) + compare_american(-(-asked.size // _AMERICAN_PART), asked.accuracy)
        rows += compare_sweeps(asked.sets, asked.days)
    except BifrostError as error:
        print(f"gpu_cluster.smoke: {error}", file=sys.stderr)
        return 1
    equal = all(row["difference"] <= row["tolerance"] for row in rows)
    print(json.dumps({"equal": equal, "simulated": _simulated(), "rows": rows}, indent=2))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
