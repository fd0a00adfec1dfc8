"""Memory for several results at once, used again by the next call when nobody holds the last call's results.

The system clears every new page before it hands it out, which takes as long as filling it with greeks does. So the
memory of one large batch of results is kept when the last of them is let go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrost_lib.core.native import Floats, Table

LEAST_KEPT = 1 << 20  # bytes; what is smaller, the allocator keeps by itself
MOST_KEPT = 64 << 20

_spare: list[Floats] = []  # at most one; list operations are atomic, so threads may share it


class _Lent:
    """Memory that arrays look into; it comes back when the last of them is gone."""

    def __init__(self, memory: Floats) -> None:
        self.memory = memory

    @property
    def __array_interface__(self) -> dict[str, Any]:
        return self.memory.__array_interface__

    def __del__(self) -> None:
        _spare[:] = [self.memory]


def result_table(rows: int, columns: int) -> Table:
    """Return an array (rows, columns) of float64 with arbitrary content; rows may be let go one by one."""
    size = rows * columns
    if not LEAST_KEPT <= 8 * size <= MOST_KEPT:
        return np.empty((rows, columns))
    try:
        memory = _spare.pop()
    except IndexError:
        memory = np.empty(size)
    if not size <= memory.size <= 2 * size:
        memory = np.empty(size)
    return np.asarray(_Lent(memory))[:size].reshape(rows, columns)
