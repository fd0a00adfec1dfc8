"""Loops on a clock that others move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bifrost_lib.core.clock import ScaledClock, SteppedClock
from bifrost_lib.core.errors import InputError, SourceUnavailable
from bifrost_lib.workflows.collection.waiting import run_forever, sleep_until

START = datetime(2026, 11, 18, 15, tzinfo=UTC)


def test_a_day_of_beats_takes_no_time_on_a_fast_clock() -> None:
    async def scenario() -> None:
        clock, stop, moments = ScaledClock(START, 20_000.0), asyncio.Event(), list[datetime]()

        async def job() -> None:
            moments.append(clock.now())
            if clock.now() > START + timedelta(hours=6):
                stop.set()

        await asyncio.wait_for(run_forever(job, name="test", every_s=3600.0, clock=clock, stop=stop), 20)
        hours = [(moment - START) / timedelta(hours=1) for moment in moments]
        assert 4 <= len(hours) <= 8
        assert [int(later) - int(earlier) >= 1 for earlier, later in pairwise(hours)].count(False) == 0

    asyncio.run(scenario())


def test_only_a_source_that_does_not_answer_is_retried() -> None:
    async def scenario() -> None:
        clock, stop, runs = SteppedClock(START), asyncio.Event(), 0

        async def job() -> None:
            nonlocal runs
            runs += 1
            clock.advance(timedelta(seconds=60))
            if runs < 3:
                raise SourceUnavailable("the gateway", "it sleeps")
            raise ValueError("a mistake")

        with pytest.raises(ValueError, match="a mistake"):
            await run_forever(job, name="test", every_s=60.0, clock=clock, stop=stop)
        assert runs == 3

    asyncio.run(scenario())


def test_beats_that_a_long_run_missed_are_left_out() -> None:
    async def scenario() -> None:
        clock, stop, moments = SteppedClock(START), asyncio.Event(), list[float]()

        async def job() -> None:
            moments.append((clock.now() - START).total_seconds())
            clock.advance(timedelta(seconds=250))
            if len(moments) == 3:
                stop.set()

        async def turn_the_clock() -> None:
            while not stop.is_set():
                await asyncio.sleep(0.001)
                clock.advance(timedelta(seconds=10))

        await asyncio.gather(run_forever(job, name="test", every_s=100.0, clock=clock, stop=stop), turn_the_clock())
        assert moments[0] == 0
        assert all(0 <= moment % 100 <= 60 for moment in moments)
        assert all(later - earlier >= 250 for earlier, later in pairwise(moments))

    asyncio.run(scenario())


def test_stop_ends_a_sleep_at_once() -> None:
    async def scenario() -> None:
        stop = asyncio.Event()
        sleep = asyncio.create_task(sleep_until(START + timedelta(days=1), clock=SteppedClock(START), stop=stop))
        await asyncio.sleep(0.01)
        stop.set()
        assert await asyncio.wait_for(sleep, 1) is False

    asyncio.run(scenario())


def test_a_beat_must_be_longer_than_nothing() -> None:
    async def scenario() -> None:
        with pytest.raises(InputError):
            await run_forever(asyncio.sleep, name="test", every_s=0.0, clock=SteppedClock(START), stop=asyncio.Event())  # type: ignore[arg-type]

    asyncio.run(scenario())
