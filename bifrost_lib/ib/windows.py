"""When silence is expected: IB's nightly reset, the weekend's, and the weekly login that needs a person."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.clock import as_utc

NIGHT_FROM, NIGHT_TO = time(0, 15), time(1, 45)
WEEKEND_FROM, WEEKEND_TO = time(23, 0), time(3, 0)
LOGIN_LAPSES = time(1, 0)
#: A gateway takes a while to notice that its login has run out.
LOGIN_GRACE = timedelta(minutes=15)
FRIDAY, SATURDAY, SUNDAY = 4, 5, 6


def in_reset_window(moment: datetime) -> bool:
    """Tell whether IB resets its servers at `moment` (aware): 00:15-01:45 New York, Friday 23:00 to Saturday 03:00.

    References
    ----------
    interactivebrokers.co.uk, system status page, North America.
    """
    local = as_utc(moment, name="moment").astimezone(EXCHANGE_TZ)
    if local.weekday() == FRIDAY and local.time() >= WEEKEND_FROM:
        return True
    if local.weekday() == SATURDAY:
        return local.time() < WEEKEND_TO
    return NIGHT_FROM <= local.time() < NIGHT_TO


def login_lapsed_at(moment: datetime) -> datetime:
    """Return the last moment, not after `moment`, at which IB's weekly login ran out: Sunday 01:00 New York, in UTC."""
    local = as_utc(moment, name="moment").astimezone(EXCHANGE_TZ)
    sunday = local.date() - timedelta(days=(local.weekday() - SUNDAY) % 7)
    lapse = as_utc(datetime.combine(sunday, LOGIN_LAPSES, EXCHANGE_TZ))
    if lapse > moment:
        lapse = as_utc(datetime.combine(sunday - timedelta(days=7), LOGIN_LAPSES, EXCHANGE_TZ))
    return lapse


def login_lapses_at(moment: datetime) -> datetime:
    """Return the next moment, after `moment`, at which IB's weekly login runs out, in UTC."""
    return login_lapsed_at(as_utc(moment, name="moment") + timedelta(days=7))


def needs_login(last_connected: datetime | None, moment: datetime) -> bool:
    """Tell whether the weekly login ran out since the gateway was last connected.

    A gateway that was never connected is simply not there: False.
    """
    return last_connected is not None and last_connected <= login_lapsed_at(moment) + LOGIN_GRACE
