"""The only source of the present moment; everything else is told the time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from bifrost_lib.core.errors import InputError


class Clock(Protocol):
    """Anything that can say what time it is, in aware UTC, and how fast it runs.

    `speed` is the seconds of this clock in one second of the machine: 1 for the machine's own, 0 for a clock that
    others move.
    """

    @property
    def speed(self) -> float: ...

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)


class ScaledClock:
    """A clock that begins at `start` and runs `speed` times as fast as the machine's, for simulations."""

    def __init__(self, start: datetime, speed: float = 1.0) -> None:
        if not 0 < speed < float("inf"):
            raise InputError("speed", speed, "a number > 0, the seconds that pass in one second")
        self.speed = speed
        self._start, self._begun = as_utc(start, name="start"), time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.speed * (time.monotonic() - self._begun))


class SteppedClock:
    """A clock that moves only when told to, for tests and replays."""

    speed = 0.0

    def __init__(self, start: datetime) -> None:
        self._now = as_utc(start, name="start")

    def now(self) -> datetime:
        return self._now

    def advance(self, step: timedelta) -> None:
        """Move forward by `step`, which must not be negative."""
        if step < timedelta(0):
            raise InputError("step", step, "a duration >= 0, since time does not run backwards")
        self._now += step


def as_utc(moment: datetime, *, name: str = "at") -> datetime:
    """Return `moment` in UTC; a naive datetime is refused because its zone would be a guess."""
    if moment.tzinfo is None:
        raise InputError(name, moment, "an aware datetime, for example datetime(2026, 8, 12, 20, tzinfo=UTC)")
    return moment.astimezone(UTC)


def parse_moment(text: str, *, name: str = "at") -> datetime:
    """Read an ISO 8601 moment such as ``2026-08-12T16:00-04:00`` or ``2026-08-12T20:00Z`` as aware UTC.

    Raises
    ------
    InputError
        If the text is no ISO 8601 moment, or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise InputError(name, text, "an ISO 8601 moment such as 2026-08-12T20:00Z") from None
    if moment.tzinfo is None:
        example = moment.isoformat(timespec="minutes")
        raise InputError(name, text, f"an offset, for example {example}Z for UTC or {example}-04:00 for New York")
    return moment.astimezone(UTC)
