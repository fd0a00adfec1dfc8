"""What was known of an underlying's dividends at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from bifrost_lib import store
from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.strategies import DividendCalendar
from bifrost_lib.workflows.desk import Desk


def dividend_calendar(desk: Desk, symbol: str, *, at: datetime) -> DividendCalendar | None:
    """Return the ex-dividend days of a symbol that were known at `at`; None if the store knew of none.

    Notes
    -----
    Days ahead of today are announced ones. When those ahead of an earlier moment were announced is not on record, so
    that they do not count.
    """
    is_past = exchange_date(at) < exchange_date(desk.clock.now())
    return calendar_of(ex_dividend_days(desk, symbol, at=at if is_past else None))


def ex_dividend_days(desk: Desk, symbol: str, *, at: datetime | None) -> list[date]:
    """Return the ex-dividend days on record until `at`, or all of them."""
    actions = store.corporate_actions(desk.store.engine, symbol.upper(), at=at)
    return [day.date() for day in actions.loc[actions["kind"] == "dividend", "ex_date"]]


def calendar_of(days: Sequence[date]) -> DividendCalendar | None:
    """Return a calendar of days; None for none, since who never paid may only be unknown."""
    return DividendCalendar(days) if days else None
