"""Option mathematics on one core, against what comes with Python's usual shelf."""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from bifrost_lib.pricing import american_price, greeks, implied_vol, price
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.affinity import one_core

Floats = npt.NDArray[np.float64]
REPEATS = 7
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna")
PEER_QUOTES = 20_000  # the scalar peer needs no more to show its speed
AMERICAN_SHARE = 100


def measure(*, rows: int) -> list[Measured]:
    """Price `rows` realistic options, solve their volatility and compute their greeks, against the peers."""
    with one_core():
        quotes = realistic_options(rows)
        prices = price(**quotes)
        few = {name: value[:PEER_QUOTES] for name, value in quotes.items()}
        solved = rows / _seconds(lambda: implied_vol(price=prices, **_without_vol(quotes)))
        peer_solved = PEER_QUOTES / _seconds(lambda: _vollib(prices[:PEER_QUOTES], few), repeats=1)
        full = rows / _seconds(lambda: greeks(**quotes, names=NAMES))
        textbook = rows / _seconds(lambda: _textbook(quotes))
        count = max(rows // AMERICAN_SHARE, 1)
        american = {name: value[:count] for name, value in quotes.items()}
        exercised = count / _seconds(lambda: american_price(**american))
    return [
        Measured("implied volatility", solved, "options/s", peer_solved, "py_vollib"),
        Measured("price and 6 greeks", full, "options/s", textbook, "numpy and scipy.special.ndtr"),
        Measured("American price", exercised, "options/s"),
    ]


def realistic_options(count: int) -> dict[str, Any]:
    """Return arguments of `count` options as a chain has them: near the money, days to two years."""
    random = np.random.default_rng(7)
    tau = random.choice([7, 14, 30, 45, 60, 90, 180, 365, 730], count) / 365.0
    vol = random.uniform(0.08, 0.8, count)
    spot = random.uniform(20.0, 600.0, count)
    strike = spot * np.exp(vol * np.sqrt(tau) * random.normal(0.0, 1.0, count))
    calls = random.random(count) < 0.5
    return {
        "spot": spot, "strike": strike, "tau": tau, "vol": vol, "right": calls,
        "rate": random.uniform(0.0, 0.05, count), "div_yield": random.uniform(0.0, 0.03, count),
    }  # fmt: skip


def _without_vol(quotes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in quotes.items() if name != "vol"}


def _seconds(work: Callable[[], object], *, repeats: int = REPEATS) -> float:
    if repeats > 1:
        work()
    spent = []
    for _ in range(repeats):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def _vollib(prices: Floats, quotes: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from vollib.black_scholes_merton.implied_volatility import implied_volatility
    columns = zip(prices, quotes["spot"], quotes["strike"], quotes["tau"], quotes["rate"], quotes["div_yield"],
                  quotes["right"], strict=True)  # fmt: skip
    for premium, spot, strike, tau, rate, div_yield, is_call in columns:
        implied_volatility(premium, spot, strike, tau, rate, div_yield, "c" if is_call else "p")


def _textbook(quotes: dict[str, Any]) -> tuple[Floats, ...]:
    """Compute price and six greeks as a careful numpy user writes them, shared terms computed once."""
    s, k, t, v = quotes["spot"], quotes["strike"], quotes["tau"], quotes["vol"]
    r, q, sign = quotes["rate"], quotes["div_yield"], np.where(quotes["right"], 1.0, -1.0)
    root = np.sqrt(t)
    d1 = (np.log(s / k) + (r - q + 0.5 * v * v) * t) / (v * root)
    d2 = d1 - v * root
    carry, discount = np.exp(-q * t), np.exp(-r * t)
    n1, n2 = ndtr(sign * d1), ndtr(sign * d2)
    density = np.exp(-0.5 * d1 * d1) * 0.3989422804014327
    held, owed = s * carry * n1, k * discount * n2
    vega = s * carry * density * root
    return (
        sign * (held - owed), sign * carry * n1, carry * density / (s * v * root), vega,
        sign * (q * held - r * owed) - 0.5 * vega * v / t, sign * t * owed, -vega * d2 / (s * v * root),
    )  # fmt: skip
