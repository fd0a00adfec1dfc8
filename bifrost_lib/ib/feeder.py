"""What everyone does who is fed over a link: take lines, send one message at a time, give way, and start again."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from bifrost_lib.ib.errors import Category, Verdict, classify
from bifrost_lib.ib.lines import Holder, Priority
from bifrost_lib.ib.pacer import Lane
from bifrost_lib.ib.slots import Slot

if TYPE_CHECKING:
    from bifrost_lib.ib.link import Link

#: Messages sent in one go where the pace is unlimited; then the socket's answers get their turn.
BURST = 256
#: How often one contract is asked for again after refusals that may pass.
MOST_ATTEMPTS = 8
PAUSE_S, LONGEST_PAUSE_S = 0.5, 60.0


class Feeder(ABC):
    """Slots in flight on one link, request ids to cancel, and the turn of the next message.

    A subclass says which slot comes next and what becomes of one that is refused or given up.
    """

    def __init__(self, link: Link, name: str, priority: Priority) -> None:
        self.link = link
        self.holder = Holder(name, priority, revoke=self._revoke, offer=self.arm)
        self.in_flight: dict[int, Slot] = {}
        self.cancels: deque[tuple[int, float]] = deque()  # (request id, when it began)
        self._armed = False
        self._paused_until = float("-inf")
        self._closing = False
        link.lines.join(self.holder)
        link.join(self)

    @property
    @abstractmethod
    def waiting(self) -> int:
        """How many slots could be asked for now."""

    @property
    @abstractmethod
    def has_intents(self) -> bool:
        """Whether lines must be restored after a reconnect before the session counts as ready."""

    @property
    def restoring(self) -> bool:
        """Whether intents still wait for lines that there are."""
        return self.has_intents and self.waiting > 0 and self.link.lines.free > 0

    @abstractmethod
    def next_slot(self) -> Slot:
        """Return the slot to ask for next; only called while some are waiting."""

    @abstractmethod
    def again(self, slot: Slot, *, first: bool) -> None:
        """Ask for a slot again later, before all others or after them."""

    @abstractmethod
    def give_up(self, slot: Slot, reason: str) -> None:
        """Nothing will come for a slot."""

    @abstractmethod
    def ticked(self, slot: Slot) -> None:
        """Something came for a slot."""

    @abstractmethod
    def ended(self) -> None:
        """The link is closed for good."""

    @abstractmethod
    def look(self, now: float, machine: float) -> None:
        """Act on what has settled or timed out; called some twenty times a second of the machine."""

    @abstractmethod
    def snapshot_ended(self, slot: Slot) -> None:
        """Act on the end of a snapshot."""

    @property
    def snapshot(self) -> bool:
        """Whether snapshots are asked for."""
        return False

    # sending

    def arm(self) -> None:
        """Ask for a turn if there is something to send."""
        if self._armed or not self._has_work():
            return
        self._armed = True  # before the post: the turn may come at once
        if self.link.pacer.unlimited:
            asyncio.get_running_loop().call_soon(self._burst)
        else:
            self.link.pacer.post(Lane.MARKET_DATA, self._turn)

    def _turn(self) -> bool:
        self._armed = False
        sent = self._send_one()
        self.arm()
        return sent

    def _burst(self) -> None:
        for _ in range(BURST):
            if not self.link.pacer.at_once(self._send_one):
                break
        self._armed = False
        self.arm()

    def _has_work(self) -> bool:
        if not self.link.usable:
            return False
        if self._can_ask():
            return True
        return self._can_cancel()

    def _can_cancel(self) -> bool:
        return bool(self.cancels) and self.cancels[0][1] + self.link.limits.minimum_hold_s <= self.link.now()

    def _can_ask(self) -> bool:
        if self._closing or self.waiting == 0 or self.link.now() < self._paused_until:
            return False
        if self.link.lines.can_take(self.holder):
            return True
        if self.holder.wanted == 0:
            self.link.lines.want(self.holder, self.waiting)
        return False

    def _send_one(self) -> bool:
        if not self.link.usable:
            return False
        # While messages are scarce, all lines are kept busy, so that each contract has the most time to settle.
        # Where they are free, a line that is not needed would only cause ticks that nobody reads.
        if self.link.pacer.unlimited and self._can_cancel():
            return self._cancel_one()
        if self._can_ask() and self.link.lines.take(self.holder):
            slot = self.next_slot()
            slot.listener = self
            self.in_flight[self.link.subscribe(slot, snapshot=self.snapshot)] = slot
            return True
        return self._can_cancel() and self._cancel_one()

    def _cancel_one(self) -> bool:
        self.link.unsubscribe(self.cancels.popleft()[0])
        self.link.lines.release(self.holder)
        self.leave_if_done()
        return True

    # losing

    def refused(self, slot: Slot, code: int, text: str) -> None:
        """Act on an error that names a slot's request."""
        verdict = classify(code, text)
        if slot.done or verdict.category is Category.NOTICE:
            return
        if verdict.category is Category.LINE_REFUSED:
            self._forget(slot)
            self.link.lines.refused(self.holder)
        else:
            self.release(slot, cancel=not verdict.ends)
        if self._worth_repeating(slot, verdict):
            slot.attempts += 1
            self.again(slot, first=True)
        else:
            self.give_up(slot, verdict.reason)
        self.arm()

    def _worth_repeating(self, slot: Slot, verdict: Verdict) -> bool:
        if not verdict.retry or (slot.attempts >= MOST_ATTEMPTS and not self.has_intents):
            return False
        if verdict.category in (Category.NOT_SUBSCRIBED, Category.COMPETING_SESSION):
            return self.link.lower_data_type(slot, verdict.category)
        if verdict.category is Category.RATE_REFUSED:
            self.link.pacer.slow_down()
        self._paused_until = self.link.now() + min(LONGEST_PAUSE_S, PAUSE_S * 2.0 ** min(slot.attempts, 10))
        return True

    def release(self, slot: Slot, *, cancel: bool) -> None:
        """Stop listening to a slot; its line is free now, or once its cancellation is sent."""
        self._forget(slot)
        if cancel:
            self.cancels.append((slot.req_id, slot.begun))
        else:
            self.link.lines.release(self.holder)

    def _forget(self, slot: Slot) -> None:
        self.in_flight.pop(slot.req_id, None)
        self.link.forget(slot.req_id)

    def lines_lost(self) -> None:
        """All lines are gone without a word: ask again for what was in flight."""
        slots = list(self.in_flight.values())
        for slot in slots:
            self._forget(slot)
        self.cancels.clear()
        self.link.lines.release(self.holder, self.holder.used)
        for slot in reversed(slots):
            self._lost(slot)
        self.leave_if_done()
        self.arm()

    def refresh(self) -> None:
        """The lines may have gone silent: cancel them and ask again."""
        slots = list(self.in_flight.values())
        for slot in reversed(slots):
            self.release(slot, cancel=True)
            self._lost(slot)
        self.arm()

    def _lost(self, slot: Slot) -> None:
        if slot.done:
            return
        slot.attempts += 1
        if slot.attempts > MOST_ATTEMPTS and not self.has_intents:
            self.give_up(slot, self.link.why_not or "cancelled")
        else:
            self.again(slot, first=True)

    def _revoke(self, count: int) -> None:
        """Give back lines to someone of higher priority: those that only wait for their cancellation count."""
        slots = list(self.in_flight.values())
        for slot in reversed(slots[max(0, len(slots) - max(0, count - len(self.cancels))) :]):
            self.release(slot, cancel=True)
            if not slot.done:
                self.again(slot, first=False)
        self.arm()

    def close(self) -> None:
        """Ask for nothing more; the lines are given back as their cancellations are sent."""
        self._closing = True
        self.holder.wanted = 0
        for slot in list(self.in_flight.values()):
            if not (self.snapshot and slot.done):  # a snapshot gives its line back by itself
                self.release(slot, cancel=True)
        if not self.link.session.connected:
            self.cancels.clear()
        self.leave_if_done()
        self.arm()

    def leave_if_done(self) -> None:
        """Leave the link once closing and nothing is left to give back."""
        if self._closing and not self.cancels and not self.in_flight:
            self.link.leave(self)
