"""What a market makes of a value: a bid, an ask, sizes and a last trade."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.market.universe import SimulatedUnderlying

Floats = npt.NDArray[np.float64]

_TICK_CHANGE = 3.0
_PRICE_SHARE = 0.0015  # of the price, in each half of the spread


@dataclass(frozen=True)
class Quotes:
    """Both sides and the last trade, shape (n,); `bid` is 0 where nobody bids, `last` NaN without a trade."""

    bid: Floats
    ask: Floats
    last: Floats
    bid_size: Floats
    ask_size: Floats


def make_quotes(
    underlying: SimulatedUnderlying,
    *,
    value: Floats,
    vega: Floats,
    deviations: Floats,
    volume: Floats,
    opening: npt.NDArray[np.bool_],
    noise: Floats,
) -> Quotes:
    """Quote options around their value.

    Parameters
    ----------
    value, vega : array (n,)
        Per share; vega per 1.00 vol.
    deviations : array (n,)
        Log-moneyness in standard deviations; spreads widen with it.
    volume : array (n,)
        Contracts traded so far.
    opening : array (n,) of bool
        True in the first half hour, when spreads are wider.
    noise : array (4, n)
        Independent standard normal numbers.
    """
    tick = np.where(value < _TICK_CHANGE, *underlying.ticks)
    uncertainty = underlying.spread * vega + _PRICE_SHARE * value
    half = (
        uncertainty * (1 + np.minimum(deviations**2, 16.0) / 6) * np.exp(0.15 * noise[0]) * np.where(opening, 1.6, 1.0)
    )
    half = np.maximum(half, tick / 2)
    bid = np.round(np.maximum(np.floor((value - half) / tick), 0.0) * tick, 2)
    ask = np.round(np.maximum(np.ceil((value + half) / tick), 1.0) * tick, 2)
    traded = np.round(np.round((value + half * np.tanh(noise[1])) / tick) * tick, 2)
    depth = 4 + underlying.activity / 40 * np.exp(-(deviations**2) / 3)
    return Quotes(
        bid=bid,
        ask=ask,
        last=np.where((volume > 0) & (traded > 0), traded, np.nan),
        bid_size=np.where(bid > 0, np.ceil(depth * np.exp(0.7 * noise[2])), 0.0),
        ask_size=np.ceil(depth * np.exp(0.7 * noise[3])),
    )
