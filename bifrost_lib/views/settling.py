"""Waiting until a slider rests: a key that is held down would ask for a scan at each step, and get them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

#: Longer than a held key takes to repeat, shorter than a reader notices.
RESTS_AFTER_S = 0.12


def once_at_rest(then: Callable[[], None]) -> Callable[[], None]:
    """Return a function that calls `then` once its own calls have paused.

    Outside a kernel, for example in a test or a report, there is no loop to wait on, and `then` is called at once.
    """
    waiting: list[asyncio.TimerHandle] = []

    def call() -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            then()
            return
        while waiting:
            waiting.pop().cancel()
        waiting.append(loop.call_later(RESTS_AFTER_S, then))

    return call
