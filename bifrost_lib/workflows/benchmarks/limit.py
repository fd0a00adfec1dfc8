"""How far a solver is from what the processor could do at most."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from bifrost_lib.core.native import loop
from bifrost_lib.workflows.benchmarks.limit_loops import FMAS

_LOOPS = "bifrost_lib.workflows.benchmarks.limit_loops"
_ELEMENTS, _ROUNDS, _REPEATS = 512, 20_000, 5

#: Operations of one implied volatility, counted in the source of pricing's loops: multiply-adds, divisions and roots
#: of the reduction, the first guess, the model price and the step of fifth order.
OPERATIONS = {"fma": 230, "divide": 8, "root": 2}


def implied_vol_limit() -> float:
    """Return implied volatilities a second if this core did nothing but their arithmetic, at its measured rates.

    Divisions and roots share one unit, which works beside those that multiply and add: the slower of both counts.
    """
    multiplying = OPERATIONS["fma"] * _seconds(loop(_LOOPS, "multiply_all")) / FMAS
    dividing = OPERATIONS["divide"] * _seconds(loop(_LOOPS, "divide_all"))
    rooting = OPERATIONS["root"] * _seconds(loop(_LOOPS, "root_all"))
    return 1.0 / max(multiplying, dividing + rooting)


def multiply_twice(rounds: int) -> None:
    """Do nothing but multiply-adds, `rounds` over 512 elements here and as many in a thread beside."""
    multiply = loop(_LOOPS, "multiply_all")
    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(multiply, np.full(_ELEMENTS, 0.5), rounds)
        multiply(np.full(_ELEMENTS, 0.5), rounds)
        beside.result()


def _seconds(work: Callable[..., int]) -> float:
    """Return the least time of one pass over one element."""
    spent = []
    for _ in range(_REPEATS):
        values = np.full(_ELEMENTS, 0.5)
        began = time.process_time()
        work(values, _ROUNDS)
        spent.append(time.process_time() - began)
    return min(spent) / (_ELEMENTS * _ROUNDS)
