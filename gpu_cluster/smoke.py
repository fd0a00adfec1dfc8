"""Prove that the GPU computes what the processor computes, and measure how fast: ``python -m gpu_cluster.smoke``."""

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

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.pricing import GREEKS, gpu_greeks, gpu_implied_vol, gpu_price, greeks, implied_vol, price

TOLERANCE = 1e-12
_REPEATS = 5
#: A greek near zero is the difference of large terms: its error is compared with the greek's usual size instead.
_SMALL = 1e-6

Floats = npt.NDArray[np.float64]


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


def compare(size: int) -> list[dict[str, Any]]:
    """Return one row for each quantity: its worst difference from the processor, and both speeds in options a second.

    Differences are relative; where a number is below a millionth of the column's largest, relative to that.
    """
    terms = options(size)
    vol = np.exp(np.random.default_rng(8).uniform(np.log(0.05), np.log(1.5), size))
    value = price(**terms, vol=vol)
    rows = [_row("price", lambda: price(**terms, vol=vol), lambda: gpu_price(**terms, vol=vol), size)]
    ours, theirs = greeks(**terms, vol=vol), gpu_greeks(**terms, vol=vol)
    rows += [{"what": name, "difference": _difference(ours[name], theirs[name])} for name in GREEKS]
    rows += [_row("11 greeks", lambda: greeks(**terms, vol=vol)["delta"], lambda: gpu_greeks(**terms, vol=vol)["delta"], size)]  # fmt: skip  # noqa: E501
    rows += [_row("implied vol", lambda: implied_vol(price=value, **terms), lambda: gpu_implied_vol(price=value, **terms), size)]  # fmt: skip  # noqa: E501
    status = [solve(price=value, **terms, return_status=True)[1] for solve in (implied_vol, gpu_implied_vol)]
    rows += [{"what": "status", "difference": float((status[0] != status[1]).mean())}]
    return rows


def _row(what: str, ours: Callable[[], Floats], theirs: Callable[[], Floats], size: int) -> dict[str, Any]:
    difference = _difference(ours(), theirs())
    return {"what": what, "difference": difference, "cpu_per_s": _speed(ours, size), "gpu_per_s": _speed(theirs, size)}


def _difference(ours: Floats, theirs: Floats) -> float:
    missing = np.isnan(ours)
    if (missing != np.isnan(theirs)).any():
        return float("inf")
    ours, theirs = ours[~missing], theirs[~missing]
    scale = np.maximum(np.abs(ours), _SMALL * np.abs(ours).max(initial=1e-300))
    return float((np.abs(ours - theirs) / scale).max(initial=0.0))


def _speed(run: Callable[[], Any], size: int) -> float:
    took = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        run()
        took.append(time.perf_counter() - begun)
    return size / sorted(took)[len(took) // 2]


def main(words: list[str] | None = None) -> int:
    """Print the comparison as JSON; return 0 when every difference is within the tolerance."""
    parser = argparse.ArgumentParser(prog="python -m gpu_cluster.smoke", description=__doc__)
    parser.add_argument("--size", type=int, default=4_000_000, help="number of options (default: %(default)s)")
    asked = parser.parse_args(words)
    if asked.size < 1:
        parser.error(f"--size: got {asked.size}, expected a number of options >= 1")
    try:
        rows = compare(asked.size)
    except BifrostError as error:
        print(f"gpu_cluster.smoke: {error}", file=sys.stderr)
        return 1
    simulated = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
    equal = all(row["difference"] <= TOLERANCE for row in rows)
    print(json.dumps({"equal": equal, "tolerance": TOLERANCE, "simulated": simulated, "rows": rows}, indent=2))
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())
