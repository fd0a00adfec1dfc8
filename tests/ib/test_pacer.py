"""The pace of messages: never too many in any second, orders first, no turn lost."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.clock import ScaledClock, SteppedClock
from bifrost_lib.ib.pacer import Lane, Pacer, Schedule

START = datetime(2026, 11, 20, 15, tzinfo=UTC)


def _worst_window(moments: list[float], window_s: float = 1.0) -> int:
    """The most messages in any closed window."""
    return max(sum(first <= moment <= first + window_s for moment in moments) for first in moments)


@given(
    rate=st.sampled_from([1.0, 7.5, 45.0, 50.0]),
    delays=st.lists(st.floats(0.0, 0.4), min_size=50, max_size=400),
    credit=st.sampled_from([0.0, 0.02, 0.5, 1.0]),
    burst_s=st.sampled_from([0.0, 0.1, 0.3]),
)
@settings(max_examples=60, deadline=None)
def test_no_sliding_second_sees_more_than_the_rate(rate, delays, credit, burst_s):
    """However late the timers are: the law that a bucket of tokens breaks; nor do they come in bursts."""
    schedule, now, moments = Schedule(rate, credit, burst_s), 1.7e9, []
    for delay in delays:
        now += schedule.wait(now) + delay * (delay > 0.1)  # most timers are on time, some are late
        assert schedule.wait(now) <= 1e-6
        schedule.sent(now)
        moments.append(now)
    assert _worst_window(moments) <= int(rate)
    assert not burst_s or _worst_window(moments, burst_s) <= max(1, int(2 * rate * burst_s))


def test_punctual_messages_are_evenly_spaced_and_lose_nothing():
    schedule, now, moments = Schedule(45.0, 0.02), 0.0, []
    for _ in range(4000):
        now += schedule.wait(now)
        schedule.sent(now)
        moments.append(now)
    gaps = [later - earlier for earlier, later in pairwise(moments[1:])]
    assert max(gaps) < 1.1 / 45 and min(gaps) > 0.9 / 45
    assert moments[-1] == pytest.approx(3999 / 45, rel=1e-3)


def test_late_timers_cost_no_throughput():
    schedule, now = Schedule(45.0, 0.02), 0.0
    for _ in range(4000):
        now += schedule.wait(now) + 0.001
        schedule.sent(now)
    assert now < 4000 / 45 + 1.0


def test_a_machine_that_stands_still_now_and_then_costs_little_throughput():
    """A quarter of a second out of two and a half: what is late is made up for, at no more than twice the pace."""

    def last_of(schedule: Schedule) -> float:
        now, moments = 0.0, []
        for _ in range(4000):
            now += schedule.wait(now)
            now += max(0.0, 0.25 - now % 2.6)
            schedule.sent(now)
            moments.append(now)
        assert _worst_window(moments[-400:]) <= 45
        assert _worst_window(moments[-400:], 0.1) <= 9
        return now

    ideal = 4000 / 45
    assert last_of(Schedule(45.0, 1.0, 0.1)) < 1.05 * ideal
    assert last_of(Schedule(45.0, 0.1, 0.1)) > 1.08 * ideal, "a small credit is lost with the first such moment"


def test_a_clock_set_back_does_not_stop_the_pace():
    schedule = Schedule(45.0, 0.02)
    schedule.sent(1000.0)
    assert schedule.wait(400.0) < 1.001 / 45


def test_below_one_message_a_second_the_window_is_longer():
    schedule, now, moments = Schedule(0.5, 0.0), 0.0, []
    for _ in range(10):
        now += schedule.wait(now)
        schedule.sent(now)
        moments.append(now)
    assert _worst_window(moments, 2.0) == 1


def _sent_in_order(posts: list[tuple[Lane, str]], cancelled: int | None = None) -> list[str]:
    async def main() -> list[str]:
        clock = SteppedClock(START)
        sent: list[str] = []
        pacer = Pacer(clock, 10.0)
        tickets = [pacer.post(lane, partial(sent.append, text)) for lane, text in posts]
        if cancelled is not None:
            tickets[cancelled].cancel()
        for _ in range(100):
            clock.advance(timedelta(seconds=0.05))
            await asyncio.sleep(0.003)
            if pacer.waiting() == 0:
                break
        pacer.close()
        return sent

    return asyncio.run(main())


def test_orders_pass_requests_and_requests_pass_market_data():
    posts = [(Lane.MARKET_DATA, "m0"), (Lane.MARKET_DATA, "m1"), (Lane.REQUESTS, "r"), (Lane.ORDERS, "o")]
    assert _sent_in_order(posts) == ["m0", "o", "r", "m1"]  # the first was sent before the others came


def test_a_cancelled_turn_goes_to_the_next():
    posts = [(Lane.MARKET_DATA, "m0"), (Lane.MARKET_DATA, "m1"), (Lane.MARKET_DATA, "m2")]
    assert _sent_in_order(posts, cancelled=1) == ["m0", "m2"]


def test_a_cancelled_waiter_takes_no_turn():
    async def main() -> int:
        clock = ScaledClock(START, 20.0)
        pacer = Pacer(clock, 10.0)
        await pacer.turn(Lane.REQUESTS)
        waiters = [asyncio.create_task(pacer.turn(Lane.REQUESTS)) for _ in range(3)]
        await asyncio.sleep(0)
        waiters[0].cancel()
        await asyncio.gather(*waiters, return_exceptions=True)
        return pacer.sent_total

    assert asyncio.run(main()) == 3


def test_without_a_limit_messages_go_at_once_and_are_counted():
    async def main() -> tuple[list[int], int]:
        sent: list[int] = []
        pacer = Pacer(SteppedClock(START), None)
        for number in range(1000):
            pacer.post(Lane.MARKET_DATA, partial(sent.append, number))
        await pacer.turn(Lane.REQUESTS)
        return sent, pacer.sent_total

    sent, total = asyncio.run(main())
    assert sent == list(range(1000)) and total == 1001


def test_an_action_that_sends_nothing_costs_nothing():
    async def main() -> int:
        pacer = Pacer(SteppedClock(START), 1.0)
        for _ in range(5):
            pacer.post(Lane.MARKET_DATA, lambda: False)
        return pacer.sent_total + pacer.waiting()

    assert asyncio.run(main()) == 0


def test_error_100_slows_the_pace_down_to_a_floor():
    pacer = Pacer(SteppedClock(START), 45.0)
    pacer.slow_down()
    assert pacer.rate == pytest.approx(40.5)
    for _ in range(50):
        pacer.slow_down()
    assert pacer.rate == Pacer.SLOWEST


def test_real_timers_keep_the_law_and_the_rate():
    async def main() -> list[float]:
        clock, moments = ScaledClock(START, 1.0), []
        pacer = Pacer(clock, 45.0)
        done = asyncio.get_running_loop().create_future()

        def send() -> None:
            moments.append(clock.now().timestamp())
            if len(moments) == 120:
                done.set_result(None)

        for _ in range(120):
            pacer.post(Lane.MARKET_DATA, send)
        await done
        return moments

    moments = asyncio.run(main())
    assert _worst_window(moments) <= 45
    assert 118 / 45 < moments[-1] - moments[0] < 2 * 119 / 45, "timers are late on a busy machine, but not for ever"


def test_on_a_fast_clock_the_event_loop_hears_what_comes_between_the_messages():
    async def scenario() -> list[int]:
        pacer = Pacer(ScaledClock(START, 1e6), 45.0)
        sent: list[int] = []
        heard: list[int] = []

        def all_at_once() -> None:
            for number in range(500):
                pacer.post(Lane.MARKET_DATA, partial(sent.append, number))

        pacer.post(Lane.MARKET_DATA, all_at_once)
        while len(sent) < 500:
            heard.append(len(sent))
            await asyncio.sleep(0)
        return heard

    heard = asyncio.run(scenario())
    assert max(later - earlier for earlier, later in pairwise([*heard, 500])) <= Pacer.AT_ONCE
