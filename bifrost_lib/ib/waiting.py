"""Waiting in the seconds of a clock that may run faster than the machine's, or stand still until a test moves it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from bifrost_lib.core.clock import Clock

#: Seconds of the machine between two looks at a clock that others move.
LOOK_S = 0.002

T = TypeVar("T")


def seconds_of(clock: Clock) -> float:
    """Return the clock's moment as seconds since 1970, the form in which pacing computes."""
    return clock.now().timestamp()


def machine_seconds(clock: Clock, seconds: float) -> float:
    """Return how long to sleep until `seconds` of the clock have passed, or until it is worth to look again."""
    return max(0.0, seconds / clock.speed) if clock.speed > 0 else LOOK_S


async def sleep(clock: Clock, seconds: float) -> None:
    """Return when `seconds` of the clock have passed; at least once round the event loop."""
    if clock.speed > 0:
        await asyncio.sleep(machine_seconds(clock, seconds))
        return
    until = clock.now() + timedelta(seconds=seconds)
    await asyncio.sleep(0)
    while clock.now() < until:
        await asyncio.sleep(LOOK_S)


async def answer(clock: Clock, wanted: Awaitable[T], seconds: float, *, floor_s: float) -> T:
    """Await `wanted` for `seconds` of the clock and `floor_s` of the machine, whichever ends later.

    A socket does not answer faster because the clock does, hence the floor.

    Raises
    ------
    TimeoutError
        When both have passed; `wanted` is cancelled.
    """
    task = asyncio.ensure_future(wanted)
    patience = asyncio.ensure_future(_both(clock, seconds, floor_s))
    try:
        await asyncio.wait({task, patience}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise TimeoutError(f"no answer within {seconds:g} s")
    finally:
        patience.cancel()
        task.cancel()


async def _both(clock: Clock, seconds: float, floor_s: float) -> None:
    await asyncio.gather(sleep(clock, seconds), asyncio.sleep(floor_s))


async def until(clock: Clock, holds: Callable[[], bool], seconds: float, *, floor_s: float) -> bool:
    """Look until `holds` or the time of `answer` has passed; tell whether it holds."""

    async def looking() -> None:
        while not holds():
            await asyncio.sleep(LOOK_S)

    try:
        await answer(clock, looking(), seconds, floor_s=floor_s)
    except TimeoutError:
        return holds()
    return True


async def unless(event: asyncio.Event, clock: Clock, seconds: float) -> bool:
    """Wait `seconds` of the clock, but return True at once when `event` is set."""
    pause = asyncio.ensure_future(sleep(clock, seconds))
    ended = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({pause, ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        pause.cancel()
        ended.cancel()
    return event.is_set()
