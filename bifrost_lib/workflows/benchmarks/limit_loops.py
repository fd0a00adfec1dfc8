"""What the processor can do at most: multiplications with addition, divisions and square roots, in full-width SIMD."""

from __future__ import annotations

import math

from bifrost_lib.core.native import Floats

FMAS = 32  # in each pass over an element


def multiply_all(values: Floats, rounds: int) -> int:
    """Apply 32 dependent multiply-adds to every value, `rounds` times."""
    for _ in range(rounds):
        for j in range(values.size):
            x = values[j]
            p = x
            for _ in range(FMAS):
                p = p * x + 0.25
            values[j] = p * 1e-3
    return 0


def divide_all(values: Floats, rounds: int) -> int:
    """Divide by every value, `rounds` times."""
    for _ in range(rounds):
        for j in range(values.size):
            values[j] = 1.5 / values[j]
    return 0


def root_all(values: Floats, rounds: int) -> int:
    """Take the root of every value, `rounds` times."""
    for _ in range(rounds):
        for j in range(values.size):
            values[j] = math.sqrt(values[j]) + 0.5
    return 0
