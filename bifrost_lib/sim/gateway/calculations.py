"""The gateway's option calculator: a volatility for a price, a price for a volatility."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
Computed = tuple[float, float, float, float, float, float, float, float] | None
_MINUTE = 1 / (365 * 24 * 60)


@handles(CalcImpliedVol)
def implied_volatility(session: Session, message: CalcImpliedVol) -> None:
    """Send the volatility at which the option is worth the given price."""
    option = _option(session, message)
    inputs = _inputs(session, option, message.under_price)

    def compute() -> Computed:
        from bifrost_lib.pricing import american_implied_vol, implied_vol

        solve = american_implied_vol if option.style == "american" else implied_vol
        vol = float(np.asarray(solve(price=message.option_price, **inputs)))
        return _computed(option, inputs, vol, message.option_price) if isfinite(vol) else None

    _answer(session, message.req_id, compute)


@handles(CalcOptionPrice)
def option_price(session: Session, message: CalcOptionPrice) -> None:
    """Send what the option is worth at the given volatility."""
    option = _option(session, message)
    if not 0 < message.volatility < 100:
        raise invalid("Invalid volatility")
    inputs = _inputs(session, option, message.under_price)

    def compute() -> Computed:
        from bifrost_lib.pricing import american_price, price

        value = (american_price if option.style == "american" else price)(vol=message.volatility, **inputs)
        return _computed(option, inputs, message.volatility, float(np.asarray(value)))

    _answer(session, message.req_id, compute)


@handles(CancelCalcImpliedVol, CancelCalcOptionPrice)
def cancel(session: Session, message: CancelCalcImpliedVol | CancelCalcOptionPrice) -> None:
    """Send no answer any more."""
    session.calculations.discard(message.req_id)


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


def _computed(option: Instrument, inputs: dict[str, Any], vol: float, value: float) -> Computed:
    from bifrost_lib.pricing import american_greeks, greeks

    found = (american_greeks if option.style == "american" else greeks)(vol=vol, **inputs)
    delta, gamma, vega, theta = (float(np.asarray(found[name])) for name in ("delta", "gamma", "vega", "theta"))
    carried = inputs["spot"] * (1.0 - float(np.exp(-inputs["div_yield"] * inputs["tau"])))
    return vol, delta, value, carried, gamma, vega / 100, theta / 365, inputs["spot"]


def _answer(session: Session, req_id: int, compute: Callable[[], Computed]) -> None:
    # In a thread: the first calculation of a machine compiles for seconds, and the feeds must go on meanwhile.
    session.calculations.add(req_id)
    done = session.gateway.loop.run_in_executor(None, compute)

    def tell(finished: asyncio.Future[Computed]) -> None:
        if finished.cancelled() or req_id not in session.calculations:
            return
        session.calculations.discard(req_id)
        numbers = None if finished.exception() else finished.result()
        if numbers is None:
            session.refuse(req_id, 321, where="bW", cause="The option price has no implied volatility")
        else:
            session.send(TickOptionComputation(req_id, CALCULATED, 0, *numbers))

    done.add_done_callback(tell)
