"""Earnings days: files of them into the store, and what was known of them at a moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import as_utc
from bifrost_lib.core.errors import InputError
from bifrost_lib.feeds import read_earnings
from bifrost_lib.strategies import EarningsCalendar, EarningsReport
from bifrost_lib.workflows.desk import Desk


@dataclass(frozen=True)
class EarningsIngested:
    """What became of a file of earnings days: rows read, new or changed ones, symbols, and what was assumed."""

    path: Path
    rows: int
    stored: int
    symbols: int
    notes: tuple[str, ...]


def ingest_earnings(
    desk: Desk, path: Path, *, known_days_before: int | None = None, source: str | None = None
) -> EarningsIngested:
    """Store a file of earnings days, all of it or nothing; storing it twice changes nothing.

    Parameters
    ----------
    desk : Desk
    path : Path
        See `bifrost_lib.feeds.read_earnings`.
    known_days_before : int, optional
        Days before the report at whose end a row that does not say so counts as known.
    source : str, optional
        Of rows that name none. Default: the file's name.

    Raises
    ------
    FileFormatError
        If a row cannot be read, or is learnt only in the future.
    InputError
        If a row contradicts what is on record for the same event, moment and source.
    """
    read = read_earnings(path, known_days_before=known_days_before, source=source)
    frame = read.announcements
    latest = frame.loc[~frame["known_assumed"], "known_at"].max()
    if latest > desk.clock.now():
        raise InputError("known_at", latest.isoformat(), f"moments until now: {path} tells what nobody can know yet")
    stored = store.save_earnings(desk.store.engine, frame)
    return EarningsIngested(Path(path), len(frame), stored, frame["symbol"].nunique(), read.notes)


def list_earnings(desk: Desk, symbols: Sequence[str] = (), *, at: datetime | None = None) -> pd.DataFrame:
    """Return the earnings days that were known at `at`, by symbol and day; see `store.earnings_announcements`.

    `days` counts calendar days to each; negative are past. Without `symbols`, of all of them.
    """
    moment = as_utc(at) if at is not None else desk.clock.now()
    wanted = [symbol.upper() for symbol in symbols] or None
    found = store.earnings_announcements(desk.store.engine, wanted, at=moment)
    today = pd.Timestamp(exchange_date(moment))
    return found.assign(days=(found["report_date"] - today).dt.days.astype("float64"))


def earnings_calendar(desk: Desk, symbol: str, *, at: datetime) -> EarningsCalendar | None:
    """Return the reports of a symbol that were known at `at`; None if nothing was known of them."""
    known = store.known_reports(desk.store.engine, symbol.upper(), at=at)
    return None if known is None else EarningsCalendar(EarningsReport(day, time) for day, time in known)


class EarningsHistory:
    """All that was learnt of a symbol's earnings until a moment, to be asked what was known at many earlier ones."""

    def __init__(self, learnt: pd.DataFrame) -> None:
        rows = learnt[["known_at", "fiscal_period", "report_date", "time_of_day"]].itertuples(index=False, name=None)
        self._learnt = [
            (known, str(period), None if pd.isna(day) else EarningsReport(day.date(), str(time)))
            for known, period, day, time in rows
        ]

    def known_at(self, at: datetime) -> EarningsCalendar | None:
        """Return the reports that were known at `at`; None if nothing was known of them."""
        believed = {period: report for known, period, report in self._learnt if known <= at}
        return EarningsCalendar(report for report in believed.values() if report) if believed else None

    def days_to_next(self, at: datetime) -> float:
        """Return the calendar days to the next report that was known at `at`; NaN if none was."""
        calendar = self.known_at(at)
        days = calendar.days_to_next(exchange_date(at)) if calendar is not None else None
        return float("nan") if days is None else float(days)


def earnings_history(desk: Desk, symbol: str, *, at: datetime) -> EarningsHistory:
    """Return all that was learnt of a symbol's earnings until `at`."""
    return EarningsHistory(store.earnings_announcements(desk.store.engine, symbol.upper(), at=at, versions=True))


def earnings_facts(calendar: EarningsCalendar | None, at: datetime) -> dict[str, Any]:
    """Return the next report as plain values: `day`, `time_of_day`, `days` to it; all None with the `reason` why."""
    ahead = calendar.next_report(exchange_date(at)) if calendar is not None else None
    if ahead is not None:
        days = (ahead.day - exchange_date(at)).days
        return {"day": ahead.day, "time_of_day": ahead.time_of_day, "days": days, "reason": None}
    reason = "earnings days are not known to the store"
    if calendar is not None:
        last = calendar.reports[-1].day if calendar.reports else None
        reason = f"none is announced after {last}" if last else "it never reports"
    return {"day": None, "time_of_day": None, "days": None, "reason": reason}
