"""Moving blocks between long arrays and the rows of the workspace."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.elementary import SCALAR
from bifrost_lib.pricing.workspace import BLOCK


@kernel(**SCALAR)
def load(work: Any, row: int, source: Any, step: int, start: int, size: int) -> None:
    """Copy a block of `source` to a row; with ``step == 0`` its only value."""
    at = row * BLOCK
    if step == 0:
        value = source[0]
        for j in range(size):
            work[at + j] = value
    else:
        for j in range(size):
            work[at + j] = source[start + j]


@kernel(**SCALAR)
def load_sign(work: Any, row: int, is_call: Any, step: int, start: int, size: int) -> None:
    """Write +1 for calls and -1 for puts to a row."""
    at = row * BLOCK
    for j in range(size):
        work[at + j] = 1.0 if is_call[(start + j) * step] != 0 else -1.0


@kernel(**SCALAR)
def store(work: Any, row: int, target: Any, start: int, size: int) -> None:
    """Copy a row to a block of `target`."""
    at = row * BLOCK
    for j in range(size):
        target[start + j] = work[at + j]


@kernel(**SCALAR)
def outside(work: Any, row: int, size: int, strict: bool, flag: int) -> int:
    """Return `flag` if a value of a row is negative, or zero where `strict`; NaN is neither."""
    at = row * BLOCK
    bad = 0
    if strict:
        for j in range(size):
            bad |= 1 if work[at + j] <= 0.0 else 0
    else:
        for j in range(size):
            bad |= 1 if work[at + j] < 0.0 else 0
    return flag if bad else 0
