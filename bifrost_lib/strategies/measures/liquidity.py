"""What it costs to trade a structure at its quotes."""

from __future__ import annotations

import numpy as np

from bifrost_lib.strategies.measures.positions import Legs

SLIPPAGE_HALF = 0.10


def slippage_of(held: Legs, multiplier: float) -> float | None:
    """Return the cost of crossing half of every spread, in currency; None where a leg has no two sides."""
    half = 0.5 * (held.ask - held.bid)
    return None if np.isnan(half).any() else float(multiplier * (np.abs(held.qty) @ half))


def liquidity_of(cost: float, max_profit: float | None, capital: float) -> float:
    """Return 1 where trading is free, and 0.5 where it takes a tenth of the lesser of max profit and capital."""
    room = SLIPPAGE_HALF * (capital if max_profit is None else min(max_profit, capital))
    return room / (room + cost) if room + cost > 0 else 0.0
