"""IB's rules for historical data."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.ib.history import OPEN_AT_ONCE, BarsRequest, HistoryGate, HistoryRules

requests = st.builds(
    BarsRequest,
    con_id=st.integers(1, 3),
    exchange=st.just("SMART"),
    what=st.sampled_from(["TRADES", "MIDPOINT", "BID_ASK"]),
    bar_s=st.sampled_from([1, 30]),
    duration=st.just("1800 S"),
    end=st.sampled_from(["", "20261120 20:00:00", "20261120 19:30:00", "20261120 19:00:00", "20261120 18:30:00"]),
)


@given(st.lists(st.tuples(requests, st.floats(0.0, 3.0)), min_size=20, max_size=90))
@settings(max_examples=40, deadline=None)
def test_the_rules_hold_for_any_sequence(sequence):
    """interactivebrokers.github.io/tws-api/historical_limitations.html, the rules for bars of 30 s and less."""
    rules, now, log = HistoryRules(), 0.0, []
    for request, pause in sequence:
        now += pause + rules.wait(request, now + pause)
        rules.asked(request, now)
        log.append((now, request))
    for moment, request in log:
        within = [(at, other) for at, other in log if moment - 2.0 <= at <= moment]
        family = [other for _, other in within if (other.con_id, other.what) == (request.con_id, request.what)]
        assert len(family) < 6
        assert sum(moment - 15.0 <= at <= moment and other == request for at, other in log) == 1
        assert sum(other.weight for at, other in log if moment - 600.0 <= at <= moment) <= 60


def test_bid_ask_counts_double():
    rules = HistoryRules()
    for number in range(30):
        rules.asked(BarsRequest(number, "SMART", "BID_ASK", 5, "1800 S"), float(number))
    assert rules.wait(BarsRequest(99, "SMART", "TRADES", 5, "1800 S"), 30.0) == pytest.approx(570.0, abs=0.1)


def test_bars_of_a_minute_and_more_do_not_wait():
    rules, request = HistoryRules(), BarsRequest(1, "SMART", "TRADES", 86_400, "1 Y")
    for _ in range(100):
        assert rules.wait(request, 0.0) == 0.0
        rules.asked(request, 0.0)


def test_fifty_are_open_at_once():
    async def main() -> tuple[int, int]:
        clock = SteppedClock(datetime(2026, 11, 20, tzinfo=UTC))
        gate, release, inside = HistoryGate(clock), asyncio.Event(), []

        async def one(number: int) -> None:
            async with gate.opened(BarsRequest(number, "SMART", "TRADES", 3600, "1 D")):
                inside.append(number)
                await release.wait()

        tasks = [asyncio.create_task(one(number)) for number in range(OPEN_AT_ONCE + 5)]
        await asyncio.sleep(0.02)
        before = len(inside)
        release.set()
        while not all(task.done() for task in tasks):
            clock.advance(timedelta(seconds=1))
            await asyncio.sleep(0.003)
        return before, len(inside)

    assert asyncio.run(main()) == (50, 55)
