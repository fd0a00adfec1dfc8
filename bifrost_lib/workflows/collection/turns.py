"""The rotation at work: sweeps that are due, and between them gaps that can still be filled."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta

from bifrost_lib.core.errors import BifrostError, SourceUnavailable
from bifrost_lib.ib import Gateway
from bifrost_lib.store import close_gap, open_gaps
from bifrost_lib.workflows.collection.rotation import Rotation, Turn
from bifrost_lib.workflows.collection.sweep import COLLECTOR, Sweeper, SweepReport
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.collection.waiting import sleep_until
from bifrost_lib.workflows.collection.watched import Watched, quietly
from bifrost_lib.workflows.desk import Desk

#: Seconds of the desk's clock: how often the watchlist and the gateway are looked at, how long a gateway that fails is
#: left alone, and a gap that could not be filled.
LOOK_S, PAUSE_S, RETRY_S = 1.0, 5.0, 10.0
_KEPT = 1000  # reports

log = logging.getLogger(__name__)


class Turns:
    """Takes one turn after the other.

    Attributes
    ----------
    reports : list of SweepReport
        The newest thousand.
    """

    def __init__(self, desk: Desk, gateway: Gateway, sweeper: Sweeper, watched: Watched, rotation: Rotation) -> None:
        self._desk, self._gateway, self._sweeper = desk, gateway, sweeper
        self._clock, self._watched, self._rotation = desk.clock, watched, rotation
        self._tried: dict[int, datetime] = {}  # gaps, and when they were asked for last
        self.reports: list[SweepReport] = []

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep and fill until `stop` is set; the batch in flight is stored then."""
        while not stop.is_set():
            watches, now = await self._watched.load(), self._clock.now()
            status = self._gateway.status()
            if not status.quotes_flow:
                self._rotation.blocked(watches, status.state.value)
                await self._wait(LOOK_S, stop)
            elif (turn := self._rotation.next_turn(watches, now)) is not None:
                await self._take(turn, stop)
            elif not await self._fill(stop):
                start = self._rotation.next_start(watches, now)
                left_s = LOOK_S if start is None else (start - now).total_seconds()
                await self._wait(min(left_s, LOOK_S), stop)

    async def _take(self, turn: Turn, stop: asyncio.Event) -> None:
        watch, before = turn.watch, self._rotation.missed_before(turn)
        try:
            report = await self._sweeper.sweep(
                watch.symbol, Selection.of(watch), stop=stop, fillable_until=turn.slot.end, before=before
            )
        except SourceUnavailable as trouble:
            log.warning("%s: %s", watch.symbol, trouble)
            await self._wait(PAUSE_S, stop)
            return
        except BifrostError as trouble:  # this one cannot be collected; the others can
            log.error("%s: %s", watch.symbol, trouble)
            self._rotation.done(turn)
            return
        self._rotation.done(turn)
        self.reports.append(report)
        del self.reports[:-_KEPT]
        if not stop.is_set() and report.received:
            await quietly(self._close_whole, watch.symbol)

    def _close_whole(self, symbol: str) -> None:
        """Close the gaps of sweeps that did not come about in this slot: now one has."""
        now = self._clock.now()
        for gap in open_gaps(self._desk.store, at=now, symbol=symbol).to_dict("records"):
            if gap["wanted"] is None and gap["collector"] == COLLECTOR:
                close_gap(self._desk.store, gap["gap_id"], at=now)

    async def _fill(self, stop: asyncio.Event) -> bool:
        """Ask again for what one gap lacks; tell whether there was one."""
        now = self._clock.now()
        gaps = await quietly(open_gaps, self._desk.store, at=now)
        for gap in [] if gaps is None else gaps.to_dict("records"):
            number, words = gap["gap_id"], gap["wanted"]
            tried = self._tried.get(number)
            if words is None or gap["collector"] != COLLECTOR or (tried and now - tried < timedelta(seconds=RETRY_S)):
                continue
            self._tried[number] = now
            try:
                report = await self._sweeper.fill(gap["symbol"], words, stop=stop)
            except BifrostError as trouble:
                log.warning("gap %s of %s: %s", number, gap["symbol"], trouble)
                return True
            if report.received == len(words):
                await quietly(close_gap, self._desk.store, number, at=self._clock.now())
                del self._tried[number]
            return True
        return False

    async def _wait(self, seconds: float, stop: asyncio.Event) -> None:
        await sleep_until(self._clock.now() + timedelta(seconds=seconds), clock=self._clock, stop=stop)
