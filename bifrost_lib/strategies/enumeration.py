"""Every combination of quotes that a strategy's rules admit, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.strategies.selection import Search

Combos = npt.NDArray[np.int32]

BLOCK = 16_384


def combinations(search: Search, *, block: int = BLOCK) -> Iterator[Combos]:
    """Yield all combinations as pool positions, shape (<= block, legs), in a fixed order.

    The array is reused: what must outlive the next block has to be copied.
    """
    legs = len(search.legs)
    out = np.empty((block, legs), dtype=np.int32)
    here, end = np.zeros(legs, dtype=np.int64), np.zeros(legs, dtype=np.int64)
    here[0], end[0] = search.first[0], search.last[0]
    level = 0
    while level >= 0:
        count, level = _fill(out, here, end, level, search.ref, search.stride, search.offset, search.first, search.last)
        if count:
            yield out[:count]


def count_combinations(search: Search) -> int:
    """Return how many combinations there are."""
    return sum(len(block) for block in combinations(search))


@kernel(error_model="numpy")
def _fill(
    out: Any, here: Any, end: Any, level: int, ref: Any, stride: Any, offset: Any, first: Any, last: Any
) -> tuple[int, int]:
    # A depth-first walk that can be left when `out` is full and taken up again: `here` and `end` are the position
    # and the end of the range at each level. Returns how much was filled and the level to go on from; -1 is done.
    legs = out.shape[1]
    count = 0
    while level >= 0:
        if here[level] >= end[level]:
            level -= 1
            if level >= 0:
                here[level] += 1
        elif level < legs - 1:
            level += 1
            at = offset[level] + here[ref[level, 0]] * stride[level, 0] + here[ref[level, 1]] * stride[level, 1]
            here[level], end[level] = first[at], last[at]
        elif count == out.shape[0]:
            break
        else:
            run = min(end[level] - here[level], out.shape[0] - count)
            for i in range(run):
                for j in range(legs - 1):
                    out[count + i, j] = here[j]
                out[count + i, legs - 1] = here[level] + i
            count += run
            here[level] += run
    return count, level
