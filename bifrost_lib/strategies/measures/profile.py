"""Profit at one expiry as a broken line, walked once: extremes, and where profits begin and end, all exact."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Share of the structure's size in currency below which a profit counts as zero: rounding, not money.
ZERO = 1e-12


@dataclass(frozen=True)
class Profile:
    """Profit over the price at expiry.

    `knot` (n,) ascends from a price of zero over the distinct strikes; `profit` (n,) is the profit there, and `slope`
    that of the line beyond the last one. `zero` is the size below which a profit is none.
    """

    knot: Floats
    profit: Floats
    slope: float
    zero: float

    @property
    def lowest(self) -> float:
        """The least profit at zero and the strikes; there is none where `slope` is negative."""
        return float(self.profit.min())

    @property
    def highest(self) -> float:
        """The greatest profit at zero and the strikes; there is none where `slope` is positive."""
        return float(self.profit.max())

    def less(self, amount: float) -> Profile:
        """Return the profile of the profit beyond `amount`."""
        moved = self.profit - amount
        return Profile(self.knot, np.where(np.abs(moved) < self.zero, 0.0, moved), self.slope, self.zero)

    def roots(self) -> list[float]:
        """Return the prices > 0 of no profit, ascending: crossings, touches, and both ends of flat stretches."""
        found: list[float] = []
        signs = np.sign(self._ends())
        for i, (price, profit) in enumerate(zip(self.knot, self.profit, strict=True)):
            flat_before = i > 0 and signs[i - 1] == 0 == signs[i]
            flat_after = signs[i] == 0 == signs[i + 1]
            if profit == 0 and price > 0 and not (flat_before and flat_after):
                found.append(float(price))
            if signs[i] * signs[i + 1] < 0:
                found.append(self._crossing(i))
        return found

    def gains(self) -> list[tuple[float, float]]:
        """Return the open intervals of prices with a profit, ascending and apart; the last may end at infinity."""
        edges = [0.0, *self.roots(), np.inf]
        return [(low, high) for low, high in pairwise(edges) if self.at(_middle(low, high)) > 0]

    def at(self, price: float) -> float:
        """Return the profit at `price`."""
        beyond = max(price - float(self.knot[-1]), 0.0)
        return float(np.interp(price, self.knot, self.profit)) + self.slope * beyond

    def _ends(self) -> Floats:
        # Only the sign of the last one matters: the line runs on for ever.
        return np.append(self.profit, self.slope if self.slope != 0 else self.profit[-1])

    def _crossing(self, i: int) -> float:
        if i == len(self.knot) - 1:
            return float(self.knot[i] - self.profit[i] / self.slope)
        step = (self.knot[i + 1] - self.knot[i]) / (self.profit[i + 1] - self.profit[i])
        return float(self.knot[i] - self.profit[i] * step)


def profile_of(
    *, strike: Sequence[float] | Floats, weight: Sequence[float] | Floats, is_call: npt.NDArray[np.bool_],
    shares: float, premium: float,
) -> Profile:  # fmt: skip
    """Return the profile of options of one expiry and shares.

    Parameters
    ----------
    strike, weight, is_call : array (n,)
        Currency per share, > 0; quantity times multiplier, signed.
    shares : float
        Shares held, signed.
    premium : float
        Cash at entry, > 0 received.
    """
    strikes, weights = np.asarray(strike, dtype=np.float64), np.asarray(weight, dtype=np.float64)
    knot = np.unique(np.append(strikes, 0.0))
    moves = np.where(is_call, knot[:, None] - strikes, strikes - knot[:, None])
    payoff = np.maximum(moves, 0.0) @ weights + shares * knot
    profit = premium + payoff  # the payoff on its own first, because payoffs at strikes are round numbers
    zero = ZERO * (abs(premium) + float(np.abs(weights) @ strikes) + abs(shares) * float(knot[-1]))
    slope = float(weights[is_call].sum()) + shares
    flat = abs(slope) <= ZERO * (float(np.abs(weights).sum()) + abs(shares))
    return Profile(knot, np.where(np.abs(profit) < zero, 0.0, profit), 0.0 if flat else slope, zero)


def _middle(low: float, high: float) -> float:
    return 2.0 * low + 1.0 if np.isinf(high) else 0.5 * (low + high)
