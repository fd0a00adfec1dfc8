"""When the simulated underlyings pay dividends, and how much."""

from __future__ import annotations

from bisect import bisect_left
from datetime import date, datetime, timedelta

import numpy as np

from bifrost_lib.core.calendar import exchange_date, is_session, previous_session, session_open, third_friday
from bifrost_lib.sim.market.profiles import Profile
from bifrost_lib.sim.market.trail import Trail


def ex_dates(profile: Profile, start: date, end: date) -> list[date]:
    """Return the ex-dates from `start` to `end`: the third Friday of a fund's months, a week earlier for stocks."""
    earlier = timedelta(days=0 if profile.stock_type == "ETF" else 7)
    days = [
        third_friday(year, month) - earlier
        for year in range(start.year, end.year + 1)
        for month in profile.dividend_months
    ]
    return [day if is_session(day) else previous_session(day) for day in days if start <= day <= end]


def amount_on(profile: Profile, trail: Trail, ex_date: date, known: date) -> float:
    """Return the cash a share of one dividend: the continuous yield over its part of a year, of the last close.

    An ex-date after `known` is estimated from the last close before `known`.
    """
    times = trail.times
    session = max(bisect_left(times.days, min(ex_date, known)) - 1, 0)
    spot = float(trail.close(np.array([session]))[0])
    return round(trail.underlying.div_yield * spot / len(profile.dividend_months), 2)


def dividends_at(profile: Profile, trail: Trail, now: datetime) -> tuple[float, float, datetime | None, float]:
    """Return cash a share paid in the past 12 months, expected in the next 12, the next ex-date and its amount."""
    if not profile.dividend_months or trail.underlying.div_yield == 0.0:
        return 0.0, 0.0, None, 0.0
    today = exchange_date(now)
    past = ex_dates(profile, today - timedelta(days=364), today)
    ahead = ex_dates(profile, today + timedelta(days=1), today + timedelta(days=365))
    paid, expected = (sum(amount_on(profile, trail, day, today) for day in days) for days in (past, ahead))
    return round(paid, 2), round(expected, 2), session_open(ahead[0]), amount_on(profile, trail, ahead[0], today)
