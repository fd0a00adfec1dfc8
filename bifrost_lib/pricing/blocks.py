"""Moving blocks between long arrays and the rows of the workspace."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.elementary import SCALAR
from bifrost_lib.pricing.workspace import ROW


@kernel(**SCALAR)
def load(work: Any, row: int, source: Any, step: int, start: int, size: int) -> None:
    """Copy a block of `source` to a row; with ``step == 0`` its only value."""
    at = row * ROW
    if step == 0:
        value = source[0]
        for j in range(size):
            work[at + j] = value
    else:
        block = source[start : start + size]  # its index is seen to be >= 0, which start + j is not
        for j in range(size):
            work[at + j] = block[j]


@kernel(**SCALAR)
def load_sign(work: Any, row: int, is_call: Any, step: int, start: int, size: int) -> None:
    """Write +1 for calls (1) and -1 for puts (0) to a row."""
    at = row * ROW
    if step == 0:
        sign = 2.0 * is_call[0] - 1.0
        for j in range(size):
            work[at + j] = sign
    else:
        flags = is_call[start : start + size]
        for j in range(size):
            work[at + j] = 2.0 * flags[j] - 1.0


@kernel(**SCALAR)
def store(work: Any, row: int, target: Any, start: int, size: int) -> None:
    """Copy a row to a block of `target`."""
    at = row * ROW
    block = target[start : start + size]
    for j in range(size):
        block[j] = work[at + j]


@kernel(**SCALAR)
def store_wanted(work: Any, row: int, target: Any, start: int, size: int) -> None:
    """Copy a row to a block of `target`, unless `target` is empty."""
    if target.size > 0:
        store(work, row, target, start, size)


@kernel(**SCALAR)
def outside(work: Any, row: int, size: int, strict: bool, flag: int) -> int:
    """Return `flag` if a value of a row is negative, or zero where `strict`; NaN is neither."""
    at = row * ROW
    bad = 0
    if strict:
        for j in range(size):
            bad |= 1 if work[at + j] <= 0.0 else 0
    else:
        for j in range(size):
            bad |= 1 if work[at + j] < 0.0 else 0
    return flag if bad else 0
