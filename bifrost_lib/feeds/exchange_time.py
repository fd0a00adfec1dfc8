"""Arrays of local times, UTC and exchange dates into each other, each distinct hour or day looked up once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import EXCHANGE_TZ, is_session, session_close
from bifrost_lib.core.sessions import FIRST_DAY, LAST_DAY

Longs = npt.NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001
_HOUR_US = 3_600_000_000
_DAY_US = 86_400_000_000
FIRST = (FIRST_DAY - date(1970, 1, 1)).days
LAST = (LAST_DAY - date(1970, 1, 1)).days
#: Stands for a day without a session.
NO_SESSION = -(1 << 62)


def local_to_utc(local_us: Longs, zone: ZoneInfo) -> Longs:
    """Return UTC microseconds of local ones, (n,); of an hour that occurs twice the first is meant."""
    return local_us - _by_distinct(local_us // _HOUR_US, lambda hour: _offset_of_local(hour, zone))


def exchange_days(utc_us: Longs) -> Longs:
    """Return the exchange's calendar date of UTC microseconds, as days since 1970, (n,)."""
    return (utc_us + _by_distinct(utc_us // _HOUR_US, _exchange_offset_of_utc)) // _DAY_US


def session_closes(days: Longs) -> Longs:
    """Return the close of each session in UTC microseconds, NO_SESSION for weekends and holidays, (n,)."""
    return _by_distinct(days, close_of_day)


@cache
def close_of_day(day: int) -> int:
    """Return the close of one day (since 1970) in UTC microseconds, or NO_SESSION."""
    when = date(1970, 1, 1) + timedelta(days=day)
    if not is_session(when):
        return NO_SESSION
    return int(session_close(when).timestamp()) * 1_000_000


@cache
def _offset_of_local(hour: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(hours=hour)).replace(tzinfo=zone).utcoffset() or timedelta()
    return int(offset.total_seconds()) * 1_000_000


@cache
def _exchange_offset_of_utc(hour: int) -> int:
    moment = (_EPOCH + timedelta(hours=hour)).replace(tzinfo=UTC)
    offset = moment.astimezone(EXCHANGE_TZ).utcoffset() or timedelta()
    return int(offset.total_seconds()) * 1_000_000


def _by_distinct(keys: Longs, look_up: Callable[[int], int]) -> Longs:
    # Rows come in runs of the same moment, so runs are found first and only their distinct keys looked up.
    if not len(keys):
        return keys.copy()
    starts = np.concatenate(([0], np.flatnonzero(np.diff(keys)) + 1))
    distinct, place = np.unique(keys[starts], return_inverse=True)
    values = np.array([look_up(int(key)) for key in distinct], dtype=np.int64)
    return np.repeat(values[place], np.diff(np.concatenate((starts, [len(keys)]))))
