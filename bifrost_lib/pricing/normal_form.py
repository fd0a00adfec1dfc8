"""One European option as scalars: the value of its parts, and what every greek is made of.

An option pays on exercise; with sign = +1 for a call and -1 for a put, asset = spot e^(-div_yield tau) and
cash = strike e^(-rate tau), its value is sign (asset N(sign d1) - cash N(sign d2)). Because
asset n(d1) = cash n(d2), both terms share one density, and N enters through the Mills ratio, so that neither tail
loses digits.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio, mills_ratios

INV_SQRT_2PI = 0.3989422804014327
TINY = 1e-300  # stands for zero where a zero would be divided by
_LEAST = 1e-100  # the same where its square is divided by too
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
def distances(s0: float, k: float, tau: float, vol: float, rate: float, q: float) -> tuple[float, float, float]:
    """Return sqrt(tau), d1 and d2."""
    root = math.sqrt(tau)
    s = vol * root
    d1 = d_one(log_moneyness(s0, k, tau, rate, q), s)
    return root, d1, d1 - s


@kernel(**SCALAR)
def present_values(s0: float, k: float, tau: float, rate: float, q: float, d2: float) -> tuple[float, float, float]:
    """Return asset, cash, and the density that both terms share, asset n(d1) = cash n(d2)."""
    cash = k * exponential(-rate * tau)
    return s0 * exponential(-q * tau), cash, cash * density(d2)


@kernel(**SCALAR)
def exercised(sign: float, d1: float, d2: float, asset: float, cash: float, shared: float) -> tuple[float, float]:
    """Return asset N(sign d1) and cash N(sign d2); their difference times sign is the price."""
    y, z = sign * d1, sign * d2
    m1, m2 = mills_ratios(math.fabs(y), math.fabs(z))
    held = asset - shared * m1 if y > 0.0 else shared * m1
    owed = cash - shared * m2 if z > 0.0 else shared * m2
    return held, owed


@kernel(**SCALAR)
def value(sign: float, asset: float, cash: float, held: float, owed: float) -> float:
    """Return the price, which rounding must not take below what the forward alone is worth."""
    difference = sign * (asset - cash)
    least = difference if difference > 0.0 else 0.0
    price = sign * (held - owed)
    return least if price < least else price


@kernel(**SCALAR)
def slopes(
    s0: float, tau: float, vol: float, sign: float, rate: float, q: float, root: float, d1: float, d2: float,
    held: float, owed: float, shared: float,
) -> Any:  # fmt: skip
    """Return delta, gamma, vega, theta, rho, vanna, volga, charm, speed, zomma and color."""
    s = vol * root
    s = s if s > _LEAST else _LEAST
    both = 1.0 / (s * s0)  # one division, which costs as much as ten products
    inv_s, inv_s0 = both * s0, both * s
    inv_vol, inv_root = inv_s * root, inv_s * vol
    drift = (rate - q) * inv_s - 0.5 * d2 * inv_root * inv_root  # d d1 / d tau
    delta = sign * held * inv_s0
    gamma = shared * inv_s * inv_s0 * inv_s0
    vega = shared * root
    theta = sign * (q * held - rate * owed) - 0.5 * shared * vol * inv_root
    rho = sign * tau * owed
    vanna = -shared * d2 * inv_vol * inv_s0
    volga = vega * d1 * d2 * inv_vol
    charm = q * delta - shared * drift * inv_s0
    speed = -gamma * inv_s0 * (d1 * inv_s + 1.0)
    zomma = gamma * (d1 * d2 - 1.0) * inv_vol
    color = gamma * (q + 0.5 * inv_root * inv_root + d1 * drift)
    return delta, gamma, vega, theta, rho, vanna, volga, charm, speed, zomma, color
