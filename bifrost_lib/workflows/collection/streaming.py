"""The hot set: contracts on permanent lines, whose quotes a page sees a moment after the tick."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from datetime import timedelta

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.ib import Gateway, Priority
from bifrost_lib.store import Store
from bifrost_lib.workflows.collection.observing import spot_of
from bifrost_lib.workflows.collection.sweep import Sweeper
from bifrost_lib.workflows.collection.tape import Tape
from bifrost_lib.workflows.collection.universe import Selection, nearest_the_money

#: Expiries from which the hot set is chosen.
HOT_EXPIRIES = 2
#: How long one choice is kept, in seconds of the desk's clock: the money moves.
REPLAN_S = 60.0
NO_PRICE_PAUSE_S = 5.0  # of the machine
#: Least time between two publications, in the machine's seconds; ticks in between go together. A page is promised a
#: quarter of a second.
GATHER_S = 0.1

log = logging.getLogger(__name__)


class HotStream:
    """Streams the options nearest the money of one underlying.

    Parameters
    ----------
    symbol : str
    lines : int
        How many market-data lines it may hold, that of the underlying included.
    """

    def __init__(
        self, store: Store, gateway: Gateway, sweeper: Sweeper, clock: Clock, *, symbol: str, lines: int
    ) -> None:
        self._store, self._gateway, self._sweeper, self._clock = store, gateway, sweeper, clock
        self.symbol, self.lines = symbol, lines
        self.published = 0
        self.slowest_s = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Choose, hold and publish until `stop` is set; trouble with the gateway or the database is waited out."""
        while not stop.is_set():
            try:
                await self._hold(stop)
            except BifrostError as trouble:
                log.warning("%s is not streamed: %s", self.symbol, trouble)
                await _pause(stop, 1.0)

    async def _hold(self, stop: asyncio.Event) -> None:
        count = max(0, self.lines - 1)
        plan = await self._sweeper.plan(self.symbol, Selection(HOT_EXPIRIES, strikes=count))
        hot = nearest_the_money(plan.options, spot=plan.spot, count=count)
        if not hot:  # nobody knows the price yet, and so not what is near it
            await _pause(stop, NO_PRICE_PAUSE_S)
            return
        now = self._clock.now()
        until = now + timedelta(seconds=REPLAN_S)
        tape = await asyncio.to_thread(Tape, self._store, hot, symbol=self.symbol, source=self._sweeper.source, at=now)
        changed, ticked = set[int](), asyncio.Event()

        async with self._gateway.hold(
            f"hot {self.symbol}", [plan.underlying, *hot], priority=Priority.DASHBOARD
        ) as lease:

            async def gather() -> None:
                async for observations in lease.changes():
                    changed.update(observation.con_id for observation in observations)
                    ticked.set()

            gathering = asyncio.create_task(gather())
            try:
                while not stop.is_set() and self._clock.now() < until and not gathering.done():
                    with suppress(TimeoutError):
                        await asyncio.wait_for(ticked.wait(), 0.2)
                    if not changed:
                        continue
                    begun, fresh, newest = time.monotonic(), set(changed), lease.latest()
                    changed.clear()
                    ticked.clear()
                    underlying = newest.get(plan.underlying.con_id)
                    spot = plan.spot if underlying is None else spot_of(underlying)
                    self.published += await asyncio.to_thread(tape.show, newest, fresh, spot=spot, at=self._clock.now())
                    took = time.monotonic() - begun
                    self.slowest_s = max(self.slowest_s, took)
                    await asyncio.sleep(max(0.0, GATHER_S - took))
            finally:
                gathering.cancel()
                await asyncio.gather(gathering, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
