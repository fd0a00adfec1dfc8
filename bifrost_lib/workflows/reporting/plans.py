"""When each report is due, what it needs first, and how much it may take: ``notebooks/reports/schedule.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bifrost_lib.core.calendar import (
    exchange_date,
    is_session,
    next_session,
    previous_session,
    session_close,
    session_open,
)
from bifrost_lib.core.errors import FileFormatError, InputError

FILE_NAME = "schedule.toml"
AFTER, DAYS = ("open", "close"), ("session", "week")


@dataclass(frozen=True)
class Limits:
    """What one attempt may take: `wall_s` seconds, and `memory_mb` of all its processes together."""

    wall_s: float = 300.0
    memory_mb: float = 2048.0

    def check(self) -> None:
        """Refuse limits under which nothing can run (`InputError`)."""
        for name in ("wall_s", "memory_mb"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
                raise InputError(name, value, "a number > 0")


@dataclass(frozen=True)
class Plan:
    """One report's row of the schedule.

    Attributes
    ----------
    after : {"open", "close"}, optional
        It is due `minutes` after the session's opening or close; None: only when someone asks.
    days : {"session", "week"}
        Every session, or the last session of each week.
    needs : tuple of str
        Reports that must have been done on the same day before.
    retries : int
        How often it is tried again when a source does not answer.
    limits : Limits
    parameters : mapping
        Other than the notebook's own.
    """

    after: str | None = None
    minutes: float = 0.0
    days: str = "session"
    needs: tuple[str, ...] = ()
    retries: int = 2
    limits: Limits = field(default_factory=Limits)
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def newest_slot(self, at: datetime) -> datetime | None:
        """Return the newest moment until `at` at which it was due; None for a report without a schedule."""
        if self.after is None:
            return None
        day = exchange_date(at)
        day = day if is_session(day) else previous_session(day)
        while True:
            moment = session_open(day) if self.after == "open" else session_close(day)
            moment += timedelta(minutes=self.minutes)
            is_last_of_week = next_session(day).isocalendar()[:2] != day.isocalendar()[:2]
            if moment <= at and (self.days == "session" or is_last_of_week):
                return moment
            day = previous_session(day)

    @property
    def words(self) -> str:
        """When it is due, for people."""
        if self.after is None:
            return "on demand"
        when = f"{self.minutes:g} min after the {self.after}"
        return f"{when}, every session" if self.days == "session" else f"{when} of the week's last session"


def read_plans(folder: Path) -> dict[str, Plan]:
    """Read the schedule of a folder of reports, by report; empty where there is none.

    Raises
    ------
    FileFormatError
        If it is no TOML, or a row says what it cannot mean.
    """
    path = folder / FILE_NAME
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FileFormatError(path, f"cannot be read: {error}") from None
    return {name: _plan(path, name, row) for name, row in rows.items()}


_KEYS = ("after", "minutes", "days", "needs", "retries", "wall_s", "memory_mb", "parameters")


def _plan(path: Path, name: str, row: Any) -> Plan:
    if not isinstance(row, dict):
        raise FileFormatError(path, f"expected a table for the report {name}", member=name)
    for key in row:
        if key not in _KEYS:
            raise FileFormatError(path, f"unknown key {key!r}; known: {', '.join(_KEYS)}", member=name)
    known = {key: row[key] for key in ("wall_s", "memory_mb") if key in row}
    plan = Plan(
        **{key: value for key, value in row.items() if key not in (*known, "needs")},
        needs=tuple(row.get("needs", ())),
        limits=Limits(**known),
    )
    try:
        _check(plan)
    except InputError as error:
        raise FileFormatError(path, str(error), member=name) from None
    return plan


def _check(plan: Plan) -> None:
    plan.limits.check()
    if plan.after not in (*AFTER, None):
        raise InputError("after", plan.after, "open or close")
    if plan.days not in DAYS:
        raise InputError("days", plan.days, "session or week")
    if isinstance(plan.minutes, bool) or not isinstance(plan.minutes, int | float) or not 0 <= plan.minutes <= 24 * 60:
        raise InputError("minutes", plan.minutes, "minutes from 0 to 1440")
    if isinstance(plan.retries, bool) or not isinstance(plan.retries, int) or not 0 <= plan.retries <= 10:
        raise InputError("retries", plan.retries, "a whole number from 0 to 10")
    if not all(isinstance(name, str) for name in plan.needs):
        raise InputError("needs", plan.needs, "names of reports")
    if not isinstance(plan.parameters, dict):
        raise InputError("parameters", plan.parameters, "a table of parameters")
