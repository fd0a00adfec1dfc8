"""Sessions, early closes, expiries and year fractions, in the exchange's time and never the machine's.

The sessions are those of the New York Stock Exchange, which US option exchanges keep.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.sessions import FIRST_DAY, LAST_DAY, all_sessions

EXCHANGE_TZ = ZoneInfo("America/New_York")
SECONDS_PER_YEAR = 365.0 * 86_400.0
_FIRST_OF_1970 = date(1970, 1, 1).toordinal()

Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]


def exchange_date(moment: datetime) -> date:
    """Return the calendar date at the exchange at `moment` (aware)."""
    return as_utc(moment, name="moment").astimezone(EXCHANGE_TZ).date()


def is_session(day: date) -> bool:
    """Tell whether the exchange trades on `day`."""
    found, place = all_sessions(), _place(day)
    return place < len(found.days) and bool(found.days[place] == _number(day))


def session_open(day: date) -> datetime:
    """Return the moment at which session `day` opens, in UTC."""
    return _moment(all_sessions().opens_s[_place_of_session(day)])


def session_close(day: date) -> datetime:
    """Return the moment at which session `day` closes (13:00 New York on early closes), in UTC."""
    return _moment(all_sessions().closes_s[_place_of_session(day)])


def is_early_close(day: date) -> bool:
    """Tell whether session `day` closes before 16:00 New York."""
    return session_close(day).astimezone(EXCHANGE_TZ).hour < 16


def previous_session(day: date) -> date:
    """Return the last session before `day`."""
    place = _place(day) - 1
    if place < 0:
        raise InputError("day", day, f"a date after {FIRST_DAY}, the first session that is known")
    return _day(all_sessions().days[place])


def next_session(day: date) -> date:
    """Return the first session after `day`."""
    days = all_sessions().days
    place = _place(day) + is_session(day)
    if place == len(days):
        raise InputError("day", day, f"a date before {LAST_DAY}, the last session that is known")
    return _day(days[place])


def sessions(start: date, end: date) -> list[date]:
    """Return all sessions from `start` to `end`, both included."""
    first, last = _place(start), _place(end) + is_session(end)
    return [_day(number) for number in all_sessions().days[first:last]]


def third_friday(year: int, month: int) -> date:
    """Return the third Friday of a month, the standard monthly expiry (a session before it when it is a holiday)."""
    first = date(year, month, 1)
    friday = first + timedelta(days=(4 - first.weekday()) % 7 + 14)
    return friday if is_session(friday) else previous_session(friday)


@lru_cache(maxsize=8_192)  # asked again for every chain of every moment
def expiry_moment(expiry: date, settlement: str = "PM") -> datetime:
    """Return the moment, in UTC, at which an option stops having time value.

    Parameters
    ----------
    expiry : date
        Expiration date. On a day without a session (the Saturday expiries before 2015) the last session before
        it counts.
    settlement : {"PM", "AM"}
        PM: that session's close. AM: that session's open, where the settlement value is formed.
    """
    day = expiry if is_session(expiry) else previous_session(expiry)
    if settlement not in ("PM", "AM"):
        raise InputError("settlement", settlement, "PM or AM")
    return session_close(day) if settlement == "PM" else session_open(day)


def expiry_moments(expiry: Dates, settlement_is_am: npt.NDArray[np.bool_]) -> Dates:
    """Return the moments of expiry of arrays of dates, as naive UTC ``datetime64[us]``.

    Parameters
    ----------
    expiry : array (n,) of datetime64
        Expiration dates.
    settlement_is_am : array (n,) of bool
        True where the option settles on the opening.
    """
    days = expiry.astype("datetime64[D]").astype(np.int64)
    unique, inverse = np.unique(days * 2 + settlement_is_am, return_inverse=True)
    moments = [
        expiry_moment(np.datetime64(int(key) >> 1, "D").item(), "AM" if key & 1 else "PM").replace(tzinfo=None)
        for key in unique
    ]
    return np.array(moments, dtype="datetime64[us]")[inverse]


def dte(at: datetime, expiry: date) -> int:
    """Return the calendar days from the exchange date of `at` to `expiry`."""
    return (expiry - exchange_date(at)).days


def year_fraction(at: datetime, expiry: date, settlement: str = "PM") -> float:
    """Return the years (ACT/365F) from `at` to the moment of expiry; negative once it has passed."""
    return (expiry_moment(expiry, settlement) - as_utc(at)).total_seconds() / SECONDS_PER_YEAR


def year_fractions(ts: Dates, expiry: Dates, settlement_is_am: npt.NDArray[np.bool_]) -> Floats:
    """Return `year_fraction` for arrays; `ts` is naive UTC ``datetime64[us]``, shape (n,)."""
    delta_us = (expiry_moments(expiry, settlement_is_am) - ts.astype("datetime64[us]")).astype(np.int64)
    return np.asarray(delta_us / (SECONDS_PER_YEAR * 1e6))


def _place_of_session(day: date) -> int:
    if not is_session(day):
        raise InputError("day", day, f"a session; {day:%A} {day} is a weekend or a holiday")
    return _place(day)


def _place(day: date) -> int:
    """Return how many sessions there are before `day`."""
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InputError("day", day, f"a date from {FIRST_DAY} to {LAST_DAY}")
    return int(np.searchsorted(all_sessions().days, _number(day)))


def _number(day: date) -> int:
    return day.toordinal() - _FIRST_OF_1970


def _day(number: np.int64) -> date:
    return date.fromordinal(int(number) + _FIRST_OF_1970)


def _moment(seconds: np.int64) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)
