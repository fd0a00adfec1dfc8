"""A strategy document's legs at its targets, on a market that is made up: for pictures, and to know it by its shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import singledispatch
from typing import TYPE_CHECKING, Any

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.rules import (
    AtMoney,
    AtStrike,
    ByDelta,
    ByPremium,
    Mirror,
    Offset,
    PctOtm,
    SameAs,
    SamePremium,
    StrikeRule,
    Wing,
)

if TYPE_CHECKING:
    import pandas as pd

DAYS_PER_YEAR = 365.0
_HALVINGS = 60


@dataclass(frozen=True)
class _Market:
    """One price and one volatility, no rates; `strikes` are those of the legs so far."""

    spot: float
    vol: float
    step: float
    strikes: dict[str, float]
    legs: dict[str, Leg]
    taus: dict[str, float]

    def premium(self, right: str, strike: float, tau: float) -> float:
        """Return an option's price."""
        deviation = self.vol * math.sqrt(tau)
        d1 = math.log(self.spot / strike) / deviation + 0.5 * deviation
        call = self.spot * _cdf(d1) - strike * _cdf(d1 - deviation)
        return call if right == "C" else call - self.spot + strike


def example_legs(
    document: StrategyDocument, *, spot: float = 100.0, vol: float = 0.25, step: float = 1.0
) -> list[dict[str, Any]]:
    """Return concrete legs of a document: every rule at its target, every expiry at its target.

    Parameters
    ----------
    document : StrategyDocument
    spot : float
        Price of the underlying, > 0; also its forward, because there are no rates here.
    vol : float
        Annual volatility of all options, > 0.
    step : float
        Distance of listed strikes in currency. Strikes are rounded to it where rules do not refer to others.

    Returns
    -------
    list of dict
        ``right``, ``qty``, and for options ``strike`` and ``tau`` (years): as `evaluate` takes them.
    """
    market = _Market(spot, vol, step, {}, {}, {})
    legs: list[dict[str, Any]] = []
    for leg in document.legs:
        if leg.rule is None:
            legs.append({"right": "S", "qty": leg.qty})
            continue
        tau = _tau(document, leg)
        strike = round(_strike(leg.rule, leg, tau, market) / step * 1e9) * step / 1e9
        if not leg.rule.refs:
            strike = round(strike / step) * step
        market.strikes[leg.name], market.legs[leg.name], market.taus[leg.name] = strike, leg, tau
        legs.append({"right": leg.right, "qty": leg.qty, "strike": strike, "tau": tau})
    return legs


def example_payoff(
    document: StrategyDocument, *, spot: float = 100.0, vol: float = 0.25, width: float = 0.25, points: int = 121
) -> pd.DataFrame:
    """Return the profit of a document's example over prices of the underlying.

    Parameters
    ----------
    document, spot, vol
        As for `example_legs`.
    width : float
        How far down and up prices reach, as a share of the spot.
    points : int
        Prices; the strikes come on top, so that kinks are exact.

    Returns
    -------
    DataFrame
        ``name``, ``spot`` (currency per share), ``pnl_at_expiry`` (at the near expiry, later legs at the model's
        value) and ``pnl_now`` (currency for one unit of 100 shares), bought and sold at the model's prices.
    """
    import numpy as np
    import pandas as pd

    from bifrost_lib.strategies.measures.payoff import value_before_expiry

    legs = example_legs(document, spot=spot, vol=vol)
    strikes = [leg["strike"] for leg in legs if leg["right"] != "S"]
    low, high = spot * (1.0 - width), spot * (1.0 + width)
    prices = np.unique([*np.linspace(low, high, points), *(strike for strike in strikes if low < strike < high)])
    near = min(leg["tau"] for leg in legs if leg["right"] != "S")
    cost = float(value_before_expiry(legs=legs, spot=[spot], vol=vol, premium=0.0)[0])
    at_expiry, now = (
        value_before_expiry(legs=legs, spot=prices, vol=vol, elapsed=elapsed, premium=-cost) for elapsed in (near, 0.0)
    )
    return pd.DataFrame({"name": document.name, "spot": prices, "pnl_at_expiry": at_expiry, "pnl_now": now})


def _tau(document: StrategyDocument, leg: Leg) -> float:
    if leg.dte is not None:
        return max(leg.dte.target, 1) / DAYS_PER_YEAR
    days = document.dte.target + (document.gap.target if leg.expiry == "far" else 0)
    return max(days, 1) / DAYS_PER_YEAR


@singledispatch
def _strike(rule: StrikeRule, leg: Leg, tau: float, market: _Market) -> float:
    raise NotImplementedError(type(rule).__name__)


@_strike.register
def _(rule: ByDelta, leg: Leg, tau: float, market: _Market) -> float:
    from statistics import NormalDist

    deviation = market.vol * math.sqrt(tau)
    d1 = NormalDist().inv_cdf(rule.target if leg.right == "C" else 1.0 + rule.target)
    return market.spot * math.exp(0.5 * deviation**2 - d1 * deviation)


@_strike.register
def _(rule: PctOtm, leg: Leg, tau: float, market: _Market) -> float:
    return market.spot * (1.0 + (rule.target if leg.right == "C" else -rule.target))


@_strike.register
def _(rule: AtMoney, leg: Leg, tau: float, market: _Market) -> float:
    return market.spot


@_strike.register
def _(rule: AtStrike, leg: Leg, tau: float, market: _Market) -> float:
    return rule.target


@_strike.register
def _(rule: ByPremium, leg: Leg, tau: float, market: _Market) -> float:
    return _worth(rule.target, leg, tau, market)


@_strike.register
def _(rule: SamePremium, leg: Leg, tau: float, market: _Market) -> float:
    of = market.legs[rule.of]
    wanted = rule.ratio * market.premium(of.right, market.strikes[rule.of], market.taus[rule.of])
    return round(_worth(wanted, leg, tau, market) / market.step) * market.step


@_strike.register
def _(rule: SameAs, leg: Leg, tau: float, market: _Market) -> float:
    return market.strikes[rule.of]


@_strike.register
def _(rule: Offset, leg: Leg, tau: float, market: _Market) -> float:
    distance = (rule.width or 0.0) if rule.strikes is None else rule.strikes * market.step
    return market.strikes[rule.of] + distance


@_strike.register
def _(rule: Wing, leg: Leg, tau: float, market: _Market) -> float:
    steps = round(rule.target * market.spot / market.step) or math.copysign(1, rule.target)
    return market.strikes[rule.of] + steps * market.step


@_strike.register
def _(rule: Mirror, leg: Leg, tau: float, market: _Market) -> float:
    around, of = market.strikes[rule.around], market.strikes[rule.of]
    return around + rule.ratio * (around - of)


def _worth(wanted: float, leg: Leg, tau: float, market: _Market) -> float:
    # The strike at which an option costs `wanted`, by halving: prices fall with a call's strike and rise with a put's.
    low, high = market.spot * 1e-3, market.spot * 1e3
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        dear = market.premium(leg.right, middle, tau) > wanted
        low, high = (middle, high) if dear == (leg.right == "C") else (low, middle)
    return math.sqrt(low * high)


def _cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
