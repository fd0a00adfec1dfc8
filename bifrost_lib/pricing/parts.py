"""Long batches are shared among the processor's cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import or_

from bifrost_lib.pricing.workspace import BLOCK

LEAST_PART = 64 * 1024  # below it, starting a thread costs more than it saves


def in_parts(run: Callable[[slice], int], size: int) -> int:
    """Call `run` for slices that make up ``range(size)``, side by side, and return its results or-ed together.

    Loops release the interpreter's lock, so threads are enough. ``OMP_NUM_THREADS``, which Dask sets to 1 in its
    workers, limits their number.
    """
    threads = min(_allowed_threads(), size // LEAST_PART) if size >= 2 * LEAST_PART else 1
    if threads <= 1:
        return run(slice(0, size))
    part = -(-size // threads)
    part += -part % BLOCK
    slices = [slice(start, min(start + part, size)) for start in range(0, size, part)]
    with ThreadPoolExecutor(threads) as pool:
        return reduce(or_, pool.map(run, slices))


def _allowed_threads() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else usable
