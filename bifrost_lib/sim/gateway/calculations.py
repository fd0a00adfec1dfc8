"""The gateway's option calculator: a volatility for a price, a price for a volatility."""

from __future__ import annotations

from math import isfinite
from typing import Any

import numpy as np

from bifrost_lib.core.calendar import year_fraction
from bifrost_lib.sim.gateway.registry import Refusal, handles, invalid
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.universe import RATE
from bifrost_lib.sim.wire import (
    CalcImpliedVol,
    CalcOptionPrice,
    CancelCalcImpliedVol,
    CancelCalcOptionPrice,
    TickOptionComputation,
)

CALCULATED = 53
_MINUTE = 1 / (365 * 24 * 60)


@handles(CalcImpliedVol)
def implied_volatility(session: Session, message: CalcImpliedVol) -> None:
    """Send the volatility at which the option is worth the given price."""
    from bifrost_lib.pricing import american_implied_vol, implied_vol

    option = _option(session, message)
    inputs = _inputs(session, option, message.under_price)
    solve = american_implied_vol if option.style == "american" else implied_vol
    vol = float(np.asarray(solve(price=message.option_price, **inputs)))
    if not isfinite(vol):
        raise invalid("The option price has no implied volatility")
    _answer(session, message.req_id, option, inputs, vol, message.option_price)


@handles(CalcOptionPrice)
def option_price(session: Session, message: CalcOptionPrice) -> None:
    """Send what the option is worth at the given volatility."""
    from bifrost_lib.pricing import american_price, price

    option = _option(session, message)
    if not 0 < message.volatility < 100:
        raise invalid("Invalid volatility")
    inputs = _inputs(session, option, message.under_price)
    value = (american_price if option.style == "american" else price)(vol=message.volatility, **inputs)
    _answer(session, message.req_id, option, inputs, message.volatility, float(np.asarray(value)))


@handles(CancelCalcImpliedVol, CancelCalcOptionPrice)
def cancel(_: Session, __: CancelCalcImpliedVol | CancelCalcOptionPrice) -> None:
    """Nothing waits: the answer has gone out."""


def _option(session: Session, message: CalcImpliedVol | CalcOptionPrice) -> Instrument:
    option = session.gateway.index.one(message.contract)
    if option.expiry is None:
        raise Refusal(200)
    if not 0 < message.under_price < float("inf"):
        raise invalid("Invalid underlying price")
    return option


def _inputs(session: Session, option: Instrument, spot: float) -> dict[str, Any]:
    market = session.gateway.market
    if option.expiry is None:  # pragma: no cover - `_option` has looked
        raise Refusal(200)
    _, ahead, _, _ = market.dividends(option.under_con_id)
    return {
        "spot": spot,
        "strike": option.strike,
        "tau": max(year_fraction(market.clock.now(), option.expiry, option.settlement or "PM"), _MINUTE),
        "right": option.right,
        "rate": RATE,
        "div_yield": ahead / spot,
    }


def _answer(
    session: Session, req_id: int, option: Instrument, inputs: dict[str, Any], vol: float, value: float
) -> None:
    from bifrost_lib.pricing import american_greeks, greeks

    found = (american_greeks if option.style == "american" else greeks)(vol=vol, **inputs)
    delta, gamma, vega, theta = (float(np.asarray(found[name])) for name in ("delta", "gamma", "vega", "theta"))
    carried = inputs["spot"] * (1.0 - float(np.exp(-inputs["div_yield"] * inputs["tau"])))
    session.send(TickOptionComputation(
        req_id, CALCULATED, 0, vol, delta, value, carried, gamma, vega / 100, theta / 365, inputs["spot"]
    ))  # fmt: skip
