"""When the next message may go: evenly spaced, orders first, never more than the allowance in any second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from math import floor

from bifrost_lib.core.clock import Clock
from bifrost_lib.ib.waiting import machine_seconds, seconds_of


class Lane(IntEnum):
    """Which messages go first."""

    ORDERS = 0
    REQUESTS = 1
    MARKET_DATA = 2


class Schedule:
    """The arithmetic of the pace, in seconds of any clock.

    Three rules: slots are ``1 / rate`` apart, with a credit so that a machine that was busy for less than that costs
    no throughput; the n-th message goes more than one second after the (n - rate)-th, whatever the credit; and what
    is late is made up for at no more than twice the pace, so that it is no burst either. The last two hold for every
    sliding window, which a bucket of tokens does not.

    Parameters
    ----------
    rate : float
        Messages a second.
    credit_s : float
        How late a message may be without moving the slots of the next ones.
    burst_s : float, optional
        The window in which twice the pace is allowed; 0: no such rule.

    References
    ----------
    The first rule is the virtual scheduling algorithm of ITU-T Recommendation I.371, annex A.
    """

    MARGIN_S = 2e-6  # two ticks of a clock of microseconds: strictly more than the window

    def __init__(self, rate: float, credit_s: float, burst_s: float = 0.0) -> None:
        self.rate, self._credit_s, self._burst_s = rate, credit_s, burst_s
        self._most, self._burst = max(1, floor(rate)), max(1, floor(2.0 * rate * burst_s))
        self._slot = float("-inf")
        self._sent: deque[float] = deque()

    @property
    def window_s(self) -> float:
        """The window that holds a whole number of messages: one second, longer below one message a second."""
        return max(1.0, 1.0 / self.rate)

    def wait(self, now: float) -> float:
        """Return the seconds from `now` until the next message may go; 0 when it may go now."""
        if self._sent and now < self._sent[-1]:  # the clock was set back: its old moments say nothing
            self._sent.clear()
            self._slot = now + self._credit_s + 1.0 / self.rate
        earliest = self._slot - self._credit_s
        for most, window_s in ((self._most, self.window_s), (self._burst, self._burst_s)):
            if most <= len(self._sent) and window_s > 0:
                earliest = max(earliest, self._sent[-most] + window_s + self.MARGIN_S)
        return max(0.0, earliest - now)

    def sent(self, now: float) -> None:
        """Note that a message went at `now`."""
        # A message that is late by less than the credit moves no slot; after a longer pause the pace begins anew.
        base = self._slot if now <= self._slot else now + self._credit_s
        self._slot = base + 1.0 / self.rate
        self._sent.append(now)
        while len(self._sent) > self._most:
            self._sent.popleft()


class Ticket:
    """A message that waits for its turn."""

    __slots__ = ("action", "cancelled")

    def __init__(self, action: Callable[[], object]) -> None:
        self.action, self.cancelled = action, False

    def cancel(self) -> None:
        """Give the turn away; nothing is sent."""
        self.cancelled = True


class Pacer:
    """Calls each posted action when its message may go.

    An action that returns False has sent nothing and costs nothing. Actions run inside the event loop, at the very
    moment of their turn, so that what was measured is what was sent.
    """

    SLOWEST = 10.0  # messages a second: below it the gateway's refusals have another cause
    AT_ONCE = 64  # messages before the event loop may hear what came: on a fast clock there is always a next one due

    def __init__(self, clock: Clock, messages_per_s: float | None = 45.0) -> None:
        self._clock, self._allowed = clock, messages_per_s
        self._schedule = None if messages_per_s is None else self._scheduled(messages_per_s)
        self._lanes: tuple[deque[Ticket], ...] = tuple(deque() for _ in Lane)
        self._timer: asyncio.TimerHandle | None = None
        self._running = False
        self._recent: deque[tuple[int, int]] = deque()  # (second, messages)
        self.sent_total = 0

    @property
    def unlimited(self) -> bool:
        """Whether messages go at once."""
        return self._schedule is None

    @property
    def rate(self) -> float | None:
        """Messages a second, now."""
        return None if self._schedule is None else self._schedule.rate

    def post(self, lane: Lane, action: Callable[[], object]) -> Ticket:
        """Queue an action; the ticket can be cancelled until its turn."""
        ticket = Ticket(action)
        self._lanes[lane].append(ticket)
        if self._timer is None and not self._running:
            self._run()
        return ticket

    def at_once(self, action: Callable[[], object]) -> bool:
        """Call an action now and count it, where the pace is unlimited; tell whether it sent something."""
        sent = action() is not False
        if sent:
            self._count()
        return sent

    async def turn(self, lane: Lane) -> None:
        """Wait for the turn of one message; when cancelled, the turn goes to the next."""
        if self._schedule is None:
            self._count()
            return
        granted = asyncio.get_running_loop().create_future()
        ticket = self.post(lane, lambda: None if granted.cancelled() else granted.set_result(None))
        try:
            await granted
        finally:
            ticket.cancel()

    def allow(self, messages_per_s: float | None) -> None:
        """Change the pace for a new connection; a pace that was slowed down is kept until the allowance changes."""
        if messages_per_s != self._allowed:
            self._allowed = messages_per_s
            self._schedule = None if messages_per_s is None else self._scheduled(messages_per_s)

    def slow_down(self) -> None:
        """Lower the pace by a tenth, because the gateway says that it is too fast (error 100)."""
        if self._schedule is not None:
            self._schedule = self._scheduled(max(self.SLOWEST, 0.9 * self._schedule.rate))

    def messages_per_s(self, over_s: int = 10) -> float:
        """Return the average pace of the last `over_s` whole seconds."""
        now = int(seconds_of(self._clock))
        return sum(count for second, count in self._recent if now - over_s <= second < now) / over_s

    def waiting(self) -> int:
        """Return how many messages wait."""
        return sum(not ticket.cancelled for lane in self._lanes for ticket in lane)

    def close(self) -> None:
        """Drop what waits."""
        for lane in self._lanes:
            lane.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _scheduled(self, rate: float) -> Schedule:
        # Timers are late by milliseconds; on a busy machine this process may stand still for half a second.
        burst_s = max(0.1, 0.01 * self._clock.speed)
        return Schedule(rate, credit_s=10.0 * burst_s, burst_s=burst_s)

    def _run(self) -> None:
        self._timer, self._running = None, True
        loop, until = asyncio.get_running_loop(), self.sent_total + self.AT_ONCE
        try:
            while (ticket := self._first()) is not None:
                wait = 0.0 if self._schedule is None else self._schedule.wait(seconds_of(self._clock))
                if wait > 0 or self.sent_total >= until:
                    self._timer = loop.call_later(machine_seconds(self._clock, wait), self._run)
                    return
                self._take(ticket)
                if ticket.action() is not False:
                    self._count()
        finally:
            self._running = False

    def _first(self) -> Ticket | None:
        for lane in self._lanes:
            while lane and lane[0].cancelled:
                lane.popleft()
            if lane:
                return lane[0]
        return None

    def _take(self, ticket: Ticket) -> None:
        for lane in self._lanes:
            if lane and lane[0] is ticket:
                lane.popleft()
                return

    def _count(self) -> None:
        now = seconds_of(self._clock)
        if self._schedule is not None:
            self._schedule.sent(now)
        self.sent_total += 1
        second = int(now)
        if self._recent and self._recent[-1][0] == second:
            self._recent[-1] = (second, self._recent[-1][1] + 1)
            return
        self._recent.append((second, 1))
        while len(self._recent) > 120:
            self._recent.popleft()
