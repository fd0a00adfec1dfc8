"""Observe many contracts over few lines: each is asked for, completes or times out, and makes room for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from bifrost_lib.ib.feeder import Feeder
from bifrost_lib.ib.limits import Patience
from bifrost_lib.ib.lines import Priority
from bifrost_lib.ib.link import Link
from bifrost_lib.ib.records import Observation, SessionState
from bifrost_lib.ib.slots import Ask, Slot

#: IB ends snapshots within 11 s; a line that is not given back after this long is taken back.
SNAPSHOT_END_S = 30.0


@dataclass(frozen=True)
class Pace:
    """How long to wait, in seconds of the clock, and at least in seconds of the machine.

    `timeout_s` for a first quote; `settle_s` after it for greeks and open interest, or for a quote after IB has
    said that there is none.
    """

    timeout_s: float
    settle_s: float
    floor_s: float

    @classmethod
    def of(cls, patience: Patience, timeout_s: float) -> Pace:
        """Return the pace of a session's patience."""
        return cls(timeout_s, min(patience.settle_s, timeout_s), patience.floor_s)


class Sweep:
    """One pass over contracts, shared by all links: whichever has a line takes the next one."""

    def __init__(
        self, links: Sequence[Link], asks: Sequence[Ask], *, name: str, priority: Priority, pace: Pace,
        snapshot: bool = False,
    ) -> None:  # fmt: skip
        self._links, self.pace, self.snapshot = links, pace, snapshot
        self._name, self._priority = name, priority
        self._asks = {ask.con_id: ask for ask in asks}
        self.pending: deque[Slot] = deque()
        self._ready: deque[Observation] = deque()
        self._wake = asyncio.Event()
        self._rotations: list[Rotation] = []
        self._idle_since: tuple[float, float] | None = None
        self._left = 0

    async def run(self) -> AsyncGenerator[Observation, None]:
        """Yield one observation for every contract, in the order in which they complete."""
        self._left = len(self._asks)
        self._rotations = [Rotation(self, link, self._name, self._priority) for link in self._links]
        if not self._rotations:
            return
        self.pending.extend(Slot(ask, self._rotations[0]) for ask in self._asks.values())
        try:
            for rotation in self._rotations:
                rotation.arm()
            while self._left > 0:
                if not self._ready:
                    self._wake.clear()
                    await self._wake.wait()
                while self._ready:
                    self._left -= 1
                    yield self._ready.popleft()
        finally:
            self.pending.clear()
            for rotation in self._rotations:
                rotation.close()

    @property
    def goes_on_elsewhere(self) -> bool:
        """Whether some login would answer now."""
        return any(link.usable for link in self._links)

    def deliver(self, observation: Observation) -> None:
        """Hand over what came for one contract."""
        self._ready.append(observation)
        self._wake.set()

    def abandon(self) -> None:
        """Deliver the rest as disconnected once every link is closed for good."""
        if all(link.session.state is SessionState.HALTED for link in self._links):
            self._give_up_pending("disconnected")

    def look(self, now: float, machine: float) -> None:
        """End the sweep when nothing moves any more: no link is usable, or others hold all lines."""
        if not self.pending or any(rotation.in_flight for rotation in self._rotations):
            self._idle_since = None
            return
        if self._idle_since is None:
            self._idle_since = (now, machine)
        since, since_machine = self._idle_since
        if now - since < self.pace.timeout_s or machine - since_machine < self.pace.floor_s:
            return
        self._give_up_pending(next((link.why_not for link in self._links if link.why_not), "no_line"))

    def _give_up_pending(self, reason: str) -> None:
        while self.pending:
            self.deliver(Observation(self.pending.popleft().ask.con_id, missing=reason))


class Rotation(Feeder):
    """The part of a sweep that goes over one link."""

    def __init__(self, sweep: Sweep, link: Link, name: str, priority: Priority) -> None:
        self._sweep = sweep
        super().__init__(link, name, priority)

    @property
    def waiting(self) -> int:
        """Contracts that nobody has asked for yet."""
        return len(self._sweep.pending)

    @property
    def has_intents(self) -> bool:
        """A sweep is no standing wish."""
        return False

    @property
    def snapshot(self) -> bool:
        """Whether the sweep asks for snapshots."""
        return self._sweep.snapshot

    def next_slot(self) -> Slot:
        """Take the next contract of the sweep."""
        slot = self._sweep.pending.popleft()
        if not self._sweep.pending:
            self.holder.wanted = 0
        return slot

    def again(self, slot: Slot, *, first: bool) -> None:
        """Put a contract back."""
        (self._sweep.pending.appendleft if first else self._sweep.pending.append)(slot)

    def give_up(self, slot: Slot, reason: str) -> None:
        """Deliver what came, with the reason why the quote did not."""
        slot.done = True
        slot.observation.missing = reason
        self._sweep.deliver(slot.observation)

    def ticked(self, slot: Slot) -> None:
        """Finish a contract as soon as all that was wanted is there."""
        if not slot.done and slot.complete:
            self._finish(slot)

    def snapshot_ended(self, slot: Slot) -> None:
        """A snapshot gives its line back by itself."""
        self.release(slot, cancel=False)
        if not slot.done:
            slot.done = True
            if not slot.has_price:
                slot.observation.missing = "empty_quote" if slot.told_empty else "timeout"
            self._sweep.deliver(slot.observation)
        self.leave_if_done()
        self.arm()

    def ended(self) -> None:
        """Let the sweep end when this was the last link."""
        self._sweep.abandon()

    def look(self, now: float, machine: float) -> None:
        """Finish what has settled, give up what has timed out; what waits in vain here is asked for elsewhere."""
        if not self.link.usable and self._sweep.goes_on_elsewhere:
            for slot in reversed([slot for slot in self.in_flight.values() if not (slot.done or slot.has_price)]):
                self.release(slot, cancel=True)
                self.again(slot, first=True)
        for slot in list(self.in_flight.values()):
            self._judge(slot, now, machine)
        self._sweep.look(now, machine)

    def _judge(self, slot: Slot, now: float, machine: float) -> None:
        pace = self._sweep.pace
        if machine - slot.begun_machine < pace.floor_s:
            return
        if slot.done:
            if now - slot.begun >= SNAPSHOT_END_S:
                self.release(slot, cancel=True)
        elif slot.has_price:
            slot.quoted = slot.quoted or now
            if now - slot.quoted >= pace.settle_s or now - slot.begun >= pace.timeout_s:
                self._finish(slot)
        elif slot.told_empty and now - slot.begun >= min(pace.timeout_s, 2.0 * pace.settle_s):
            self._finish(slot, "empty_quote")
        elif now - slot.begun >= pace.timeout_s:
            self._finish(slot, self.link.why_not or "timeout")

    def _finish(self, slot: Slot, missing: str = "") -> None:
        slot.done = True
        observation = slot.observation
        observation.missing = missing
        if not self.snapshot or missing == "timeout":
            self.release(slot, cancel=True)
        else:
            # Its line is free at the snapshot's end; until then ticks must not change what was delivered.
            slot.observation = Observation(observation.con_id)
            if self._sweep.pending and self.link.lines.free == 0:
                self.release(slot, cancel=True)
        self._sweep.deliver(observation)
        self.arm()
