"""Whose turn it is on the one loop that all viewers share: first pictures go before sessions, and those one by one."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

#: A session waits no longer than this for first pictures, or those who come all the time would end all following.
LONGEST_WAIT_S = 1.0
LOOK_AGAIN_S = 0.01
#: After a session the next one waits for this share of the time that it took.
REST = 0.25
#: One that takes longer, because of what its viewer asked for, lets the next begin.
LONGEST_TURN_S = 3.0

#: What a session takes of the loop.
SESSION_S = 0.12
#: Who comes within this time after others comes with them.
TOGETHER_S = 2.0

Made = TypeVar("Made")


class Crowd:
    """Viewers who come together: all of them see data at once, and what is large follows for one after the other.

    Parameters
    ----------
    pace_s : float
        What one of them takes of the server.
    clock_s : callable, optional
        Seconds that only grow.
    """

    def __init__(self, *, pace_s: float, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pace_s, self._clock_s = pace_s, clock_s
        self._came: deque[float] = deque()

    def wait_s(self) -> float:
        """Note that somebody came, and return how long the large part of the page is better not begun for him."""
        now_s = self._clock_s()
        while self._came and now_s - self._came[0] > TOGETHER_S:
            self._came.popleft()
        self._came.append(now_s)
        return self._pace_s * (len(self._came) - 1)


class Turns:
    """A session takes a tenth of a second of the loop; ten at once would hold up everybody for a second.

    So between two of them there is a rest, in which quotes and first pictures are sent.

    Attributes
    ----------
    crowd : Crowd
        Of those who will want a session.
    """

    def __init__(self) -> None:
        self._free = asyncio.Lock()
        self._pictures = 0
        self.crowd = Crowd(pace_s=SESSION_S * (1 + REST))

    @contextmanager
    def picture(self) -> Iterator[None]:
        """Let no session begin while a first picture is made in the block."""
        self._pictures += 1
        try:
            yield
        finally:
            self._pictures -= 1

    @property
    def is_free(self) -> bool:
        """Whether a session that comes now begins at once."""
        return not self._free.locked()

    async def session(self, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` returns when its turn has come."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        late, begun_s = loop.call_later(LONGEST_TURN_S, self._free.release), loop.time()
        try:
            while self._pictures and loop.time() - begun_s < LONGEST_WAIT_S:
                await asyncio.sleep(LOOK_AGAIN_S)
            begun_s = loop.time()
            return await make()
        finally:
            if late.when() > loop.time():
                late.cancel()
                loop.call_later(REST * (loop.time() - begun_s), self._free.release)


def sessions_in_turn(context: Any, turns: Turns) -> None:
    """Let a page's sessions be made in turn.

    Parameters
    ----------
    context : bokeh.server.contexts.ApplicationContext
    turns : Turns
        The same for all pages that share a loop.
    """
    make = context.create_session_if_needed

    async def in_turn(*given: Any, **options: Any) -> Any:
        return await turns.session(lambda: make(*given, **options))

    context.create_session_if_needed = in_turn
