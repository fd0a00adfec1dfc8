"""Implied volatilities without butterfly or calendar arbitrage: an SSVI surface over a term structure."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.paths import MEAN_REVERSION

Floats = npt.NDArray[np.float64]


class Smile(Protocol):
    """What shapes a surface, as in `SimulatedUnderlying`: numbers for one underlying, or arrays with one a contract."""

    @property
    def vol(self) -> float | Floats: ...

    @property
    def earnings_move(self) -> float | Floats: ...

    @property
    def skew(self) -> float | Floats: ...

    @property
    def curvature(self) -> float | Floats: ...


def atm_variance(underlying: Smile, *, tau: Floats, vol: Floats, events: Floats) -> Floats:
    """Return the total variance at the forward, which grows with `tau`.

    Parameters
    ----------
    tau : array (n,)
        Years to expiry, > 0.
    vol : array (n,)
        Instantaneous volatility at the moment of the quote, decimal, annual.
    events : array (n,)
        Number of results published between the quote and the expiry.
    """
    decay = -np.expm1(-MEAN_REVERSION * tau) / MEAN_REVERSION
    level, jump = underlying.vol, underlying.earnings_move
    return np.asarray(level**2 * tau + (vol**2 - level**2) * decay + events * jump**2, dtype=np.float64)


def implied_vol_surface(
    underlying: Smile, *, log_moneyness: Floats, tau: Floats, vol: Floats, events: Floats
) -> Floats:
    """Return implied volatilities (decimal, annual), shape (n,), at ``log_moneyness = ln(strike / forward)``.

    References
    ----------
    Gatheral and Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14 (2014), section 4, with
    ``phi = eta / sqrt(theta)``: no butterfly arbitrage while ``eta**2 * (1 + |rho|) <= 4`` and
    ``eta * sqrt(theta) * (1 + |rho|) < 4``.
    """
    theta = atm_variance(underlying, tau=tau, vol=vol, events=events)
    rho, phi = underlying.skew, underlying.curvature / np.sqrt(theta)
    wing = np.sqrt((phi * log_moneyness + rho) ** 2 + 1 - rho**2)
    return np.asarray(np.sqrt(theta / 2 * (1 + rho * phi * log_moneyness + wing) / tau))
