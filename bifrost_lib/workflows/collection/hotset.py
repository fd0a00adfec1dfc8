"""Which underlyings stream: those that are watched while they trade, and those that someone asked for lately."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from bifrost_lib.ib import Gateway
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.streaming import HotStream
from bifrost_lib.workflows.collection.sweep import Sweeper
from bifrost_lib.workflows.collection.watched import Watched
from bifrost_lib.workflows.desk import Desk

#: Share of the lines that the hot set may hold; the rotation needs the others.
SHARE = 0.4
MOST_LINES = 200  # also where the gateway knows no limit
#: A stream of fewer lines than this shows no smile; shares are multiples of it, so that one line more or less, as the
#: gateway grants it, does not start every stream again.
FEWEST_LINES = 5
LOOK_S = 0.5  # of the machine


class HotSet:
    """Keeps one stream for each hot underlying; all of them share a part of the lines.

    Attributes
    ----------
    streams : dict of str to HotStream
        Those that run, by symbol.
    """

    def __init__(self, desk: Desk, gateway: Gateway, sweeper: Sweeper, watched: Watched, *, hours: Hours) -> None:
        self._desk, self._gateway, self._sweeper = desk, gateway, sweeper
        self._watched, self._hours = watched, hours
        self._running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self.streams: dict[str, HotStream] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Stream until `stop` is set."""
        try:
            while not stop.is_set():
                lines = self._lines()
                await self._follow(self._wanted(lines), lines)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_S)
        finally:
            await self._follow([], 0)

    async def _follow(self, symbols: list[str], total: int) -> None:
        """Stream these and nothing else, over `total` lines; a stream whose share has changed starts again."""
        lines = total // max(1, len(symbols))
        for symbol in list(self._running):
            if symbol not in symbols or self.streams[symbol].lines != lines:
                task, ending = self._running.pop(symbol)
                ending.set()
                await task
                del self.streams[symbol]
        for symbol in symbols:
            if symbol not in self._running:
                ending = asyncio.Event()
                stream = HotStream(
                    self._desk.store, self._gateway, self._sweeper, self._desk.clock, symbol=symbol, lines=lines
                )
                self.streams[symbol] = stream
                self._running[symbol] = asyncio.create_task(stream.run(ending), name=f"hot {symbol}"), ending

    def _lines(self) -> int:
        """Return how many lines the hot set may hold: a share of those that the gateway grants at present."""
        lines = min(int(SHARE * self._gateway.status().lines.total), MOST_LINES)
        return lines - lines % FEWEST_LINES

    def _wanted(self, lines: int) -> list[str]:
        now = self._desk.clock.now()
        trading = [w.symbol for w in self._watched.watches if self._hours.slot_at(now, w.cadence_s) is not None]
        return list(dict.fromkeys([*self._watched.asked_lately(), *trading]))[: lines // FEWEST_LINES]
