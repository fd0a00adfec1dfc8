"""IB's rules for historical data, as arithmetic, and a gate that keeps them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bifrost_lib.core.clock import Clock
from bifrost_lib.ib.waiting import LOOK_S, seconds_of, sleep

SMALL_BAR_S = 30
OPEN_AT_ONCE = 50
IDENTICAL_S = 15.0
FAMILY_COUNT, FAMILY_S = 6, 2.0
TOTAL_COUNT, TOTAL_S = 60, 600.0
MARGIN_S = 0.05  # IB counts with its own clock


@dataclass(frozen=True)
class BarsRequest:
    """What identifies a request for bars; `end` is IB's text, "" for now."""

    con_id: int
    exchange: str
    what: str
    bar_s: int
    duration: str
    end: str = ""
    regular_hours: bool = True

    @property
    def weight(self) -> int:
        """How many requests it counts as."""
        return 2 if self.what == "BID_ASK" else 1


class HistoryRules:
    """Tells how long to wait so that IB does not answer with error 162.

    The rules, for bars of 30 s and less: no identical request within 15 s; fewer than six for the same contract,
    exchange and kind of price within 2 s; 60 within ten minutes, BID_ASK counting double. For all bars: 50 open at
    once, which `HistoryGate` keeps.

    References
    ----------
    interactivebrokers.github.io/tws-api/historical_limitations.html
    """

    def __init__(self) -> None:
        self._asked: deque[tuple[float, BarsRequest]] = deque()

    def wait(self, request: BarsRequest, now: float) -> float:
        """Return the seconds from `now` (seconds of the clock) until `request` may be sent."""
        if request.bar_s > SMALL_BAR_S:
            return 0.0
        while self._asked and now - self._asked[0][0] > TOTAL_S + MARGIN_S:
            self._asked.popleft()
        earliest = max(self._identical(request), self._family(request), self._total(request), now)
        return earliest - now

    def asked(self, request: BarsRequest, now: float) -> None:
        """Note that `request` was sent at `now`."""
        if request.bar_s <= SMALL_BAR_S:
            self._asked.append((now, request))

    def _identical(self, request: BarsRequest) -> float:
        moments = [moment for moment, asked in self._asked if asked == request]
        return moments[-1] + IDENTICAL_S + MARGIN_S if moments else float("-inf")

    def _family(self, request: BarsRequest) -> float:
        key = (request.con_id, request.exchange, request.what)
        moments = [moment for moment, asked in self._asked if (asked.con_id, asked.exchange, asked.what) == key]
        if len(moments) < FAMILY_COUNT - 1:
            return float("-inf")
        return moments[1 - FAMILY_COUNT] + FAMILY_S + MARGIN_S

    def _total(self, request: BarsRequest) -> float:
        # Walk back until the request and what was asked later would fill the allowance: that moment must have gone.
        weight = request.weight
        for moment, asked in reversed(self._asked):
            weight += asked.weight
            if weight > TOTAL_COUNT:
                return moment + TOTAL_S + MARGIN_S
        return float("-inf")


class HistoryGate:
    """Lets requests for bars through, one after the other, as the rules allow."""

    def __init__(self, clock: Clock, *, enforced: bool = True) -> None:
        self._clock, self.enforced, self._rules = clock, enforced, HistoryRules()
        self._open = 0

    @asynccontextmanager
    async def opened(self, request: BarsRequest) -> AsyncIterator[None]:
        """Wait until the request may be sent; it counts as open inside the block."""
        while self.enforced and (wait := self._wait(request)) > 0:
            await sleep(self._clock, wait)
        self._rules.asked(request, seconds_of(self._clock))
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1
            await asyncio.sleep(0)

    def _wait(self, request: BarsRequest) -> float:
        if self._open >= OPEN_AT_ONCE:
            return max(0.1, LOOK_S)
        return self._rules.wait(request, seconds_of(self._clock))
