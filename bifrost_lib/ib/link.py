"""One gateway login: its session, its pace, its lines, and those who are fed over it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.calendar import exchange_date, is_session, session_close, session_open
from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.ib.client import SOURCE, Client, Library
from bifrost_lib.ib.data_types import FROZEN, LIVE, DataTypes
from bifrost_lib.ib.errors import Category, GatewayRefusal
from bifrost_lib.ib.history import HistoryGate
from bifrost_lib.ib.limits import PLENTY_OF_LINES, UNLIMITED, Limits, Patience
from bifrost_lib.ib.lines import LineBudget
from bifrost_lib.ib.mapping import generic_ticks
from bifrost_lib.ib.pacer import Lane, Pacer
from bifrost_lib.ib.receiver import Receiver
from bifrost_lib.ib.session import Endpoint, Session
from bifrost_lib.ib.slots import Slot
from bifrost_lib.ib.waiting import answer, seconds_of, sleep, until

if TYPE_CHECKING:
    from bifrost_lib.ib.feeder import Feeder

#: Seconds of the machine between two looks at what has settled or timed out.
LOOK_S = 0.05
REGROW_S = 60.0
RATE_PAUSE_S = 1.0


class Link:
    """Sends requests over one session and keeps the budget of its lines."""

    def __init__(
        self, endpoint: Endpoint, *, library: Library, clock: Clock, role: str, limits: Limits, patience: Patience,
        random: Random | None = None,
    ) -> None:  # fmt: skip
        self.clock, self._allowed, self.patience = clock, limits, patience
        self.pacer = Pacer(clock, limits.messages_per_s)
        self.lines = LineBudget(limits.lines or PLENTY_OF_LINES)
        self.gate = HistoryGate(clock, enforced=limits.history)
        self.data_types = DataTypes()
        self.feeders: list[Feeder] = []
        self._looking: asyncio.TimerHandle | None = None
        self._regrow_at = 0.0
        self.session = Session(
            endpoint, library=library, clock=clock, role=role, pacer=self.pacer, hooks=self, patience=patience,
            random=random,
        )  # fmt: skip

    @property
    def limits(self) -> Limits:
        """What the gateway of now is asked for at most."""
        return UNLIMITED if self.session.health.unlimited and not self._allowed.firm else self._allowed

    @property
    def usable(self) -> bool:
        """Whether a subscription would be answered now."""
        return self.session.connected and self.session.health.quotes_flow

    @property
    def why_not(self) -> str:
        """Why it is not usable, as a word for `Observation.missing`; "" when it is."""
        if not self.session.connected or self.session.health.server_lost:
            return "disconnected"
        return "farm_down" if self.session.health.broken_farms else ""

    def now(self) -> float:
        """Return the clock's moment in seconds."""
        return seconds_of(self.clock)

    async def close(self) -> None:
        """End the session; everyone who is fed learns that it is over."""
        if self._looking is not None:
            self._looking.cancel()
        await self.session.close()
        self.lost()
        for feeder in list(self.feeders):
            feeder.ended()
        self.pacer.close()

    # what feeders use

    def join(self, feeder: Feeder) -> None:
        """Let a feeder take part."""
        self.feeders.append(feeder)
        if self._looking is None:
            self._look()

    def leave(self, feeder: Feeder) -> None:
        """Take a feeder out; its lines are free."""
        if feeder in self.feeders:
            self.feeders.remove(feeder)
        self.lines.leave(feeder.holder)

    def subscribe(self, slot: Slot, *, snapshot: bool = False) -> int:
        """Send the request of a slot and return its id; the message's turn and its line are the caller's to have."""
        client, receiver = self._ends()
        req_id, number = client.next_id(), self.data_types.number
        slot.begin(req_id, self.now(), asyncio.get_running_loop().time(), number)
        receiver.slots[req_id] = slot
        ticks = generic_ticks(open_interest=slot.ask.open_interest and not snapshot, delayed=self.data_types.delayed)
        client.subscribe(req_id, slot.ask.con_id, slot.ask.exchange, ticks, snapshot=snapshot)
        return req_id

    def unsubscribe(self, req_id: int) -> None:
        """Send a cancellation."""
        client, _ = self._ends()
        client.unsubscribe(req_id)

    def forget(self, req_id: int) -> None:
        """Stop listening to a request."""
        if self.session.receiver is not None:
            self.session.receiver.slots.pop(req_id, None)

    def lower_data_type(self, slot: Slot, category: Category) -> bool:
        """Ask for a humbler kind of data after a refusal; tell whether asking again makes sense."""
        before, is_open = self.data_types.number, self._is_open()
        if category is Category.COMPETING_SESSION:
            again = self.data_types.retreat(slot.data_type, self.now(), is_open=is_open)
        else:
            again = self.data_types.lower(slot.data_type, is_open=is_open)
        if self.data_types.number != before:
            self._say_data_type()
        return again

    # what requests use

    async def request(self, what: str, send: Callable[[Client, int], None], *, patience_s: float = 0.0) -> list[Any]:
        """Send a request when its turn comes and return the rows of its answer.

        Raises
        ------
        SourceUnavailable
            If the gateway is not connected, or does not answer in time.
        GatewayRefusal
            If IB answers with an error.
        """
        for attempt in range(3):
            try:
                return await self._request(what, send, patience_s or self.patience.request_s)
            except GatewayRefusal as error:
                if error.verdict.category is not Category.RATE_REFUSED or attempt == 2:
                    raise
                self.pacer.slow_down()
                await sleep(self.clock, RATE_PAUSE_S)
        raise AssertionError("unreachable: the loop returns or raises")

    async def _request(self, what: str, send: Callable[[Client, int], None], patience_s: float) -> list[Any]:
        floor_s = max(1.0, self.patience.floor_s)
        if not await until(self.clock, lambda: self.session.connected, patience_s, floor_s=floor_s):
            raise SourceUnavailable(SOURCE, self.session.trouble or "not connected")
        await self.pacer.turn(Lane.REQUESTS)
        client, receiver = self._ends()
        req_id = client.next_id()
        rows = receiver.ask(req_id, what)
        send(client, req_id)
        try:
            return await answer(self.clock, rows, patience_s, floor_s=floor_s)
        except TimeoutError:
            raise SourceUnavailable(SOURCE, f"no answer to {what} within {patience_s:g} s") from None
        finally:
            receiver.questions.pop(req_id, None)

    def _ends(self) -> tuple[Client, Receiver]:
        client, receiver = self.session.client, self.session.receiver
        if client is None or receiver is None or not client.connected:
            raise SourceUnavailable(SOURCE, self.session.trouble or "not connected")
        return client, receiver

    # what the session calls

    def synced(self) -> bool:
        """Begin a connection: IB knows no subscriptions and no market-data type of the one before."""
        self.pacer.allow(self.limits.messages_per_s)
        self.lines.reset(self.limits.lines or PLENTY_OF_LINES)
        self.gate.enforced = self.limits.history
        self.data_types.connected()
        if not self.session.simulated and not self._is_open():
            # Live lines say -1 while the market is closed; frozen ones say what it closed with.
            self.data_types.number = FROZEN
            self._say_data_type()
        return any(feeder.has_intents for feeder in self.feeders)

    def lost(self) -> None:
        """Every line is gone."""
        for feeder in list(self.feeders):
            feeder.lines_lost()

    def restore(self, *, lines_kept: bool) -> None:
        """Ask for everything again."""
        for feeder in list(self.feeders):
            if lines_kept:
                feeder.refresh()
            else:
                feeder.lines_lost()
        self._settle_restoring()

    def flow_changed(self) -> None:
        """Go on where it is possible again."""
        for feeder in list(self.feeders):
            feeder.arm()

    # time

    def _look(self) -> None:
        self._looking = None
        if not self.feeders:
            self._settle_restoring()
            return
        self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)
        now, machine = self.now(), asyncio.get_running_loop().time()
        if now >= self._regrow_at:
            self._regrow_at = now + REGROW_S
            self.lines.regrow()
        if self.data_types.is_due(now) and self.usable:
            self._say_data_type()
            self.restore(lines_kept=True)
        for feeder in list(self.feeders):
            feeder.look(now, machine)
            feeder.arm()
        self._settle_restoring()

    def _settle_restoring(self) -> None:
        if self.session.connected and not any(feeder.restoring for feeder in self.feeders):
            self.session.restored()

    def _say_data_type(self) -> None:
        number = self.data_types.number

        def say() -> bool:
            if not self.session.connected or self.session.client is None or number != self.data_types.number:
                return False
            self.session.client.set_data_type(number)
            return True

        self.pacer.post(Lane.REQUESTS, say)

    def _is_open(self) -> bool:
        return _market_is_open(self.clock.now())

    @property
    def data_type(self) -> int:
        """The kind of market data that is asked for now."""
        return self.data_types.number if self.session.connected else LIVE


def _market_is_open(moment: datetime) -> bool:
    day = exchange_date(moment)
    return is_session(day) and session_open(day) <= moment < session_close(day)
