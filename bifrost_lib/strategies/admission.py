"""Whether a document's conditions of entry hold on an underlying at a moment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from bifrost_lib.core.calendar import EXCHANGE_TZ, exchange_date
from bifrost_lib.core.errors import NoDataError
from bifrost_lib.strategies.document import StrategyDocument
from bifrost_lib.strategies.earnings import EarningsCalendar
from bifrost_lib.strategies.entry import Entry

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def admit(
    document: StrategyDocument,
    *,
    symbol: str,
    at: datetime,
    conditions: Mapping[str, float] | None,
    earnings: EarningsCalendar | None = None,
) -> tuple[str, ...]:
    """Return what could not be checked of a document's conditions of entry, or does not suit this underlying.

    Parameters
    ----------
    document : StrategyDocument
    symbol : str
    at : datetime, aware
    conditions : mapping, optional
        The underlying's ``market_conditions``, by column; a column that is missing or NaN is not known.
    earnings : EarningsCalendar, optional
        As it was known at `at`. What a window asks of the near expiry is for `refusal_until` to say.

    Raises
    ------
    NoDataError
        If a condition does not hold; the hint names each with its figure. With `conditions`, a figure that is not
        known fails its condition.
    """
    entry, refusals = document.entry, list(_weekday(document.entry, at))
    wanted = list(_ranges(entry))
    if conditions is not None:
        refusals += [_refusal(name, low, high, conditions.get(name, math.nan)) for name, low, high in wanted]
    if earnings is not None:
        refusals += list(_around_earnings(entry, earnings, exchange_date(at)))
    if refusals := [refusal for refusal in refusals if refusal]:
        raise NoDataError(
            "candidate", at=at, hint="not entered: " + "; ".join(refusals), symbol=symbol, strategy=document.name
        )
    unchecked = [name for name, _, _ in wanted] if conditions is None else []
    if document.symbols and symbol not in document.symbols:
        unchecked.append(f"meant for {', '.join(document.symbols)}")
    if entry.earnings is not None:
        unchecked += _unknown_earnings(entry, earnings, exchange_date(at))
    return (*unchecked, *(["ex_dividend"] if entry.ex_dividend is not None else []))


def refusal_until(entry: Entry, expiry: date, *, at: datetime, earnings: EarningsCalendar | None) -> str:
    """Return why options that expire on `expiry` do not suit a window around earnings; empty where they do."""
    window, today = entry.earnings, exchange_date(at)
    if window is None or earnings is None or not window.through_expiry:
        return ""
    report = earnings.until(expiry, today)
    if window.entry == "avoid":
        return f"{report} come before the expiry" if report else ""
    return "" if report or earnings.near(window, today) else "no earnings before the expiry"


def _around_earnings(entry: Entry, earnings: EarningsCalendar, today: date) -> Iterator[str]:
    window = entry.earnings
    if window is None:
        return
    report = earnings.near(window, today)
    if report and window.entry == "avoid":
        days = (report.day - today).days
        away = f"{abs(days)} days {'ahead' if days >= 0 else 'ago'}" if days else "today"
        yield f"{report}, {away}"
    if not report and window.entry == "only" and not window.through_expiry:
        ahead = earnings.next_report(today)
        yield f"no earnings near: the next are {f'on {ahead.day}' if ahead else 'not announced'}"


def _unknown_earnings(entry: Entry, earnings: EarningsCalendar | None, today: date) -> list[str]:
    if earnings is None:
        return ["earnings"]
    asks_ahead = entry.earnings is not None and (entry.earnings.before or entry.earnings.through_expiry)
    if asks_ahead and earnings.reports and not earnings.next_report(today):
        return [f"earnings after those of {earnings.reports[-1].day}, which are not announced"]
    return []


def _weekday(entry: Entry, at: datetime) -> Iterator[str]:
    today = _WEEKDAYS[at.astimezone(EXCHANGE_TZ).weekday()]
    if entry.weekdays and today not in entry.weekdays:
        yield f"{today} is not among {', '.join(entry.weekdays)}"


def _ranges(entry: Entry) -> Iterator[tuple[str, float | None, float | None]]:
    for name in ("iv_rank", "vol_index"):
        if (asked := getattr(entry, name)) is not None:
            yield name, asked.low, asked.high
    for condition in entry.conditions:
        yield condition.column, condition.low, condition.high


def _refusal(name: str, low: float | None, high: float | None, value: float) -> str:
    if not math.isfinite(value):
        return f"{name} is not known"
    if low is not None and value < low:
        return f"{name} {value:.4g} is below {low:g}"
    return f"{name} {value:.4g} is above {high:g}" if high is not None and value > high else ""
