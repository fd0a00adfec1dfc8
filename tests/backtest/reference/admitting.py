"""Whether a session is one on which a document may be entered."""

from __future__ import annotations

import math
from datetime import date, datetime

from bifrost_lib.strategies.entry import Entry
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
    if (
        window is not None
        and not window.through_expiry
        and is_near_dividend(entry, tape, today, today) != (window.entry == "only")
    ):
        return "ex_dividend"
    return ""


def refusal_until_expiry(entry: Entry, tape: Tape, moment: datetime, expiry: date) -> bool:
    """Tell whether a dividend until `expiry` forbids the entry, or the lack of one does."""
    window = entry.ex_dividend
    if window is None or not window.through_expiry:
        return False
    return is_near_dividend(entry, tape, tape.session_of(moment), expiry) != (window.entry == "only")


def is_near_dividend(entry: Entry, tape: Tape, today: date, expiry: date) -> bool:
    """Tell whether a dividend lies in the document's window around `today`."""
    window = entry.ex_dividend
    assert window is not None
    for day in tape.market.dividends:
        days = (day - today).days
        if window.before and 0 <= days <= window.before:
            return True
        if window.after and 0 <= -days <= window.after:
            return True
        if window.through_expiry and today < day <= expiry:
            return True
    return False


def _lies_in(value: float, low: float | None, high: float | None) -> bool:
    if math.isnan(value):
        return False
    return (low is None or value >= low) and (high is None or value <= high)
