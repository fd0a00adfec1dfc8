"""When to collect: sessions with their early closes, cut into slots of one cadence; one sweep belongs in each slot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from bifrost_lib.core.calendar import (
    EXCHANGE_TZ,
    exchange_date,
    is_session,
    next_session,
    session_close,
    session_open,
)
from bifrost_lib.core.clock import as_utc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

#: When IB restarts its servers every night, New York time: silence is expected then, also for a market that never ends.
RESET_FROM, RESET_UNTIL = time(0, 15), time(1, 45)


@dataclass(frozen=True)
class Slot:
    """The moments [start, end) to which one sweep belongs."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Hours:
    """When there is something to collect. `always`: the gateway is simulated and trades around the clock."""

    always: bool = False

    def slot_at(self, at: datetime, cadence_s: float) -> Slot | None:
        """Return the slot of `at`, or None where nothing trades.

        Slots begin with the session and follow each other at the cadence; the last one of a session is cut off by its
        close, which is at 13:00 New York on some days.
        """
        moment = as_utc(at)
        if self.always:
            return _slot(moment, _EPOCH, datetime.max.replace(tzinfo=UTC), cadence_s)
        day = exchange_date(moment)
        if not is_session(day):
            return None
        opening, close = session_open(day), session_close(day)
        return _slot(moment, opening, close, cadence_s) if opening <= moment < close else None

    def next_start(self, at: datetime, cadence_s: float) -> datetime:
        """Return the first moment after `at` at which a slot begins."""
        moment = as_utc(at)
        now = self.slot_at(moment, cadence_s)
        day = exchange_date(moment)
        if now is not None and (self.always or now.end < session_close(day)):
            return now.end
        if is_session(day) and moment < session_open(day):
            return session_open(day)
        return session_open(next_session(day))

    def missed(self, after: datetime, until: datetime, cadence_s: float) -> Iterator[Slot]:
        """Yield the slots that began after `after` and were over by `until`."""
        start = self.next_start(after, cadence_s)
        while (slot := self.slot_at(start, cadence_s)) is not None and slot.end <= until:
            yield slot
            start = self.next_start(start, cadence_s)


def is_reset_window(at: datetime) -> bool:
    """Tell whether IB restarts its servers at `at`, which needs no explanation and no alarm."""
    local = as_utc(at).astimezone(EXCHANGE_TZ)
    return RESET_FROM <= local.time() < RESET_UNTIL


def _slot(moment: datetime, opening: datetime, close: datetime, cadence_s: float) -> Slot:
    cadence = timedelta(seconds=cadence_s)
    start = opening + (moment - opening) // cadence * cadence
    return Slot(start, min(start + cadence, close))
