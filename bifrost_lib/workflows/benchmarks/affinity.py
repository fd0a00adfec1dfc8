"""Measuring on one core, whatever the machine has."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and those that it starts, on one core inside the block."""
    allowed, threads = os.sched_getaffinity(0), os.environ.get("OMP_NUM_THREADS")
    os.sched_setaffinity(0, {max(allowed)})
    os.environ["OMP_NUM_THREADS"] = "1"  # threads that take turns on one core only cost
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
        os.environ.pop("OMP_NUM_THREADS")
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
