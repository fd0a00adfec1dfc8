"""When the simulated companies announced the days of their results: estimated a quarter ahead, then confirmed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zlib import crc32

import pandas as pd

from bifrost_lib.core.calendar import is_session, next_session, previous_session, session_close
from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.sim.market.universe import SIMULATED, SimulatedUnderlying

_BEFORE = timedelta(days=400)  # behind the first day that is asked for, so that something is known on it
_ESTIMATED, _CONFIRMED = timedelta(days=80), timedelta(days=21)  # before the report
_WEEKS_OFF = (-1, 0, 0, 1)  # of an estimate


def simulated_announcements(symbol: str, *, start: date, end: date) -> pd.DataFrame:
    """Return what was known of the results of a simulated underlying, and when, for reports from `start` to `end`.

    A day is estimated eighty days ahead, often by a week too early or too late, and confirmed three weeks ahead. The
    results come after the close, and the price jumps on the next open. A fund or an index says once that it never
    reports.

    Returns
    -------
    DataFrame
        `symbol`, `known_assumed`, `source`, `simulated`, `fiscal_period`, `report_date`, `time_of_day`, `known_at`,
        `confirmed`; of a report the same whatever the range.

    Raises
    ------
    UnknownNameError
        For a symbol that is not simulated.
    """
    if symbol not in SIMULATED:
        raise UnknownNameError("symbol", symbol, SIMULATED)
    # Nobody learnt any of it: another version of the simulation may say it anew.
    same = {"symbol": symbol, "known_assumed": True, "source": "simulated", "simulated": True}
    frame = pd.DataFrame([same | row for row in _rows(SIMULATED[symbol], start - _BEFORE, end)])
    return frame.astype({"report_date": "datetime64[s]", "known_at": "datetime64[us, UTC]"})


def _rows(underlying: SimulatedUnderlying, start: date, end: date) -> Iterator[dict[str, Any]]:
    if not underlying.earnings_months:
        yield _row("none", None, date(2020, 1, 2), confirmed=True)
        return
    for day in underlying.earnings_days(start, end):
        quarter = day - timedelta(days=60)  # results are about the quarter that has ended
        period = f"{quarter.year}Q{(quarter.month + 2) // 3}"
        estimate = day + timedelta(weeks=_WEEKS_OFF[crc32(f"{underlying.symbol} {period}".encode()) % len(_WEEKS_OFF)])
        estimate = estimate if is_session(estimate) else next_session(estimate)
        yield _row(period, estimate, day - _ESTIMATED, confirmed=False)
        yield _row(period, day, day - _CONFIRMED, confirmed=True)


def _row(period: str, day: date | None, known: date, *, confirmed: bool) -> dict[str, Any]:
    time_of_day = "after_close" if day is not None else "unknown"
    known_at = _close(known)
    return {
        "fiscal_period": period, "report_date": day, "time_of_day": time_of_day, "known_at": known_at,
        "confirmed": confirmed,
    }  # fmt: skip


def _close(day: date) -> datetime:
    return session_close(day if is_session(day) else previous_session(day))
