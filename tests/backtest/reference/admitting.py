"""Whether a session is one on which a document may be entered."""

from __future__ import annotations

import math
from datetime import date, datetime

from bifrost_lib.strategies import Entry, EventWindow
from tests.backtest.reference.tape import Tape

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
    return ""


def is_refused_until(expiry: date, entry: Entry, tape: Tape, moment: datetime) -> bool:
    """Tell whether a dividend until `expiry` forbids the entry, or the lack of one does."""
    window, today = entry.ex_dividend, tape.session_of(moment)
    if window is None or not window.through_expiry:
        return False
    falls = any(today < day <= expiry for day in tape.dividend_days)
    return falls if window.entry == "avoid" else not falls and not is_near_dividend(window, tape, today)


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
