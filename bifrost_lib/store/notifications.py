"""News from the database the moment it is committed: PostgreSQL's LISTEN and NOTIFY."""

from __future__ import annotations

import asyncio
import json
import select
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql
from sqlalchemy.exc import DBAPIError

from bifrost_lib.core.errors import BifrostError, InputError, SourceUnavailable
from bifrost_lib.store.trouble import as_bifrost_error

if TYPE_CHECKING:
    from bifrost_lib.store.database import Store

SNAPSHOTS, QUOTES = "option_snapshots", "live_quotes"
WATCHLIST, REQUESTS = "collection_watchlist", "collection_requests"
HITS = "document_hits"
CHANNELS = (SNAPSHOTS, QUOTES, WATCHLIST, REQUESTS, HITS)
_PAUSES_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


def notify(cursor: Any, channel: str, **facts: Any) -> None:
    """Announce something when the transaction of `cursor` is committed; nobody hears of one that is not."""
    cursor.execute("SELECT pg_notify(%s, %s)", (channel, json.dumps(facts, separators=(",", ":"))))


@dataclass(frozen=True)
class Notification:
    """One announcement.

    Attributes
    ----------
    channel, payload : str
        Payloads of our channels are JSON objects. An empty one says that the connection was lost and is back: what
        was announced meanwhile was missed, so look at the tables themselves.
    pid : int
        Server process of who announced it; 0 for our own word that something may have been missed.
    """

    channel: str
    payload: str
    pid: int

    @property
    def facts(self) -> dict[str, Any]:
        """What the payload says; nothing if it is empty."""
        found: dict[str, Any] = json.loads(self.payload) if self.payload else {}
        return found


class Listener:
    """Waits for announcements on a connection of its own; made by `listen`, closed by you or a ``with`` block.

    In a thread: ``for note in listener``, or ``listener.wait(timeout_s)``. In a coroutine: ``async for note in
    listener``, or ``await listener.next(timeout_s)``. Iteration ends when the listener is closed. A lost connection
    is made again for as long as it takes.
    """

    def __init__(self, store: Store, channels: tuple[str, ...]) -> None:
        self._store, self._channels = store, channels
        self._connection: Any = None
        self._ready: deque[Notification] = deque()
        self._is_closed = False
        self._failures = 0
        self._connect()

    def wait(self, timeout_s: float | None = None) -> Notification | None:
        """Return the next announcement; None when `timeout_s` has passed, or the listener was closed."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._is_closed:
            if self._ready:
                return self._ready.popleft()
            left = 0.5 if deadline is None else min(deadline - time.monotonic(), 0.5)
            if self._connection is None:
                if deadline is not None and left <= 0:
                    return None
                time.sleep(max(min(self._pause_s(), left), 0.0))
                self._reconnect()
            elif self._select(max(left, 0.0)):
                self._receive()
            elif deadline is not None and left <= 0:
                return None
        return None

    async def next(self, timeout_s: float | None = None) -> Notification | None:
        """Return the next announcement as `wait` does, leaving the event loop free meanwhile."""
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._is_closed:
            if self._ready:
                return self._ready.popleft()
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return None
            if self._connection is None:
                await asyncio.sleep(self._pause_s() if left is None else min(self._pause_s(), left))
                await asyncio.to_thread(self._reconnect)
            elif await self._is_readable(left):
                self._receive()
        return None

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        self._is_closed = True
        self._drop()

    def __iter__(self) -> Iterator[Notification]:
        while (note := self.wait()) is not None:
            yield note

    def __aiter__(self) -> Listener:
        return self

    async def __anext__(self) -> Notification:
        note = await self.next()
        if note is None:
            raise StopAsyncIteration
        return note

    def __enter__(self) -> Listener:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _select(self, timeout_s: float) -> bool:
        try:
            return bool(select.select([self._connection], [], [], timeout_s)[0])
        except (psycopg2.Error, OSError, ValueError):  # the connection was closed meanwhile
            self._drop()
            return False

    async def _is_readable(self, timeout_s: float | None) -> bool:
        """Wait for bytes; also True, so that the loop looks again, when the listener is closed meanwhile."""
        loop, arrived = asyncio.get_running_loop(), asyncio.Event()
        try:
            descriptor = self._connection.fileno()
        except psycopg2.Error:
            self._drop()
            return False
        loop.add_reader(descriptor, arrived.set)
        try:
            await asyncio.wait_for(arrived.wait(), min(timeout_s, 0.5) if timeout_s is not None else 0.5)
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(descriptor)
        return not self._is_closed

    def _receive(self) -> None:
        connection = self._connection
        if connection is None:
            return
        try:
            connection.poll()
        except psycopg2.Error:
            self._drop()
        while connection.notifies:
            note = connection.notifies.pop(0)
            self._ready.append(Notification(note.channel, note.payload, note.pid))

    def _reconnect(self) -> None:
        try:
            self._connect()
        except SourceUnavailable:
            self._failures += 1
            return
        self._ready.extend(Notification(channel, "", 0) for channel in self._channels)

    def _connect(self) -> None:
        try:
            pooled = self._store.engine.raw_connection()
            pooled.detach()  # the pool would hand it to others who do not know that it listens
            self._connection = pooled.dbapi_connection
            self._connection.autocommit = True
            cursor = self._connection.cursor()
            for channel in self._channels:
                cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except DBAPIError as error:
            self._drop()
            raise self._problem(error.orig) from None
        except psycopg2.Error as error:
            self._drop()
            raise self._problem(error) from None
        self._failures = 0

    def _problem(self, error: BaseException | None) -> BifrostError:
        return as_bifrost_error(error, self._store.place)

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _pause_s(self) -> float:
        return _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]


def listen(store: Store, channels: Iterable[str]) -> Listener:
    """Listen to announcements from now on.

    Parameters
    ----------
    store : Store
    channels : iterable of str
        ``option_snapshots`` and ``live_quotes`` (payload `symbol`, `ts`, `rows`), ``collection_watchlist`` (`symbol`),
        ``collection_requests`` (`request_id`, `symbol`, `state`), or any other channel of the database.

    Raises
    ------
    InputError
        If no channel is named.
    SourceUnavailable
        If the database does not answer at first; later it is waited for.
    """
    named = tuple(dict.fromkeys([channels] if isinstance(channels, str) else channels))
    if not named or not all(named):
        raise InputError("channels", named, "the names of channels, for example " + ", ".join(CHANNELS))
    return Listener(store, named)
