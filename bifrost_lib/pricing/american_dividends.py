"""American options on an underlying that pays discrete cash dividends, in the two models that desks use."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.american_engine import still_value
from bifrost_lib.pricing.american_grid import GRID, drop, fill_payoff, lay_grid, march
from bifrost_lib.pricing.american_inputs import american_batch
from bifrost_lib.pricing.arguments import Floats
from bifrost_lib.pricing.elementary import log_ratio

DIVIDEND_MODELS = ("spot", "escrowed")

# parts of the coarse grid, and steps in time for the whole life; the fine one has twice as many of both
_SIZES = {"fast": (100, 40), "default": (200, 80), "accurate": (800, 320)}
_STILL = 1e-6  # vol sqrt(tau) below which the underlying is taken not to fluctuate


def american_dividend_price(
    *,
    spot: npt.ArrayLike,
    strike: npt.ArrayLike,
    tau: npt.ArrayLike,
    vol: npt.ArrayLike,
    right: Any,
    dividend_taus: npt.ArrayLike,
    dividends: npt.ArrayLike,
    rate: npt.ArrayLike = 0.0,
    div_yield: npt.ArrayLike = 0.0,
    dividend_model: str = "spot",
    accuracy: str = "default",
) -> Any:
    """Price American options on an underlying that pays known amounts of cash.

    Parameters
    ----------
    spot, strike, tau, vol, right, rate : array_like (...)
        As for `american_price`.
    div_yield : array_like (...)
        Whatever the underlying yields continuously besides the cash, for example its borrowing fee.
    dividend_taus : array_like (m,)
        Years from now to each ex-dividend moment, > 0; the same for all options. Those after an option's expiry do not
        concern it; one at its expiry goes to who exercises.
    dividends : array_like (m,)
        Currency per share, >= 0.
    dividend_model : {"spot", "escrowed"}
        "spot": the spot itself is lognormal between payments and falls by each, by no more than there is. "escrowed":
        what is lognormal is the spot less the present value of the payments until expiry, and `vol` is that of the
        difference.
    accuracy : {"fast", "default", "accurate"}
        Typical error for a strike of 100: 1e-3, 2e-4 or 3e-5.

    Returns
    -------
    ndarray (...) of float64
        Currency per share; a float for scalar arguments.

    Raises
    ------
    InputError
        If an argument is outside its domain, or if escrowed dividends are worth more than the spot; ``error.name``
        says which.

    Notes
    -----
    NaN in, NaN out. Solved by finite differences on two grids and extrapolated from them, a few hundred options a
    second at "default"; without dividends `american_price` is faster and more accurate.

    References
    ----------
    Haug, Haug, Lewis (2003), "Back to basics: a new approach to the discrete dividend problem", Wilmott, September;
    Brennan, Schwartz (1977), "The valuation of American put options", Journal of Finance 32.
    """
    if dividend_model not in DIVIDEND_MODELS:
        raise UnknownNameError("dividend_model", dividend_model, DIVIDEND_MODELS)
    if accuracy not in _SIZES:
        raise UnknownNameError("accuracy", accuracy, _SIZES)
    given = american_batch(spot, strike, tau, vol, right, rate, div_yield)
    when, paid = _schedule(dividend_taus, dividends)
    columns = [np.array(np.broadcast_to(column, given.size)) for column in given.columns]
    escrowed = dividend_model == "escrowed"
    if escrowed:
        _refuse_ruin(columns, when, paid)
    out = np.empty(given.size)
    parts, steps = _SIZES[accuracy]
    terms: tuple[Any, ...] = (when, paid, escrowed)
    coarse, fine = np.empty(given.size), np.empty(given.size)
    _price_all(*(*columns, *terms, parts, steps, 0, coarse))
    _price_all(*(*columns, *terms, parts, steps, 1, fine))
    out = np.maximum(fine + (fine - coarse) / 3.0, _intrinsic(columns))
    return given.result(out)


def _schedule(dividend_taus: Any, dividends: Any) -> tuple[Floats, Floats]:
    when, paid = (np.asarray(values, dtype=np.float64).reshape(-1) for values in (dividend_taus, dividends))
    if when.shape != paid.shape:
        raise InputError("dividends", f"{paid.size} amounts", f"as many as dividend_taus, {when.size}")
    if not (np.isfinite(when) & (when > 0.0)).all():
        raise InputError("dividend_taus", when, "years > 0")
    if not (np.isfinite(paid) & (paid >= 0.0)).all():
        raise InputError("dividends", paid, "amounts >= 0")
    moments, place = np.unique(when, return_inverse=True)
    return moments, np.bincount(place, weights=paid, minlength=moments.size).astype(np.float64)


def _intrinsic(columns: list[Any]) -> Floats:
    s0, k, call = columns[0], columns[1], columns[4]
    value: Floats = np.maximum(np.where(call != 0, s0 - k, k - s0), 0.0)
    return value


def _refuse_ruin(columns: list[Any], when: Floats, paid: Floats) -> None:
    s0, _, tau, _, _, rate, q = columns
    worth = np.zeros_like(s0)
    for moment, amount in zip(when, paid, strict=True):
        worth += np.where(moment <= tau, amount * np.exp(-(rate - q) * moment), 0.0)
    ruined = worth >= s0
    if ruined.any():
        raise InputError("dividends", float(worth[ruined][0]), "a present value below spot; or dividend_model='spot'")


@kernel(**GRID)
def _price_all(
    s0: Any,
    k: Any,
    tau: Any,
    vol: Any,
    call: Any,
    rate: Any,
    q: Any,
    when: Any,
    paid: Any,
    escrowed: bool,
    parts: int,
    steps: int,
    halvings: int,
    out: Any,
) -> None:
    nodes = (parts << halvings) + 1
    y, value, pay, work = np.empty(nodes), np.empty(nodes), np.empty(nodes), np.empty((2, nodes))
    for i in range(out.size):
        sign = 1.0 if call[i] != 0 else -1.0
        if not math.isfinite(s0[i] + k[i] + tau[i] + vol[i] + rate[i] + q[i]):
            out[i] = math.nan
        elif vol[i] * math.sqrt(tau[i]) < _STILL:
            out[i] = _still(s0[i], k[i], tau[i], sign, rate[i], q[i], when, paid)
        else:
            out[i] = _price_one(
                s0[i],
                k[i],
                tau[i],
                vol[i],
                sign,
                rate[i],
                q[i],
                when,
                paid,
                escrowed,
                steps,
                halvings,
                y,
                value,
                pay,
                work,
            )


@kernel(**GRID)
def _escrow(at: float, tau: float, carry: float, when: Any, paid: Any) -> float:
    """Return the worth at `at` of the payments after it and up to `tau`."""
    worth = 0.0
    for m in range(when.size):
        if at < when[m] <= tau:
            worth += paid[m] * math.exp(-carry * (when[m] - at))
    return worth


@kernel(**GRID)
def _price_one(
    s: float,
    k: float,
    tau: float,
    vol: float,
    sign: float,
    rate: float,
    q: float,
    when: Any,
    paid: Any,
    escrowed: bool,
    steps: int,
    halvings: int,
    y: Any,
    value: Any,
    pay: Any,
    work: Any,
) -> float:
    carry = rate - q
    start = s - _escrow(0.0, tau, carry, when, paid) if escrowed else s
    node = lay_grid(start, k, vol * math.sqrt(tau) + abs(carry) * tau / 6.0, halvings, y)
    fill_payoff(sign, k, 0.0, y, pay)
    for i in range(y.size):
        value[i] = pay[i]
    at = tau
    for m in range(when.size - 1, -2, -1):
        moment = when[m] if m >= 0 else 0.0
        if moment > tau:
            continue
        span = at - moment
        if span > 0.0:
            parts = max(math.ceil(steps * span / tau), 4) << halvings
            _roll_back(value, pay, sign, at, span, parts, tau, k, vol, carry, rate, when, paid, escrowed, y, work)
        at = moment
        if m < 0:
            break
        if not escrowed:
            drop(value, paid[m], y, work)
        held_back = _escrow(at, tau, carry, when, paid) + paid[m] if escrowed else 0.0
        fill_payoff(sign, k, held_back, y, pay)
        for i in range(y.size):
            value[i] = max(value[i], pay[i])
        fill_payoff(sign, k, held_back - paid[m] if escrowed else 0.0, y, pay)
    return float(value[node])


@kernel(**GRID)
def _roll_back(
    value: Any,
    pay: Any,
    sign: float,
    at: float,
    span: float,
    parts: int,
    tau: float,
    k: float,
    vol: float,
    carry: float,
    rate: float,
    when: Any,
    paid: Any,
    escrowed: bool,
    y: Any,
    work: Any,
) -> None:
    """Take `value` from the time `at` back by `span` in `parts` steps, the first two of them damped."""
    dt = span / parts
    for i in range(parts):
        if escrowed:  # what is held back for later payments grows, and with it the value of exercise on each node
            fill_payoff(sign, k, _escrow(at - (i + 1) * dt, tau, carry, when, paid), y, pay)
        if i < 2:
            march(value, pay, sign, 0.5 * dt, 1.0, vol, carry, rate, y, work)
            march(value, pay, sign, 0.5 * dt, 1.0, vol, carry, rate, y, work)
        else:
            march(value, pay, sign, dt, 0.5, vol, carry, rate, y, work)


@kernel(**GRID)
def _still(s: float, k: float, tau: float, sign: float, rate: float, q: float, when: Any, paid: Any) -> float:
    """Return the best discounted exercise value on the only path there is."""
    best, at = max(sign * (s - k), 0.0), 0.0
    for m in range(when.size + 1):
        moment = min(when[m], tau) if m < when.size else tau
        span = moment - at
        if sign < 0.0:
            here, _ = still_value(log_ratio(s, k), rate * span, q * span)
            best = max(best, math.exp(-rate * at) * k * here)
        else:
            here, _ = still_value(log_ratio(k, s), q * span, rate * span)
            best = max(best, math.exp(-rate * at) * s * here)
        s *= math.exp((rate - q) * span)
        at = moment
        if m < when.size and when[m] <= tau:
            s = max(s - paid[m], 1e-300)
    return best
