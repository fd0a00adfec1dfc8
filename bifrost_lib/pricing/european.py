"""European options under Black-Scholes-Merton: price and greeks, vectorised."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.arguments import Batch, batch, refuse
from bifrost_lib.pricing.elementary import SCALAR, exponential
from bifrost_lib.pricing.normal_form import TINY, d_one, density, exercised, log_moneyness, tail

GREEKS: tuple[str, ...] = (
    "delta",
    "gamma",
    "vega",
    "theta",
    "rho",
    "vanna",
    "volga",
    "charm",
    "speed",
    "zomma",
    "color",
)

_DOMAIN = {"spot": "numbers > 0", "strike": "numbers > 0", "tau": "years >= 0", "vol": "numbers >= 0"}


@kernel(**SCALAR)
def _price_one(s0: float, k: float, tau: float, vol: float, call: float, rate: float, q: float) -> float:
    s = vol * math.sqrt(tau)
    x = log_moneyness(s0, k, tau, rate, q)
    d1 = d_one(x, s)
    d2 = d1 - s
    sign = 2.0 * call - 1.0
    asset, cash = s0 * exponential(-q * tau), k * exponential(-rate * tau)
    shared = cash * density(d2)
    n1, n2 = tail(sign * d1, shared), tail(sign * d2, shared)
    whole = (asset if sign * d1 > 0.0 else 0.0) - (cash if sign * d2 > 0.0 else 0.0)
    return sign * (whole + (n1 - n2))


@kernel(**SCALAR)
def _greeks_one(s0: float, k: float, tau: float, vol: float, call: float, rate: float, q: float) -> Any:
    root = math.sqrt(tau)
    s = vol * root
    x = log_moneyness(s0, k, tau, rate, q)
    d1 = d_one(x, s)
    d2 = d1 - s
    sign = 2.0 * call - 1.0
    growth = exponential(-q * tau)
    asset, cash = s0 * growth, k * exponential(-rate * tau)
    shared = cash * density(d2)
    held = exercised(asset, sign * d1, tail(sign * d1, shared))
    owed = exercised(cash, sign * d2, tail(sign * d2, shared))
    inv_s0 = 1.0 / s0
    inv_vol = 1.0 / (vol if vol > TINY else TINY)
    inv_tau = 1.0 / (tau if tau > TINY else TINY)
    inv_s = 1.0 / (s if s > TINY else TINY)
    drift = (rate - q) * inv_s - 0.5 * d2 * inv_tau  # d d1 / d tau
    delta = sign * held * inv_s0
    gamma = shared * inv_s * inv_s0 * inv_s0
    vega = shared * root
    theta = sign * (q * held - rate * owed) - 0.5 * shared * vol * root * inv_tau
    rho = sign * tau * owed
    vanna = -shared * d2 * inv_vol * inv_s0
    volga = vega * d1 * d2 * inv_vol
    charm = q * delta - shared * drift * inv_s0
    speed = -gamma * inv_s0 * (d1 * inv_s + 1.0)
    zomma = gamma * (d1 * d2 - 1.0) * inv_vol
    color = gamma * (q + 0.5 * inv_tau + d1 * drift)
    return delta, gamma, vega, theta, rho, vanna, volga, charm, speed, zomma, color


@kernel(error_model="numpy")
def _outside(spot: Any, strike: Any, tau: Any, vol: Any) -> int:
    flags = 0
    for i in range(spot.size):
        flags |= 1 if spot[i] <= 0.0 else 0
    for i in range(strike.size):
        flags |= 2 if strike[i] <= 0.0 else 0
    for i in range(tau.size):
        flags |= 4 if tau[i] < 0.0 else 0
    for i in range(vol.size):
        flags |= 8 if vol[i] < 0.0 else 0
    return flags


@kernel(error_model="numpy", fastmath={"contract"})
def _price_all(s0: Any, k: Any, tau: Any, vol: Any, call: Any, rate: Any, q: Any, steps: Any, out: Any) -> None:
    a, b, c, d, e, f, g = steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6]
    for i in range(out.size):
        out[i] = _price_one(s0[i * a], k[i * b], tau[i * c], vol[i * d], float(call[i * e]), rate[i * f], q[i * g])


@kernel(error_model="numpy", fastmath={"contract"})
def _greeks_all(s0: Any, k: Any, tau: Any, vol: Any, call: Any, rate: Any, q: Any, steps: Any, out: Any) -> None:
    a, b, c, d, e, f, g = steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6]
    for i in range(out.shape[1]):
        found = _greeks_one(s0[i * a], k[i * b], tau[i * c], vol[i * d], float(call[i * e]), rate[i * f], q[i * g])
        for row in range(out.shape[0]):
            out[row, i] = found[row]


def _prepare(spot: Any, strike: Any, tau: Any, vol: Any, right: Any, rate: Any, div_yield: Any) -> Batch:
    found = batch(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
    refuse(_outside(*found.columns[:4]), _DOMAIN, found.columns)
    return found


def price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
) -> Any:
    """Price European options, element by element.

    Parameters
    ----------
    spot, strike : array_like (...)
        Currency per share, > 0. All arguments broadcast against each other.
    tau : array_like (...)
        Years to expiry, ACT/365F, >= 0.
    vol : array_like (...)
        Annual volatility, a decimal, >= 0.
    right : str or array_like (...)
        "C" or "P": text, an array of text, a pandas Series or categorical, or booleans (int8) true for calls.
    rate, div_yield : array_like (...)
        Continuous annual decimals. ``rate=r, div_yield=r`` with a futures price as `spot` is Black-76.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside the domain given above; ``error.name`` says which.

    Notes
    -----
    At ``tau == 0`` or ``vol == 0``: the discounted intrinsic value of the forward. NaN in, NaN out. Out-of-the-money
    prices keep their relative accuracy down to about 1e-300.

    References
    ----------
    Merton (1973), "Theory of Rational Option Pricing"; Haug, "The Complete Guide to Option Pricing Formulas",
    2nd ed. (2007), section 1.1.6.

    Examples
    --------
    >>> round(float(price(spot=100, strike=100, tau=1, vol=0.2, right="C", rate=0.05)), 6)
    10.450584
    """
    given = _prepare(spot, strike, tau, vol, right, rate, div_yield)
    out = np.empty(given.size)
    _price_all(*(*given.columns, given.steps, out))
    return given.result(out)


def greeks(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
) -> dict[str, Any]:
    """Differentiate the prices of European options, element by element.

    Parameters
    ----------
    spot, strike, tau, vol, right, rate, div_yield : array_like (...)
        As for `price`.

    Returns
    -------
    dict of str to ndarray (...) of float64
        Raw, per share: ``delta`` and ``gamma`` per 1.00 of spot, ``vega`` per 1.00 of vol, ``theta`` per year of
        calendar time, ``rho`` per 1.00 of rate, ``vanna`` (delta per vol), ``volga`` (vega per vol), ``charm``
        (delta per year of calendar time), ``speed`` (gamma per spot), ``zomma`` (gamma per vol), ``color`` (gamma
        per year of calendar time).

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    At ``tau == 0`` or ``vol == 0`` the greeks are those of the discounted intrinsic value; exactly at the kink delta
    is the mean of both sides and gamma is infinite. NaN in, NaN out.

    References
    ----------
    Haug, "The Complete Guide to Option Pricing Formulas", 2nd ed. (2007), chapter 2.
    """
    given = _prepare(spot, strike, tau, vol, right, rate, div_yield)
    out = np.empty((len(GREEKS), given.size))
    _greeks_all(*(*given.columns, given.steps, out))
    return {name: given.result(out[row]) for row, name in enumerate(GREEKS)}
