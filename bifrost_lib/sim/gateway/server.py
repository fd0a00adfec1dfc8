"""The simulated gateway: a TCP server that unmodified clients of the TWS API talk to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Hashable
from types import TracebackType
from typing import Any, Self

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.sim.broker import Broker
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.gateway import handlers  # noqa: F401 (fills the registry)
from bifrost_lib.sim.gateway.control_server import ControlServer
from bifrost_lib.sim.gateway.events import route
from bifrost_lib.sim.gateway.faults import Faults
from bifrost_lib.sim.gateway.feed import BEAT_S, Feed
from bifrost_lib.sim.gateway.limits import HistoricalGate, Limits
from bifrost_lib.sim.gateway.matching import ContractIndex
from bifrost_lib.sim.gateway.session import Session
from bifrost_lib.sim.wire import MAX_VERSION
from bifrost_lib.sim.wire.errors import error

log = logging.getLogger(__name__)

#: Callbacks closer together than this (seconds) are one stretch in which the gateway was busy.
CONTIGUOUS_S = 0.001
BROKER_EVERY = 2  # beats
MATCH_S = 0.02


class SimulatedGateway:
    """A gateway over a market and a broker; an asynchronous context manager.

    Parameters
    ----------
    market : Market
        Where quotes come from; its clock is the gateway's.
    broker : Broker
        Where orders go.
    port : int
        0: any free one, then told by `port`.
    host : str
        Loopback unless told otherwise; nobody has to prove who he is here.
    limits : Limits
        What clients are granted.
    faults : Faults
        What goes wrong; may be told beforehand and at any time.
    max_version : int
        Of the protocol; a client gets the smaller of its own and this.
    snapshot_s : float
        Seconds until a snapshot ends.

    Attributes
    ----------
    sessions : set of Session
        The clients that are connected.
    """

    def __init__(
        self,
        market: Market,
        broker: Broker,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        faults: Faults | None = None,
        max_version: int = MAX_VERSION,
        snapshot_s: float = 0.25,
    ) -> None:
        self.market, self.broker, self.limits = market, broker, limits
        self.faults = Faults() if faults is None else faults
        self.host, self.port, self.max_version, self.snapshot_s = host, port, max_version, snapshot_s
        self.sessions: set[Session] = set()
        self.index = ContractIndex(market)
        self.feed = Feed(self)
        self.historical = HistoricalGate(limits)
        self.loop: asyncio.AbstractEventLoop
        self._server: asyncio.Server | None = None
        self._beats: asyncio.Task[None] | None = None
        self._control = ControlServer(self)
        self._matching: asyncio.TimerHandle | None = None
        self._busy_since = self._free_since = self._beat_ended = time.monotonic()
        self.details: dict[tuple[Hashable, int, str, int], list[str]] = {}  # of contracts that were told before
        self.articles: dict[tuple[str, str], str] = {}  # texts of the headlines that were told
        self._is_shut = False

    async def __aenter__(self) -> Self:
        self.loop = asyncio.get_running_loop()
        await self._listen()
        await self._control.start()
        self.faults.attach(self)
        self._beats = asyncio.create_task(self._beat_for_ever(), name="beats of the simulated gateway")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_shut = True
        self.faults.close()
        if self._matching is not None:
            self._matching.cancel()
        if self._beats is not None:
            self._beats.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beats
        await self._control.stop()
        self._stop_listening()
        for session in list(self.sessions):
            session.close()
        await asyncio.sleep(0)  # so that the transports close while the loop still runs

    # Connections
    async def _listen(self) -> None:
        self._server = await self.loop.create_server(lambda: Session(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    def shut(self) -> None:
        """Refuse new connections until `reopen`."""
        self._stop_listening()

    def reopen(self) -> None:
        """Accept connections again, unless a fault still forbids it."""
        forbidden = self.faults.is_active("refuse") or self.faults.is_active("relogin")
        if not forbidden and self._server is None and not self._is_shut:
            self._reopening = self.loop.create_task(self._listen())

    def forget(self, session: Session) -> None:
        """Free what a client held whose connection has ended."""
        self.sessions.discard(session)
        session.lines.end()
        self.feed.changed()

    # What the sessions ask
    def arrival(self) -> tuple[float, float]:
        """Return the earliest and the latest moment at which what was read just now may have arrived (monotonic).

        While the gateway was busy, or was not given the processor, it could not read. What waited meanwhile did not
        come at one moment, and its sender must not pay for that.
        """
        now = time.monotonic()
        if now - self._free_since > CONTIGUOUS_S:
            self._busy_since = now
        stretch = max(now - self._busy_since, now - self._beat_ended - BEAT_S)
        return now - max(stretch, 0.0), now

    def handled(self) -> None:
        """Note that a stretch of work is done."""
        self._free_since = time.monotonic()

    def connection_time(self) -> str:
        """Return the market's time as the greeting tells it."""
        return f"{self.market.clock.now().astimezone(EXCHANGE_TZ):%Y%m%d %H:%M:%S} EST"

    def lines_in_use(self) -> int:
        """Return the market-data lines of all clients together."""
        return sum(len(session.lines) for session in self.sessions)

    @property
    def line_limit(self) -> float:
        """Lines that may be in use; infinite without limits."""
        granted = float(self.limits.lines) if self.limits.enforced else float("inf")
        return self.faults.number("line-limit", "lines", granted)

    def announce(self, code: int, **facts: Any) -> None:
        """Send a notice to every client."""
        for session in self.sessions:
            if session.is_started:
                session.send(error(code, **facts))

    # The beat
    async def _beat_for_ever(self) -> None:
        count, due = 0, self.loop.time()
        while True:
            due = max(due + BEAT_S, self.loop.time())
            await asyncio.sleep(due - self.loop.time())
            count += 1
            try:
                self.beat(count)
            except Exception:
                # A market that fails for one moment must not end the gateway.
                log.exception("beat %d failed", count)

    def beat(self, count: int) -> None:
        """Do what belongs to one beat: quotes, orders, whatever is done again and again."""
        began = time.monotonic()
        if began - self._free_since > CONTIGUOUS_S:
            self._busy_since = began
        flows = self.faults.data_flows
        if flows:
            self.feed.beat(count)
        if count % BROKER_EVERY == 0:
            self.broker.step()
        self.tell_events()
        now = self.loop.time()
        for session in list(self.sessions):
            session.act(now, market_data=flows)
        self.handled()
        self._beat_ended = self._free_since

    def match_soon(self) -> None:
        """Match orders before the next beat, so that a fill follows its order within a few hundredths of a second."""
        if self._matching is None or self._matching.cancelled():
            self._matching = self.loop.call_later(MATCH_S, self._match)

    def _match(self) -> None:
        self._matching = None
        self.broker.step()
        self.tell_events()

    def tell_events(self) -> None:
        """Send what happened at the broker to those whom it concerns."""
        route(self, self.broker.drain())
