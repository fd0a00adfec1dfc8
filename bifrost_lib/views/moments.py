"""The moments that a reader can travel to."""

from __future__ import annotations

from datetime import datetime, timedelta

from bifrost_lib.core.calendar import exchange_date, session_close, session_open, sessions
from bifrost_lib.core.clock import as_utc

STEP = timedelta(minutes=30)
MOST_SESSIONS = 250


def reading_moments(first: datetime, last: datetime) -> list[datetime]:
    """Return session closes from `first` to `last`, and the half hours of the last session; `last` ends the list.

    Parameters
    ----------
    first, last : datetime
        Aware; the oldest and the newest stored quote. At most the newest ``MOST_SESSIONS`` sessions are offered.
    """
    first, last = as_utc(first, name="first"), as_utc(last, name="last")
    days = sessions(exchange_date(first), exchange_date(last))[-MOST_SESSIONS:]
    moments = [session_close(day) for day in days[:-1]]
    if days:
        moment, close = session_open(days[-1]) + STEP, session_close(days[-1])
        while moment <= close:
            moments.append(moment)
            moment += STEP
    return [*(moment for moment in moments if first <= moment < last), last]
