"""Whether a document's conditions of entry hold on an underlying at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies.conditions.dividends import DividendCalendar, ExDividend
from bifrost_lib.strategies.conditions.earnings import EarningsCalendar, EarningsReport
from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.documents.entry import Condition, Entry, EventWindow

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def admit(
    document: StrategyDocument,
    *,
    symbol: str,
    at: datetime,
    conditions: Mapping[str, float] | None,
    earnings: EarningsCalendar | None = None,
    dividends: DividendCalendar | None = None,
) -> tuple[str, ...]:
    """Return what could not be checked of a document's conditions of entry, or does not suit this underlying.

    Parameters
    ----------
    document : StrategyDocument
    symbol : str
    at : datetime, aware
    conditions : mapping, optional
        The underlying's ``market_conditions``, by column; a column that is missing or NaN is not known.
    earnings, dividends : calendar, optional
        As they were known at `at`. What a window asks of the near expiry is for `refusal_until` to say.

    Raises
    ------
    NoDataError
        If a condition does not hold; the hint names each with its figure. With `conditions`, a figure that is not
        known fails its condition.
    """
    entry, today, refusals = document.entry, exchange_date(at), list(_weekday(document.entry, at))
    if conditions is not None:
        refusals += [_refusal(asked, conditions.get(asked.column, math.nan)) for asked in entry.market_ranges]
    if entry.ex_dividend is not None and dividends is not None:
        paid = dividends.near(entry.ex_dividend, today), dividends.next_dividend(today)
        refusals.append(_around("ex-dividend days", entry.ex_dividend, *paid, today))
    if entry.earnings is not None and earnings is not None:
        told = earnings.near(entry.earnings, today), earnings.next_report(today)
        refusals.append(_around("earnings", entry.earnings, *told, today))
    if refusals := [refusal for refusal in refusals if refusal]:
        raise NoDataError(
            "candidate", at=at, hint="not entered: " + "; ".join(refusals), symbol=symbol, strategy=document.name
        )
    unchecked = [asked.column for asked in entry.market_ranges] if conditions is None else []
    if document.symbols and symbol not in document.symbols:
        unchecked.append(f"meant for {', '.join(document.symbols)}")
    return (*unchecked, *_unknown_dividends(entry, dividends, today), *_unknown_earnings(entry, earnings, today))


def refusal_until(
    entry: Entry, expiry: date, *, at: datetime, earnings: EarningsCalendar | None,
    dividends: DividendCalendar | None = None,
) -> str:  # fmt: skip
    """Return why options that expire on `expiry` do not suit a window around an event; empty where they do."""
    today = exchange_date(at)
    return (
        _until("ex-dividend day", entry.ex_dividend, dividends, expiry, today)
        or _until("earnings", entry.earnings, earnings, expiry, today)
    )  # fmt: skip


def _until(
    what: str, window: EventWindow | None, events: DividendCalendar | EarningsCalendar | None, expiry: date, today: date
) -> str:
    if window is None or events is None or not window.through_expiry:
        return ""
    event = events.until(expiry, today)
    if window.entry == "avoid":
        return f"{event}, before the expiry" if event else ""
    return "" if event or events.near(window, today) else f"no {what} before the expiry"


def _around(
    what: str, window: EventWindow, near: EarningsReport | ExDividend | None,
    ahead: EarningsReport | ExDividend | None, today: date,
) -> str:  # fmt: skip
    if near and window.entry == "avoid":
        days = (near.day - today).days
        away = f"{abs(days)} days {'ahead' if days >= 0 else 'ago'}" if days else "today"
        return f"{near}, {away}"
    if not near and window.entry == "only" and not window.through_expiry:
        return f"no {what} near: the next are {f'on {ahead.day}' if ahead else 'not announced'}"
    return ""


def _unknown_dividends(entry: Entry, dividends: DividendCalendar | None, today: date) -> Iterator[str]:
    if entry.ex_dividend is None:
        return
    if dividends is None:
        yield "ex_dividend, since no dividend is on record"
    elif _asks_ahead(entry.ex_dividend) and not dividends.next_dividend(today):
        yield f"ex_dividend after {dividends.dividends[-1].day}, since later days are not on record"


def _unknown_earnings(entry: Entry, earnings: EarningsCalendar | None, today: date) -> Iterator[str]:
    if entry.earnings is None:
        return
    if earnings is None:
        yield "earnings"
    elif _asks_ahead(entry.earnings) and earnings.reports and not earnings.next_report(today):
        yield f"earnings after those of {earnings.reports[-1].day}, which are not announced"


def _asks_ahead(window: EventWindow) -> bool:
    return bool(window.before) or window.through_expiry


def _weekday(entry: Entry, at: datetime) -> Iterator[str]:
    today = _WEEKDAYS[at.astimezone(EXCHANGE_TZ).weekday()]
    if entry.weekdays and today not in entry.weekdays:
        yield f"{today} is not among {', '.join(entry.weekdays)}"


def _refusal(asked: Condition, value: float) -> str:
    if not math.isfinite(value):
        return f"{asked.column} is not known"
    if asked.low is not None and value < asked.low:
        return f"{asked.column} {value:.4g} is below {asked.low:g}"
    is_above = asked.high is not None and value > asked.high
    return f"{asked.column} {value:.4g} is above {asked.high:g}" if is_above else ""
