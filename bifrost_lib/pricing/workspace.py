"""How loops move through long arrays: in blocks that stay in the processor's first cache.

A block's values live in rows of one flat workspace, `BLOCK` apart. Since all of them belong to one array at known
distances, the compiler sees that they do not overlap and turns the arithmetic into SIMD.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BLOCK = 256
ROWS = 24  # the most that a loop uses


def workspace() -> npt.NDArray[np.float64]:
    """Return scratch memory for one loop; threads must not share it."""
    return np.empty(ROWS * BLOCK)
