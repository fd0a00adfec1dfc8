"""The distribution of the price at expiry that a volatility smile implies."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, numbers

Smile = Callable[[Floats], npt.ArrayLike]
#: Total variance at log-moneyness, with its first and second derivative.
Variance = Callable[[Floats], tuple[Floats, Floats, Floats]]

_TAIL = 1e-11
# Total variance that grows faster than twice the log-moneyness is an arbitrage (Lee 2004).
_STEEPEST = 1.9


@dataclass(frozen=True)
class RiskNeutralDensity:
    """Distribution of the price at expiry.

    `strike` (n,) is the grid, in currency per share; `density` (n,) per currency unit; `distribution` (n,) the
    probability of ending at or below. `mass` and `mean` are the density's integrals over the grid, 1 and `forward`
    when it covers everything; `negative_mass` (>= 0) is the integral of its negative part, which is 0 unless the smile
    admits butterfly arbitrage.
    """

    forward: float
    tau: float
    strike: Floats
    density: Floats
    distribution: Floats
    mass: float
    mean: float
    negative_mass: float
    variance: Variance = field(repr=False)

    def below(self, price: npt.ArrayLike) -> Any:
        """Return the probability of ending at or below `price` (...), from the smile itself, not from the grid.

        Currency per share, >= 0; NaN in, NaN out. Between 0 and 1 even where the smile admits arbitrage.
        """
        prices = numbers("price", price)
        if (prices < 0).any():
            raise InputError("price", price, "numbers >= 0")
        inside = (prices > 0) & np.isfinite(prices)
        _, found = _density(self.forward, np.where(inside, prices, self.forward), self.variance)
        ends = np.where(prices == 0, 0.0, np.where(np.isnan(prices), np.nan, 1.0))
        return np.where(inside, np.clip(found, 0.0, 1.0), ends)[()]


def risk_neutral_density(
    *,
    forward: float,
    tau: float,
    smile: Smile | None = None,
    strike: npt.ArrayLike | None = None,
    iv: npt.ArrayLike | None = None,
    grid: npt.ArrayLike | None = None,
    points: int = 2001,
) -> RiskNeutralDensity:
    """Derive the distribution of the price at expiry from a volatility smile, by Breeden and Litzenberger.

    Parameters
    ----------
    forward : float
        Currency per share, > 0.
    tau : float
        Years to expiry, ACT/365F, > 0.
    smile : callable, optional
        ``iv = smile(strike)`` for an array of any strikes > 0: annual decimals > 0, twice differentiable.
    strike, iv : array_like (m,), optional
        In place of `smile`: at least 4 points, each strike once, in any order. A spline of total variance in
        log-moneyness runs through them; beyond them total variance is linear.
    grid : array_like (n,), optional
        Prices, ascending, > 0; by default `points` of them, dense around the forward, with less than 1e-11 beyond.
    points : int
        Size of the default grid, >= 3.

    Returns
    -------
    RiskNeutralDensity
        Density and distribution on the grid.

    Raises
    ------
    InputError
        If an argument is outside its domain, or neither a smile nor points of one are given, or both; ``error.name``
        says which.

    Notes
    -----
    The call price is differentiated through the smile in closed form, so the result is as smooth as the smile. Raw
    quotes are not smooth: fit a curve to them first, and look at `negative_mass`. Points whose `iv` is NaN are left
    out. The density is the risk-neutral one, not discounted.

    References
    ----------
    Breeden and Litzenberger (1978), "Prices of State-Contingent Claims Implicit in Option Prices". Gatheral and
    Jacquier (2014), "Arbitrage-free SVI volatility surfaces", section 2.2.
    """
    if not 0 < forward < math.inf:
        raise InputError("forward", forward, "a number > 0")
    if not 0 < tau < math.inf:
        raise InputError("tau", tau, "years > 0")
    if smile is not None and strike is None and iv is None:
        variance = _from_callable(smile, forward, tau)
    elif smile is None and strike is not None and iv is not None:
        variance = _from_points(numbers("strike", strike), numbers("iv", iv), forward, tau)
    else:
        raise InputError("smile", smile, "a smile, or strike and iv")
    prices = _default_grid(forward, variance, points) if grid is None else numbers("grid", grid)
    if prices.ndim != 1 or len(prices) < 3 or not (prices[0] > 0 and (np.diff(prices) > 0).all()):
        raise InputError("grid", grid, "at least 3 ascending prices > 0")
    from scipy.integrate import simpson

    density, distribution = _density(forward, prices, variance)
    return RiskNeutralDensity(
        forward=float(forward),
        tau=float(tau),
        strike=prices,
        density=density,
        distribution=distribution,
        mass=float(simpson(density, x=prices)),
        mean=float(simpson(density * prices, x=prices)),
        negative_mass=float(np.trapezoid(np.maximum(-density, 0.0), prices)),
        variance=variance,
    )


def _density(forward: float, prices: Floats, variance: Variance) -> tuple[Floats, Floats]:
    # First and second derivative of the undiscounted call by strike, total variance being a function of the strike.
    k = np.log(prices / forward)
    w, slope, bend = variance(k)
    total_vol = np.sqrt(w)
    d2 = -k / total_vol - 0.5 * total_vol
    bell = np.exp(-0.5 * d2 * d2) / math.sqrt(2.0 * math.pi)
    durrleman = (1.0 - 0.5 * k * slope / w) ** 2 - 0.25 * slope**2 * (1.0 / w + 0.25) + 0.5 * bend
    return durrleman * bell / (total_vol * prices), ndtr(-d2) + bell * slope / (2.0 * total_vol)


def _default_grid(forward: float, variance: Variance, points: int) -> Floats:
    if points < 3:
        raise InputError("points", points, "an integer >= 3")
    scale = math.sqrt(float(variance(np.zeros(1))[0][0]))
    steps = scale * np.geomspace(1.0, 80.0, 60)
    steps = steps[steps < 300.0]  # e**300 is still a number
    ends = [math.asinh(side * _reach(side * steps, variance) / scale) for side in (-1.0, 1.0)]
    spread = np.sinh(np.linspace(-abs(ends[0]), abs(ends[1]), points)) * scale
    grid: Floats = forward * np.exp(spread)
    return grid


def _reach(k: Floats, variance: Variance) -> float:
    # The nearest log-moneyness beyond which neither probability nor expectation matters.
    total_vol = np.sqrt(variance(k)[0])
    d1 = -k / total_vol + 0.5 * total_vol
    side = np.sign(k)
    option = side * (ndtr(side * d1) - np.exp(k) * ndtr(side * (d1 - total_vol)))
    small = (np.abs(option) < _TAIL) & (ndtr(side * (d1 - total_vol)) < _TAIL)
    return float(np.abs(k[int(np.argmax(small)) if small.any() else -1]))


def _from_callable(smile: Smile, forward: float, tau: float) -> Variance:
    def total(k: Floats) -> Floats:
        found = numbers("smile", smile(forward * np.exp(k)))
        if found.shape != k.shape or not (found > 0).all() or not np.isfinite(found).all():
            raise InputError("smile", found, "a volatility > 0 for each strike")
        return found * found * tau

    step = min(0.005, 0.01 * math.sqrt(float(total(np.zeros(1))[0])))

    def variance(k: Floats) -> tuple[Floats, Floats, Floats]:
        lower2, lower, here, upper, upper2 = (total(k + shift * step) for shift in (-2, -1, 0, 1, 2))
        slope = (8.0 * (upper - lower) - (upper2 - lower2)) / (12.0 * step)
        bend = (16.0 * (upper + lower) - (upper2 + lower2) - 30.0 * here) / (12.0 * step * step)
        return here, slope, bend

    return variance


def _from_points(strike: Floats, iv: Floats, forward: float, tau: float) -> Variance:
    if strike.ndim != 1 or strike.shape != iv.shape:
        raise InputError("iv", iv.shape, "one volatility for each strike")
    known = ~np.isnan(iv)
    order = np.argsort(strike[known])
    strikes, vols = strike[known][order], iv[known][order]
    if not (strikes > 0).all() or not (np.diff(strikes) > 0).all():
        raise InputError("strike", strike, "numbers > 0, each once")
    if len(vols) < 4 or not (vols > 0).all() or not np.isfinite(vols).all():
        raise InputError("iv", iv, "at least 4 numbers > 0")
    return _spline(np.log(strikes / forward), vols**2 * tau)


def _spline(knots: Floats, total: Floats) -> Variance:
    from scipy.interpolate import CubicSpline

    # The ends' slopes are those of the last two points, held to what a wing may have, so that the line beyond
    # continues the spline without a kink: a kink would be a lump of probability.
    rises = np.diff(total) / np.diff(knots)
    left, right = float(np.clip(rises[0], -_STEEPEST, 0.0)), float(np.clip(rises[-1], 0.0, _STEEPEST))
    spline = CubicSpline(knots, total, bc_type=((1, left), (1, right)))

    def variance(k: Floats) -> tuple[Floats, Floats, Floats]:
        inside = np.clip(k, knots[0], knots[-1])
        beyond = k - inside
        edge = np.where(beyond < 0, left, right)
        outside = beyond != 0
        bend = np.where(outside, 0.0, spline(inside, 2))
        return spline(inside) + edge * beyond, np.where(outside, edge, spline(inside, 1)), bend

    return variance
