"""Ex-dividend days as they were known at a moment, and what a window around them says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from bifrost_lib.strategies.documents.entry import EventWindow


@dataclass(frozen=True, order=True)
class ExDividend:
    """The first day on which shares trade without their next dividend."""

    day: date

    def __str__(self) -> str:
        return f"ex-dividend on {self.day}"


class DividendCalendar:
    """The ex-dividend days of an underlying that were known at a moment, past and announced.

    Parameters
    ----------
    days : iterable of date

    Notes
    -----
    An ex-dividend day is no day ahead and no day past at once, so that a window on either side holds it. Options that
    expire on one live through it, those that are bought on one do not.
    """

    def __init__(self, days: Iterable[date]) -> None:
        self.dividends = tuple(ExDividend(day) for day in sorted(set(days)))

    def next_dividend(self, today: date) -> ExDividend | None:
        """Return the first ex-dividend day after `today`, None if none is known."""
        return next((one for one in self.dividends if one.day > today), None)

    def near(self, window: EventWindow, today: date) -> ExDividend | None:
        """Return the day within those before or after that a window names, None if there is none."""
        for one in self.dividends:
            ahead = (one.day - today).days
            if (window.before and 0 <= ahead <= window.before) or (window.after and 0 <= -ahead <= window.after):
                return one
        return None

    def until(self, expiry: date, today: date) -> ExDividend | None:
        """Return the first day ahead that options expiring on `expiry` live through, None if there is none."""
        ahead = self.next_dividend(today)
        return ahead if ahead and ahead.day <= expiry else None
