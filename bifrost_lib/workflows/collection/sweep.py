"""One sweep of an underlying's options: every contract once, each accounted for in the ledger."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bifrost_lib.core.errors import BifrostError, NoDataError, SourceUnavailable
from bifrost_lib.ib import Gateway, Limits, Priority
from bifrost_lib.sim import SOURCE
from bifrost_lib.store import Gap, RunOutcome, SpooledBatch, begin_runs
from bifrost_lib.workflows.collection.chunks import CHUNK, Chunk, cut_into_chunks, days_wanted, only_wanted
from bifrost_lib.workflows.collection.forecast import Forecast
from bifrost_lib.workflows.collection.memory import ChainMemory
from bifrost_lib.workflows.collection.observing import DISCONNECTED, Accounts, Pass, Plan, spot_of
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.universe import Selection, expiries_to_observe, options_to_observe
from bifrost_lib.workflows.desk import Desk

COLLECTOR = "option_chain"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SweepReport:
    """What became of a sweep; ``received + sum(missing.values()) == expected``.

    `seconds` and `predicted_s` are of the desk's clock. `run_ids` are the ledger's runs, one for each piece of the
    sweep; a piece that began while the database was away has none yet.
    """

    symbol: str
    expected: int
    received: int
    missing: dict[str, int]
    seconds: float
    lines_peak: int
    messages: int
    rows_stored: int
    predicted_s: float
    run_ids: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data."""
        return {
            "symbol": self.symbol,
            "expected": self.expected,
            "received": self.received,
            "missing": self.missing,
            "seconds": round(self.seconds, 3),
            "lines_peak": self.lines_peak,
            "messages": self.messages,
            "rows_stored": self.rows_stored,
            "predicted_s": round(self.predicted_s, 3),
        }


class Sweeper:
    """Sweeps the chains of one gateway into the store.

    Parameters
    ----------
    desk : Desk
    gateway : Gateway
        An open one.
    outbox : Outbox
    limits : Limits
        What the gateway session may use; for predictions only.
    chunk : int
        Contracts in one piece: what a kill can lose, about 20 s of IB's messages by default.
    memory : ChainMemory, optional
        What was seen last, where it has been read before.
    """

    def __init__(
        self, desk: Desk, gateway: Gateway, outbox: Outbox, *, limits: Limits, chunk: int = CHUNK,
        memory: ChainMemory | None = None,
    ) -> None:  # fmt: skip
        self._desk, self._gateway, self._outbox, self._chunk = desk, gateway, outbox, chunk
        self._clock = desk.clock
        self._memory = memory or ChainMemory(desk)
        self.forecast = Forecast(limits)

    @property
    def source(self) -> str:
        """The source under which rows are stored."""
        return SOURCE if self._gateway.status().simulated else "ib"

    async def sweep(
        self,
        symbol: str,
        selection: Selection,
        *,
        stop: asyncio.Event,
        priority: Priority = Priority.SWEEP,
        fillable_until: datetime | None = None,
        before: Sequence[Gap] = (),
    ) -> SweepReport:
        """Observe what `selection` wants of the chain of `symbol`, and store it.

        Parameters
        ----------
        symbol : str
        selection : Selection
        stop : asyncio.Event
            Once set, what has been observed is stored and the rest is missing with the reason ``stopped``.
        priority : Priority
            Whose turn it is when market-data lines are scarce.
        fillable_until : datetime, aware, optional
            When what is missing is not worth asking for any more. Default: the start, so at once.
        before : sequence of Gap
            What is known to be missing from before this sweep; the ledger is told with it.

        Raises
        ------
        NoDataError
            If the gateway knows no such underlying, or no option that is wanted.
        SourceUnavailable
            If the gateway does not answer; the ledger then has a failed run and a gap.
        """
        started = self._clock.now()
        until = fillable_until or started
        # While the gateway tells what is listed, the store tells what was seen last.
        recalling = asyncio.create_task(asyncio.to_thread(self._memory.recall, symbol))
        try:
            try:
                plan = await self.plan(symbol, selection)
            except BifrostError as trouble:
                await self._confess(symbol, started, trouble, until, before)
                raise
            return await self._observe(plan, started, stop, priority, until, before)
        finally:
            await recalling

    async def fill(self, symbol: str, words: Sequence[Sequence[Any]], *, stop: asyncio.Event) -> SweepReport:
        """Observe the contracts that a gap remembers; what is still missing leaves that gap open and makes no other.

        Raises
        ------
        NoDataError, SourceUnavailable
            As `sweep`.
        """
        started = self._clock.now()
        plan = await self.plan(symbol, Selection(expiries=0, days=tuple(days_wanted(words))))
        chosen = Plan(plan.underlying, plan.spot, plan.listed, only_wanted(plan.options, words))
        return await self._observe(chosen, started, stop, Priority.SWEEP, None)

    async def plan(self, symbol: str, selection: Selection) -> Plan:
        """Return what a sweep would observe now.

        Raises
        ------
        NoDataError
            If the gateway knows no such underlying, or no option that is wanted.
        SourceUnavailable
            If the gateway does not answer.
        """
        at = self._clock.now()
        underlying = await self._gateway.underlying(symbol)
        days = expiries_to_observe(await self._gateway.option_classes(underlying), selection, at=at)
        if not days:
            raise NoDataError("listed expiry", at=at, symbol=symbol, hint="ask for more expiries")
        listed = await self._gateway.listed_options(underlying, expiries=days)
        if not listed:
            raise SourceUnavailable("the gateway", f"it names expiries of {symbol}, but none of their contracts")
        spot = spot_of(await self._gateway.spot(underlying))
        options = options_to_observe(listed, spot=spot, at=at, strikes=selection.strikes)
        return Plan(underlying, spot, listed, options)

    async def _observe(
        self,
        plan: Plan,
        started: datetime,
        stop: asyncio.Event,
        priority: Priority,
        until: datetime | None,
        before: Sequence[Gap] = (),
    ) -> SweepReport:
        symbol = plan.underlying.symbol
        predicted_s = self.forecast.seconds(len(plan.options))
        name = f"{COLLECTOR} {symbol} {started:%Y-%m-%dT%H:%M:%S.%fZ} {secrets.token_hex(3)}"
        chunks = cut_into_chunks(plan.options, started=started, name=name, size=self._chunk)
        await asyncio.to_thread(self._enter, symbol, chunks)
        if chunks:
            chunks[0].gaps_before = tuple(before)
            contracts = (option.contract for option in plan.listed)
            chunks[0].changes = self._memory.compare_listing(symbol, contracts, ts=started)
        accounts = Accounts(COLLECTOR, self.source, until)
        passing = Pass(
            self._gateway, self._outbox, self._memory, self._clock, plan=plan, chunks=chunks, accounts=accounts
        )
        await passing.run(priority=priority, stop=stop)
        report = _report(symbol, chunks, passing.rows_stored, predicted_s, self._clock.now())
        self.forecast.learn(report.received, report.seconds, lines_peak=report.lines_peak)
        log.info("%s", report)
        return report

    def _enter(self, symbol: str, chunks: Sequence[Chunk]) -> None:
        """Let the ledger know what is expected, so that even a kill leaves it in balance."""
        if not chunks:
            return
        expected = {chunk.batch_id: len(chunk.options) for chunk in chunks}
        try:
            runs = begin_runs(
                self._desk.store, collector=COLLECTOR, source=self.source, symbol=symbol, started=chunks[0].started,
                expected=expected,
            )  # fmt: skip
            for chunk, run_id in zip(chunks, runs, strict=True):
                chunk.run_id = run_id
        except SourceUnavailable as trouble:  # each batch brings its run along when it is delivered
            log.warning("%s", trouble)

    async def _confess(
        self, symbol: str, started: datetime, trouble: BifrostError, until: datetime, before: Sequence[Gap]
    ) -> None:
        """Let the ledger tell of a sweep that could not even begin; a silent gateway leaves a gap."""
        finished = max(started, self._clock.now())
        gap = Gap(first_ts=started, last_ts=finished, reason=DISCONNECTED, fillable_until=until)
        batch = SpooledBatch(
            batch_id=f"{COLLECTOR} {symbol} {started:%Y-%m-%dT%H:%M:%S.%fZ} {secrets.token_hex(3)} 0/0",
            collector=COLLECTOR, source=self.source, symbol=symbol, started=started, finished=finished,
            outcome=RunOutcome(
                expected=0, received=0, problem=str(trouble), seconds=(finished - started).total_seconds()
            ),
            gaps=(*before, *((gap,) if isinstance(trouble, SourceUnavailable) else ())),
        )  # fmt: skip
        await self._outbox.send(batch)


def _report(
    symbol: str, chunks: Sequence[Chunk], rows_stored: int, predicted_s: float, finished: datetime
) -> SweepReport:
    missing: Counter[str] = sum((chunk.missing for chunk in chunks), Counter())
    started = min((chunk.started for chunk in chunks), default=finished)
    return SweepReport(
        symbol=symbol,
        expected=sum(len(chunk.options) for chunk in chunks),
        received=sum(chunk.received for chunk in chunks),
        missing=dict(missing),
        seconds=(finished - started).total_seconds(),
        lines_peak=max((chunk.lines_peak for chunk in chunks), default=0),
        messages=sum(chunk.messages for chunk in chunks),
        rows_stored=rows_stored,
        predicted_s=predicted_s,
        run_ids=tuple(chunk.run_id for chunk in chunks if chunk.run_id is not None),
    )
