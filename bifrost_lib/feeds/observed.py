"""When each row was observed: from a moment, a date and a time, a bare date, or the file itself."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.feeds import exchange_time
from bifrost_lib.feeds.binding import Plan
from bifrost_lib.feeds.draft import CODE, Context
from bifrost_lib.feeds.lines import Lines
from bifrost_lib.feeds.mapping import Mapping
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY, LOCAL, UTC
from bifrost_lib.feeds.quotes import Array

_DAY_US = 86_400_000_000


def moments_of(lines: Lines, context: Context) -> tuple[Array, Array, Array]:
    """Return UTC microseconds, a reason code (0: fine) and the exchange date of each row's observation."""
    plan, mapping = context.plan, context.mapping
    reason = np.zeros(lines.count, dtype=np.int8)
    word = "ts" if "ts" in plan.moments else "date" if "date" in plan.moments else ""
    if not word:
        value = np.full(lines.count, context.ts or 0, dtype=np.int64)
        return value, reason, exchange_time.exchange_days(value)
    value = lines.moments[plan.moments[word]].copy()
    flag = lines.flags[plan.moments[word]].copy()
    reason[flag == BLANK] = CODE["missing_date"]
    reason[flag == BAD] = CODE["bad_date"]
    if word == "date" and "time" in plan.moments:
        _add_clock(lines, plan, value, flag, reason)
    days = value // _DAY_US
    reason[(reason == 0) & ((days < exchange_time.FIRST) | (days > exchange_time.LAST))] = CODE["bad_date"]
    value[reason != 0] = 0
    flag[reason != 0] = UTC
    zone = ZoneInfo(mapping.time.get("zone", EXCHANGE_TZ.key))
    if (local := flag == LOCAL).any():
        value[local] = exchange_time.local_to_utc(value[local], zone)
    if (dated := flag == DATE_ONLY).any():
        value[dated], closed = _at_close(value[dated] // _DAY_US, mapping)
        reason[np.flatnonzero(dated)[closed]] = CODE["not_a_session"]
    return value, reason, exchange_time.exchange_days(value)


def _add_clock(lines: Lines, plan: Plan, value: Array, flag: Array, reason: Array) -> None:
    clock, clock_flag = lines.moments[plan.moments["time"]], lines.flags[plan.moments["time"]]
    reason[(reason == 0) & (clock_flag == BLANK)] = CODE["missing_date"]
    reason[(reason == 0) & (clock_flag == BAD)] = CODE["bad_date"]
    both = reason == 0
    value[both] = value[both] // _DAY_US * _DAY_US + clock[both] % _DAY_US
    flag[both] = LOCAL


def _at_close(days: Array, mapping: Mapping) -> tuple[Array, Array]:
    # The moment that a bare date stands for, and the rows whose date is no session.
    closes = exchange_time.session_closes(days)
    closed = closes == exchange_time.NO_SESSION
    at = str(mapping.time.get("date_only", "session_close"))
    if at == "session_close":
        return np.where(closed, 0, closes), closed
    minutes = int(at[:2]) * 60 + int(at[3:])
    zone = ZoneInfo(mapping.time.get("zone", EXCHANGE_TZ.key))
    # On a short day the snapshot is as long before the close as on a full one.
    moment = exchange_time.local_to_utc(days * _DAY_US + minutes * 60_000_000, zone)
    early = exchange_time.session_closes(days) - (16 * 60 - minutes) * 60_000_000
    return np.where(closed, 0, np.minimum(moment, early)), closed
