"""What dealers make of a value: both sides of a quote, its sizes, and the price of a trade."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.noise import Keys, keys_at, normals
from bifrost_lib.sim.market.valuation import Valuation

Floats = npt.NDArray[np.float64]

_TICK_CHANGE = 3.0
_PRICE_SHARE = 0.0015  # of the price, in each half of the spread
_SPREAD_BEAT_S, _SIZE_BEAT_S = 20.0, 3.0
_SPREAD, _BID_SIZE, _ASK_SIZE, _TRADE = 1, 2, 3, 4


@dataclass(frozen=True)
class Sides:
    """Both sides of quotes, shape (n,); `bid` is 0 where nobody bids."""

    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats


def quote_sides(found: Valuation, keys: Keys, moments: Floats, opening: Floats) -> Sides:
    """Quote options around their value: tight near the money, wide far from it, wider in the first minutes.

    Parameters
    ----------
    keys : array (n,)
        Of the contracts' random numbers.
    moments : array (n,)
        Epoch seconds; spreads and sizes change on a slower beat than prices, each contract at moments of its own.
    opening : array (n,)
        Seconds since the session's opening; infinite where there is none.
    """
    half = half_spread(found, keys, moments, opening)
    bid = _rounded(found, np.maximum(found.value - half, 0.0), np.floor)
    ask = np.maximum(_rounded(found, found.value + half, np.ceil), found.shapes.small_tick)
    depth = 4 + found.shapes.activity / 40 * np.exp(-(found.deviations**2) / 3)
    sizes = [
        np.ceil(depth * np.exp(0.7 * normals(_on_beat(keys, moments, _SIZE_BEAT_S, side))))
        for side in (_BID_SIZE, _ASK_SIZE)
    ]
    return Sides(bid=bid, ask=ask, bid_size=np.where(bid > 0, sizes[0], 0.0), ask_size=sizes[1])


def half_spread(found: Valuation, keys: Keys, moments: Floats, opening: Floats) -> Floats:
    """Return half of what lies between both sides before they are rounded outward, shape (n,)."""
    uncertainty = found.shapes.spread * found.european["vega"] + _PRICE_SHARE * found.value
    wide = 1 + np.minimum(found.deviations**2, 16.0) / 6
    nervous = 1 + 0.8 * np.exp(-np.maximum(opening, 0.0) / 600.0)
    noise = normals(_on_beat(keys, moments, _SPREAD_BEAT_S, _SPREAD))
    half = uncertainty * wide * nervous * np.exp(0.15 * noise)
    return np.asarray(np.maximum(half, tick_of(found, found.value) / 2), dtype=np.float64)


def trade_prices(found: Valuation, keys: Keys, moments: Floats, opening: Floats) -> Floats:
    """Return the price at which each contract trades at its moment, between the sides of its quote."""
    half = half_spread(found, keys, moments, opening)
    noise = normals(keys_at(keys, _TRADE, np.floor(moments)))
    price = _rounded(found, found.value + half * np.tanh(noise), np.round)
    return np.maximum(price, tick_of(found, price))


def tick_of(found: Valuation, price: Floats) -> Floats:
    """Return the increment of each contract's price."""
    return np.where(price < _TICK_CHANGE - 1e-9, found.shapes.small_tick, found.shapes.large_tick)


def _rounded(found: Valuation, price: Floats, direction: Any) -> Floats:
    # a hair of tolerance: a value on a tick must not fall off it by the last bit of a division
    slack = 1e-9 if direction is np.floor else (-1e-9 if direction is np.ceil else 0.0)
    once = direction(price / tick_of(found, price) + slack) * tick_of(found, price)
    tick = tick_of(found, once)  # rounding can carry a price over the change of ticks
    return np.asarray(np.round(direction(once / tick + slack) * tick, 2), dtype=np.float64)


def _on_beat(keys: Keys, moments: Floats, beat_s: float, purpose: int) -> Keys:
    phase = (keys & np.uint64(1023)).astype(np.float64) / 1024
    return keys_at(keys, purpose, np.floor(moments / beat_s + phase))
