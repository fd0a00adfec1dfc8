"""Measuring on so many cores, whatever the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_core() -> AbstractContextManager[None]:
    """Keep this process, and those that it starts, on one core inside the block."""
    return cores(1)


@contextmanager
def cores(count: int) -> Iterator[None]:
    """Keep this process, and those that it starts, on `count` cores, or on all where there are fewer."""
    allowed, threads = os.sched_getaffinity(0), os.environ.get("OMP_NUM_THREADS")
    os.sched_setaffinity(0, sorted(allowed)[-count:])
    os.environ["OMP_NUM_THREADS"] = str(count)  # threads that take turns on one core only cost
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
        os.environ.pop("OMP_NUM_THREADS")
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
