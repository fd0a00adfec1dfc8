"""One connected client: its greeting, its requests in, its messages out."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bifrost_lib.sim.gateway.limits import MessageGate
from bifrost_lib.sim.gateway.lines import LineTable
from bifrost_lib.sim.gateway.registry import HANDLERS, Refusal
from bifrost_lib.sim.wire import (
    ErrorMessage,
    FrameReader,
    WireError,
    decode_request,
    encode,
    handshake_reply,
    negotiated_version,
)
from bifrost_lib.sim.wire.errors import error

if TYPE_CHECKING:
    from bifrost_lib.sim.gateway.depth import Book
    from bifrost_lib.sim.gateway.server import SimulatedGateway

log = logging.getLogger(__name__)

#: Bytes that may wait for a client before its ticks are held back, and before it is given up.
HIGH_WATER, DROWNED = 1 << 20, 1 << 26
#: Bytes of one turn that go out before it is over, so that the client reads them while the rest is made.
EARLY = 1 << 16


@dataclass
class Repeated:
    """Something that a session does every `period_s` seconds of the machine."""

    period_s: float
    due: float
    act: Callable[[], None]
    is_market_data: bool


class Session(asyncio.Protocol):
    """A client's connection.

    Attributes
    ----------
    version : int
        Of the protocol, 0 before the greeting.
    client_id : int
        -1 until the client has started its session.
    data_type : int
        Market-data type of coming requests: 1 live, 2 frozen, 3 delayed, 4 delayed frozen.
    lines : LineTable
        Streaming market data.
    """

    def __init__(self, gateway: SimulatedGateway) -> None:
        self.gateway = gateway
        self.version, self.client_id, self.data_type = 0, -1, 1
        self.lines = LineTable()
        self.repeated: dict[tuple[str, int], Repeated] = {}
        self.books: dict[int, Book] = {}
        self.calculations: set[int] = set()  # those under way
        self.accounts: set[str] = set()
        self.wants_positions = self.wants_bulletins = False
        self.is_held = False  # the client does not read: what can wait, waits
        self._gate = MessageGate(gateway.limits)
        self._reader = FrameReader()
        self._out: list[bytes] = []
        self._out_bytes = 0
        self._transport: asyncio.Transport | None = None

    # The connection
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):  # pragma: no cover - what asyncio promises
            raise TypeError("a stream was expected")
        self._transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self.gateway.sessions.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.gateway.forget(self)

    def pause_writing(self) -> None:
        self.is_held = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.is_held = False
        if self._transport is not None:
            self._transport.resume_reading()

    def close(self) -> None:
        """End the connection after what is waiting has gone out."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        if self._transport is not None:
            self._transport.abort()

    @property
    def is_started(self) -> bool:
        """True once the client has its id and may ask for things."""
        return self.client_id >= 0

    # In
    def data_received(self, data: bytes) -> None:
        if self.gateway.faults.is_active("half-open"):
            return
        try:
            frames = self._reader.feed(data)
        except WireError as exc:
            log.warning("a client sent what is no frame: %s", exc)
            self.abort()
            return
        since, now = self.gateway.arrival()
        for fields in frames:
            if self._transport is None or self._transport.is_closing():
                return
            self._take(fields, since, now)
        self.gateway.handled()

    def _take(self, fields: list[str], since: float, now: float) -> None:
        if not self.version:
            self._greet(fields)
        elif self._gate.admit(now, since):
            self.answer(fields)
        else:
            limit = self.gateway.limits.messages_per_s
            facts = f"max={limit} rec={limit + 1} ({self._gate.violations})"
            self.send(ErrorMessage(-1, 100, f"Max rate of messages per second has been exceeded:{facts}"))
            if self._gate.exhausted:
                self.close()

    def _greet(self, fields: list[str]) -> None:
        try:
            self.version = negotiated_version(fields[0], self.gateway.max_version)
        except WireError as exc:
            log.warning("a client was turned away: %s", exc)
            self.abort()
            return
        self.write(handshake_reply(self.version, self.gateway.connection_time()))

    def answer(self, fields: list[str]) -> None:
        """Answer one request; what cannot be understood or granted is answered with an error."""
        try:
            message = decode_request(fields, self.version)
        except WireError as exc:
            self.refuse(-1, exc.code, exc.text)
            return
        req_id = getattr(message, "req_id", getattr(message, "order_id", -1))
        handler = HANDLERS.get(type(message))
        if handler is None:
            self.refuse(req_id, 321, where="bW", cause=f"{type(message).__name__} is not offered")
            return
        try:
            handler(self, message)
        except Refusal as refusal:
            self.refuse(req_id, refusal.code, refusal.text, **refusal.facts)
        except Exception:
            # One client's odd request must not end the others' sessions.
            log.exception("request %r failed", message)
            self.refuse(req_id, 320, detail="Server error when reading an API client request.")

    # Out
    def send(self, message: Any) -> None:
        """Send a message of the protocol."""
        self.write(encode(message, self.version))

    def refuse(self, req_id: int, code: int, text: str = "", **facts: Any) -> None:
        """Send an error, with the code's usual text unless another is given."""
        self.send(ErrorMessage(req_id, code, text) if text else error(code, req_id, **facts))

    def write(self, data: bytes) -> None:
        """Send bytes; those of one turn of the loop go out together."""
        if not self._out:
            delay = self.gateway.faults.number("slow", "delay", 0.0)
            loop = self.gateway.loop
            if delay:
                loop.call_later(delay, self._flush)
            else:
                loop.call_soon(self._flush)
        self._out.append(data)
        self._out_bytes += len(data)
        if self._out_bytes > EARLY and not self.gateway.faults.is_active("slow"):
            self._flush()

    def _flush(self) -> None:
        waiting, self._out, self._out_bytes = self._out, [], 0
        transport = self._transport
        if transport is None or transport.is_closing() or not waiting or self.gateway.faults.is_active("half-open"):
            return
        if transport.get_write_buffer_size() > DROWNED:
            log.warning("client %d does not read; its connection is cut", self.client_id)
            transport.abort()
            return
        transport.write(b"".join(waiting))

    # What is done again and again
    def repeat(
        self, kind: str, req_id: int, period_s: float, act: Callable[[], None], *, is_market_data: bool = False
    ) -> None:
        """Call `act` every `period_s` seconds until `stop(kind, req_id)`."""
        due = self.gateway.loop.time() + period_s
        self.repeated[kind, req_id] = Repeated(period_s, due, act, is_market_data)

    def stop(self, kind: str, req_id: int) -> bool:
        """End what `repeat` began; False when there is no such thing."""
        return self.repeated.pop((kind, req_id), None) is not None

    def act(self, now: float, *, market_data: bool) -> None:
        """Do what is due at `now` (seconds of the loop); market data only when it flows."""
        if self.is_held:
            return
        for item in list(self.repeated.values()):
            if now < item.due or (item.is_market_data and not market_data):
                continue
            item.due = max(item.due + item.period_s, now)
            with suppress(Refusal):
                item.act()
            if self._transport is None:
                return

    def drop_market_data(self) -> None:
        """Forget every subscription to market data, as IB does when it lost them; the client is not told."""
        self.lines.end()
        self.lines = LineTable()
        self.gateway.feed.changed()
        self.books = {}
        self.repeated = {key: item for key, item in self.repeated.items() if not item.is_market_data}
