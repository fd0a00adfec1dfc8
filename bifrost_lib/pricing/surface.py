"""A volatility surface: arbitrage-free SVI slices, and what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, is_call, numbers
from bifrost_lib.pricing.svi import SviSlices

#: IvyDB's tenors in calendar days, and its deltas for calls; those of puts are the negatives.
TENORS_DAYS: tuple[int, ...] = (10, 30, 60, 91, 122, 152, 182, 273, 365, 547, 730)
DELTAS: tuple[float, ...] = tuple(round(0.1 + 0.05 * step, 2) for step in range(17))
_DAYS = 365.0
_HALVINGS = 60


@dataclass(frozen=True)
class StandardGrid:
    """Constant-maturity volatilities at fixed deltas: `iv` and `strike` (tenors, deltas), NaN outside the surface."""

    tenor_days: npt.NDArray[np.int64]
    delta: Floats  # > 0 for calls, < 0 for puts
    iv: Floats
    strike: Floats


@dataclass(frozen=True)
class VolSurface:
    """Implied volatility by strike, delta or log-moneyness, at any time from the first expiry to the last.

    Attributes
    ----------
    tau, forward : array (m,)
        Years to each expiry, ascending, and its forward.
    slices : SviSlices (m,)
        Free of butterfly and calendar arbitrage unless `fit_surface` was told otherwise.
    rmse_vol : array (m,)
        Root mean squared error of the fit at the quotes, in volatility (decimal).
    within_spread : array (m,)
        Share of the quotes whose bid-ask range holds the surface; NaN where no spread was given.
    repaired : array (m,) of bool
        Slices that had to give way to be free of arbitrage.

    Notes
    -----
    Between expiries total variance is linear in time at constant log-moneyness, which keeps it free of calendar
    arbitrage; the log of the forward is linear too. Outside the expiries everything is NaN: nothing is extrapolated
    in time. Deltas are those of the forward, ``N(d1)`` for calls and ``N(d1) - 1`` for puts.
    """

    tau: Floats
    forward: Floats
    slices: SviSlices
    rmse_vol: Floats
    within_spread: Floats
    repaired: npt.NDArray[np.bool_]

    def total_variance(self, *, log_moneyness: npt.ArrayLike, tau: npt.ArrayLike) -> Floats:
        """Return ``iv**2 * tau`` at ln(strike / forward) and years to expiry (...), which broadcast."""
        k, t = np.broadcast_arrays(numbers("log_moneyness", log_moneyness), numbers("tau", tau))
        early, late, share = self._between(t)
        found: Floats = (1 - share) * self._slice(early, k) + share * self._slice(late, k)
        return found

    def forward_at(self, tau: npt.ArrayLike) -> Floats:
        """Return the forward for years to expiry (...)."""
        early, late, share = self._between(numbers("tau", tau))
        forward: Floats = np.exp((1 - share) * np.log(self.forward[early]) + share * np.log(self.forward[late]))
        return forward

    def iv(
        self,
        *,
        tau: npt.ArrayLike,
        strike: npt.ArrayLike | None = None,
        log_moneyness: npt.ArrayLike | None = None,
        delta: npt.ArrayLike | None = None,
    ) -> Floats:
        """Return implied volatility (decimal, annual) at exactly one of strike, log-moneyness and delta.

        Parameters
        ----------
        tau : array_like (...)
            Years to expiry, ACT/365F. The arguments broadcast.
        strike : array_like (...), optional
            Currency per share, > 0.
        log_moneyness : array_like (...), optional
            ln(strike / forward).
        delta : array_like (...), optional
            Of the forward: in (0, 1) for calls, in (-1, 0) for puts.

        Raises
        ------
        InputError
            If not exactly one is given, or it is outside its domain; ``error.name`` says which.
        """
        given = {"strike": strike, "log_moneyness": log_moneyness, "delta": delta}
        named = [name for name, value in given.items() if value is not None]
        if len(named) != 1:
            raise InputError("strike", named, "exactly one of strike, log_moneyness and delta")
        years = numbers("tau", tau)
        if strike is not None:
            k = np.log(_positive("strike", strike) / self.forward_at(years))
        elif delta is not None:
            k = self.log_moneyness_at(delta=delta, tau=years)
        else:
            k = numbers("log_moneyness", log_moneyness)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: Floats = np.sqrt(self.total_variance(log_moneyness=k, tau=years) / years)
        return found

    def log_moneyness_at(self, *, delta: npt.ArrayLike, tau: npt.ArrayLike) -> Floats:
        """Return ln(strike / forward) at which an option has that delta (...), by bisection to the last digits."""
        wanted, years = np.broadcast_arrays(numbers("delta", delta), numbers("tau", tau))
        if (wrong := (np.abs(wanted) >= 1) | (wanted == 0)).any():
            raise InputError("delta", float(wanted[wrong][0]), "in (0, 1) for calls, in (-1, 0) for puts")
        wanted = np.where(wanted < 0, wanted + 1, wanted)
        low, high = np.full(wanted.shape, -8.0), np.full(wanted.shape, 8.0)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            deviation = np.sqrt(self.total_variance(log_moneyness=middle, tau=years))
            above = ndtr(-middle / deviation + deviation / 2) > wanted  # delta falls with the strike
            low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(np.isnan(deviation), np.nan, (low + high) / 2)

    def atm_vol(self, tau: npt.ArrayLike) -> Floats:
        """Return the volatility at the forward."""
        return self.iv(tau=tau, log_moneyness=0.0)

    def skew(self, tau: npt.ArrayLike, *, delta: float = 0.25) -> Floats:
        """Return the put's volatility less the call's at `delta` (> 0): positive where downside costs more."""
        return np.asarray(self.iv(tau=tau, delta=-delta) - self.iv(tau=tau, delta=delta))

    def term_slope(self, *, short_days: float = 30.0, long_days: float = 90.0) -> float:
        """Return the volatility at the forward of the longer tenor less that of the shorter one."""
        short, long = self.atm_vol(np.array([short_days, long_days]) / _DAYS)
        return float(long - short)

    def standard_grid(
        self, *, tenors_days: Sequence[int] = TENORS_DAYS, deltas: Sequence[float] = DELTAS, right: str = "C"
    ) -> StandardGrid:
        """Return constant-maturity volatilities at fixed deltas, laid out as IvyDB's standardised surface.

        Parameters
        ----------
        tenors_days : sequence of int
            Calendar days.
        deltas : sequence of float
            In (0, 1); for puts their negatives are meant.
        right : {"C", "P"}
        """
        signed = np.asarray(deltas, dtype=np.float64) * (1.0 if is_call(right) else -1.0)
        days = np.asarray(tenors_days, dtype=np.int64)
        years = (days / _DAYS)[:, None]
        k = self.log_moneyness_at(delta=signed, tau=years)
        return StandardGrid(days, signed, self.iv(tau=years, log_moneyness=k), self.forward_at(years) * np.exp(k))

    def _between(self, t: Floats) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats]:
        """Return the expiries around each time and the share of the later one; NaN outside the expiries."""
        late = np.clip(np.searchsorted(self.tau, t), 0, len(self.tau) - 1)
        early = np.where(self.tau[late] == t, late, np.maximum(late - 1, 0))
        width = self.tau[late] - self.tau[early]
        inside = (t >= self.tau[0]) & (t <= self.tau[-1])
        share = np.where(width > 0, (t - self.tau[early]) / np.where(width > 0, width, 1.0), 0.0)
        return early, late, np.where(inside, share, np.nan)

    def _slice(self, which: npt.NDArray[np.int64], k: Floats) -> Floats:
        a, b, rho, m, sigma = (getattr(self.slices, name)[which] for name in ("a", "b", "rho", "m", "sigma"))
        w: Floats = a + b * (rho * (k - m) + np.sqrt((k - m) ** 2 + sigma**2))
        return w


def _positive(name: str, value: npt.ArrayLike) -> Floats:
    array = numbers(name, value)
    if (array <= 0).any():
        raise InputError(name, float(array[array <= 0].flat[0]), "numbers > 0")
    return array
