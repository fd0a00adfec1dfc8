"""Long batches are shared among the processor's cores."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import or_

from bifrost_lib.pricing.workspace import BLOCK

LEAST_PART = 32 * 1024  # options of a millisecond together: handing them to a thread costs a hundredth of that


def in_parts(run: Callable[[slice], int], size: int, *, least: int = LEAST_PART, block: int = BLOCK) -> int:
    """Call `run` for slices that make up ``range(size)``, side by side, and return its results or-ed together.

    Threads take their slices, multiples of `block`, one by one: large ones first and then ever smaller ones down to
    `least`, so that a core that is busy with something else holds nobody up. Loops release the interpreter's lock, so
    threads are enough. ``OMP_NUM_THREADS``, which Dask sets to 1 in its workers, limits their number.
    """
    threads = min(_allowed_threads(), size // (2 * least)) if size >= 4 * least else 1
    if threads <= 1:
        return run(slice(0, size))
    waiting = iter(_slices(size, threads, least, block))  # of a list: taking its next is atomic

    def work() -> int:
        return reduce(or_, map(run, waiting), 0)

    with ThreadPoolExecutor(threads - 1) as pool:
        others = [pool.submit(work) for _ in range(threads - 1)]
        return reduce(or_, (other.result() for other in others), work())


def _slices(size: int, threads: int, least: int, block: int) -> list[slice]:
    found, start = [], 0
    while start < size:
        part = max((size - start) // (2 * threads), least)
        part = min(part - part % -block, size - start)  # whole blocks
        found.append(slice(start, start + part))
        start += part
    return found


def _allowed_threads() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable, int(wanted)) if wanted.isdigit() and int(wanted) > 0 else usable
