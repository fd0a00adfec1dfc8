"""One pass over options: observations in, batches out, every contract accounted for."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from math import isfinite, nan

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.ib import Gateway, ListedOption, Observation, Priority, Underlying
from bifrost_lib.store import SpooledBatch
from bifrost_lib.workflows.collection.changes import joined
from bifrost_lib.workflows.collection.chunks import Chunk
from bifrost_lib.workflows.collection.memory import ChainMemory
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.rows import Observed

#: Reasons that the collector itself gives.
STOPPED, DISCONNECTED = "stopped", "disconnected"
#: Complete groups become rows at most this often, in the machine's seconds: making a frame has its price.
CUT_S = 1.0
#: How old the underlying's price may be, in the machine's seconds; looking at it for each contract would cost more.
LOOK_S = 0.02
#: Batches under way to the store at once; more would only pile up in memory, where a kill loses them.
MOST_SENDING = 3

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What is going to be observed: `listed` is all that there is of the chosen expiries, `options` what is wanted."""

    underlying: Underlying
    spot: float
    listed: list[ListedOption]
    options: list[ListedOption]


@dataclass(frozen=True)
class Accounts:
    """Under what name rows are stored, and until when what is missing is worth asking for; None: not worth a gap."""

    collector: str
    source: str
    fillable_until: datetime | None


class Pass:
    """One pass over the options of a plan."""

    def __init__(
        self,
        gateway: Gateway,
        outbox: Outbox,
        memory: ChainMemory,
        clock: Clock,
        *,
        plan: Plan,
        chunks: list[Chunk],
        accounts: Accounts,
    ) -> None:
        self._gateway, self._outbox, self._memory, self._clock = gateway, outbox, memory, clock
        self._plan, self._accounts, self._chunks = plan, accounts, chunks
        self._symbol = plan.underlying.symbol
        self._open = list(chunks)
        self._where = {option.con_id: (chunk, option) for chunk in chunks for option in chunk.options}
        self._sending: list[asyncio.Task[int]] = []
        self._messages = gateway.status().messages_sent
        gateway.reset_peak()
        self.rows_stored = 0

    async def run(self, *, priority: Priority, stop: asyncio.Event) -> None:
        """Observe everything, store what comes, and leave nothing unaccounted for, whatever happens."""
        reason = DISCONNECTED
        try:
            await self._observe(priority, stop)
            reason = STOPPED if stop.is_set() else DISCONNECTED
        except BifrostError as trouble:
            log.warning("%s: %s", self._symbol, trouble)
        for chunk in list(self._open):
            await self._finish(chunk, reason)
        await self._sent(0)

    async def _observe(self, priority: Priority, stop: asyncio.Event) -> None:
        plan, cut, looked = self._plan, time.monotonic(), -LOOK_S
        underlying: Observation | None = None
        holder = f"spot {self._symbol}"
        async with self._gateway.hold(holder, [plan.underlying], priority=priority) as lease:
            observations = self._gateway.observe(plan.options, open_interest=True, priority=priority)
            async with aclosing(observations):
                async for observation in observations:
                    chunk, option = self._where[observation.con_id]
                    if time.monotonic() - looked > LOOK_S:
                        looked, underlying = time.monotonic(), lease.latest().get(plan.underlying.con_id)
                    chunk.take(Observed(option, observation, self._spot(underlying, observation)))
                    if not chunk.pending and chunk in self._open:
                        await self._finish(chunk, "")
                    elif time.monotonic() - cut > CUT_S:
                        cut = time.monotonic()
                        chunk.cut(self._symbol, self._clock.now())
                    if stop.is_set():
                        return

    def _spot(self, underlying: Observation | None, observation: Observation) -> float:
        """Return the underlying's price of this moment: as streamed, else as at the start, else behind IB's model."""
        for spot in (nan if underlying is None else spot_of(underlying), self._plan.spot, observation.spot):
            if spot > 0:
                return spot
        return nan

    async def _finish(self, chunk: Chunk, reason: str) -> None:
        self._open.remove(chunk)
        status, now = self._gateway.status(), self._clock.now()
        chunk.lines_peak = status.lines.peak
        chunk.messages = max(0, status.messages_sent - self._messages)
        self._messages = status.messages_sent
        self._gateway.reset_peak()
        chunk.end(self._symbol, now, reason=reason)
        for following in self._open[:1]:
            following.opened = now
        await self._sent(MOST_SENDING - 1)
        self._sending.append(asyncio.create_task(self._send(chunk, now)))

    async def _send(self, chunk: Chunk, finished: datetime) -> int:
        return await self._outbox.send(await asyncio.to_thread(self._batch, chunk, finished))

    def _batch(self, chunk: Chunk, finished: datetime) -> SpooledBatch:
        accounts = self._accounts
        compared = self._memory.compare(self._symbol, chunk.frames)
        until = accounts.fillable_until
        return SpooledBatch(
            batch_id=chunk.batch_id,
            collector=accounts.collector,
            source=accounts.source,
            symbol=self._symbol,
            started=chunk.started,
            finished=max(finished, chunk.started),
            outcome=chunk.outcome(finished),
            frames=tuple(chunk.frames),
            changes=joined(chunk.changes, compared),
            gaps=chunk.gaps_before if until is None else chunk.gaps_before + chunk.gaps(finished, fillable_until=until),
            run_id=chunk.run_id,
        )

    async def _sent(self, most: int) -> None:
        """Wait until at most `most` batches are under way."""
        while len(self._sending) > most:
            self.rows_stored += await self._sending.pop(0)


def spot_of(observation: Observation) -> float:
    """Return the price of an underlying: its mid, else its last trade or level, else its previous close."""
    mid: float = (observation.bid + observation.ask) / 2
    if isfinite(mid) and 0 < observation.bid <= observation.ask:
        return mid
    return next((price for price in (observation.last, observation.close) if price > 0), nan)
