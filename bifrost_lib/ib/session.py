"""A connection to one gateway that is kept alive: it connects, listens to IB's notices, and comes back by itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Protocol

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.ib.backoff import Backoff, ClientIds
from bifrost_lib.ib.client import SOURCE, Client, Library
from bifrost_lib.ib.errors import Category, classify, new_port_of
from bifrost_lib.ib.limits import Patience
from bifrost_lib.ib.pacer import Lane, Pacer
from bifrost_lib.ib.receiver import Receiver
from bifrost_lib.ib.records import SessionState
from bifrost_lib.ib.states import Event, Health, after
from bifrost_lib.ib.waiting import answer, sleep, unless
from bifrost_lib.ib.windows import in_reset_window, needs_login

log = logging.getLogger(__name__)

#: Longest pause between attempts while the gateway is expected back at any moment.
EXPECTED_BACK_S = 60.0


@dataclass(frozen=True)
class Endpoint:
    """Where a gateway listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Hooks(Protocol):
    """What the owner of a session does when something happened."""

    def synced(self) -> bool:
        """A new connection is up. Return whether subscriptions must be restored."""
        ...

    def lost(self) -> None:
        """The connection is gone, and all lines with it."""
        ...

    def restore(self, *, lines_kept: bool) -> None:
        """Ask for everything again; `lines_kept`: the old requests still hold their lines."""
        ...

    def flow_changed(self) -> None:
        """Quotes may have stopped or started to flow."""
        ...


class Session:
    """Keeps one connection; `state`, `since` and `trouble` say how it stands."""

    def __init__(
        self, endpoint: Endpoint, *, library: Library, clock: Clock, role: str, pacer: Pacer, hooks: Hooks,
        patience: Patience, random: Random | None = None,
    ) -> None:  # fmt: skip
        self.endpoint, self._library, self._clock = endpoint, library, clock
        self._pacer, self._hooks, self._patience = pacer, hooks, patience
        self._ids = ClientIds(role)
        self._backoff = Backoff(patience.backoff_s, patience.backoff_cap_s, random=random)
        self.state, self.since = SessionState.DISCONNECTED, clock.now()
        self.health = Health()
        self.client: Client | None = None
        self.receiver: Receiver | None = None
        self.last_heard: datetime | None = None
        self.clock_offset_s = float("nan")
        self._packets = 0
        self._problem = ""
        self._id_refused = False
        self._over = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        """Whether requests can be sent and are answered."""
        return self.client is not None and not self._over.is_set()

    @property
    def simulated(self) -> bool:
        """Whether the gateway says of itself that it is a simulation."""
        return self.health.simulated

    @property
    def trouble(self) -> str:
        """What is wrong, in words; "" when nothing is."""
        if self.state is SessionState.WAITING_2FA:
            return "IB's weekly login has run out: log in to the gateway and confirm the second factor"
        return self.health.trouble if self.connected else self._problem

    async def open(self) -> None:
        """Connect, and stay connected from then on.

        Raises
        ------
        SourceUnavailable
            If the gateway does not answer, or refuses every client id of the role.
        """
        await self._attempt()
        self.keep()

    def keep(self) -> None:
        """Stay connected, or become so."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name=f"session {self.endpoint}")
            self._keeper.add_done_callback(self._kept)

    async def close(self) -> None:
        """Stop for good."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._apply(Event.STOP)
        self._drop()

    def restored(self) -> None:
        """Every intent has its line again."""
        self._apply(Event.RESTORED)
        self._confess()

    async def _keep(self) -> None:
        while True:
            if self.connected:
                await self._watch()
            await self._return()

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        # It runs until it is cancelled; should it fail, nobody must go on waiting for its return.
        if not keeper.cancelled() and (failure := keeper.exception()) is not None:
            log.error("%s: the session has failed", self.endpoint, exc_info=failure)
            self._problem = f"{self.endpoint}: the session has failed: {failure!r}"
            self._apply(Event.STOP)
            self._drop()
            self._hooks.lost()

    async def _attempt(self) -> None:
        while True:
            self._apply(Event.CONNECT)
            try:
                await self._connect()
                return
            except SourceUnavailable as error:
                self._problem = error.problem
                self._drop()
                if self.state in (SessionState.CONNECTING, SessionState.SYNCING) or not self._in_window():
                    self._apply(Event.FAILED)
                if not self._id_refused:
                    raise
            self._ids.refused()
            if self._ids.exhausted:
                self._ids.accepted()
                raise SourceUnavailable(SOURCE, f"{self.endpoint}: every client id of this role is in use")

    async def _connect(self) -> None:
        self._over, self._id_refused, self.health = asyncio.Event(), False, Health(simulated=self.health.simulated)
        over = self._over
        self.receiver = Receiver(self._clock, notice=self._notice, lost=over.set, heard=self._heard)
        client = Client(self._library, self.receiver)
        connecting = asyncio.ensure_future(
            client.connect(self.endpoint.host, self.endpoint.port, self._ids.current, self._patience.connect_s)
        )
        refused = asyncio.ensure_future(over.wait())
        try:
            await asyncio.wait({connecting, refused}, return_when=asyncio.FIRST_COMPLETED)
            if not connecting.done():
                client.abort()
                what = f"client id {self._ids.current} is in use" if self._id_refused else "it closed the connection"
                raise SourceUnavailable(SOURCE, f"{self.endpoint}: {what}")
            connecting.result()
        finally:
            refused.cancel()
            connecting.cancel()
            await asyncio.gather(connecting, refused, return_exceptions=True)
        self.client = client
        self._apply(Event.OPENED)
        await self._probe()
        self._ids.accepted()
        self._backoff.succeeded()
        self._problem = ""
        has_intents = self._hooks.synced()
        self._apply(Event.SYNCED_WITH_INTENTS if has_intents else Event.SYNCED)
        self._confess()
        self._hooks.flow_changed()

    async def _probe(self) -> None:
        """Ask for the gateway's time: an answer proves that the socket works both ways."""
        client, receiver = self.client, self.receiver
        if client is None or receiver is None or not client.connected:
            raise SourceUnavailable(SOURCE, f"{self.endpoint}: it closed the connection")
        asked = receiver.ask_time()
        await self._pacer.turn(Lane.REQUESTS)
        if client.connected:
            client.request_time()
        try:
            told = await answer(self._clock, asked, self._patience.answer_s, floor_s=max(1.0, self._patience.floor_s))
        except TimeoutError:
            raise SourceUnavailable(SOURCE, f"{self.endpoint}: the gateway no longer answers") from None
        self.clock_offset_s = told - self._clock.now().timestamp()

    async def _watch(self) -> None:
        """Return when the connection is lost; a socket that only seems open is cut."""
        while not self._over.is_set():
            packets = self._packets
            if await unless(self._over, self._clock, self._patience.heartbeat_s):
                break
            if self.state is SessionState.RESET_WINDOW and not self._in_window():
                self._apply(Event.RESET_OVER)
            if self._trouble_is_old():
                log.warning("%s: %s; connecting anew to hear how it stands", self.endpoint, self.health.trouble)
                break
            if self._packets != packets or self._in_window():
                continue
            try:
                await self._probe()
            except SourceUnavailable as error:
                log.warning("%s", error)
                break
        self._problem = self._problem or f"{self.endpoint}: the connection was lost"
        self._drop()
        self._apply(Event.SOCKET_LOST)
        self._hooks.lost()

    def _trouble_is_old(self) -> bool:
        age_s = (self._clock.now() - self.since).total_seconds()
        return self.state is SessionState.DEGRADED and age_s >= self._patience.degraded_s

    async def _return(self) -> None:
        while True:
            if needs_login(self.last_heard, self._clock.now()):
                self._apply(Event.LOGIN_LAPSED)
            elif self._in_window():
                self._apply(Event.RESET_TROUBLE)
            pause = self._backoff.pause()
            if self.state in (SessionState.WAITING_2FA, SessionState.RESET_WINDOW):
                pause = min(pause, EXPECTED_BACK_S)
            await sleep(self._clock, pause)
            try:
                await self._attempt()
                return
            except SourceUnavailable as error:
                log.info("attempt %d: %s", self._backoff.attempts, error)

    def _drop(self) -> None:
        client, self.client = self.client, None
        self._over.set()
        if client is not None:
            client.abort()
        if self.receiver is not None:
            self.receiver.fail_questions("the connection was lost")

    def _heard(self) -> None:
        self._packets += 1
        if self.receiver is not None:
            self.last_heard = self.receiver.moment

    def _notice(self, code: int, text: str) -> None:
        category = classify(code, text).category
        if category is Category.CLIENT_ID:
            self._id_refused = True
            self._over.set()
        elif category is Category.SOCKET_RESET:
            self.endpoint = Endpoint(self.endpoint.host, new_port_of(text) or self.endpoint.port)
            self._over.set()
        elif (event := self.health.heard(code, text)) is not None:
            self._happened(event)

    def _happened(self, event: Event) -> None:
        if event is Event.TROUBLE and self._in_window():
            event = Event.RESET_TROUBLE
        self._apply(event)
        if self.client is None or self.state is SessionState.SYNCING:
            return
        if event in (Event.DATA_LOST, Event.FARM_BACK):
            self._hooks.restore(lines_kept=event is Event.FARM_BACK)
        self._hooks.flow_changed()

    def _confess(self) -> None:
        """Say so when notices of trouble came while the session was not ready to be troubled."""
        if not self.health.well:
            self._apply(Event.RESET_TROUBLE if self._in_window() else Event.TROUBLE)

    def _in_window(self) -> bool:
        return in_reset_window(self._clock.now())

    def _apply(self, event: Event) -> None:
        state = after(self.state, event)
        if state is self.state:
            return
        log.info("%s: %s -> %s %s", self.endpoint, self.state.value, state.value, self.health.trouble)
        self.state, self.since = state, self._clock.now()
