"""Whose turn it is: one sweep per watched underlying and slot, and what was left out in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bifrost_lib.store import Gap, Watch
from bifrost_lib.workflows.collection.schedule import Hours, Slot

#: Slots that are looked at when telling what was missed; older ones are one gap with them.
_MOST_SLOTS = 5000


@dataclass(frozen=True)
class Turn:
    """A sweep that is due."""

    watch: Watch
    slot: Slot


class Rotation:
    """Remembers which slot of which underlying was served last.

    Parameters
    ----------
    hours : Hours
    """

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self._served: dict[
            str, datetime
        ] = {}  # start of the newest slot that was served, or the moment of the last run
        self._reasons: dict[str, str] = {}

    def remember(self, symbol: str, moment: datetime) -> None:
        """Take in that an earlier process served `symbol` at `moment`; what followed until now was not."""
        self._served[symbol] = moment
        self._reasons[symbol] = "not_running"

    def next_turn(self, watches: Sequence[Watch], at: datetime) -> Turn | None:
        """Return the sweep that is due at `at`: of the highest priority, then the one that has waited longest."""
        due = []
        for watch in watches:
            slot = self.hours.slot_at(at, watch.cadence_s)
            served = self._served.get(watch.symbol)
            # A process that took over sweeps the present slot again: what the other one left of it is unknown.
            if slot is not None and (served is None or served < slot.start or watch.symbol in self._reasons):
                due.append((-watch.priority, slot.start if served is None else served, watch.symbol, watch, slot))
        if not due:
            return None
        *_, watch, slot = min(due, key=lambda one: one[:3])
        return Turn(watch, slot)

    def next_start(self, watches: Sequence[Watch], at: datetime) -> datetime | None:
        """Return when the next slot begins; None where nothing is watched."""
        return min((self.hours.next_start(at, watch.cadence_s) for watch in watches), default=None)

    def missed_before(self, turn: Turn) -> tuple[Gap, ...]:
        """Return the gap between the slot served last and this one, if slots were left out."""
        symbol = turn.watch.symbol
        served = self._served.get(symbol)
        if served is None or served >= turn.slot.start:
            return ()
        first = last = None
        for number, slot in enumerate(self.hours.missed(served, turn.slot.start, turn.watch.cadence_s)):
            first, last = first or slot, slot
            if number > _MOST_SLOTS:
                break
        if first is None or last is None:
            return ()
        reason = self._reasons.get(symbol, "overrun")
        return (Gap(first.start, last.end, reason, received=0, fillable_until=last.end),)

    def blocked(self, watches: Sequence[Watch], reason: str) -> None:
        """Note why nothing is collected at present, for the gaps that this leaves."""
        for watch in watches:
            if watch.symbol in self._served:
                self._reasons.setdefault(watch.symbol, reason)

    def done(self, turn: Turn) -> None:
        """Note that a slot has been served, however completely."""
        self._served[turn.watch.symbol] = turn.slot.start
        self._reasons.pop(turn.watch.symbol, None)
