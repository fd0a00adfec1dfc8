"""The moments against which a change is told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from bifrost_lib.core.calendar import exchange_date, is_session, previous_session, session_close, session_open
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import UnknownNameError


def reference_moment(name: str, at: datetime) -> datetime:
    """Return the moment that `name` (one of ``REFERENCES``) means for quotes of `at`.

    Raises
    ------
    UnknownNameError
        If there is no such reference.
    """
    if name not in REFERENCES:
        raise UnknownNameError("since", name, REFERENCES)
    return REFERENCES[name](as_utc(at))


def _opening(at: datetime) -> datetime:
    """Return the newest opening before `at`."""
    day = exchange_date(at)
    if is_session(day) and session_open(day) < at:
        return session_open(day)
    return session_open(previous_session(day))


def _previous_close(at: datetime) -> datetime:
    """Return the close of the last session of an earlier day: Friday's quotes are told against Thursday's close,
    whenever they are looked at, and what is quoted at a weekend against Friday's.
    """
    return session_close(previous_session(exchange_date(at)))


def _ago(**duration: float) -> Callable[[datetime], datetime]:
    return lambda at: at - timedelta(**duration)


REFERENCES: dict[str, Callable[[datetime], datetime]] = {
    "previous close": _previous_close,
    "open": _opening,
    "5 minutes ago": _ago(minutes=5),
    "30 minutes ago": _ago(minutes=30),
    "1 hour ago": _ago(hours=1),
    "1 day ago": _ago(days=1),
    "1 week ago": _ago(weeks=1),
}
