"""The total volatility s = vol sqrt(tau) of one out-of-the-money option, to the last digit and for any price.

An option is reduced to (x, b): x = -|ln(forward / strike)| and b = its out-of-the-money value over the smaller of the
discounted forward and the discounted strike, so 0 < b < 1 and
b = N(d1) - e^(-x) N(d2), d1 = x / s + s / 2, d2 = d1 - s.
"""

from __future__ import annotations

import math

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.elementary import SCALAR, mills_ratio, mills_slope
from bifrost_lib.pricing.normal_form import density

LOG_SQRT_2PI = 0.9189385332046727
_SHORT = 0.1  # total volatility below which the difference of two Mills ratios is expanded about its middle
_ROUNDS = 60


@kernel(**SCALAR)
def short_multiple(h: float, t: float) -> float:
    """Return b / n(d1) for h = x / s <= 0 and t = s / 2 <= 0.05, without cancellation.

    It is the integral over u > 0 of 2 e^(hu - u^2/2) sinh(tu), a series in t whose terms follow one recurrence.
    """
    y1 = mills_slope(-h)
    y2 = mills_ratio(-h) + h * y1
    y3 = 2.0 * y1 + h * y2
    y4 = 3.0 * y2 + h * y3
    y5 = 4.0 * y3 + h * y4
    y6 = 5.0 * y4 + h * y5
    y7 = 6.0 * y5 + h * y6
    y8 = 7.0 * y6 + h * y7
    y9 = 8.0 * y7 + h * y8
    w = t * t
    series = y1 + w / 6.0 * (y3 + w / 20.0 * (y5 + w / 42.0 * (y7 + w / 72.0 * y9)))
    return 2.0 * t * series


@kernel(error_model="numpy", fastmath={"contract"})
def density_multiple(x: float, s: float) -> float:
    """Return b / n(d1) for d1 <= 0 or short s, else (b - 1) / n(d1); both without cancellation."""
    if s >= _SHORT:
        d1 = x / s + 0.5 * s
        lower = mills_ratio(s - d1)
        return mills_ratio(-d1) - lower if d1 <= 0.0 else -mills_ratio(d1) - lower
    return short_multiple(x / s, 0.5 * s)


@kernel(error_model="numpy", fastmath={"contract"})
def log_value(x: float, s: float) -> float:
    """Return ln b, without underflow."""
    d1 = x / s + 0.5 * s
    multiple = density_multiple(x, s)
    if d1 <= 0.0 or s < _SHORT:
        return math.log(multiple) - 0.5 * d1 * d1 - LOG_SQRT_2PI
    return math.log1p(density(d1) * multiple)


@kernel(error_model="numpy", fastmath={"contract"})
def log_slope(x: float, s: float) -> float:
    """Return d ln b / d s."""
    d1 = x / s + 0.5 * s
    multiple = density_multiple(x, s)
    if d1 <= 0.0 or s < _SHORT:
        return 1.0 / multiple
    n = density(d1)
    return n / (1.0 + n * multiple)


@kernel(error_model="numpy", fastmath={"contract"})
def solve_total_vol(x: float, log_b: float, log_rest: float) -> float:
    """Return s, given x <= 0, ln b and ln(1 - b); exact to a few ulp for any b from 1e-300 to 1 - 1e-16."""
    middle = math.sqrt(-2.0 * x)  # where b turns from convex to concave in s, and d1 = 0
    if log_b > -0.6931471805599453:
        return _from_above(x, log_rest, max(middle, 1e-8))
    if middle > 0.0 and log_b < log_value(x, middle):
        return _from_below(x, log_b, middle)
    return _from_middle(x, log_b, max(middle, 2.5066282746310002 * math.exp(log_b)))


@kernel(error_model="numpy", fastmath={"contract"})
def _from_below(x: float, log_b: float, s: float) -> float:
    # ln b is nearly linear in 1 / s^2 and convex, so Newton's steps approach the solution from one side
    w = 1.0 / (s * s)
    for _ in range(_ROUNDS):
        gap = log_value(x, s) - log_b
        step = 2.0 * gap / (log_slope(x, s) * s * s * s)
        w += step
        s = 1.0 / math.sqrt(w)
        if math.fabs(step) <= 4e-16 * w:
            break
    return s


@kernel(error_model="numpy", fastmath={"contract"})
def _from_middle(x: float, log_b: float, s: float) -> float:
    # ln b is concave in ln s here, and close to linear when x is close to 0
    for _ in range(_ROUNDS):
        gap = log_value(x, s) - log_b
        step = -gap / log_slope(x, s)
        s = max(s + step, 0.5 * s)
        if math.fabs(step) <= 2e-16 * s:
            break
    return s


@kernel(error_model="numpy", fastmath={"contract"})
def _from_above(x: float, log_rest: float, s: float) -> float:
    # 1 - b = n(d1) (M(d1) + M(-d2)), M the Mills ratio and d1 >= 0; its logarithm is concave in s
    for _ in range(_ROUNDS):
        d1 = x / s + 0.5 * s
        multiple = mills_ratio(math.fabs(d1)) + mills_ratio(s - d1)
        if d1 < 0.0:
            multiple = 1.0 / density(d1) - mills_ratio(-d1) + mills_ratio(s - d1)
        gap = math.log(multiple) - 0.5 * d1 * d1 - LOG_SQRT_2PI - log_rest
        step = gap * multiple
        s = max(s + step, 0.5 * s)
        if math.fabs(step) <= 2e-16 * s:
            break
    return s
