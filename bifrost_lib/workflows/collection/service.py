"""The collector that never ends: the hot set streams, the rest rotates, requests go first, gaps are filled."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.ib import Gateway, Limits
from bifrost_lib.workflows.collection.hotset import HotSet
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.recovery import last_runs, tell_interrupted
from bifrost_lib.workflows.collection.requests import Requests
from bifrost_lib.workflows.collection.rotation import Rotation
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.sweep import Sweeper, SweepReport
from bifrost_lib.workflows.collection.turns import Turns
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.collection.waiting import run_forever
from bifrost_lib.workflows.collection.watched import Watched
from bifrost_lib.workflows.desk import Desk

DELIVER_EVERY_S = 5.0
AWAY_S = 1.0  # of the machine

log = logging.getLogger(__name__)


class CollectorService:
    """Collects what the watchlist says until it is told to stop.

    Parameters
    ----------
    desk : Desk
        All times are those of its clock.
    gateway : Gateway
        An open one.
    outbox : Outbox
    limits : Limits
        What the gateway session may use.
    hours : Hours
    symbols : sequence of str
        Collect these instead of the watchlist.

    Attributes
    ----------
    turns : Turns
        With the reports of what was swept.
    hot : HotSet
    """

    def __init__(
        self,
        desk: Desk,
        gateway: Gateway,
        outbox: Outbox,
        *,
        limits: Limits,
        hours: Hours,
        symbols: Sequence[str] = (),
    ) -> None:
        self._desk, self._outbox, self._hours = desk, outbox, hours
        self._sweeper = Sweeper(desk, gateway, outbox, limits=limits)
        self._watched, self._rotation = Watched(desk, symbols), Rotation(hours)
        self.turns = Turns(desk, gateway, self._sweeper, self._watched, self._rotation)
        self.requests = Requests(desk, self._sweeper, self._watched)
        self.hot = HotSet(desk, gateway, self._sweeper, self._watched, hours=hours)

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; what has been observed by then is stored first."""
        await self._recover(stop)
        clock = self._desk.clock
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.turns.run(stop))
            tasks.create_task(self.requests.run(stop))
            tasks.create_task(self.hot.run(stop))
            tasks.create_task(
                run_forever(self._deliver, name="delivery", every_s=DELIVER_EVERY_S, clock=clock, stop=stop)
            )

    async def run_once(self, stop: asyncio.Event) -> list[SweepReport]:
        """Sweep everything that is watched once, whatever the hour."""
        await self._recover(stop)
        reports = []
        for watch in self._watched.watches:
            if not stop.is_set():
                reports.append(await self._sweeper.sweep(watch.symbol, Selection.of(watch), stop=stop))
        return reports

    async def _recover(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                await self._outbox.deliver()
                await asyncio.to_thread(tell_interrupted, self._desk, self._hours)
                watches = await self._watched.load()
                for symbol, moment in (await asyncio.to_thread(last_runs, self._desk, watches)).items():
                    self._rotation.remember(symbol, moment)
                return
            except SourceUnavailable as trouble:
                log.warning("%s; waiting for it", trouble)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), AWAY_S)

    async def _deliver(self) -> None:
        if self._outbox.waiting:
            done = await self._outbox.deliver()
            log.info("%s batches that waited on the disk are stored", done.stored)
