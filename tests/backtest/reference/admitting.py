"""Whether a session is one on which a document may be entered."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta

from bifrost_lib.strategies import Entry, EventWindow
from tests.backtest.reference.tape import Learnt, Tape

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def refusal(entry: Entry, tape: Tape, moment: datetime) -> str:
    """Return which condition of entry does not hold; empty if all do."""
    today = tape.session_of(moment)
    known = tape.market.conditions.get(today, {})
    if entry.weekdays and WEEKDAYS[today.weekday()] not in entry.weekdays:
        return "weekday"
    for name in ("iv_rank", "vol_index"):
        wanted = getattr(entry, name)
        if wanted is not None and not _lies_in(known.get(name, math.nan), wanted.low, wanted.high):
            return name
    for one in entry.conditions:
        if not _lies_in(known.get(one.column, math.nan), one.low, one.high):
            return one.column
    window = entry.ex_dividend
    if window is not None:
        is_near = is_near_dividend(window, tape, today)
        if is_near if window.entry == "avoid" else not is_near and not window.through_expiry:
            return "ex_dividend"
    window = entry.earnings
    if window is not None:
        is_near = is_near_earnings(window, tape, today)
        if not tape.earnings(today) or (
            is_near if window.entry == "avoid" else not is_near and not window.through_expiry
        ):
            return "earnings"
    return ""


def refusal_until(expiry: date, entry: Entry, tape: Tape, moment: datetime) -> str:
    """Return which event until `expiry` forbids the entry, or lacks for it; empty if none does."""
    today = tape.session_of(moment)
    window = entry.ex_dividend
    if window is not None and window.through_expiry:
        falls = any(today < day <= expiry for day in tape.dividend_days)
        if falls if window.entry == "avoid" else not falls and not is_near_dividend(window, tape, today):
            return "ex_dividend"
    window = entry.earnings
    if window is not None and window.through_expiry:
        falls = any(_is_ahead(one, today) and _comes_before(one, expiry) for one in tape.earnings(today).values())
        if falls if window.entry == "avoid" else not falls and not is_near_earnings(window, tape, today):
            return "earnings"
    return ""


def is_near_earnings(window: EventWindow, tape: Tape, today: date) -> bool:
    """Tell whether an earnings report that is known of lies within the days of a window."""
    for one in tape.earnings(today).values():
        if one.day is None:
            continue
        if _is_ahead(one, today):
            if 0 < window.before >= (one.day - today).days:
                return True
        elif 0 < window.after >= (today - one.day).days:
            return True
    return False


def _is_ahead(one: Learnt, today: date) -> bool:
    if one.day is None:
        return False
    return one.day > today or (one.day == today and one.time_of_day != "before_open")


def _comes_before(one: Learnt, expiry: date) -> bool:
    late = timedelta(days=1) if one.time_of_day == "after_close" else timedelta()
    return one.day is not None and one.day + late <= expiry


def is_near_dividend(window: EventWindow, tape: Tape, today: date) -> bool:
    """Tell whether a dividend lies within the days of a window; one without days on a side has none there."""
    days = [(day - today).days for day in tape.dividend_days]
    before = window.before > 0 and any(0 <= one <= window.before for one in days)
    after = window.after > 0 and any(0 <= -one <= window.after for one in days)
    return before or after


def _lies_in(value: float, low: float | None, high: float | None) -> bool:
    if math.isnan(value):
        return False
    return (low is None or value >= low) and (high is None or value <= high)
