"""What a run is made with, and what trading costs under it."""

from __future__ import annotations

from dataclasses import dataclass

from bifrost_lib.strategies import StrategyDocument
from tests.backtest.reference.trade import Held


@dataclass(frozen=True)
class Terms:
    """A document, a model of fills ("mid", "realistic", "worst" or a share of the spread), and an interest rate."""

    document: StrategyDocument
    fills: str | float = "realistic"
    rate: float = 0.0

    def fill(self, legs: int) -> float:
        """Return the share of the spread that an order of so many option legs gives away."""
        if isinstance(self.fills, float):
            return self.fills
        if self.fills == "realistic":
            shares = self.document.costs.fill
            return shares[max(min(legs, len(shares)), 1) - 1]
        return {"mid": 0.5, "worst": 1.0}[self.fills]

    def commission(self, legs: list[Held]) -> float:
        """Return what trading these legs costs."""
        return self.document.costs.commission * sum(abs(held.qty) for held in legs)
