"""Legs valued by the model: their volatilities and prices, the premium, and the profit at the first expiry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.strategies.measures.exposure import Market
from bifrost_lib.strategies.measures.laws import Lognormal
from bifrost_lib.strategies.measures.positions import Legs, as_number, check_numbers
from bifrost_lib.strategies.measures.profile import Profile, profile_of
from bifrost_lib.strategies.measures.two_expiries import TimeSpreads, model_profile

if TYPE_CHECKING:
    from bifrost_lib.pricing import RiskNeutralDensity, VolSurface


@dataclass(frozen=True)
class Position:
    """What is held, what it is valued with, and its profile at the first expiry, `near` years away.

    `lognormal` is the distribution of the price then that one volatility gives.
    """

    held: Legs
    market: Market
    premium: float
    profile: Profile
    near: float
    lognormal: Lognormal


def value_legs(
    held: Legs, *, tau: float | None, spot: float, vol: float | None, rate: float, div_yield: float,
    premium: float | None, multiplier: float, surface: VolSurface | RiskNeutralDensity | None,
    later: tuple[float, float] | None,
) -> Position:  # fmt: skip
    """Value legs; the arguments are those of `measures.evaluate`.

    Raises
    ------
    InputError
        If there is no volatility or no time to value them with.
    """
    near = _near_tau(held, tau)
    vol = _vol(vol, surface, near)
    lognormal = Lognormal(spot * math.exp((rate - div_yield) * near), vol * math.sqrt(near))
    market = _market(held, spot, vol, rate, div_yield, multiplier, surface)
    if premium is None:
        stock_price = spot if math.isnan(held.stock_price) else held.stock_price
        premium = -multiplier * float(held.qty @ market.price + held.stock * stock_price)
    check_numbers(premium=premium)
    profile = _profile(held, market, premium, lognormal, later=later or (rate, div_yield))
    return Position(held, market, premium, profile, near, lognormal)


def _vol(vol: float | None, surface: Any, near: float) -> float:
    if vol is None:
        if not hasattr(surface, "atm_vol"):
            raise InputError("vol", vol, "an annual volatility, or a surface that has one")
        vol = float(surface.atm_vol(np.clip(near, surface.tau[0], surface.tau[-1])))
    check_numbers(vol=vol)
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


def _near_tau(held: Legs, tau: float | None) -> float:
    if not len(held.strike):
        near = 0.0 if tau is None else as_number("tau", tau)
        if not 0 <= near < math.inf:
            raise InputError("tau", tau, "years to expiry >= 0")
        return near
    if np.isnan(held.tau).any():
        raise InputError("tau", None, "years to expiry here or in each leg, or `at`, from which expiries count")
    return held.near_tau
