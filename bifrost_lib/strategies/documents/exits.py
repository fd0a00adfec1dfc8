"""When a strategy document closes or rolls a position; whichever exit comes first."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from bifrost_lib.strategies.documents.mistakes import mistake
from bifrost_lib.strategies.documents.part import Days, Flag, Name, Number, Part, Positive

Basis = Literal["credit", "debit", "max_profit", "max_loss"]
#: The size of an option's delta.
DeltaSize = Annotated[float, Strict(), Field(gt=0, lt=1)]


class Target(Part):
    """A profit or loss as a share of a figure at entry: ``Target(0.5, "credit")`` is half of the credit.

    Credit and debit are those of the option legs alone: shares that are held beside them do not count.
    """

    share: Positive = Field(description="a share > 0: 0.5 is half")
    of: Basis = "credit"


class Roll(Part):
    """Close some legs and open them anew.

    Parameters
    ----------
    when : {"dte", "delta", "loss", "profit", "tested"}
        What is watched: days to the near expiry (at most `at`), the size of the leg's delta (at least `at`), loss or
        profit as a share of the credit or debit (at least `at`), or the spot beyond the leg's strike (no `at`).
    at : float
    legs : tuple of str
        Names of the legs; empty is all option legs.
    expiry : {"next", "same"}
        Whether the new legs are found anew by the document's days to expiry, or stay in their expiry.
    strikes : {"rule", "same"}
        Whether the new legs are found anew by their rules, or keep their strikes.
    only_for_credit : bool
        Do not roll if it costs.
    most : int
        How often a position is rolled at most.
    """

    when: Literal["dte", "delta", "loss", "profit", "tested"] = Field(description="what is watched, such as dte")
    at: Number | None = None
    legs: tuple[Name, ...] = Field(default=(), max_length=12)
    expiry: Literal["next", "same"] = "next"
    strikes: Literal["rule", "same"] = "rule"
    only_for_credit: Flag = False
    most: Annotated[int, Strict(), Field(ge=1, le=100)] = 1

    def model_post_init(self, context: Any) -> None:
        if (self.when == "tested") != (self.at is None):
            raise mistake("a level, and none for tested", at=("at",), value=self.at)
        if self.at is not None and not 0 <= self.at < (1 if self.when == "delta" else math.inf):
            expected = "a delta between 0 and 1" if self.when == "delta" else "a level >= 0"
            raise mistake(expected, at=("at",), value=self.at)


class Exits(Part):
    """When a position is closed; without any it is held to the near expiry.

    Parameters
    ----------
    take_profit, stop : Target
        Profit or loss at which to close, as a share of the credit, debit, max profit or max loss.
    days_in_trade : int
        Calendar days after entry.
    dte : int
        Calendar days before the near expiry.
    delta : float
        Size of the delta that one short leg reaches.
    roll : tuple of Roll
        Tried before closing, in this order.
    after_assignment : str
        Name of the strategy that goes on with the shares; a backtest follows one of the catalogue.
    """

    take_profit: Target | None = None
    stop: Target | None = None
    days_in_trade: Annotated[int, Strict(), Field(ge=1, le=3650)] | None = None
    dte: Days | None = None
    delta: DeltaSize | None = None
    roll: tuple[Roll, ...] = Field(default=(), max_length=10)
    after_assignment: Name | None = None


# The habits of the field, which the catalogue's documents start from. Winners of sold premium are taken at half of the
# credit, and positions left before the last three weeks, in which gamma outgrows theta.
SOLD_PREMIUM = Exits(take_profit=Target(0.5, "credit"), stop=Target(2.0, "credit"), dte=21)
CREDIT_SPREAD = Exits(take_profit=Target(0.5, "credit"), dte=21)
DEBIT_SPREAD = Exits(take_profit=Target(0.5, "max_profit"), stop=Target(0.5, "debit"), dte=7)
BOUGHT_PREMIUM = Exits(take_profit=Target(1.0, "debit"), stop=Target(0.5, "debit"), dte=21)
PINNED = Exits(take_profit=Target(0.25, "max_profit"), stop=Target(1.0, "debit"), dte=7)
TIME_SPREAD = Exits(take_profit=Target(0.25, "debit"), stop=Target(0.5, "debit"), dte=7)
HELD = Exits()
