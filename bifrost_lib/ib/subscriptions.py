"""Permanent lines: who wants to follow which contracts, kept outside the connection so that it survives it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from copy import copy

from bifrost_lib.ib.errors import classify
from bifrost_lib.ib.feeder import Feeder
from bifrost_lib.ib.lines import Priority
from bifrost_lib.ib.link import Link
from bifrost_lib.ib.records import Observation
from bifrost_lib.ib.slots import Ask, Slot
from bifrost_lib.ib.stale import StaleDetector

#: Reasons that no new connection cures.
FINAL_REASONS = frozenset({"no_security", "invalid_request"})
#: Seconds after which a contract that was refused for another reason is asked for again.
RETRY_S = 30.0


class Lease:
    """The lines of one owner. Contracts without a line say so in `Observation.missing`: ``no_line``."""

    def __init__(self, owner: str, links: Sequence[Link], asks: Sequence[Ask], priority: Priority) -> None:
        self.owner = owner
        self._links, self._asks, self._priority = links, {ask.con_id: ask for ask in asks}, priority
        self._slots: dict[int, Slot] = {}
        self._changed: dict[int, Slot] = {}
        self._wake = asyncio.Event()
        self._streams: list[Stream] = []
        self._closed = False

    def latest(self) -> dict[int, Observation]:
        """Return what is known of every contract now, by con_id; copies that no later tick changes."""
        return {con_id: self._told(slot) for con_id, slot in self._slots.items()}

    async def changes(self) -> AsyncIterator[list[Observation]]:
        """Yield what has changed since the last time, as it comes in; ends when the lease does."""
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            if self._changed:
                changed, self._changed = self._changed, {}
                yield [self._told(slot) for slot in changed.values()]

    def open(self) -> None:
        """Take lines; whatever finds none gets one as soon as it is free."""
        shares = _shares(self._links, list(self._asks.values()))
        self._streams = [Stream(self, link, share, self._priority) for link, share in shares]
        for stream in self._streams:
            self._slots |= {slot.ask.con_id: slot for slot in stream.slots}
        for stream in self._streams:
            stream.arm()

    def close(self) -> None:
        """Give all lines back."""
        self._closed = True
        self._wake.set()
        for stream in self._streams:
            stream.close()

    def rehome(self, stream: Stream) -> None:
        """Let contracts that wait at one login go to another: at once from one that is down, else to a free line."""
        others = [other for other in self._streams if other is not stream and other.link.usable]
        while others and stream.waiting and (stream.spare < 0 or not stream.link.usable):
            best = max(others, key=lambda other: other.spare)
            if best.spare <= 0 and stream.link.usable:
                break
            best.adopt(stream.part_with_one())
        for other in others:
            other.arm()

    def note(self, slot: Slot) -> None:
        """A slot has changed."""
        self._changed[slot.ask.con_id] = slot
        self._wake.set()

    def _told(self, slot: Slot) -> Observation:
        told = copy(slot.observation)
        if not told.missing and not slot.has_price:
            told.missing = "empty_quote" if slot.told_empty else "pending"
        return told


class Stream(Feeder):
    """The part of a lease that goes over one link."""

    def __init__(self, lease: Lease, link: Link, asks: Sequence[Ask], priority: Priority) -> None:
        self._lease, self._stale = lease, StaleDetector()
        self._next_stale_look = float("-inf")
        self._retry_at = float("inf")
        self.slots = [Slot(ask, self) for ask in asks]
        self._pending: deque[Slot] = deque(self.slots)
        for slot in self.slots:
            slot.observation.missing = "no_line"
        super().__init__(link, lease.owner, priority)

    @property
    def waiting(self) -> int:
        """Contracts without a line."""
        return len(self._pending)

    @property
    def has_intents(self) -> bool:
        """A lease is a standing wish."""
        return not self._closing

    @property
    def spare(self) -> int:
        """Lines of the link that neither anybody uses nor this stream waits for."""
        return self.link.lines.free - self.waiting

    def part_with_one(self) -> Slot:
        """Give up the next contract without a line."""
        slot = self.next_slot()
        self.slots.remove(slot)
        return slot

    def adopt(self, slot: Slot) -> None:
        """Take over a contract that another stream of the lease has no line for."""
        self._pending.append(slot)
        self.slots.append(slot)
        slot.listener = self

    def next_slot(self) -> Slot:
        """Take the next contract without a line."""
        slot = self._pending.popleft()
        if not self._pending:
            self.holder.wanted = 0
        return slot

    def again(self, slot: Slot, *, first: bool) -> None:
        """Wait for a line again; what is known so far stays known, and says why it is old."""
        if self._closing:
            return
        slot.observation.missing = self.link.why_not or "no_line"
        self._stale.forget(slot.ask.con_id)
        (self._pending.appendleft if first else self._pending.append)(slot)
        self._lease.note(slot)

    def give_up(self, slot: Slot, reason: str) -> None:
        """Leave a contract without a line for good."""
        slot.done = True
        slot.observation.missing = reason
        self._stale.forget(slot.ask.con_id)
        self._retry_at = min(self._retry_at, self.link.now() + RETRY_S)
        self._lease.note(slot)

    def ticked(self, slot: Slot) -> None:
        """Note a change; the owner hears of it when the packet is done."""
        slot.attempts = 0
        self._stale.heard(slot.ask.con_id, self.link.now())
        self._lease.note(slot)

    def snapshot_ended(self, slot: Slot) -> None:
        """A permanent line is no snapshot: the gateway has ended it, so it starts again."""
        self.release(slot, cancel=False)
        self.again(slot, first=False)
        self.arm()

    def refused(self, slot: Slot, code: int, text: str) -> None:
        """As `Feeder.refused`; a subscription that IB ends later starts again under its own reason."""
        super().refused(slot, code, text)
        if not slot.done and slot.req_id not in self.in_flight:
            slot.observation.missing = classify(code, text).reason or slot.observation.missing

    def lines_lost(self) -> None:
        """As `Feeder.lines_lost`; a new connection may grant what the old one refused."""
        self._reconsider()
        super().lines_lost()

    def _reconsider(self) -> None:
        """Put back what was refused for a reason that may have passed."""
        self._retry_at = float("inf")
        for slot in self.slots:
            if slot.done and slot.observation.missing not in FINAL_REASONS and not self._closing:
                slot.done, slot.attempts = False, 0
                self._pending.append(slot)

    def ended(self) -> None:
        """The lease ends with its gateway."""
        self._lease.close()

    def look(self, now: float, machine: float) -> None:
        """Ask again for what has fallen silent, for what was refused a while ago, and for what has no line here."""
        if now >= self._retry_at:
            self._reconsider()
        if self._pending:
            self._lease.rehome(self)
        if now < self._next_stale_look or not self.link.usable:
            return
        self._next_stale_look = now + 1.0
        silent = set(self._stale.stale(now))
        if not silent:
            return
        for slot in [slot for slot in self.in_flight.values() if slot.ask.con_id in silent]:
            self.release(slot, cancel=True)
            self._pending.append(slot)
            slot.observation.missing = "stale"
            self._lease.note(slot)


def _shares(links: Sequence[Link], asks: Sequence[Ask]) -> list[tuple[Link, list[Ask]]]:
    """Deal contracts out to the links in proportion to the lines that are free on each."""
    shares: list[tuple[Link, list[Ask]]] = [(link, []) for link in links]
    free = [max(0, link.lines.free) if link.session.connected else 0 for link in links]
    for ask in asks:
        most = max(range(len(free)), key=free.__getitem__)
        shares[most][1].append(ask)
        free[most] -= 1
    return shares
