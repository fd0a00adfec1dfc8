"""When companies publish their results."""

from __future__ import annotations

from datetime import date
from functools import cache

from bifrost_lib.core.calendar import session_close
from bifrost_lib.sim.market.universe import earnings_days

PUBLISHED_S = 300  # after a close


@cache
def published(months: tuple[int, ...], first_year: int, last_year: int) -> tuple[int, ...]:
    """Return the moments, in epoch seconds, at which companies that report in `months` publish their results."""
    days = earnings_days(months, date(first_year, 1, 1), date(last_year, 12, 1))
    return tuple(int(session_close(day).timestamp()) + PUBLISHED_S for day in days)
