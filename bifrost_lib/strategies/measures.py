"""Measures of any concrete legs: what they can make and lose, where they break even, and how likely a profit is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import greeks, price
from bifrost_lib.strategies.lognormal import probabilities_below
from bifrost_lib.strategies.margin import EQUITY_RATE, INDEX_RATE, reg_t_margin
from bifrost_lib.strategies.positions import Legs, read_legs
from bifrost_lib.strategies.profile import ZERO, walk
from bifrost_lib.strategies.two_expiries import TimeSpreads, model_measures

Floats = npt.NDArray[np.float64]

GREEKS = ("delta", "gamma", "theta", "vega")


def evaluate(
    *,
    legs: Sequence[Mapping[str, Any]],
    spot: float,
    vol: float,
    tau: float | None = None,
    rate: float = 0.0,
    div_yield: float = 0.0,
    premium: float | None = None,
    multiplier: float = 100.0,
    at: datetime | None = None,
    broad_index: bool = False,
) -> dict[str, Any]:
    """Measure a structure of any legs.

    Parameters
    ----------
    legs : sequence of mapping
        Each with ``right`` ("C", "P", or "S" for the underlying), ``qty`` (contracts, signed; a stock leg of 1 is
        `multiplier` shares), ``strike`` for options, and optionally ``price`` (per share), ``iv``, and ``tau``
        (years) or ``expiry`` (needs `at`).
    spot : float
        Currency per share, > 0.
    vol : float
        Annual volatility of the lognormal distribution at the first expiry, >= 0; also that of legs without ``iv``.
    tau : float, optional
        Years to expiry of legs that do not say.
    rate, div_yield : float
        Continuous annual decimals.
    premium : float, optional
        Cash for one unit, all legs and the multiplier included: credit > 0, debit < 0. Default: from the legs'
        prices, and from the model for legs without one.
    multiplier : float
        Shares per contract; 1 gives measures per share.
    at : datetime, aware, optional
        The moment from which ``expiry`` counts.
    broad_index : bool
        Whether naked options need an index's margin.

    Returns
    -------
    dict
        Currency for one unit: ``premium``, ``max_profit`` and ``max_loss`` (>= 0; None where unbounded, and then
        ``max_profit_unbounded`` or ``max_loss_unbounded`` is true), ``breakevens`` (list, ascending), ``pop``
        (probability of a profit > 0), ``ev`` (premium plus expected payoff, the premium not carried forward),
        ``return_on_risk`` (None where either is unbounded or nothing is at risk), ``margin`` (Regulation T, initial)
        and ``delta``, ``gamma``, ``theta``, ``vega`` (raw, times quantity and multiplier).

    Raises
    ------
    InputError
        If an argument is outside its domain; ``error.name`` says which.

    Notes
    -----
    Exact where all options share an expiry. With several expiries the measures are those at the first one, the later
    legs valued by the model (`bifrost_lib.strategies.two_expiries`). Dividends paid to a stock leg do not count.

    Examples
    --------
    >>> condor = [{"right": "P", "qty": 1, "strike": 85}, {"right": "P", "qty": -1, "strike": 90},
    ...           {"right": "C", "qty": -1, "strike": 110}, {"right": "C", "qty": 1, "strike": 115}]
    >>> found = evaluate(legs=condor, spot=100, vol=0.25, rate=0.03, tau=45 / 365, premium=1.20, multiplier=1)
    >>> round(found["pop"], 7), round(found["ev"], 6), found["max_loss"]
    (0.7987985, 0.402485, 3.8)
    """
    _check(spot=spot, vol=vol, rate=rate, div_yield=div_yield, multiplier=multiplier)
    held = read_legs(legs, tau=tau, at=at)
    near_tau = _near_tau(held, tau)
    vols = np.where(np.isnan(held.iv), vol, held.iv)
    prices = _prices(held, spot, vols, rate, div_yield)
    if premium is None:
        stock_price = spot if math.isnan(held.stock_price) else held.stock_price
        premium = -multiplier * float(held.qty @ prices + held.stock * stock_price)
    _check(premium=premium)
    forward, total_vol = spot * math.exp((rate - div_yield) * near_tau), vol * math.sqrt(near_tau)
    if held.is_far.any():
        found = _over_time(held, vols, premium, multiplier, rate, div_yield, forward, total_vol)
    else:
        found = _at_expiry(held, premium, multiplier, forward, total_vol)
    naked = INDEX_RATE if broad_index else EQUITY_RATE
    return {
        "premium": premium,
        **found,
        "return_on_risk": return_on_risk(found["max_profit"], found["max_loss"]),
        "margin": margin_of(held, prices, multiplier, spot, naked),
        **_net_greeks(held, spot, vols, rate, div_yield, multiplier),
    }


def return_on_risk(max_profit: float | None, max_loss: float | None) -> float | None:
    """Return max_profit / max_loss; None where either is unbounded or nothing is at risk."""
    return max_profit / max_loss if max_profit is not None and max_loss else None


def margin_of(held: Legs, prices: Floats, multiplier: float, spot: float, naked: float) -> float:
    """Return the initial margin; a bought option covers only shorts that do not outlive it."""
    shorts = held.qty < 0
    last_short = float(held.tau[shorts].max()) if shorts.any() else 0.0
    counts = shorts | (held.tau >= last_short - 1e-9) | np.isnan(held.tau)
    return float(
        reg_t_margin(
            held.strike[counts],
            prices[counts],
            multiplier * held.qty[counts],
            held.is_call[counts],
            multiplier * held.stock,
            spot,
            naked,
        )
    )


def _at_expiry(held: Legs, premium: float, multiplier: float, forward: float, total_vol: float) -> dict[str, Any]:
    order = np.argsort(held.strike, kind="stable")
    kinks, weights = held.strike[order], multiplier * held.qty[order]
    puts = ~held.is_call
    start = multiplier * float(held.qty[puts] @ held.strike[puts])
    slope = multiplier * (held.stock - float(held.qty[puts].sum()))
    zero = ZERO * (abs(premium) + float(np.abs(weights) @ kinks) + multiplier * abs(held.stock) * forward)
    roots, turns = np.empty(len(kinks) + 1), np.empty(len(kinks) + 1)
    count, lowest, highest, end, ends_in_profit = walk(
        kinks, weights, len(kinks), premium, start, slope, zero, roots, turns, 0
    )  # fmt: skip
    below = np.empty(count)
    probabilities_below(roots[:count], forward, total_vol, below)
    pop = float(ends_in_profit) + float(turns[:count] @ below)
    if total_vol == 0:  # a certain price may lie on a breakeven, which is no profit
        pop = float(_profit_at(held, premium, multiplier, forward) > zero)
    return {
        **_bounds(lowest, highest, end),
        "breakevens": [float(root) for root in roots[:count]],
        "pop": min(max(pop, 0.0), 1.0),
        "ev": premium + multiplier * _expected_payoff(held, forward, total_vol),
    }


def _over_time(
    held: Legs, vols: Floats, premium: float, multiplier: float, rate: float, div_yield: float,
    forward: float, total_vol: float,
) -> dict[str, Any]:  # fmt: skip
    if total_vol <= 0:
        raise InputError("vol", 0.0, "a number > 0 where legs expire at different times")
    spreads = TimeSpreads(
        qty=held.qty,
        is_call=held.is_call,
        gap=np.where(held.is_far, held.tau - held.near_tau, 0.0),
        strike=held.strike[None, :],
        iv=vols[None, :],
        premium=np.array([premium]),
        stock=held.stock,
        multiplier=multiplier,
        rate=rate,
        div_yield=div_yield,
    )
    found = model_measures(spreads, forward=forward, total_vol=total_vol)
    return {
        **_bounds(float(found.lowest[0]), float(found.highest[0]), found.end_slope),
        "breakevens": [float(root) for root in found.roots[0] if not math.isnan(root)],
        "pop": float(found.pop[0]),
        "ev": float(found.ev[0]),
    }


def _bounds(lowest: float, highest: float, end_slope: float) -> dict[str, Any]:
    gains, loses = end_slope > 0, end_slope < 0
    return {
        "max_profit": None if gains else float(highest),
        "max_loss": None if loses else max(0.0, -float(lowest)),
        "max_profit_unbounded": gains,
        "max_loss_unbounded": loses,
    }


def _expected_payoff(held: Legs, forward: float, total_vol: float) -> float:
    expected = price(spot=forward, strike=held.strike, tau=1.0, vol=total_vol, right=held.is_call)
    return float(held.qty @ expected + held.stock * forward)


def _profit_at(held: Legs, premium: float, multiplier: float, spot: float) -> float:
    payoff = np.maximum(np.where(held.is_call, spot - held.strike, held.strike - spot), 0.0)
    return premium + multiplier * float(held.qty @ payoff + held.stock * spot)


def _prices(held: Legs, spot: float, vols: Floats, rate: float, div_yield: float) -> Floats:
    model = price(
        spot=spot, strike=held.strike, tau=held.tau, vol=vols, right=held.is_call, rate=rate, div_yield=div_yield
    )  # fmt: skip
    prices: Floats = np.where(np.isnan(held.price), model, held.price)
    return prices


def _net_greeks(
    held: Legs, spot: float, vols: Floats, rate: float, div_yield: float, multiplier: float
) -> dict[str, float]:
    each = greeks(
        spot=spot, strike=held.strike, tau=held.tau, vol=vols, right=held.is_call, rate=rate, div_yield=div_yield
    )  # fmt: skip
    net = {name: multiplier * float(held.qty @ each[name]) for name in GREEKS}
    net["delta"] += multiplier * held.stock
    return net


def _near_tau(held: Legs, tau: float | None) -> float:
    if not len(held.strike):
        return 0.0 if tau is None else float(tau)
    if np.isnan(held.tau).any():
        raise InputError("tau", None, "years to expiry, for all legs here or in each leg")
    return held.near_tau


def _check(**values: float) -> None:
    for name, value in values.items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(name, value, "a number") from None
        strict = name in ("spot", "multiplier")
        if not math.isfinite(number) or (strict and number <= 0) or (name == "vol" and number < 0):
            raise InputError(name, value, "a number" + (" > 0" if strict else " >= 0" if name == "vol" else ""))
