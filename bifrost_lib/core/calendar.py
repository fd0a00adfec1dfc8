"""Sessions, early closes, expiries and year fractions, in the exchange's time and never the machine's.

The sessions are those of the New York Stock Exchange, which US option exchanges keep.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from exchange_calendars import ExchangeCalendar

EXCHANGE_TZ = ZoneInfo("America/New_York")
FIRST_DAY = date(1990, 1, 2)
LAST_DAY = date(2060, 12, 31)
SECONDS_PER_YEAR = 365.0 * 86_400.0

Dates = npt.NDArray[np.datetime64]
Floats = npt.NDArray[np.float64]


def exchange_date(moment: datetime) -> date:
    """Return the calendar date at the exchange at `moment` (aware)."""
    return as_utc(moment, name="moment").astimezone(EXCHANGE_TZ).date()


def is_session(day: date) -> bool:
    """Tell whether the exchange trades on `day`."""
    _check_day(day)
    return bool(_calendar().is_session(day.isoformat()))


@lru_cache(maxsize=8_192)  # asked again for every session of every slider
def session_open(day: date) -> datetime:
    """Return the moment at which session `day` opens, in UTC."""
    opening: datetime = _calendar().session_open(_session(day)).to_pydatetime()
    return opening.astimezone(UTC)


@lru_cache(maxsize=8_192)  # as above
def session_close(day: date) -> datetime:
    """Return the moment at which session `day` closes (13:00 New York on early closes), in UTC."""
    close: datetime = _calendar().session_close(_session(day)).to_pydatetime()
    return close.astimezone(UTC)


def is_early_close(day: date) -> bool:
    """Tell whether session `day` closes before 16:00 New York."""
    return session_close(day).astimezone(EXCHANGE_TZ).hour < 16


def previous_session(day: date) -> date:
    """Return the last session before `day`."""
    _check_day(day)
    found: date = _calendar().date_to_session((day - timedelta(days=1)).isoformat(), direction="previous").date()
    return found


def next_session(day: date) -> date:
    """Return the first session after `day`."""
    _check_day(day)
    found: date = _calendar().date_to_session((day + timedelta(days=1)).isoformat(), direction="next").date()
    return found


def sessions(start: date, end: date) -> list[date]:
    """Return all sessions from `start` to `end`, both included."""
    _check_day(start)
    _check_day(end)
    return [stamp.date() for stamp in _calendar().sessions_in_range(start.isoformat(), end.isoformat())]


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


def _session(day: date) -> str:
    if not is_session(day):
        raise InputError("day", day, f"a session; {day:%A} {day} is a weekend or a holiday")
    return day.isoformat()


def _check_day(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise InputError("day", day, f"a date from {FIRST_DAY} to {LAST_DAY}")


@cache
def _calendar() -> ExchangeCalendar:
    import exchange_calendars  # 0.7 s with its holidays, so only when a session is asked for

    return exchange_calendars.get_calendar("XNYS", start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat())
