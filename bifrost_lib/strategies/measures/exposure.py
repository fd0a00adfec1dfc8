"""What a structure is exposed to today: greeks in the units that people use, touches, and early exercise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.pricing import greeks, price, probability_itm, probability_touch
from bifrost_lib.strategies.measures.positions import Legs

Floats = npt.NDArray[np.float64]

GREEKS = ("delta", "gamma", "theta", "vega", "rho")
DAYS_PER_YEAR = 365.0
_CENT = 0.01


@dataclass(frozen=True)
class Market:
    """What legs are valued with: `vol` and `price` (n,) by option leg, the rest for the underlying."""

    spot: float
    rate: float
    div_yield: float
    multiplier: float
    vol: Floats
    price: Floats

    @property
    def carry(self) -> dict[str, Any]:
        """Spot and rates, as pricing takes them."""
        return {"spot": self.spot, "rate": self.rate, "div_yield": self.div_yield}


def net_greeks(held: Legs, market: Market) -> dict[str, float | None]:
    """Return the structure's greeks, raw, and theta a day and dollars of vega a point per dollar of theta a day."""
    each = greeks(strike=held.strike, tau=held.tau, vol=market.vol, right=held.is_call, **market.carry)
    net = {name: market.multiplier * float(held.qty @ each[name]) for name in GREEKS}
    net["delta"] += market.multiplier * held.stock
    theta_per_day = net["theta"] / DAYS_PER_YEAR
    ratio = 0.01 * net["vega"] / theta_per_day if theta_per_day else None
    return {**net, "theta_per_day": theta_per_day, "vega_to_theta": ratio}


def touches(held: Legs, market: Market) -> list[dict[str, Any]]:
    """Return for each short option the probability that its strike is touched before it expires, risk-neutral."""
    sold = np.flatnonzero(held.qty < 0)
    if not len(sold):
        return []
    found = probability_touch(strike=held.strike[sold], tau=held.tau[sold], vol=market.vol[sold], **market.carry)
    return [_named(held, int(leg)) | {"probability": float(one)} for leg, one in zip(sold, found, strict=True)]


def assignments(held: Legs, market: Market, dividend: tuple[float, float] | None) -> list[dict[str, Any]]:
    """Return for each short option what its holder may do: exercise at expiry, early, or for a dividend.

    Parameters
    ----------
    held, market
    dividend : (float, float), optional
        Currency per share, and years until the share trades without it.

    Returns
    -------
    list of dict
        ``leg`` (its place among the option legs), ``right``, ``strike``; ``probability_itm`` at its expiry,
        risk-neutral; ``intrinsic`` and ``time_value`` per share; ``early`` whether holding on is worth no more than
        exercising now; ``ex_dividend`` whether a call's holder gains by exercising for the dividend, None if no
        dividend is given and the leg is a call.
    """
    sold = np.flatnonzero(held.qty < 0)
    if not len(sold):
        return []
    itm = probability_itm(
        strike=held.strike[sold], tau=held.tau[sold], vol=market.vol[sold], right=held.is_call[sold], **market.carry
    )  # fmt: skip
    return [_assignment(held, market, int(leg), float(one), dividend) for leg, one in zip(sold, itm, strict=True)]


def _assignment(
    held: Legs, market: Market, leg: int, itm: float, dividend: tuple[float, float] | None
) -> dict[str, Any]:  # fmt: skip
    strike, is_call, tau = float(held.strike[leg]), bool(held.is_call[leg]), float(held.tau[leg])
    intrinsic = max(market.spot - strike if is_call else strike - market.spot, 0.0)
    time_value = float(market.price[leg]) - intrinsic
    return _named(held, leg) | {
        "probability_itm": itm,
        "intrinsic": intrinsic,
        "time_value": time_value,
        "early": intrinsic > 0 and time_value < _CENT,
        "ex_dividend": _taken_for(dividend, intrinsic, time_value, tau) if is_call else False,
    }


def _taken_for(dividend: tuple[float, float] | None, intrinsic: float, time_value: float, tau: float) -> bool | None:
    if dividend is None:
        return None
    amount, until = dividend
    return 0 <= until <= tau and intrinsic > 0 and amount > time_value


def _named(held: Legs, leg: int) -> dict[str, Any]:
    right = "C" if held.is_call[leg] else "P"
    return {"leg": leg, "right": right, "strike": float(held.strike[leg])}


def probability_of_reaching(held: Legs, market: Market, *, premium: float, target: float) -> float:
    """Return the probability that closing the structure pays at least `target` at some close until its first expiry.

    Parameters
    ----------
    held, market
        At least one day before the first expiry, or it is the probability at expiry.
    premium : float
        Cash at entry, currency for one unit.
    target : float
        Profit, currency for one unit.

    Notes
    -----
    The price is lognormal with the structure's mean volatility and watched once a day, at most `_CLOSES` times; the
    legs keep their volatilities. Solved backwards on a grid of prices, to about a point.
    """
    near, vol = held.near_tau, float(market.vol.mean())
    closes = max(1, min(round(near * DAYS_PER_YEAR), _CLOSES))
    step = near / closes
    z = np.linspace(-_REACH, _REACH, _POINTS) * vol * math.sqrt(near)
    moves = _transition(z, vol, step, market.rate - market.div_yield)
    worth = closing_value(held, market, market.spot * np.exp(z), elapsed=step * np.arange(1, closes + 1))
    pays = premium + worth >= target
    reached = pays[-1].astype(np.float64)
    for close in range(closes - 2, -1, -1):
        reached = np.where(pays[close], 1.0, moves @ reached)
    return float(min(max(moves[_POINTS // 2] @ reached, 0.0), 1.0))


_CLOSES, _POINTS, _REACH = 30, 121, 4.5


def _transition(z: Floats, vol: float, step: float, carry: float) -> Floats:
    spread = vol * math.sqrt(step)
    shift = (carry - 0.5 * vol**2) * step
    distance = -0.5 * ((z[None, :] - z[:, None] - shift) / spread) ** 2
    # Against the nearest price: all others may be so far away that nothing of them is left.
    weights = np.exp(distance - distance.max(axis=1, keepdims=True))
    found: Floats = weights / weights.sum(axis=1, keepdims=True)
    return found


def closing_value(
    held: Legs, market: Market, spot: Floats, *, elapsed: npt.ArrayLike = 0.0, vol_shift: npt.ArrayLike = 0.0
) -> Floats:
    """Return what closing the structure brings, in currency.

    Parameters
    ----------
    held, market
    spot : array (m,)
        Prices of the underlying then.
    elapsed, vol_shift : array_like (...)
        Years from now, and what is added to every volatility; they broadcast. Legs that have expired by then count
        with their intrinsic value at that price.

    Returns
    -------
    ndarray (..., m)
    """
    years, shift = (np.asarray(a, dtype=np.float64)[..., None, None] for a in (elapsed, vol_shift))
    value = price(
        spot=spot, strike=held.strike[:, None], tau=np.maximum(held.tau[:, None] - years, 0.0),
        vol=np.maximum(market.vol[:, None] + shift, 0.0), right=held.is_call[:, None],
        rate=market.rate, div_yield=market.div_yield,
    )  # fmt: skip
    total: Floats = market.multiplier * (np.einsum("l,...lm->...m", held.qty, value) + held.stock * spot)
    return total
