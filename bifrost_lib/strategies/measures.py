"""Measures of any concrete legs: what they can make and lose, how likely, what they tie up and are exposed to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.strategies.exposure import (
    DAYS_PER_YEAR,
    Market,
    assignments,
    net_greeks,
    probability_of_reaching,
    touches,
)
from bifrost_lib.strategies.laws import Law, Lognormal, surface_law
from bifrost_lib.strategies.margin import EQUITY_RATE, INDEX_RATE, reg_t_margin
from bifrost_lib.strategies.outcomes import Outcomes, outcomes, probability_above
from bifrost_lib.strategies.positions import Legs, as_number, read_legs
from bifrost_lib.strategies.profile import Profile, profile_of
from bifrost_lib.strategies.stress import pnl_surface, portfolio_margin
from bifrost_lib.strategies.trading import liquidity_of, slippage_of
from bifrost_lib.strategies.two_expiries import TimeSpreads, model_profile

if TYPE_CHECKING:
    from bifrost_lib.pricing import RiskNeutralDensity, VolSurface

Floats = npt.NDArray[np.float64]


def evaluate(
    *,
    legs: Sequence[Mapping[str, Any]],
    spot: float,
    vol: float | None = None,
    tau: float | None = None,
    rate: float = 0.0,
    div_yield: float = 0.0,
    premium: float | None = None,
    multiplier: float = 100.0,
    at: datetime | None = None,
    broad_index: bool = False,
    surface: VolSurface | RiskNeutralDensity | None = None,
    drift: float | None = None,
    real_vol: float | None = None,
    beta: float | None = None,
    index_spot: float | None = None,
    dividend: tuple[float, float] | None = None,
    later: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """Measure a structure of any legs.

    Parameters
    ----------
    legs : sequence of mapping
        Each with ``right`` ("C", "P", or "S" for the underlying), ``qty`` (contracts, signed; a stock leg of 1 is
        `multiplier` shares), ``strike`` for options, and optionally ``price`` (per share), ``bid`` and ``ask``,
        ``open_interest``, ``iv``, and ``tau`` (years) or ``expiry`` (a date).
    spot : float
        Currency per share, > 0.
    vol : float, optional
        Annual volatility of the lognormal distribution at the first expiry, >= 0; also that of legs without ``iv``.
        Default: that of `surface` at the forward.
    tau : float, optional
        Years to expiry of legs that do not say; without `at`, to the first ``expiry``.
    rate, div_yield : float
        Continuous annual decimals.
    later : (float, float), optional
        Rate and dividend yield from the first expiry to later ones, as `ExpirySlice.carry_to` has them. Default:
        `rate` and `div_yield`.
    premium : float, optional
        Cash for one unit, all legs and the multiplier included: credit > 0, debit < 0. Default: from the legs'
        prices, and from the model for legs without one.
    multiplier : float
        Shares per contract; 1 gives measures per share.
    at : datetime, aware, optional
        The moment from which ``expiry`` counts.
    broad_index : bool
        Whether margins are those of a broad index.
    surface : VolSurface or RiskNeutralDensity, optional
        Fitted volatilities: ``pop``, ``ev`` and what belongs to them then come from the distribution they imply.
    drift, real_vol : float, optional
        Expected growth of the price and its volatility, annual, from history or belief: the real-world measures.
    beta, index_spot : float, optional
        Beta to an index, and the index's level, in whose units the delta is then stated.
    dividend : (float, float), optional
        Next dividend in currency per share, and years until the share trades without it.

    Returns
    -------
    dict
        Currency for one unit where nothing else is said; None where unbounded, unknown or meaningless, and then
        ``reasons`` says why. ``premium``; ``max_profit`` and ``max_loss`` (>= 0), with ``max_profit_unbounded`` and
        ``max_loss_unbounded``; ``breakevens`` (ascending).

        ``pop`` (probability of a profit > 0), ``ev`` (premium plus expected payoff, the premium not carried forward),
        ``expected_win`` and ``expected_loss`` (given either), ``prob_half_profit`` (more than half of the max profit
        at expiry) and ``prob_half_profit_touch`` (at any daily close until then), all under ``law`` ("lognormal" or
        "surface"); ``lognormal`` and ``real_world`` hold ``pop`` and ``ev`` of those distributions. ``prob_touch``:
        for each short leg.

        ``return_on_risk``, ``return_on_margin`` and, simple and for 365 days, ``annual_return`` (on the risk, or on
        the margin where that has no bound); ``margin`` and ``maintenance_margin`` (Regulation T),
        ``portfolio_margin`` (the worst of ten price moves).

        ``delta``, ``gamma``, ``theta``, ``vega``, ``rho`` (raw, times quantity and multiplier), ``theta_per_day``,
        ``vega_to_theta`` (of a volatility point to a day), ``beta_weighted_delta``; ``assignment``: for each short
        leg; ``ex_dividend_risk``; ``slippage_cost``, ``liquidity`` (0 to 1); ``pnl_surface``.

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
    >>> round(found["pop"], 7), round(found["ev"], 6), round(found["max_loss"], 12)
    (0.7987985, 0.402485, 3.8)
    """
    _check(spot=spot, rate=rate, div_yield=div_yield, multiplier=multiplier)
    held = read_legs(legs, tau=tau, at=at)
    near = _near_tau(held, tau)
    forward = spot * math.exp((rate - div_yield) * near)
    vol = _vol(vol, surface, near)
    market = _market(held, spot, vol, rate, div_yield, multiplier, surface)
    if premium is None:
        stock_price = spot if math.isnan(held.stock_price) else held.stock_price
        premium = -multiplier * float(held.qty @ market.price + held.stock * stock_price)
    _check(premium=premium)
    lognormal = Lognormal(forward, vol * math.sqrt(near))
    profile = _profile(held, market, premium, lognormal, later=later or (rate, div_yield))
    position = _Position(held, market, premium, profile, near)
    implied = None if surface is None else surface_law(surface, tau=near, forward=forward)
    law: Law = implied or lognormal
    reasons: dict[str, str] = {}
    found = {
        "premium": premium,
        **_bounds(profile),
        "breakevens": profile.roots(),
        **_chances(position, law, reasons),
        "law": "surface" if implied else "lognormal",
        "lognormal": _both(outcomes(profile, lognormal)),
        "real_world": _real_world(position, drift, real_vol, reasons),
        "prob_touch": touches(held, market),
        **_margins(position, broad_index),
        **net_greeks(held, market),
        "assignment": assignments(held, market, dividend),
        "pnl_surface": pnl_surface(held, market, premium=premium),
    }
    if surface is not None and implied is None:
        reasons["law"] = "the surface does not reach the first expiry"
    found |= _returns(found, near, reasons)
    found |= _beta_weighted(found["delta"], spot, beta, index_spot, reasons)
    found |= _ex_dividend(held, found["assignment"], dividend, reasons)
    found |= _trading(held, multiplier, found, reasons)
    return found | {"reasons": reasons}


@dataclass(frozen=True)
class _Position:
    """What is held, what it is valued with, and its profile at the first expiry `near` (years)."""

    held: Legs
    market: Market
    premium: float
    profile: Profile
    near: float


def return_on_risk(max_profit: float | None, max_loss: float | None) -> float | None:
    """Return max_profit / max_loss; None where either is unbounded or nothing is at risk."""
    return max_profit / max_loss if max_profit is not None and max_loss else None


def _vol(vol: float | None, surface: Any, near: float) -> float:
    if vol is None:
        if not hasattr(surface, "atm_vol"):
            raise InputError("vol", vol, "an annual volatility, or a surface that has one")
        vol = float(surface.atm_vol(np.clip(near, surface.tau[0], surface.tau[-1])))
    _check(vol=vol)
    return float(vol)


def _market(
    held: Legs, spot: float, vol: float, rate: float, div_yield: float, multiplier: float, surface: Any
) -> Market:  # fmt: skip
    vols = np.full(len(held.strike), vol)
    if hasattr(surface, "atm_vol") and len(vols):
        k = np.log(held.strike / (spot * np.exp((rate - div_yield) * held.tau)))
        fitted = surface.iv(tau=held.tau, log_moneyness=k)
        vols = np.where(np.isnan(fitted), vols, fitted)
    vols = np.where(np.isnan(held.iv), vols, held.iv)
    model = price(
        spot=spot, strike=held.strike, tau=held.tau, vol=vols, right=held.is_call, rate=rate, div_yield=div_yield
    )  # fmt: skip
    prices = np.where(np.isnan(held.price), model, held.price)
    return Market(float(spot), float(rate), float(div_yield), float(multiplier), vols, prices)


def _profile(
    held: Legs, market: Market, premium: float, lognormal: Lognormal, *, later: tuple[float, float]
) -> Profile:  # fmt: skip
    if not held.is_far.any():
        return profile_of(
            strike=held.strike, weight=market.multiplier * held.qty, is_call=held.is_call,
            shares=market.multiplier * held.stock, premium=premium,
        )  # fmt: skip
    if lognormal.is_certain:
        raise InputError("vol", 0.0, "a number > 0 where legs expire at different times")
    spreads = TimeSpreads(
        qty=held.qty,
        is_call=held.is_call,
        gap=np.where(held.is_far, held.tau - held.near_tau, 0.0),
        strike=held.strike[None, :],
        iv=market.vol[None, :],
        premium=np.array([premium]),
        stock=held.stock,
        multiplier=market.multiplier,
        rate=later[0],
        div_yield=later[1],
    )
    return model_profile(spreads, forward=lognormal.mean, total_vol=lognormal.total_vol)


def _bounds(profile: Profile) -> dict[str, Any]:
    gains, loses = profile.slope > 0, profile.slope < 0
    return {
        "max_profit": None if gains else profile.highest,
        "max_loss": None if loses else max(0.0, -profile.lowest),
        "max_profit_unbounded": gains,
        "max_loss_unbounded": loses,
    }


def _chances(position: _Position, law: Law, reasons: dict[str, str]) -> dict[str, Any]:
    profile, market = position.profile, position.market
    found = outcomes(profile, law)
    half = touch = None
    if profile.slope > 0:
        reasons["prob_half_profit"] = reasons["prob_half_profit_touch"] = "the profit has no bound"
    elif profile.highest <= 0:
        reasons["prob_half_profit"] = reasons["prob_half_profit_touch"] = "there is no profit to make"
    else:
        target = 0.5 * profile.highest
        half = touch = probability_above(profile, law, target)
        if position.near > 0 and len(market.vol) and market.vol.mean() > 0:
            reached = probability_of_reaching(position.held, market, premium=position.premium, target=target)
            touch = max(half, reached)
    if found.win is None:
        reasons["expected_win"] = "it never wins"
    if found.loss is None:
        reasons["expected_loss"] = "it never loses"
    return {
        **_both(found),
        "expected_win": found.win,
        "expected_loss": found.loss,
        "prob_half_profit": half,
        "prob_half_profit_touch": touch,
    }


def _both(found: Outcomes) -> dict[str, float]:
    return {"pop": found.pop, "ev": found.ev}


def _real_world(
    position: _Position, drift: float | None, real_vol: float | None, reasons: dict[str, str]
) -> dict[str, float] | None:  # fmt: skip
    if drift is None or real_vol is None:
        reasons["real_world"] = "needs drift and real_vol"
        return None
    _check(drift=drift, real_vol=real_vol)
    mean = position.market.spot * math.exp(drift * position.near)
    law = Lognormal(mean, real_vol * math.sqrt(position.near))
    return {"drift": drift, "vol": real_vol, **_both(outcomes(position.profile, law))}


def _margins(position: _Position, broad_index: bool) -> dict[str, float]:
    held, market = position.held, position.market
    found = reg_t_margin(
        strike=held.strike, price=market.price, qty=held.qty, is_call=held.is_call, tau=held.tau, stock=held.stock,
        spot=market.spot, rate=INDEX_RATE if broad_index else EQUITY_RATE, multiplier=market.multiplier,
    )  # fmt: skip
    stressed = portfolio_margin(held, market, broad_index=broad_index)
    return {"margin": found.initial, "maintenance_margin": found.maintenance, "portfolio_margin": stressed}


def _returns(found: Mapping[str, Any], near: float, reasons: dict[str, str]) -> dict[str, float | None]:
    profit, risk, margin = found["max_profit"], found["max_loss"], found["margin"]
    on_risk, on_margin = return_on_risk(profit, risk), return_on_risk(profit, margin)
    annual = on_margin if risk is None else on_risk
    years = max(near, 1.0 / DAYS_PER_YEAR)
    nothing = "the profit has no bound" if profit is None else "the loss has no bound" if risk is None else None
    if on_risk is None:
        reasons["return_on_risk"] = nothing or "nothing is at risk"
    if on_margin is None:
        reasons["return_on_margin"] = "the profit has no bound" if profit is None else "no margin is needed"
    if annual is None:
        reasons["annual_return"] = nothing or "nothing is at risk"
    return {
        "return_on_risk": on_risk,
        "return_on_margin": on_margin,
        "annual_return": None if annual is None else annual / years,
    }


def _beta_weighted(
    delta: float, spot: float, beta: float | None, index_spot: float | None, reasons: dict[str, str]
) -> dict[str, float | None]:  # fmt: skip
    if beta is None or index_spot is None:
        reasons["beta_weighted_delta"] = "needs beta and index_spot"
        return {"beta_weighted_delta": None}
    if not math.isfinite(beta):
        raise InputError("beta", beta, "a number")
    if not 0 < index_spot < math.inf:
        raise InputError("index_spot", index_spot, "a number > 0")
    return {"beta_weighted_delta": delta * beta * spot / index_spot}


def _ex_dividend(
    held: Legs, assigned: list[dict[str, Any]], dividend: tuple[float, float] | None, reasons: dict[str, str]
) -> dict[str, bool | None]:  # fmt: skip
    if dividend is None and (held.is_call & (held.qty < 0)).any():
        reasons["ex_dividend_risk"] = "needs the next dividend"
        return {"ex_dividend_risk": None}
    return {"ex_dividend_risk": any(leg["ex_dividend"] for leg in assigned)}


def _trading(held: Legs, multiplier: float, found: Mapping[str, Any], reasons: dict[str, str]) -> dict[str, Any]:
    cost = slippage_of(held, multiplier)
    if cost is None:
        reasons["slippage_cost"] = reasons["liquidity"] = "needs bid and ask of every option"
        return {"slippage_cost": None, "liquidity": None}
    capital = found["margin"] if found["max_loss"] is None else found["max_loss"]
    return {"slippage_cost": cost, "liquidity": liquidity_of(cost, found["max_profit"], capital)}


def _near_tau(held: Legs, tau: float | None) -> float:
    if not len(held.strike):
        near = 0.0 if tau is None else as_number("tau", tau)
        if not 0 <= near < math.inf:
            raise InputError("tau", tau, "years to expiry >= 0")
        return near
    if np.isnan(held.tau).any():
        raise InputError("tau", None, "years to expiry here or in each leg, or `at`, from which expiries count")
    return held.near_tau


def _check(**values: float) -> None:
    for name, value in values.items():
        number = as_number(name, value)
        strict = name in ("spot", "multiplier")
        positive = name in ("vol", "real_vol")
        if not math.isfinite(number) or (strict and number <= 0) or (positive and number < 0):
            raise InputError(name, value, "a number" + (" > 0" if strict else " >= 0" if positive else ""))
