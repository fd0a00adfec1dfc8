"""The three ways to write one SVI slice, and what a slice says at a log-moneyness.

All are in total variance ``w = iv**2 * tau`` over log-moneyness ``k = ln(strike / forward)``. Jump wings are here those
of a slice with unit time: ``v`` and ``v_tilde`` are annualised by `tau`, the others do not depend on it.

References
----------
Gatheral & Jacquier, "Arbitrage-free SVI volatility surfaces", Quantitative Finance 14(1), 2014: raw (3.1), natural
(3.2), jump wings (3.5), conversions (Lemmas 3.1 and 3.2), g (2.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing.arguments import Floats, numbers


class RawSvi(NamedTuple):
    """``w(k) = a + b (rho (k - m) + sqrt((k - m)**2 + sigma**2))``."""

    a: Floats
    b: Floats
    rho: Floats
    m: Floats
    sigma: Floats


class NaturalSvi(NamedTuple):
    """``w(k) = delta + omega / 2 (1 + zeta rho (k - mu) + sqrt((zeta (k - mu) + rho)**2 + 1 - rho**2))``."""

    delta: Floats
    mu: Floats
    rho: Floats
    omega: Floats
    zeta: Floats


class JumpWings(NamedTuple):
    """ATM variance, ATM skew of volatility (times sqrt tau), slopes of the put and call wing, least variance."""

    v: Floats
    psi: Floats
    p: Floats
    c: Floats
    v_tilde: Floats


def svi_total_variance(
    *,
    log_moneyness: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    rho: npt.ArrayLike,
    m: npt.ArrayLike,
    sigma: npt.ArrayLike,
) -> Floats:
    """Return the total variance of raw SVI.

    Parameters
    ----------
    log_moneyness : array_like (...)
        ln(strike / forward). All arguments broadcast against each other.
    a, b, rho, m, sigma : array_like (...)
        Raw parameters: b >= 0, -1 <= rho <= 1, sigma > 0.

    Returns
    -------
    ndarray (...)
        iv**2 * tau; negative where the parameters say so. NaN in, NaN out.

    Raises
    ------
    InputError
        If a parameter is outside its domain or shapes do not broadcast; ``error.name`` says which.
    """
    a, b, rho, m, sigma, k = _raw(a, b, rho, m, sigma, log_moneyness=log_moneyness)
    return _scalar(a + b * (rho * (k - m) + np.hypot(k - m, sigma)))


def durrleman_g(
    *,
    log_moneyness: npt.ArrayLike,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    rho: npt.ArrayLike,
    m: npt.ArrayLike,
    sigma: npt.ArrayLike,
) -> Floats:
    """Return Durrleman's g, which is negative where butterfly spreads have a negative price.

    Parameters
    ----------
    log_moneyness, a, b, rho, m, sigma : array_like (...)
        As for `svi_total_variance`.

    Returns
    -------
    ndarray (...)
        ``(1 - k w' / (2 w))**2 - w'**2 / 4 (1 / w + 1 / 4) + w'' / 2``; NaN where total variance is not > 0.

    Raises
    ------
    InputError
        If a parameter is outside its domain or shapes do not broadcast; ``error.name`` says which.

    References
    ----------
    Gatheral & Jacquier (2014), eq. 2.1 and Lemma 2.2.
    """
    a, b, rho, m, sigma, k = _raw(a, b, rho, m, sigma, log_moneyness=log_moneyness)
    h = np.hypot(k - m, sigma)
    w = a + b * (rho * (k - m) + h)
    w = np.where(w > 0, w, np.nan)
    slope, bend = b * (rho + (k - m) / h), b * sigma**2 / h**3
    return _scalar((1 - k * slope / (2 * w)) ** 2 - slope**2 / 4 * (1 / w + 0.25) + bend / 2)


def raw_to_natural(
    *, a: npt.ArrayLike, b: npt.ArrayLike, rho: npt.ArrayLike, m: npt.ArrayLike, sigma: npt.ArrayLike
) -> NaturalSvi:
    """Convert raw to natural parameters; they do not exist at ``abs(rho) == 1`` (NaN or infinite there).

    Parameters
    ----------
    a, b, rho, m, sigma : array_like (...)
        As for `svi_total_variance`.

    Returns
    -------
    NaturalSvi
        Arrays of the broadcast shape.
    """
    a, b, rho, m, sigma = _raw(a, b, rho, m, sigma)
    root = _root(rho)
    with np.errstate(divide="ignore", invalid="ignore"):
        omega = 2 * b * sigma / root
        return NaturalSvi(
            _scalar(a - b * sigma * root), _scalar(m + rho * sigma / root), _scalar(rho), _scalar(omega), root / sigma
        )


def natural_to_raw(
    *, delta: npt.ArrayLike, mu: npt.ArrayLike, rho: npt.ArrayLike, omega: npt.ArrayLike, zeta: npt.ArrayLike
) -> RawSvi:
    """Convert natural to raw parameters.

    Parameters
    ----------
    delta, mu, rho, omega, zeta : array_like (...)
        Natural parameters: -1 < rho < 1, omega >= 0, zeta > 0. They broadcast against each other.

    Returns
    -------
    RawSvi
        Arrays of the broadcast shape.

    Raises
    ------
    InputError
        If a parameter is outside its domain; ``error.name`` says which.
    """
    delta, mu, rho, omega, zeta = _together(delta=delta, mu=mu, rho=rho, omega=omega, zeta=zeta)
    _require("rho", rho, np.abs(rho) >= 1, "-1 < rho < 1")
    _require("omega", omega, omega < 0, "numbers >= 0")
    _require("zeta", zeta, zeta <= 0, "numbers > 0")
    root = _root(rho)
    found = delta + omega / 2 * root**2, omega * zeta / 2, rho, mu - rho / zeta, root / zeta
    return RawSvi(*map(_scalar, found))


def raw_to_jump_wings(
    *,
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    rho: npt.ArrayLike,
    m: npt.ArrayLike,
    sigma: npt.ArrayLike,
    tau: npt.ArrayLike,
) -> JumpWings:
    """Convert raw parameters to jump wings.

    Parameters
    ----------
    a, b, rho, m, sigma : array_like (...)
        As for `svi_total_variance`.
    tau : array_like (...)
        Years to expiry, > 0.

    Returns
    -------
    JumpWings
        Arrays of the broadcast shape; NaN where the at-the-money variance is not > 0.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.
    """
    a, b, rho, m, sigma, tau = _raw(a, b, rho, m, sigma, tau=tau)
    _require("tau", tau, tau <= 0, "years > 0")
    r = np.hypot(m, sigma)
    w = a + b * (r - rho * m)
    root = np.sqrt(np.where(w > 0, w, np.nan))
    least = a + b * sigma * _root(rho)
    found = w / tau, b / (2 * root) * (rho - m / r), b * (1 - rho) / root, b * (1 + rho) / root, least / tau
    return JumpWings(*(_scalar(np.where(w > 0, value, np.nan)) for value in found))


def jump_wings_to_raw(
    *,
    v: npt.ArrayLike,
    psi: npt.ArrayLike,
    p: npt.ArrayLike,
    c: npt.ArrayLike,
    v_tilde: npt.ArrayLike,
    tau: npt.ArrayLike,
) -> RawSvi:
    """Convert jump wings to raw parameters.

    Parameters
    ----------
    v, psi, p, c, v_tilde : array_like (...)
        Jump wings: v > 0, p >= 0, c >= 0, v_tilde <= v.
    tau : array_like (...)
        Years to expiry, > 0.

    Returns
    -------
    RawSvi
        Arrays of the broadcast shape. NaN where no slice, or not a single one, has these jump wings: ``psi`` must lie
        strictly between ``-p / 2`` and ``c / 2``, and at ``psi == 0`` jump wings do not determine the curvature.

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.
    """
    v, psi, p, c, v_tilde, tau = _together(v=v, psi=psi, p=p, c=c, v_tilde=v_tilde, tau=tau)
    _require("v", v, v <= 0, "variances > 0")
    _require("p", p, p < 0, "slopes >= 0")
    _require("c", c, c < 0, "slopes >= 0")
    _require("v_tilde", v_tilde, v_tilde > v, "variances that are no higher than v")
    _require("tau", tau, tau <= 0, "years > 0")
    root = np.sqrt(v * tau)
    b = root * (p + c) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        rho, lean = (c - p) / (p + c), 4 * psi / (p + c)
        place = rho - lean  # m / sqrt(m**2 + sigma**2)
        across = _root(place)
        r = (v - v_tilde) * tau * (1 - rho * place + across * _root(rho)) / (b * lean**2)
        m, sigma = r * place, r * across
        found = v_tilde * tau - b * sigma * _root(rho), b, rho, m, sigma
        exists = (np.abs(place) < 1) & (sigma > 0) & np.isfinite(sigma)
    return RawSvi(*(_scalar(np.where(exists, value, np.nan)) for value in found))


def _root(rho: Floats) -> Floats:
    # (1 - rho)(1 + rho) keeps the digits that 1 - rho**2 loses near one; rounding may step over it
    return np.sqrt(np.maximum((1 - rho) * (1 + rho), 0.0))


def _raw(
    a: npt.ArrayLike,
    b: npt.ArrayLike,
    rho: npt.ArrayLike,
    m: npt.ArrayLike,
    sigma: npt.ArrayLike,
    **more: npt.ArrayLike,
) -> tuple[Floats, ...]:
    columns = _together(a=a, b=b, rho=rho, m=m, sigma=sigma, **more)
    _require("b", columns[1], columns[1] < 0, "numbers >= 0")
    _require("rho", columns[2], np.abs(columns[2]) > 1, "-1 <= rho <= 1")
    _require("sigma", columns[4], columns[4] <= 0, "numbers > 0")
    return columns


def _together(**arguments: npt.ArrayLike) -> tuple[Floats, ...]:
    arrays = [numbers(name, value) for name, value in arguments.items()]
    try:
        return tuple(np.broadcast_arrays(*arrays))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in zip(arguments, arrays, strict=True))
        raise InputError("shape", shapes, "arguments that broadcast against each other") from None


def _require(name: str, values: Floats, wrong: npt.NDArray[np.bool_], expected: str) -> None:
    if np.any(wrong):
        raise InputError(name, float(values[wrong].flat[0]), expected)


def _scalar(values: Floats) -> Floats:
    result: Floats = np.asarray(values)[()]
    return result
