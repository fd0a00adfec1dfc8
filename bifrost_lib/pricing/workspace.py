"""How loops move through long arrays: in blocks that stay in the processor's first cache.

A block's values live in rows of one flat workspace, `ROW` apart. Since all of them belong to one array at known
distances, the compiler sees that they do not overlap and turns the arithmetic into SIMD. Arithmetic always runs over
whole blocks, the end of the last one being whatever was there: so an option's result never depends on its place.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 128
ROW = BLOCK + 8  # not a power of two, or all rows would compete for the same few lines of the cache
ROWS = 26  # the most that a loop uses


def workspace() -> npt.NDArray[np.float64]:
    """Return scratch memory for one loop; threads must not share it."""
    return np.zeros(ROWS * ROW)
