"""What the client library's decoder calls: ticks go straight to their slots, rows to whoever asked.

The library's own bookkeeping keeps a ticker for every request that was ever made; a collector makes millions, so
it has none of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.vocabulary import MARKET_DATA_TYPES
from bifrost_lib.ib.errors import GatewayRefusal, classify
from bifrost_lib.ib.mapping import CALLBACKS, IGNORED_MESSAGES, MODEL_COMPUTATIONS
from bifrost_lib.ib.slots import Slot


@dataclass
class Question:
    """A request whose answer is a list of rows and an end."""

    what: str
    answer: asyncio.Future[list[Any]]
    rows: list[Any] = field(default_factory=list)


class Receiver:
    """The side of the session that hears. `notice` gets every message that belongs to no request."""

    def __init__(
        self, clock: Clock, *, notice: Callable[[int, str], None], lost: Callable[[], None], heard: Callable[[], None]
    ) -> None:
        self._clock, self._notice, self._lost, self._heard = clock, notice, lost, heard
        self.moment: datetime = clock.now()
        self.server_time = 0
        self.slots: dict[int, Slot] = {}
        self.questions: dict[int, Question] = {}
        self._time_asked: list[asyncio.Future[int]] = []
        # Their layouts are the same in every version of the protocol that the libraries speak.
        self.ticks: dict[bytes, Callable[[list[bytes]], None]] = dict.fromkeys(IGNORED_MESSAGES, _unheard) | {
            b"1": self.price_tick, b"2": self.size_tick, b"21": self.computation_tick,
        }  # fmt: skip
        for theirs, ours in CALLBACKS.items():
            setattr(self, theirs, getattr(self, ours))

    def __getattr__(self, name: str) -> Callable[..., None]:
        # The library calls some fifty methods; those that CALLBACKS does not list concern nobody here.
        if name.startswith("__"):
            raise AttributeError(name)
        return _unheard

    def packet_begins(self) -> None:
        """Read the clock once for all ticks of a packet."""
        self.moment = self._clock.now()
        self._heard()

    def acknowledged(self) -> None:
        """The handshake is over; accounts and order id follow."""

    def ended(self) -> None:
        """Everything that waited for an answer will not get one."""
        self.fail_questions("the connection was lost")
        self._lost()

    def error(self, req_id: int, code: int, text: str, _json: str = "") -> None:
        """Give an error to whom it concerns."""
        if (slot := self.slots.get(req_id)) is not None:
            slot.listener.refused(slot, code, text)
        elif (question := self.questions.get(req_id)) is not None and classify(code, text).ends:
            del self.questions[req_id]
            if not question.answer.done():
                question.answer.set_exception(GatewayRefusal(question.what, code, text))
        self._notice(code, text)

    def price_tick(self, fields: list[bytes]) -> None:
        """Give a price to its slot."""
        if (slot := self.slots.get(int(fields[2]))) is not None and fields[4]:
            slot.price(int(fields[3]), float(fields[4]), float(fields[5] or 0), self.moment)

    def size_tick(self, fields: list[bytes]) -> None:
        """Give a size to its slot."""
        if (slot := self.slots.get(int(fields[2]))) is not None:
            slot.size(int(fields[3]), float(fields[4] or 0), self.moment)

    def computation_tick(self, fields: list[bytes]) -> None:
        """Give the numbers of the model's price to their slot."""
        if fields[2] in MODEL_COMPUTATIONS and (slot := self.slots.get(int(fields[1]))) is not None:
            iv, delta, _price, _dividend, gamma, vega, theta, spot = map(float, fields[4:12])
            slot.computation(iv, delta, gamma, vega, theta, spot, self.moment)

    def data_type_tick(self, req_id: int, number: int) -> None:
        """Note whether a slot's ticks are live, frozen or delayed."""
        if (slot := self.slots.get(req_id)) is not None and number in MARKET_DATA_TYPES:
            slot.observation.market_data_type = MARKET_DATA_TYPES[number]

    def snapshot_ended(self, req_id: int) -> None:
        """Tell a slot that its snapshot is over."""
        if (slot := self.slots.get(req_id)) is not None:
            slot.listener.snapshot_ended(slot)

    def row(self, req_id: int, row: Any) -> None:
        """Keep a row of an answer."""
        if (question := self.questions.get(req_id)) is not None:
            question.rows.append(row)

    def row_of_values(self, req_id: int, *values: Any) -> None:
        """Keep a row that comes as separate values."""
        self.row(req_id, values)

    def rows_end(self, req_id: int, *_: Any) -> None:
        """Complete an answer."""
        question = self.questions.pop(req_id, None)
        if question is not None and not question.answer.done():
            question.answer.set_result(question.rows)

    def current_time(self, epoch: int) -> None:
        """Answer those who asked for the gateway's time."""
        self.server_time = epoch
        for asked in self._time_asked:
            if not asked.done():
                asked.set_result(epoch)
        self._time_asked.clear()

    def ask_time(self) -> asyncio.Future[int]:
        """Return a future of the gateway's next word on the time, in seconds since 1970."""
        asked: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._time_asked.append(asked)
        return asked

    def ask(self, req_id: int, what: str) -> asyncio.Future[list[Any]]:
        """Open a question; its rows are collected until its end."""
        answer: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self.questions[req_id] = Question(what, answer)
        return answer

    def fail_questions(self, problem: str) -> None:
        """Tell everyone who waits for an answer that none will come."""
        answers: list[asyncio.Future[Any]] = [question.answer for question in self.questions.values()]
        waiting = answers + self._time_asked
        self.questions.clear()
        self._time_asked.clear()
        for future in waiting:
            if not future.done():
                future.set_exception(SourceUnavailable("IB gateway", problem))


def _unheard(*_: Any, **__: Any) -> None:
    """Take a message that nobody asked for."""
