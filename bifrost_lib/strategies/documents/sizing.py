"""How much of a strategy is held, and what trading it costs."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, Strict

from bifrost_lib.strategies.documents.mistakes import mistake
from bifrost_lib.strategies.documents.part import Count, Part, Share

#: Share of the spread that a fill gives away, by number of legs from 1: 0.5 is mid, 1 crosses it. ORATS's assumption.
ORATS_FILLS = (0.75, 0.66, 0.56, 0.53)


class Sizing(Part):
    """Units of the structure per trade: `contracts` of each, or as many as `capital_share` of the account carries.

    With neither it is one unit. A unit's capital is its margin, or its debit where that is more; `max_active` is how
    many trades may be open at once.
    """

    contracts: Count | None = None
    capital_share: Annotated[float, Strict(), Field(gt=0, le=1)] | None = None
    max_active: Count = 1

    def model_post_init(self, context: Any) -> None:
        if self.contracts is not None and self.capital_share is not None:
            raise mistake("contracts or capital_share, not both", at=("capital_share",), value=self.capital_share)


class Costs(Part):
    """Commission in currency per contract and side, and the share of the spread that fills give away."""

    commission: Annotated[float, Strict(), Field(ge=0, le=1000)] = 0.65
    fill: tuple[Share, ...] = Field(default=ORATS_FILLS, min_length=1, max_length=12)

    def fill_of(self, legs: int) -> float:
        """Return the share of the spread that an order of `legs` legs gives away; the last entry serves all beyond."""
        return self.fill[min(legs, len(self.fill)) - 1]


def fill_price(bid: Any, ask: Any, *, qty: float, fill: float) -> Any:
    """Return what a leg is bought (`qty` > 0) or sold at, where the share `fill` of the spread is given away.

    Parameters
    ----------
    bid, ask : float or array
        Currency per share.
    qty : float
        Signed; only its sign counts.
    fill : float
        0 trades at the better side, 0.5 at mid, 1 crosses the spread.
    """
    return bid + fill * (ask - bid) if qty > 0 else ask - fill * (ask - bid)
