"""The market-data lines of one gateway login: who holds them, who waits, and who must give way."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum

from bifrost_lib.core.errors import InputError
from bifrost_lib.ib.records import LineGauge


class Priority(IntEnum):
    """Who gets a line first; lower numbers win."""

    ORDERS = 0  # prices that a working order depends on
    HELD = 1  # positions
    DASHBOARD = 2  # what someone looks at
    SWEEP = 3  # the rotation through whole chains


class Holder:
    """Someone who takes lines. `wanted` is how many more it could use now."""

    def __init__(self, name: str, priority: Priority, *, revoke: Callable[[int], None], offer: Callable[[], None]):
        self.name, self.priority, self.revoke, self.offer = name, priority, revoke, offer
        self.used, self.wanted = 0, 0


class LineBudget:
    """Counts lines. Nobody gets one while someone of higher priority waits; those may take lines back.

    A holder takes a line before it subscribes and releases it once its cancellation was sent.
    """

    def __init__(self, total: int) -> None:
        if total < 1:
            raise InputError("total", total, "a whole number >= 1")
        self._configured = self._total = total
        self._holders: list[Holder] = []
        self._peak = 0

    @property
    def total(self) -> int:
        """Lines that may be used, as far as the gateway has let on."""
        return self._total

    @property
    def used(self) -> int:
        """Lines in use."""
        return sum(holder.used for holder in self._holders)

    @property
    def free(self) -> int:
        """Lines that nobody uses."""
        return max(0, self._total - self.used)

    def gauge(self) -> LineGauge:
        """Return how many lines are in use, and by whom."""
        held: dict[str, int] = {}
        for holder in self._holders:
            if holder.used:
                held[holder.name] = held.get(holder.name, 0) + holder.used
        return LineGauge(self.used, self._total, self._peak, held)

    def join(self, holder: Holder) -> Holder:
        """Let a holder take part."""
        self._holders.append(holder)
        self._holders.sort(key=lambda one: one.priority)
        return holder

    def leave(self, holder: Holder) -> None:
        """Take a holder out; its lines are free."""
        if holder in self._holders:
            self._holders.remove(holder)
            holder.used = holder.wanted = 0
            self._offer()

    def want(self, holder: Holder, count: int) -> None:
        """Say how many more lines a holder could use; lower priorities are asked to give back what is lacking."""
        holder.wanted = count
        lacking = self._promised(holder) + count - self.free
        for other in reversed(self._holders):
            if lacking <= 0 or other.priority <= holder.priority:
                return
            asked = min(lacking, other.used)
            if asked > 0:
                other.revoke(asked)
                lacking -= asked

    def can_take(self, holder: Holder) -> bool:
        """Tell whether there is a line for this priority."""
        return self.free > self._promised(holder)

    def take(self, holder: Holder) -> bool:
        """Take one line if there is one for this priority."""
        if not self.can_take(holder):
            return False
        holder.used += 1
        holder.wanted = max(0, holder.wanted - 1)
        self._peak = max(self._peak, self.used)
        return True

    def release(self, holder: Holder, count: int = 1) -> None:
        """Give lines back."""
        holder.used = max(0, holder.used - count)
        self._offer()

    def refused(self, holder: Holder) -> None:
        """Take back a line that the gateway did not grant (error 101): someone else uses lines of this login."""
        holder.used = max(0, holder.used - 1)
        self._total = max(1, min(self._total, self.used))

    def regrow(self) -> None:
        """Try some more lines than the gateway has granted lately: a tenth of what is configured."""
        if self._total < self._configured:
            self._total = min(self._configured, self._total + max(1, self._configured // 10))
            self._offer()

    def reset(self, total: int) -> None:
        """Begin a new connection, which has `total` lines until it says otherwise."""
        self._configured = self._total = total
        self._offer()

    def reset_peak(self) -> None:
        """Begin a new measurement of the most lines used at once."""
        self._peak = self.used

    def _promised(self, holder: Holder) -> int:
        return sum(other.wanted for other in self._holders if other.priority < holder.priority)

    def _offer(self) -> None:
        free = self.free
        for holder in list(self._holders):
            if free <= 0:
                return
            if holder.wanted > 0:
                holder.offer()
                free -= holder.wanted
