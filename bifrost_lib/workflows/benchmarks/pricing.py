"""Option mathematics on one core, against the libraries that one would otherwise pick."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.settings import load_settings
from bifrost_lib.pricing import american_implied_vol, american_price, fit_svi, greeks, implied_vol, price
from bifrost_lib.workflows.benchmarks import Measured
from bifrost_lib.workflows.benchmarks.accuracy import hard_grid, worst_error
from bifrost_lib.workflows.benchmarks.affinity import cores, one_core
from bifrost_lib.workflows.benchmarks.limit import implied_vol_limit, multiply_twice
from bifrost_lib.workflows.benchmarks.peer_environment import peer_python, run_peer

Floats = npt.NDArray[np.float64]
REPEATS, PEER_REPEATS, PEER_TURNS_OF_SLICES = 7, 5, 3
NAMES = ("price", "delta", "gamma", "vega", "theta", "rho", "vanna")
#: Implied-volatility peers, and how many options each needs to show its speed.
IV_PEERS = {"vanilla_option_pricers": 1_000_000, "fast_vollib": 1_000_000, "quantlib_iv": 50_000, "py_vollib": 10_000}
AMERICAN_ON_TWO, ROUNDS, TURNS_OF_TWO = 80_000, 16_000, 15
AMERICAN_OPTIONS, AMERICAN_EXACT, AMERICAN_IV_OPTIONS = 5_000, 500, 100
SLICES, PEER_SLICES = 5_000, 60


def measure(*, rows: int) -> list[Measured]:
    """Solve, price, differentiate and fit on one core, against the peers; the peers run in an environment of their own.

    Ours and a peer's take turns, so that a busy machine slows both. Without the peers' environment (no network, no
    checkout) the lines that need it are left out, and one says why.
    """
    quotes = realistic_options(rows)
    prices = price(**quotes)
    two = _two_cores(quotes, prices)
    with one_core():
        full, textbook = _in_turns(lambda: greeks(**quotes, names=NAMES), lambda: _textbook(quotes))
        solved = rows / _seconds(lambda: implied_vol(price=prices, **_without_vol(quotes)))
        lines = [
            Measured("price and 6 greeks", rows / full, "options/s", rows / textbook, "numpy and scipy.special.ndtr"),
            Measured("implied volatility", solved, "options/s", implied_vol_limit(), "this core's arithmetic alone"),
            *two,
        ]
        try:
            python = peer_python(load_settings())
        except BifrostError as error:
            return [*lines, Measured(f"peers left out: {error}", float("nan"), "")]
        return [
            *lines,
            *_implied(python, quotes, prices),
            *_accuracy(python),
            *_american(python, quotes),
            *_slices(python),
        ]


def _two_cores(quotes: dict[str, Any], prices: Floats) -> list[Measured]:
    """Compare two cores with one, in elapsed time, and see what the second core of this machine adds to arithmetic."""
    if len(os.sched_getaffinity(0)) < 2:
        return []
    american = {name: column[:AMERICAN_ON_TWO] for name, column in quotes.items()}
    k, _, w = _noisy_slices()
    works: dict[str, tuple[str, int, Callable[[], object]]] = {
        "multiply-adds alone": ("rounds/s", 2 * ROUNDS, lambda: multiply_twice(ROUNDS)),
        "implied volatility": ("options/s", prices.size, lambda: implied_vol(price=prices, **_without_vol(quotes))),
        "price and 6 greeks": ("options/s", prices.size, lambda: greeks(**quotes, names=NAMES)),
        "American price": ("options/s", AMERICAN_ON_TWO, lambda: american_price(**american)),
        "SVI slice": ("slices/s", SLICES, lambda: fit_svi(log_moneyness=k, total_variance=w)),
    }
    spent: dict[tuple[str, int], list[float]] = {(name, number): [] for name in works for number in (1, 2)}
    for _ in range(TURNS_OF_TWO):  # all in turns: a machine that gives its second core to others does so to all alike
        for (name, number), seconds in spent.items():
            with cores(number):
                seconds.append(_elapsed(works[name][2]))
    lines = []
    for name, (unit, size, _) in works.items():
        one, both = (size / statistics.median(spent[name, number]) for number in (1, 2))
        lines.append(Measured(f"{name} on two cores", both, unit, one, "itself on one core"))
    return lines


def _implied(python: Path, quotes: dict[str, Any], prices: Floats) -> list[Measured]:
    given, terms = _for_peer(quotes, prices), _without_vol(quotes)
    lines = []
    for peer, count in IV_PEERS.items():
        few = {name: column[:count] for name, column in given.items()}
        run = run_peer(python, peer, few, beside=lambda: implied_vol(price=prices, **terms), turns=PEER_REPEATS)
        speeds = prices.size / run.ours_s, len(few["price"]) / run.peer_s
        lines.append(Measured("implied volatility", speeds[0], "options/s", speeds[1], peer))
    return lines


def _accuracy(python: Path) -> list[Measured]:
    grid = hard_grid()
    terms = {name: grid[name] for name in ("price", "spot", "strike", "tau")}
    ours, missing = worst_error(implied_vol(**terms, right=grid["calls"]), grid)
    lines = [Measured("unsolved prices of the hard grid", missing, f"of {grid['carried'].sum()}")]
    for peer in IV_PEERS:
        theirs, _ = worst_error(run_peer(python, peer, grid).answers, grid)
        lines.append(Measured("worst relative error, hard grid (60-digit prices)", ours, "", theirs, peer))
    return lines


def _american(python: Path, quotes: dict[str, Any]) -> list[Measured]:
    days = np.rint(quotes["tau"] * 365.0)
    terms = {name: column[:AMERICAN_OPTIONS] for name, column in (quotes | {"tau": days / 365.0}).items()}
    given = _for_peer(terms, american_price(**terms)) | {"days": days[:AMERICAN_OPTIONS]}
    few = {name: column[:AMERICAN_EXACT] for name, column in given.items()}
    exact = run_peer(python, "quantlib_american_exact", few).answers
    priced = run_peer(python, "quantlib_american", given, beside=lambda: american_price(**terms), turns=PEER_REPEATS)
    terms_iv = _without_vol(terms)
    american_implied_vol(price=given["price"], **terms_iv)
    solvable = (
        given["price"] > np.maximum(np.where(given["calls"], 1, -1) * (given["spot"] - given["strike"]), 0) + 0.01
    )
    some = {name: column[solvable][:AMERICAN_IV_OPTIONS] for name, column in given.items()}
    solved = run_peer(
        python, "quantlib_american_iv", some,
        beside=lambda: american_implied_vol(price=given["price"], **terms_iv), turns=PEER_REPEATS,
    )  # fmt: skip
    errors = [_rmse(one[:AMERICAN_EXACT], exact) for one in (given["price"], priced.answers)]
    count = AMERICAN_OPTIONS
    return [
        Measured("American price", count / priced.ours_s, "options/s", count / priced.peer_s, "QuantLib QdFp fast"),
        Measured("American price, RMSE to QdFp high precision", errors[0], "currency", errors[1], "QuantLib QdFp fast"),
        Measured(
            "American implied vol", count / solved.ours_s, "options/s", len(some["price"]) / solved.peer_s,
            "QuantLib impliedVolatility",
        ),
    ]  # fmt: skip


def _slices(python: Path) -> list[Measured]:
    """Fit SVI to noisy slices of 25 quotes, with the check for butterfly arbitrage that ours includes."""
    k, tau, w = _noisy_slices()
    fit_svi(log_moneyness=k, total_variance=w)
    few = {"log_moneyness": k, "tau": tau[:PEER_SLICES], "total_variance": w[:PEER_SLICES]}
    run = run_peer(
        python, "fast_vollib_svi", few,
        beside=lambda: fit_svi(log_moneyness=k, total_variance=w), turns=PEER_TURNS_OF_SLICES,
    )  # fmt: skip
    speeds = SLICES / run.ours_s, PEER_SLICES / run.peer_s
    return [Measured("SVI slice, arbitrage checked", speeds[0], "slices/s", speeds[1], "fast_vollib")]


def _noisy_slices() -> tuple[Floats, Floats, Floats]:
    """Return log-moneyness (25,), years (SLICES,) and total variances (SLICES, 25) off SVI by half a percent."""
    random = np.random.default_rng(5)
    k = np.linspace(-0.3, 0.25, 25)
    tau = random.uniform(0.05, 1.0, SLICES)
    theta, rho, phi = 0.04 * tau, random.uniform(-0.8, 0.0, SLICES), random.uniform(2.0, 5.0, SLICES)
    wing = phi[:, None] * k + rho[:, None]
    w = theta[:, None] / 2 * (1 + rho[:, None] * phi[:, None] * k + np.sqrt(wing**2 + 1 - rho[:, None] ** 2))
    return k, tau, w * np.exp(random.normal(0.0, 0.005, w.shape))


def _for_peer(quotes: dict[str, Any], prices: Any) -> dict[str, Any]:
    renamed = {("calls" if name == "right" else name): column for name, column in quotes.items()}
    return renamed | {"price": np.asarray(prices)}


def _rmse(found: Floats, exact: Floats) -> float:
    return float(np.sqrt(np.nanmean((found - exact) ** 2)))


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


def _seconds(work: Callable[[], object]) -> float:
    work()
    return statistics.median(_once(work) for _ in range(REPEATS))


def _in_turns(ours: Callable[[], object], peers: Callable[[], object]) -> tuple[float, float]:
    """Return the median CPU seconds of both, which run one after the other again and again."""
    ours(), peers()
    spent = [(_once(ours), _once(peers)) for _ in range(REPEATS)]
    return statistics.median(one for one, _ in spent), statistics.median(other for _, other in spent)


def _once(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _elapsed(work: Callable[[], object]) -> float:
    """Return the seconds of a second run; the first is there for the caches."""
    work()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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
