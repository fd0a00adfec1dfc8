"""Waiting by the desk's clock, until it is time or someone says stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import InputError, SourceUnavailable

Job = Callable[[], Awaitable[object]]

#: How long at most to sleep, in the machine's seconds: a clock can be moved, and a laptop suspended.
LONGEST_SLEEP_S = 1.0
#: How often to look at a clock that others move.
STEPPED_SLEEP_S = 0.005

log = logging.getLogger(__name__)


async def sleep_until(moment: datetime, *, clock: Clock, stop: asyncio.Event) -> bool:
    """Sleep until `clock` says `moment`; return False if `stop` was set before."""
    while not stop.is_set():
        left_s = (moment - clock.now()).total_seconds()
        if left_s <= 0:
            await asyncio.sleep(0)
            return True
        sleep_s = min(left_s / clock.speed, LONGEST_SLEEP_S) if clock.speed else STEPPED_SLEEP_S
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), sleep_s)
    return False


async def run_forever(job: Job, *, name: str, every_s: float, clock: Clock, stop: asyncio.Event) -> None:
    """Run `job` on a fixed beat until `stop` is set; retry only a source that does not answer.

    Parameters
    ----------
    job : callable
        Returns an awaitable. A run under way is finished before stopping.
    name : str
        What the log calls it.
    every_s : float
        Seconds of `clock` from one start to the next, > 0. A beat that a long run has missed is left out.
    clock : Clock
    stop : asyncio.Event

    Raises
    ------
    InputError
        If `every_s` is not > 0.
    Exception
        Whatever `job` raises, except SourceUnavailable, which is logged; the next beat tries again.
    """
    if not every_s > 0:
        raise InputError("every_s", every_s, "a number of seconds > 0")
    beat, due = timedelta(seconds=every_s), clock.now()
    while await sleep_until(due, clock=clock, stop=stop):
        try:
            await job()
        except SourceUnavailable as trouble:
            log.warning("%s: %s; next try in %.0f s", name, trouble, every_s)
        due += max(1, -((due - clock.now()) // beat)) * beat
