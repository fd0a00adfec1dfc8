"""The plain NumPy twin of the European kernels: textbook formulas that say what is right."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import ndtr


def _parts(spot, strike, tau, vol, rate, div_yield):
    s = vol * np.sqrt(tau)
    d1 = (np.log(spot / strike) + (rate - div_yield) * tau) / s + s / 2
    return s, d1, d1 - s, spot * np.exp(-div_yield * tau), strike * np.exp(-rate * tau)


def _price(*, spot, strike, tau, vol, right, rate=0.0, div_yield=0.0):
    _, d1, d2, asset, cash = _parts(spot, strike, tau, vol, rate, div_yield)
    sign = np.where(np.asarray(right) == "C", 1.0, -1.0)
    return sign * (asset * ndtr(sign * d1) - cash * ndtr(sign * d2))


def _greeks(*, spot, strike, tau, vol, right, rate=0.0, div_yield=0.0):
    s, d1, d2, asset, cash = _parts(spot, strike, tau, vol, rate, div_yield)
    sign = np.where(np.asarray(right) == "C", 1.0, -1.0)
    growth = np.exp(-div_yield * tau)
    pdf = np.exp(-d1 * d1 / 2) / np.sqrt(2 * np.pi)
    gamma = growth * pdf / (spot * s)
    vega = asset * pdf * np.sqrt(tau)
    drift = (2 * (rate - div_yield) * tau - d2 * s) / (2 * tau * s)
    return {
        "delta": sign * growth * ndtr(sign * d1),
        "gamma": gamma,
        "vega": vega,
        "theta": -asset * pdf * vol / (2 * np.sqrt(tau))
        - sign * rate * cash * ndtr(sign * d2)
        + sign * div_yield * asset * ndtr(sign * d1),
        "rho": sign * cash * tau * ndtr(sign * d2),
        "vanna": -growth * pdf * d2 / vol,
        "volga": vega * d1 * d2 / vol,
        "charm": sign * div_yield * growth * ndtr(sign * d1) - growth * pdf * drift,
        "speed": -gamma / spot * (d1 / s + 1),
        "zomma": gamma * (d1 * d2 - 1) / vol,
        "color": gamma * (div_yield + 1 / (2 * tau) + d1 * drift),
    }


@pytest.fixture(scope="session")
def twin() -> SimpleNamespace:
    """`price` and `greeks` as in a textbook, for arrays, right only away from the tails."""
    return SimpleNamespace(price=_price, greeks=_greeks)


@pytest.fixture(scope="session")
def quotes() -> dict[str, np.ndarray]:
    """Arguments of 2,000 unremarkable options."""
    rng = np.random.default_rng(20240611)
    size = 2_000
    return {
        "spot": rng.uniform(20, 600, size),
        "tau": rng.uniform(0.02, 2.0, size),
        "vol": rng.uniform(0.08, 0.9, size),
        "right": rng.choice(["C", "P"], size),
        "rate": rng.uniform(-0.01, 0.08, size),
        "div_yield": rng.uniform(0.0, 0.04, size),
    } | {"strike": rng.uniform(20, 600, size)}


def _chain(*, spot=100.0, rate=0.05, div_yield=0.01, taus=(7 / 365, 0.25, 1.0), half_spread=1e-9, first_group=0):
    strikes = np.arange(70.0, 131.0, 2.5)
    rows = []
    for number, tau in enumerate(taus):
        strike, is_call = np.repeat(strikes, 2), np.tile([False, True], len(strikes))
        moneyness = np.log(strike / spot)
        vol = 0.25 - 0.1 * moneyness + 0.15 * moneyness**2
        right = np.where(is_call, "C", "P")
        mid = _price(spot=spot, strike=strike, tau=tau, vol=vol, right=right, rate=rate, div_yield=div_yield)
        full = np.full(len(strike), 1.0)
        rows.append(
            {
                "group": np.full(len(strike), first_group + number),
                "tau": tau * full,
                "strike": strike,
                "is_call": is_call,
                "bid": mid - half_spread,
                "ask": mid + half_spread,
                "spot": spot * full,
                "vol": vol,
            }
        )
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


@pytest.fixture
def european_chain():
    """Return a function that makes a sorted batch of quotes with a smile, priced by the textbook."""
    return _chain
