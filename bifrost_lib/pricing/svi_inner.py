"""The linear half of an SVI fit: level and two wing slopes for a given place and width, constraints solved exactly.

With ``y = (k - m) / sigma`` and ``h = sqrt(y**2 + 1)`` raw SVI is linear in three numbers::

    w = level + right * (h + y) / 2 + left * (h - y) / 2

where ``right = b sigma (1 + rho)`` and ``left = b sigma (1 - rho)``. No-arbitrage bounds on the wings (Lee: slopes in
0 to 2) are then a box, and ``w >= 0`` is ``level + sqrt(right * left) >= 0``, which is convex. Zeliade (2009) solves
the same problem in rotated coordinates, with ``level >= 0`` instead of the exact condition.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel

SUMS = {"error_model": "numpy", "fastmath": {"contract", "reassoc", "nsz"}}
EXACT = {"error_model": "numpy", "fastmath": {"contract"}}

LEE = 2.0  # the steepest wing of total variance that moments allow
_FLOOR_ROUNDS = 40


@kernel(**SUMS)
def wings(k: Any, m: float, sigma: float, size: int, rising: Any, falling: Any) -> None:
    """Write the two basis functions of the wings."""
    scale = 1.0 / sigma
    for i in range(size):
        y = (k[i] - m) * scale
        h = math.sqrt(y * y + 1.0)
        rising[i] = 0.5 * (h + y)
        falling[i] = 0.5 * (h - y)


@kernel(**SUMS)
def mean(weight: Any, x: Any, size: int) -> float:
    """Return the weighted mean; weights sum to one."""
    total = 0.0
    for i in range(size):
        total += weight[i] * x[i]
    return total


@kernel(**SUMS)
def covariance(weight: Any, x: Any, x_mean: float, y: Any, y_mean: float, size: int) -> float:
    """Return the weighted mean product of deviations; weights sum to one."""
    total = 0.0
    for i in range(size):
        total += weight[i] * (x[i] - x_mean) * (y[i] - y_mean)
    return total


@kernel(**EXACT)
def _clip(x: float, high: float) -> float:
    return 0.0 if math.isnan(x) else min(max(x, 0.0), high)


@kernel(**EXACT)
def _boxed(rr: float, rl: float, ll: float, rw: float, lw: float, cap: float) -> tuple[float, float]:
    """Minimise ``rr u u + 2 rl u v + ll v v - 2 rw u - 2 lw v`` for u and v in 0 to `cap`."""
    determinant = rr * ll - rl * rl
    if determinant > 1e-15 * rr * ll:
        u = (rw * ll - lw * rl) / determinant
        v = (lw * rr - rw * rl) / determinant
        if 0.0 <= u <= cap and 0.0 <= v <= cap:
            return u, v
    best, best_u, best_v = math.inf, 0.0, 0.0
    for edge in range(4):  # a convex function whose minimum is outside the box has it on an edge
        fixed = 0.0 if edge % 2 == 0 else cap
        if edge < 2:
            u, v = fixed, _clip((lw - rl * fixed) / ll, cap)
        else:
            u, v = _clip((rw - rl * fixed) / rr, cap), fixed
        cost = rr * u * u + 2.0 * rl * u * v + ll * v * v - 2.0 * (rw * u + lw * v)
        if cost < best:
            best, best_u, best_v = cost, u, v
    return best_u, best_v


@kernel(**EXACT)
def _along_the_floor(
    rr: float, rl: float, ll: float, rw: float, lw: float, means: tuple[float, float, float], cap: float
) -> tuple[float, float]:
    """Minimise where the least total variance is zero, so that the level is ``-sqrt(u v)``.

    At given ``t = sqrt(v / u)`` the level is linear in u and v, which is a problem in a box again.
    """
    r_mean, l_mean, w_mean = means
    t, u, v = 1.0, 0.0, 0.0
    for _ in range(_FLOOR_ROUNDS):
        r, l = r_mean - 0.5 * t, l_mean - 0.5 / t  # noqa: E741
        u, v = _boxed(rr + r * r, rl + r * l, ll + l * l, rw + r * w_mean, lw + l * w_mean, cap)
        following = min(max(math.sqrt(v / u), 1e-6), 1e6) if u > 0.0 else 1e6
        if math.fabs(following - t) <= 1e-13 * t:
            break
        t = following
    return u, v


@kernel(**EXACT)
def inner_fit(
    weight: Any, rising: Any, falling: Any, w: Any, size: int, cap: float
) -> tuple[float, float, float, bool, float]:
    """Return level, right, left, whether the least total variance is held at zero, and the mean squared error."""
    r_mean, l_mean, w_mean = mean(weight, rising, size), mean(weight, falling, size), mean(weight, w, size)
    rr = covariance(weight, rising, r_mean, rising, r_mean, size)
    rl = covariance(weight, rising, r_mean, falling, l_mean, size)
    ll = covariance(weight, falling, l_mean, falling, l_mean, size)
    rw = covariance(weight, rising, r_mean, w, w_mean, size)
    lw = covariance(weight, falling, l_mean, w, w_mean, size)
    ww = covariance(weight, w, w_mean, w, w_mean, size)
    u, v = _boxed(rr, rl, ll, rw, lw, cap)
    level = w_mean - u * r_mean - v * l_mean
    floored = level < -math.sqrt(u * v)
    if floored:
        u, v = _along_the_floor(rr, rl, ll, rw, lw, (r_mean, l_mean, w_mean), cap)
        level = -math.sqrt(u * v)
    off = level + u * r_mean + v * l_mean - w_mean
    error = off * off + ww + rr * u * u + 2.0 * rl * u * v + ll * v * v - 2.0 * (rw * u + lw * v)
    return level, u, v, floored, error
