"""How long a bar is, and from when to when a request for bars asks."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

from bifrost_lib.core.calendar import (
    EXCHANGE_TZ,
    exchange_date,
    is_session,
    previous_session,
    session_close,
    session_open,
)
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.gateway.registry import invalid

DAY_S = 86_400
BAR_SIZES: dict[str, int] = {
    "1 secs": 1, "1 sec": 1, "5 secs": 5, "10 secs": 10, "15 secs": 15, "30 secs": 30, "1 min": 60, "2 mins": 120,
    "3 mins": 180, "5 mins": 300, "10 mins": 600, "15 mins": 900, "20 mins": 1200, "30 mins": 1800, "1 hour": 3600,
    "2 hours": 7200, "3 hours": 10_800, "4 hours": 14_400, "8 hours": 28_800, "1 day": DAY_S, "1 week": 7 * DAY_S,
    "1W": 7 * DAY_S, "1 month": 30 * DAY_S, "1M": 30 * DAY_S,
}  # fmt: skip
_REGULAR_SHARE = 6.5 / 24.0 * 5.0 / 7.0
_DURATION = re.compile(r"(\d{1,6}) ?([SDWMY])")


def bar_seconds(text: str) -> int:
    """Return the seconds of a bar; weeks and months are made of days."""
    if text not in BAR_SIZES:
        legal = ", ".join(BAR_SIZES)
        raise invalid(f"Historical data bar size setting is invalid. Legal ones are: {legal}")
    return BAR_SIZES[text]


def begin_of(market: Market, end: datetime, duration: str, *, regular_hours: bool) -> datetime:
    """Return from when on a request asks that ends at `end`.

    Days are sessions of the exchange; in a market that never closes, days outside regular hours are calendar days.
    """
    found = _DURATION.fullmatch(duration.strip().upper())
    if found is None or int(found[1]) == 0:
        raise invalid(f"Historical data request for {duration!r}: the duration is a number and one of S D W M Y")
    count, unit = int(found[1]), found[2]
    if unit == "S":
        return end - timedelta(seconds=count)
    if unit == "D":
        if market.always_open and not regular_hours:
            return end - timedelta(days=count)
        return session_open(_sessions_back(end, count))
    days = {"W": 7, "M": 30.4375, "Y": 365.25}[unit] * count
    first = exchange_date(end - timedelta(days=days))
    return datetime(first.year, first.month, first.day, tzinfo=EXCHANGE_TZ)


def bars_at_most(start: datetime, end: datetime, bar_s: int, *, regular_hours: bool) -> float:
    """Return about how many bars there are from `start` to `end`; five days of a week have regular hours."""
    span_s = (end - start).total_seconds()
    return span_s * (_REGULAR_SHARE if regular_hours and span_s > DAY_S else 1.0) / bar_s


def last_trading_moment(market: Market, moment: datetime, *, regular_hours: bool) -> datetime:
    """Return `moment`, or the close before it when nothing trades then."""
    day = exchange_date(moment)
    session = day if is_session(day) and session_open(day) < moment else previous_session(day)
    if not regular_hours and market.is_open(moment):
        return moment
    return min(moment, session_close(session))


def _sessions_back(end: datetime, count: int) -> date:
    day = exchange_date(end)
    session = day if is_session(day) and session_open(day) < end else previous_session(day)
    for _ in range(count - 1):
        session = previous_session(session)
    return session
