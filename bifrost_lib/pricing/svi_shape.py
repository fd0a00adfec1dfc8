"""Compiled questions to one SVI slice: its total variance, and the least value of Durrleman's g."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.svi_inner import EXACT, SUMS

_TINY = 1e-300
_SECTIONS = 24
_GOLDEN = 0.6180339887498949


@kernel(**SUMS)
def _g_at(x: float, m: float, sigma: float, a: float, b: float, rho: float) -> float:
    # x is k - m
    h = math.sqrt(x * x + sigma * sigma)
    w = max(a + b * (rho * x + h), _TINY)
    slope = b * (rho + x / h)
    bend = b * sigma * sigma / (h * h * h)
    skewed = 1.0 - 0.5 * (x + m) * slope / w
    return skewed * skewed - 0.25 * slope * slope * (1.0 / w + 0.25) + 0.5 * bend


@kernel(**SUMS)
def _fill(x: Any, size: int, m: float, sigma: float, a: float, b: float, rho: float, out: Any) -> None:
    for i in range(size):
        out[i] = _g_at(x[i] * sigma, m, sigma, a, b, rho)


@kernel(**EXACT)
def least_g(a: float, b: float, rho: float, m: float, sigma: float, grid: Any, work: Any) -> tuple[float, float]:
    """Return the least g and the log-moneyness where it is; ``-inf`` where total variance is negative.

    `grid` holds ``sinh`` of evenly spaced numbers, and `work` takes as many values. The neighbourhood of the least
    value is searched again by golden sections.
    """
    root = math.sqrt(max(1.0 - rho * rho, 0.0))
    if a + b * sigma * root < -1e-15 * (math.fabs(a) + b * sigma):
        return -math.inf, m - rho * sigma / max(root, 1e-9)
    size = len(grid)
    _fill(grid, size, m, sigma, a, b, rho, work)
    lowest = 0
    for i in range(size):
        if work[i] < work[lowest]:
            lowest = i
    low = grid[max(lowest - 1, 0)] * sigma
    high = grid[min(lowest + 1, size - 1)] * sigma
    best, at = work[lowest], grid[lowest] * sigma
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    g_left, g_right = _g_at(left, m, sigma, a, b, rho), _g_at(right, m, sigma, a, b, rho)
    for _ in range(_SECTIONS):
        if g_left < g_right:
            high, right, g_right = right, left, g_left
            left = high - _GOLDEN * (high - low)
            g_left = _g_at(left, m, sigma, a, b, rho)
        else:
            low, left, g_left = left, right, g_right
            right = low + _GOLDEN * (high - low)
            g_right = _g_at(right, m, sigma, a, b, rho)
        if g_left < best:
            best, at = g_left, left
        if g_right < best:
            best, at = g_right, right
    return best, at + m
