"""Waiting by a clock that runs fast, or that a test moves."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from bifrost_lib.core.clock import ScaledClock, SteppedClock
from bifrost_lib.ib.waiting import answer, sleep, unless

START = datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_a_fast_clock_sleeps_less():
    begun = time.perf_counter()
    asyncio.run(sleep(ScaledClock(START, 1000.0), 50.0))
    assert 0.04 < time.perf_counter() - begun < 1.0


def test_a_stepped_clock_sleeps_until_it_is_moved():
    async def main() -> list[bool]:
        clock = SteppedClock(START)
        sleeping, states = asyncio.create_task(sleep(clock, 60.0)), []
        for _ in range(2):
            await asyncio.sleep(0.01)
            states.append(sleeping.done())
            clock.advance(timedelta(seconds=59))
        await asyncio.wait_for(sleeping, 1.0)
        return states

    assert asyncio.run(main()) == [False, False]


def test_an_answer_has_the_machine_time_that_a_socket_needs():
    """An hour passes at one stroke; the answer is still on its way."""

    async def main() -> str:
        clock = SteppedClock(START)

        async def slow() -> str:
            await asyncio.sleep(0.05)
            return "here"

        waiting = asyncio.create_task(answer(clock, slow(), 10.0, floor_s=1.0))
        await asyncio.sleep(0)
        clock.advance(timedelta(hours=1))
        return await waiting

    assert asyncio.run(main()) == "here"


def test_no_answer_is_a_timeout():
    async def main() -> None:
        await answer(ScaledClock(START, 1000.0), asyncio.Event().wait(), 5.0, floor_s=0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(main())


def test_an_event_cuts_a_wait_short():
    async def main() -> bool:
        event = asyncio.Event()
        asyncio.get_running_loop().call_later(0.01, event.set)
        return await unless(event, SteppedClock(START), 3600.0)

    assert asyncio.run(asyncio.wait_for(main(), 2.0))
