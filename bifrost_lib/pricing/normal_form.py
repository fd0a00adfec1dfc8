"""One European option as scalars: the value of its parts, and what every greek is made of.

An option pays on exercise; with sign = +1 for a call and -1 for a put, asset = spot e^(-div_yield tau) and
cash = strike e^(-rate tau), its value is sign (asset N(sign d1) - cash N(sign d2)). Because
asset n(d1) = cash n(d2), both terms share one density, and N enters through the Mills ratio, so that neither tail
loses digits.
"""

from __future__ import annotations

import math

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio, mills_ratios

INV_SQRT_2PI = 0.3989422804014327
TINY = 1e-300  # stands for zero where a zero would be divided by
_FAR = 1e3  # normal densities are zero long before


@kernel(**SCALAR)
def log_moneyness(spot: float, strike: float, tau: float, rate: float, div_yield: float) -> float:
    """Return ln(forward / strike)."""
    return log_ratio(spot, strike) + (rate - div_yield) * tau


@kernel(**SCALAR)
def d_one(x: float, s: float) -> float:
    """Return d1 for log-moneyness `x` and total volatility `s`; 0 where both are 0, far out where only `s` is."""
    d = x / (s if s > TINY else TINY) + 0.5 * s
    return -_FAR if d < -_FAR else (_FAR if d > _FAR else d)


@kernel(**SCALAR)
def density(d: float) -> float:
    """Return the standard normal density."""
    return INV_SQRT_2PI * exponential(-0.5 * d * d)


@kernel(**SCALAR)
def tails(d1: float, d2: float, weight: float) -> tuple[float, float]:
    """Return weight N(d) / n(d) for d1 and d2, less weight / n(d) where d > 0, which `exercised` puts back."""
    m1, m2 = mills_ratios(math.fabs(d1), math.fabs(d2))
    return (-weight * m1 if d1 > 0.0 else weight * m1), (-weight * m2 if d2 > 0.0 else weight * m2)


@kernel(**SCALAR)
def exercised(amount: float, d: float, part: float) -> float:
    """Return amount N(d), given `part` from `tails` with weight = amount n(d)."""
    return (amount if d > 0.0 else 0.0) + part
