"""The compiled fit of SVI slices: a coarse search for place and width, then Gauss-Newton with damping.

The linear half is solved exactly at every step (`svi_inner`), so the outer search has two dimensions, ``m / sigma`` and
``ln sigma``. Its Jacobian is projected off the linear columns that are free (variable projection, Kaufman 1975), which
needs no derivative of the inner solution. A last step in all five parameters removes what normal equations lost.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats, Table
from bifrost_lib.pricing.svi_inner import EXACT, LEE, SUMS, covariance, inner_fit, mean, wings
from bifrost_lib.pricing.svi_shape import least_g

FEWEST = 5  # points, as many as parameters
ROWS = 8  # of the workspace
RESULTS = 9
_PLACES, _WIDTHS = 9, 5
_STEPS = 60
_KINKED = 0.05  # ranges of log-moneyness
_NARROW, _WIDE, _BESIDE = 1e-3, 20.0, 1.5  # bounds of sigma and of m outside the quotes, in ranges of log-moneyness


@kernel(**SUMS)
def _residuals(work: Any, level: float, right: float, left: float, size: int) -> float:
    total = 0.0
    for i in range(size):
        r = level + right * work[3, i] + left * work[4, i] - work[1, i]
        work[5, i] = r
        total += work[2, i] * r * r
    return total


@kernel(**SUMS)
def _slopes(work: Any, right: float, left: float, moving: tuple[float, float], size: int) -> None:
    """Write the derivatives by ``m / sigma`` and ``ln sigma``; `moving` slopes sit on a bound that grows with sigma."""
    for i in range(size):
        y, h = work[3, i] - work[4, i], work[3, i] + work[4, i]
        e = -0.5 * ((right - left) + (right + left) * y / h)
        work[6, i] = e
        work[7, i] = y * e + moving[0] * work[3, i] + moving[1] * work[4, i]


@kernel(**EXACT)
def _projected(work: Any, free: tuple[bool, bool, bool], size: int, gram: Any) -> None:
    """Reduce the normal equations of the two outer unknowns by the free linear columns; fills ``gram[:5]``."""
    for i in range(4):
        row = 3 + i if i < 2 else 4 + i
        gram[20 + i] = mean(work[2], work[row], size) if free[2] else 0.0
    for i in range(4):
        row = 3 + i if i < 2 else 4 + i
        for j in range(i, 4):
            column = 3 + j if j < 2 else 4 + j
            cross = covariance(work[2], work[row], gram[20 + i], work[column], gram[20 + j], size)
            gram[24 + 4 * i + j] = cross
            gram[24 + 4 * j + i] = cross
    first, second = mean_product(work, 6, size), mean_product(work, 7, size)
    for pivot in range(2):
        top = gram[24 + 5 * pivot]
        if not free[pivot] or not top > 1e-14 * mean_square(work, 3 + pivot, size):
            continue
        for i in range(pivot + 1, 4):
            share = gram[24 + 4 * i + pivot] / top
            for j in range(pivot + 1, 4):
                gram[24 + 4 * i + j] -= share * gram[24 + 4 * pivot + j]
    gram[0], gram[1], gram[2] = gram[24 + 10], gram[24 + 11], gram[24 + 15]
    gram[3], gram[4] = first, second


@kernel(**SUMS)
def mean_product(work: Any, row: int, size: int) -> float:
    """Return the weighted mean of a row times the residuals."""
    total = 0.0
    for i in range(size):
        total += work[2, i] * work[row, i] * work[5, i]
    return total


@kernel(**SUMS)
def mean_square(work: Any, row: int, size: int) -> float:
    """Return the weighted mean square of a row."""
    total = 0.0
    for i in range(size):
        total += work[2, i] * work[row, i] * work[row, i]
    return total


@kernel(**EXACT)
def _at(work: Any, m: float, sigma: float, size: int) -> tuple[float, float, float, bool, float]:
    wings(work[0], m, sigma, size, work[3], work[4])
    return inner_fit(work[2], work[3], work[4], work[1], size, LEE * sigma)


@kernel(**EXACT)
def _coarse(
    work: Any, low: float, span: float, size: int, places: int, narrowest: float, widths: int
) -> tuple[float, float]:
    """Return the best place and width of a grid that goes a little beyond the quotes."""
    best, best_m, best_sigma = math.inf, low, span
    for i in range(places):
        m = low + span * (i - 1) / (places - 3)
        sigma = narrowest * span
        for _ in range(widths):
            error = _at(work, m, sigma, size)[4]
            if error < best:
                best, best_m, best_sigma = error, m, sigma
            sigma *= 2.7
    return best_m, best_sigma


@kernel(**EXACT)
def _prepare(work: Any, right: float, left: float, floored: bool, cap: float, size: int, gram: Any) -> None:
    """Linearise around the present slice."""
    right_free, left_free = 0.0 < right < cap, 0.0 < left < cap
    moving = (right if right == cap else 0.0, left if left == cap else 0.0)
    _slopes(work, right, left, moving, size)
    if floored and right > 0.0 and left > 0.0:
        t = math.sqrt(left / right)
        for i in range(size):
            work[3, i] -= 0.5 * t
            work[4, i] -= 0.5 / t
            work[7, i] -= 0.5 * (t * moving[0] + moving[1] / t)
    _projected(work, (right_free, left_free, not floored), size, gram)


@kernel(**EXACT)
def _damped(gram: Any, damping: float) -> tuple[float, float]:
    """Return the Levenberg-Marquardt step, of bounded length."""
    h11, h12, h22 = gram[0], gram[1], gram[2]
    h11 += damping * h11 + 1e-300
    h22 += damping * h22 + 1e-300
    determinant = h11 * h22 - h12 * h12
    if not determinant > 1e-16 * h11 * h22:
        step, stretch = -gram[3] / h11, -gram[4] / h22
    else:
        step = (h12 * gram[4] - h22 * gram[3]) / determinant
        stretch = (h12 * gram[3] - h11 * gram[4]) / determinant
    size = max(math.fabs(step), math.fabs(stretch))
    shrink = 1.0 / size if size > 1.0 else 1.0
    return step * shrink, stretch * shrink


@kernel(**EXACT)
def _refine(work: Any, m: float, sigma: float, size: int, gram: Any) -> tuple[float, float, float, float, float, float]:
    """Improve place and width until nothing changes; level, right, left, m, sigma and the mean squared error."""
    low, high = work[0, 0], work[0, 0]
    for i in range(size):
        low, high = min(low, work[0, i]), max(high, work[0, i])
    span = high - low
    level, right, left, floored, _ = _at(work, m, sigma, size)
    error = _residuals(work, level, right, left, size)
    nothing = 1e-32 * mean_square(work, 1, size)
    damping, fresh, quiet = 1e-3, True, 0
    for _ in range(_STEPS):
        if error <= nothing:
            break
        if fresh:
            wings(work[0], m, sigma, size, work[3], work[4])
            _residuals(work, level, right, left, size)
            _prepare(work, right, left, floored, LEE * sigma, size, gram)
        step, stretch = _damped(gram, damping)
        new_sigma = min(max(sigma * math.exp(stretch), _NARROW * span), _WIDE * span)
        new_m = min(max(m + sigma * step, low - _BESIDE * span), high + _BESIDE * span)
        new_level, new_right, new_left, new_floored, _ = _at(work, new_m, new_sigma, size)
        new_error = _residuals(work, new_level, new_right, new_left, size)
        small = math.fabs(step) + math.fabs(stretch) < 1e-9
        if new_error < error:
            gain = 1.0 - new_error / error
            level, right, left, floored = new_level, new_right, new_left, new_floored
            m, sigma, error, fresh = new_m, new_sigma, new_error, True
            damping = max(damping * 0.1, 1e-12)
            quiet = quiet + 1 if gain < 1e-10 else 0
            if quiet >= 2 or (small and gain < 1e-6):
                break
        else:
            damping, fresh = damping * 10.0, False
            if small or damping > 1e8:
                break
    return level, right, left, m, sigma, error


@kernel(**EXACT)
def _polish(work: Any, level: float, right: float, left: float, size: int) -> tuple[float, float, float]:
    """Correct the linear half by its residuals: one step of iterative refinement."""
    r_mean, l_mean, e_mean = mean(work[2], work[3], size), mean(work[2], work[4], size), mean(work[2], work[5], size)
    rr = covariance(work[2], work[3], r_mean, work[3], r_mean, size)
    rl = covariance(work[2], work[3], r_mean, work[4], l_mean, size)
    ll = covariance(work[2], work[4], l_mean, work[4], l_mean, size)
    re = covariance(work[2], work[3], r_mean, work[5], e_mean, size)
    le = covariance(work[2], work[4], l_mean, work[5], e_mean, size)
    determinant = rr * ll - rl * rl
    if not determinant > 1e-13 * rr * ll:
        return level, right, left
    u, v = (re * ll - le * rl) / determinant, (le * rr - re * rl) / determinant
    return level - (e_mean - u * r_mean - v * l_mean), right - u, left - v


@kernel(**EXACT)
def _gather(k: Any, w: Any, weight: Any, work: Any) -> int:
    """Copy the points that are there, weights scaled to sum to one, and return how many."""
    size, total = 0, 0.0
    for i in range(len(k)):
        if k[i] == k[i] and w[i] == w[i] and weight[i] > 0.0:
            work[0, size], work[1, size], work[2, size] = k[i], w[i], weight[i]
            total += weight[i]
            size += 1
    for i in range(size):
        work[2, i] /= total
    return size


@kernel(**EXACT)
def _fit_one(work: Any, size: int, gram: Any, found: Any) -> None:
    low, high = work[0, 0], work[0, 0]
    for i in range(size):
        low, high = min(low, work[0, i]), max(high, work[0, i])
    if not high > low:
        return
    m, sigma = _coarse(work, low, high - low, size, _PLACES, 0.04, _WIDTHS)
    level, right, left, m, sigma, error = _refine(work, m, sigma, size, gram)
    if sigma < _KINKED * (high - low):  # a kink has a minimum of its own between any two quotes
        m_kink, sigma_kink = _coarse(work, low, high - low, size, 8 * _PLACES, 0.5 * _KINKED, 3)
        other = _refine(work, m_kink, sigma_kink, size, gram)
        m_kink, sigma_kink = _coarse(work, low, high - low, size, 8 * _PLACES, 2.0 * _NARROW, 1)
        third = _refine(work, m_kink, sigma_kink, size, gram)
        if other[5] < error:
            level, right, left, m, sigma, error = other
        if third[5] < error:
            level, right, left, m, sigma, error = third
    cap = LEE * sigma
    wings(work[0], m, sigma, size, work[3], work[4])
    _residuals(work, level, right, left, size)
    if 0.0 < right < cap and 0.0 < left < cap:
        new_level, new_right, new_left = _polish(work, level, right, left, size)
        new_error = _residuals(work, new_level, new_right, new_left, size)
        inside = 0.0 <= new_right <= cap and 0.0 <= new_left <= cap and new_level >= -math.sqrt(new_right * new_left)
        if inside and new_error < error:
            level, right, left, error = new_level, new_right, new_left, new_error
    found[0] = level
    found[1] = 0.5 * (right + left) / sigma
    found[2] = (right - left) / (right + left) if right + left > 0.0 else 0.0
    found[3], found[4], found[5] = m, sigma, math.sqrt(error)


def fit_all(k: Table, w: Table, weight: Table, grid: Floats, found: Table, work: Table, scratch: Table) -> int:
    """Fit every row; `found` gets a, b, rho, m, sigma, rmse, points, least g and where; returns how many were fitted.

    `k` and `weight` have as many rows as `w`, or one for all. `work` is (ROWS, points), `scratch` (2, > grid).
    """
    fitted = 0
    for row in range(len(w)):
        size = _gather(k[row if len(k) > 1 else 0], w[row], weight[row if len(weight) > 1 else 0], work)
        found[row, :] = math.nan
        found[row, 6] = size
        if size < FEWEST:
            continue
        _fit_one(work, size, scratch[0], found[row])
        if found[row, 0] == found[row, 0]:
            fitted += 1
            found[row, 7], found[row, 8] = least_g(
                found[row, 0], found[row, 1], found[row, 2], found[row, 3], found[row, 4], grid, scratch[1, : len(grid)]
            )
    return fitted
