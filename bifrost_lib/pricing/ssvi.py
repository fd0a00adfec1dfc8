"""SSVI: one surface of total variance for all expiries, free of arbitrage by its parameters alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, numbers
from bifrost_lib.pricing.svi import slice_arrays
from bifrost_lib.pricing.svi_forms import NaturalSvi, RawSvi, natural_to_raw

_MOST = 2.0  # eta (1 + |rho|) may not exceed it


@dataclass(frozen=True)
class Ssvi:
    """``w(k, theta) = theta / 2 (1 + rho phi k + sqrt((phi k + rho)**2 + 1 - rho**2))``.

    With ``phi(theta) = eta / (theta**gamma (1 + theta)**(1 - gamma))``. `theta` (m,) is the total variance at the
    forward at `tau` (m,), ascending both. `rmse` is the root of the weighted mean squared error in total variance.
    """

    tau: Floats
    theta: Floats
    rho: float
    eta: float
    gamma: float
    rmse: float

    def phi(self, theta: npt.ArrayLike) -> Floats:
        """Return phi at total variances at the forward."""
        return _phi(np.asarray(theta, dtype=np.float64), self.eta, self.gamma)

    def total_variance(self, *, log_moneyness: npt.ArrayLike, tau: npt.ArrayLike) -> Floats:
        """Return total variance (...); `theta` is linear in `tau`, through 0 at 0, NaN beyond the last expiry."""
        k, t = np.broadcast_arrays(numbers("log_moneyness", log_moneyness), numbers("tau", tau))
        if (t < 0).any():
            raise InputError("tau", tau, "years >= 0")
        theta = np.interp(t, np.r_[0.0, self.tau], np.r_[0.0, self.theta], right=np.nan)
        return _ssvi(k, theta, self.rho, _phi(theta, self.eta, self.gamma))

    def slices(self) -> RawSvi:
        """Return the raw parameters (m,) of the slices at `tau`."""
        zero, rho = np.zeros_like(self.theta), np.full_like(self.theta, self.rho)
        return natural_to_raw(**NaturalSvi(zero, zero, rho, self.theta, self.phi(self.theta))._asdict())


def fit_ssvi(
    *,
    tau: npt.ArrayLike,
    log_moneyness: npt.ArrayLike,
    total_variance: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
) -> Ssvi:
    """Fit SSVI to the total variances of several expiries at once.

    Parameters
    ----------
    tau : array_like (m,)
        Years to expiry, > 0, ascending.
    log_moneyness, total_variance, weights : array_like (m, n)
        As for `fit_svi`; `log_moneyness` may be (n,).

    Returns
    -------
    Ssvi

    Raises
    ------
    InputError
        If a number is outside its domain, shapes do not agree, or an expiry has no point; ``error.name`` says which.

    Notes
    -----
    The fit keeps what is sufficient for a surface without arbitrage: `theta` does not fall, ``0 < gamma <= 1/2`` and
    ``eta (1 + |rho|) <= 2``. Weighted least squares in total variance, by a trust region.

    References
    ----------
    Gatheral & Jacquier (2014), section 4: definition (4.1), Theorems 4.1 and 4.2, power law in Remark 4.4.
    """
    from scipy.optimize import least_squares

    years = numbers("tau", tau)
    k, w, weight, _ = slice_arrays(log_moneyness, total_variance, weights)
    if years.shape != (len(w),) or not (np.diff(years) > 0).all() or not (years > 0).all():
        raise InputError("tau", tau, f"{len(w)} ascending years > 0, one for each row of total_variance")
    k, weight = np.broadcast_to(k, w.shape), np.broadcast_to(weight, w.shape)
    counts = np.isfinite(k) & np.isfinite(w) & (weight > 0)
    if not counts.any(axis=1).all():
        raise InputError("total_variance", float("nan"), "at least one point in every row")
    k, w, root = np.where(counts, k, 0.0), np.where(counts, w, 0.0), np.sqrt(np.where(counts, weight, 0.0))
    root = root / np.sqrt((root**2).sum())

    def off(x: Floats) -> Floats:
        theta, rho, eta, gamma = _unpacked(x)
        fitted = _ssvi(k, theta[:, None], rho, _phi(theta, eta, gamma)[:, None])
        return np.ravel(root * (fitted - w)) / size

    size = float(np.sqrt((root**2 * w**2).sum()))  # the solver's tolerances are absolute for small sums

    found = least_squares(
        off, _first_guess(k, w, root), x_scale="jac", max_nfev=400, xtol=1e-14, ftol=1e-14, gtol=1e-14
    )
    theta, rho, eta, gamma = _unpacked(found.x)
    return Ssvi(years, theta, float(rho), float(eta), float(gamma), float(np.sqrt((found.fun**2).sum()) * size))


def _ssvi(k: Floats, theta: Floats, rho: float, phi: Floats) -> Floats:
    w: Floats = theta / 2 * (1 + rho * phi * k + np.sqrt((phi * k + rho) ** 2 + 1 - rho**2))
    return w


def _phi(theta: Floats, eta: float, gamma: float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        phi = eta / (theta**gamma * (1 + theta) ** (1 - gamma))
    found: Floats = np.where(theta == 0, 0.0, phi)
    return found


def _unpacked(x: Floats) -> tuple[Floats, float, float, float]:
    """Return theta, rho, eta, gamma from free numbers: every x is a surface without arbitrage."""
    rho = np.tanh(x[0])
    eta = _MOST / (1 + abs(rho)) / (1 + np.exp(-x[1]))
    gamma = 0.5 / (1 + np.exp(-x[2]))
    theta: Floats = np.cumsum(np.exp(np.clip(x[3:], -60.0, 5.0)))
    return theta, float(rho), float(eta), float(gamma)


def _first_guess(k: Floats, w: Floats, root: Floats) -> Floats:
    weight = root**2 * np.exp(-((k / 0.1) ** 2) / 2) + 1e-12 * (root > 0)
    theta = np.maximum.accumulate((weight * w).sum(axis=1) / weight.sum(axis=1))
    steps = np.maximum(np.diff(theta, prepend=0.0), 1e-3 * theta[0])
    return np.concatenate([[-0.4, 0.0, 2.0], np.log(steps)])
