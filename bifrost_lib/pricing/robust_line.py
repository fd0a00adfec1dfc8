"""A straight line through call-put differences that ignores the quotes that are wrong.

Put-call parity says: call - put = discount (forward - strike), a falling line in strike. A chain has stale, locked and
mistyped quotes among good ones, so the line starts from medians and is refined by reweighted least squares whose
weights vanish for outliers (Tukey's bisquare). On quotes without noise nothing is shrunk or smoothed: the line is
exact to rounding.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel

LOOP = {"error_model": "numpy", "fastmath": {"contract"}}

_MAD = 1.4826  # makes the median absolute deviation of normal errors their standard deviation
_BISQUARE = 4.685  # 95 % efficiency under normal errors
_ROUNDING = 1e-11
_ROUNDS = 12
_TWO_POINTS = 0.0625  # of two points nothing can be learnt but their widths: a quarter of it is the error, ...
_FEW = 4.0  # ... and little more of so many beyond them, which may lie on a line by chance, ...
_EXACT = 1e-12  # ... unless all lie on it to a millionth of their widths; ...
_CHANCE = 1.5  # ... three quotes in cents often do
_ALL_SLOPES = 16  # up to so many points every pair of them gives a slope, above it only those half the range apart


@kernel(**LOOP)
def median(values: Any, size: int) -> float:
    """Return the median of ``values[:size]``, whose order is destroyed; the upper one for an even size."""
    return ranked(values, size, size // 2)


@kernel(**LOOP)
def ranked(values: Any, size: int, wanted: int) -> float:
    """Return the value of ``values[:size]`` that `wanted` others are not above; their order is destroyed."""
    low, high = 0, size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return values[wanted]  # type: ignore[no-any-return]


@kernel(**LOOP)
def _median_slope(x: Any, y: Any, size: int, scratch: Any) -> float:
    count = 0
    if size <= _ALL_SLOPES:
        for i in range(size):
            for j in range(i + 1, size):
                scratch[count] = (y[j] - y[i]) / (x[j] - x[i])
                count += 1
    else:
        half = size // 2
        for i in range(size - half):
            scratch[count] = (y[i + half] - y[i]) / (x[i + half] - x[i])
            count += 1
    return median(scratch, count)


@kernel(**LOOP)
def weigh(x: Any, y: Any, width: Any, size: int, middle: float, slope: float, weight: Any, scratch: Any) -> float:
    """Fill `weight` with bisquare weights over ``width ** 2``; return the sum of the bisquare weights alone.

    The line is ``y = slope (x - middle)``.
    """
    for i in range(size):
        scratch[i] = math.fabs(y[i] - slope * (x[i] - middle)) / width[i]
    scale = _MAD * ranked(scratch, size, (size + 1) // 2)  # two points lie on any line and tell nothing of errors
    trusted = 0.0
    for i in range(size):
        limit = _BISQUARE * max(scale, _ROUNDING * math.fabs(middle) / width[i])
        u = (y[i] - slope * (x[i] - middle)) / (width[i] * limit)
        share = (1.0 - u * u) * (1.0 - u * u) if u * u < 1.0 else 0.0
        weight[i] = share / (width[i] * width[i])
        trusted += share
    return trusted


@kernel(**LOOP)
def robust_line(x: Any, y: Any, width: Any, size: int, weight: Any, scratch: Any) -> Any:
    """Fit ``y = slope (x - root)`` to `size` points whose errors are in proportion to `width`.

    Returns
    -------
    slope : float
        NaN with fewer than two points.
    noise : float
        Variance of the points about the line, in units of ``width ** 2``.
    spread : float
        Weighted sum of squares of x about its mean; ``noise / spread`` is the slope's variance if errors are
        independent.
    total, mean_x, mean_y : float
        Sum of the final weights, and the weighted means, which the line passes through.
    trusted : float
        How many points the fit rests on, outliers counting as nothing.
    """
    if size == 1:
        weight[0] = 1.0 / (width[0] * width[0])
        return math.nan, math.inf, 0.0, weight[0], x[0], y[0], 1.0
    slope = _median_slope(x, y, size, scratch)
    for i in range(size):
        scratch[i] = y[i] - slope * x[i]
    root = -median(scratch, size) / slope if slope != 0.0 else x[size // 2]
    total, mean_x, mean_y, spread, trusted = 0.0, 0.0, 0.0, 0.0, 0.0
    for _ in range(_ROUNDS):
        trusted = weigh(x, y, width, size, root, slope, weight, scratch)
        total, sum_x, sum_y = 0.0, 0.0, 0.0
        for i in range(size):
            total += weight[i]
            sum_x += weight[i] * x[i]
            sum_y += weight[i] * y[i]
        mean_x, mean_y = sum_x / total, sum_y / total
        spread, product = 0.0, 0.0
        for i in range(size):
            spread += weight[i] * (x[i] - mean_x) * (x[i] - mean_x)
            product += weight[i] * (x[i] - mean_x) * (y[i] - mean_y)
        before = slope
        slope = product / spread
        root = mean_x - mean_y / slope
        if math.fabs(slope - before) <= 1e-15 * math.fabs(slope):
            break
    noise = _TWO_POINTS
    if size > 2:
        squares = 0.0
        for i in range(size):
            error = y[i] - mean_y - slope * (x[i] - mean_x)
            squares += weight[i] * error * error
        freedom = max(trusted - 2.0, 0.5)
        noise = squares / freedom * (1.0 + 2.0 / freedom)
        if freedom < _CHANCE or (freedom < _FEW and noise > _EXACT):
            noise = max(noise, _TWO_POINTS * (1.0 - freedom / _FEW))
    return slope, noise, spread, total, mean_x, mean_y, trusted
