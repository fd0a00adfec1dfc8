"""Distributions of the price at an expiry: what a broken line of profits needs to know of them, and nothing more."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from bifrost_lib.pricing import RiskNeutralDensity, VolSurface

Floats = npt.NDArray[np.float64]


class Law(Protocol):
    """A distribution of prices >= 0 with mean `mean`; both methods take prices (n,) that may be infinite."""

    @property
    def mean(self) -> float:
        """The expected price."""

    @property
    def is_certain(self) -> bool:
        """Whether the price can only be `mean`."""

    def below(self, price: Floats) -> Floats:
        """Return P(S < price)."""

    def mean_below(self, price: Floats) -> Floats:
        """Return E[S; S < price]: the part of the mean that lies below."""


@dataclass(frozen=True)
class Lognormal:
    """A lognormal price with mean `mean` (> 0) and log standard deviation `total_vol` (>= 0)."""

    mean: float
    total_vol: float

    @property
    def is_certain(self) -> bool:
        """Whether there is no time or volatility left."""
        return self.total_vol == 0

    def below(self, price: Floats) -> Floats:
        """Return P(S < price)."""
        return self._normal(price, 0.5 * self.total_vol)

    def mean_below(self, price: Floats) -> Floats:
        """Return E[S; S < price]."""
        found: Floats = self.mean * self._normal(price, -0.5 * self.total_vol)
        return found

    def _normal(self, price: Floats, shift: float) -> Floats:
        from scipy.special import ndtr

        if self.total_vol == 0:
            return np.where(price > self.mean, 1.0, 0.0)
        with np.errstate(divide="ignore"):
            found: Floats = ndtr(np.log(price / self.mean) / self.total_vol + shift)
        return found


@dataclass(frozen=True)
class SmileLaw:
    """The distribution that a volatility smile implies; the part of the mean comes from the put's price, in full."""

    density: RiskNeutralDensity

    @property
    def mean(self) -> float:
        """The forward."""
        return self.density.forward

    @property
    def is_certain(self) -> bool:
        """Never: a smile has volatility."""
        return False

    def below(self, price: Floats) -> Floats:
        """Return P(S < price)."""
        return np.asarray(self.density.below(price), dtype=np.float64)

    def mean_below(self, price: Floats) -> Floats:
        """Return E[S; S < price], which is ``price * P(S < price)`` less what the put is worth at expiry."""
        from bifrost_lib.pricing import price as option_price

        inside = (price > 0) & np.isfinite(price)
        strikes = np.where(inside, price, self.mean)
        vol = np.sqrt(self.density.variance(np.log(strikes / self.mean))[0])
        puts = option_price(spot=self.mean, strike=strikes, tau=1.0, vol=vol, right="P")
        return np.where(inside, strikes * self.below(strikes) - puts, np.where(price > 0, self.mean, 0.0))


def surface_law(surface: VolSurface | RiskNeutralDensity, *, tau: float, forward: float) -> SmileLaw | None:
    """Return the distribution at `tau` that a surface implies around `forward`; None outside its expiries.

    A density is taken as it is. A surface's smile is a function of moneyness, so it moves with the forward.
    """
    from bifrost_lib.pricing import RiskNeutralDensity, risk_neutral_density

    if isinstance(surface, RiskNeutralDensity):
        return SmileLaw(surface)
    near = float(np.clip(tau, surface.tau[0], surface.tau[-1]))
    if not math.isclose(near, tau, abs_tol=1e-6) or tau <= 0:
        return None

    def smile(strike: Floats) -> Floats:
        return surface.iv(tau=near, log_moneyness=np.log(strike / forward))

    return SmileLaw(risk_neutral_density(forward=forward, tau=near, smile=smile, points=3))
