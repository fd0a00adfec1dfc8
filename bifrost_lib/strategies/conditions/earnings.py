"""Days of earnings as they were known at a moment, and what a window around them says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.vocabulary import EARNINGS_TIMES
from bifrost_lib.strategies.documents.entry import EventWindow


@dataclass(frozen=True, order=True)
class EarningsReport:
    """The day of a report, and when on it: ``unknown``, ``before_open``, ``during`` or ``after_close``."""

    day: date
    time_of_day: str = "unknown"

    def __post_init__(self) -> None:
        if self.time_of_day not in EARNINGS_TIMES:
            raise InputError("time_of_day", self.time_of_day, " or ".join(EARNINGS_TIMES))

    @property
    def last_day_ahead(self) -> date:
        """The last day of which the report still lies ahead: its own, but for one before the open."""
        return self.day - timedelta(days=self.time_of_day == "before_open")

    @property
    def first_expiry(self) -> date:
        """The first expiry whose options have the report before them: one after the close comes too late that day."""
        return self.day + timedelta(days=self.time_of_day == "after_close")

    def __str__(self) -> str:
        when = "" if self.time_of_day == "unknown" else " " + self.time_of_day.replace("_", " the ")
        return f"earnings on {self.day}{when}"


class EarningsCalendar:
    """The reports of an underlying that were known at a moment, past and future; without any: it never reports.

    Parameters
    ----------
    reports : iterable of EarningsReport

    Notes
    -----
    An estimated day counts as a confirmed one, and a report that is not announced yet does not count. On its own day a
    report before the open is over, and every other one lies ahead until the day has ended.
    """

    def __init__(self, reports: Iterable[EarningsReport]) -> None:
        self.reports = tuple(sorted(reports))

    def next_report(self, today: date) -> EarningsReport | None:
        """Return the first report that lies ahead, None if none is announced."""
        return next((one for one in self.reports if one.last_day_ahead >= today), None)

    def last_report(self, today: date) -> EarningsReport | None:
        """Return the last report that is over, None if none is known."""
        return next((one for one in reversed(self.reports) if one.last_day_ahead < today), None)

    def days_to_next(self, today: date) -> int | None:
        """Return the calendar days to the next report, None if none is announced."""
        ahead = self.next_report(today)
        return (ahead.day - today).days if ahead else None

    def near(self, window: EventWindow, today: date) -> EarningsReport | None:
        """Return the report within the days before or after that a window names, None if there is none."""
        ahead, past = self.next_report(today), self.last_report(today)
        if window.before and ahead and (ahead.day - today).days <= window.before:
            return ahead
        if window.after and past and (today - past.day).days <= window.after:
            return past
        return None

    def until(self, expiry: date, today: date) -> EarningsReport | None:
        """Return the first report ahead that options expiring on `expiry` live through, None if there is none."""
        return next((one for one in self.reports if one.last_day_ahead >= today and one.first_expiry <= expiry), None)
