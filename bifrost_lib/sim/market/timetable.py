"""The sessions of a span of years as arrays, and where a moment lies among them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date
from functools import cache

from bifrost_lib.core.calendar import session_close, session_open, sessions


@dataclass(frozen=True)
class Timetable:
    """Sessions in order: their dates, and epoch seconds of their opening and close."""

    days: list[date]
    opens: list[int]
    closes: list[int]

    def latest(self, moment: float) -> int:
        """Return the index of the last session that had opened at `moment`; -1 before the first."""
        return bisect_right(self.opens, moment) - 1

    def ended(self, moment: float) -> int:
        """Return how many sessions had closed before or at `moment`."""
        return bisect_right(self.closes, moment)

    def is_open(self, moment: float) -> bool:
        """Tell whether a session runs at `moment`: from its opening until just before its close."""
        index = self.latest(moment)
        return index >= 0 and moment < self.closes[index]


@cache
def timetable(first_year: int, last_year: int) -> Timetable:
    """Return all sessions of some years, both included."""
    years = [_year(year) for year in range(first_year, last_year + 1)]
    return Timetable(
        days=[day for year in years for day in year.days],
        opens=[moment for year in years for moment in year.opens],
        closes=[moment for year in years for moment in year.closes],
    )


@cache
def _year(year: int) -> Timetable:
    days = sessions(date(year, 1, 1), date(year, 12, 31))
    return Timetable(
        days=days,
        opens=[int(session_open(day).timestamp()) for day in days],
        closes=[int(session_close(day).timestamp()) for day in days],
    )
