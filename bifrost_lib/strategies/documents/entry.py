"""When a strategy document lets a position be opened."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from bifrost_lib.core.vocabulary import CONDITION_COLUMNS
from bifrost_lib.strategies.documents.mistakes import mistake
from bifrost_lib.strategies.documents.part import Days, Flag, Name, Number, Part, Positive, Range, check_ends

Weekday = Literal["mon", "tue", "wed", "thu", "fri"]


class EventWindow(Part):
    """The days around an event, such as earnings, on which a position is not opened, or only then.

    `before` counts calendar days to the next event, `after` those since the last, and decide about the day.
    `through_expiry` decides about expiries, however far away the event is: near expiries that live through one are
    passed over, or with ``entry: only`` those that do not, and the others are traded. A report of earnings counts from
    when it was announced, estimated or confirmed; one before the open is past on its own day, and one after the close
    of the day of an expiry comes after that.
    """

    before: Days = 0
    after: Days = 0
    through_expiry: Flag = False
    entry: Literal["avoid", "only"] = "avoid"

    def model_post_init(self, context: Any) -> None:
        if not (self.before or self.after or self.through_expiry):
            raise mistake("days before or after, or through_expiry: true", at=("before",), value=self.before)


class Condition(Part):
    """A column of ``market_conditions`` that must lie in [low, high] on the underlying; an open end is left out."""

    column: Name = Field(description="a column of market_conditions, such as skew")
    low: Number | None = None
    high: Number | None = None

    def model_post_init(self, context: Any) -> None:
        if self.column not in CONDITION_COLUMNS:
            raise mistake("a column of market_conditions", at=("column",), value=self.column, known=CONDITION_COLUMNS)
        check_ends(self.low, self.high)


class Entry(Part):
    """Conditions for opening a position; all that are given must hold, and figures that are not known fail them.

    Parameters
    ----------
    weekdays : tuple of {"mon", "tue", "wed", "thu", "fri"}
        Days of entry; empty is every session.
    iv_rank : Range
        Where implied volatility stands in its past year, 0 to 1.
    vol_index : Range
        Level of the market's volatility index, VIX style, in points: 20 is 20 %.
    max_spread : float
        Largest (ask - bid) / mid of any leg.
    min_open_interest, min_volume : float
        Contracts, of every leg.
    earnings, ex_dividend : EventWindow
    conditions : tuple of Condition
        On any column of ``market_conditions``.
    """

    weekdays: tuple[Weekday, ...] = Field(default=(), max_length=5)
    iv_rank: Range | None = None
    vol_index: Range | None = None
    max_spread: Positive | None = None
    min_open_interest: Positive | None = None
    min_volume: Positive | None = None
    earnings: EventWindow | None = None
    ex_dividend: EventWindow | None = None
    conditions: tuple[Condition, ...] = Field(default=(), max_length=20)

    @property
    def chooses_expiries(self) -> bool:
        """Whether a window around an event has a say in which expiries may be traded."""
        return any(window is not None and window.through_expiry for window in (self.ex_dividend, self.earnings))

    @property
    def market_ranges(self) -> tuple[Condition, ...]:
        """All that is asked of ``market_conditions``, `iv_rank` and `vol_index` first."""
        named = {"iv_rank": self.iv_rank, "vol_index": self.vol_index}
        asked = (Condition(name, span.low, span.high) for name, span in named.items() if span is not None)
        return (*asked, *self.conditions)

    def model_post_init(self, context: Any) -> None:
        if len(set(self.weekdays)) < len(self.weekdays):
            raise mistake("each weekday once", at=("weekdays",), value=self.weekdays)
        for end in ("low", "high"):
            level = getattr(self.iv_rank, end, None)
            if level is not None and not 0 <= level <= 1:
                raise mistake("a rank from 0 to 1", at=("iv_rank", end), value=level)
