"""Days of collecting in seconds: the service on a clock that the test moves."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import nan
from typing import Any

import pandas as pd

from bifrost_lib import store
from bifrost_lib.core.calendar import session_close, session_open
from bifrost_lib.core.clock import ScaledClock, SteppedClock, SystemClock
from bifrost_lib.ib import Limits, ListedOption, Observation, SessionState
from bifrost_lib.store import Spool, Watch, list_runs, listen, live_quotes, open_gaps, request_chain, save_watch
from bifrost_lib.workflows import Desk
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.service import CollectorService
from bifrost_lib.workflows.collection.streaming import HotStream
from bifrost_lib.workflows.collection.sweep import Sweeper

FEW = {"strikes": tuple(range(598, 603))}


def service_of(desk: Desk, gateway: Any, *, hours: Hours) -> CollectorService:
    outbox = Outbox(desk.store, Spool(desk.settings.home / "spool"))
    return CollectorService(desk, gateway, outbox, limits=Limits(), hours=hours)


async def until(condition: Callable[[], bool], *, timeout_s: float = 60.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.005)


async def move(clock: SteppedClock, service: CollectorService, end: datetime, step: timedelta) -> None:
    """Move the clock to `end`, waiting in each new slot until it has been served."""
    slots = set()
    while clock.now() < end:
        if (slot := Hours().slot_at(clock.now(), 3600.0)) is not None:
            slots.add(slot)
        deadline = time.monotonic() + 60
        while len(service.turns.reports) < len(slots):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
            clock.advance(timedelta(seconds=1))  # the service looks at its clock once a second
        await asyncio.sleep(0.02)
        clock.advance(step)


def runs_of(desk: Desk) -> pd.DataFrame:
    runs = list_runs(desk.store, limit=1000).sort_values("run_id", ignore_index=True)
    for run in runs.to_dict("records"):
        assert run["status"] != "running"
        assert run["expected"] == run["received"] + sum(run["missing"].values())
    return runs


def test_it_collects_in_sessions_only_and_knows_early_closes(new_desk: Any, memory_gateway: Any) -> None:
    clock = SteppedClock(datetime(2026, 11, 25, 19, 30, tzinfo=UTC))  # before Thanksgiving
    desk = new_desk(clock)
    gateway = memory_gateway(clock, **FEW)
    save_watch(desk.store, Watch("SPY", cadence_s=3600.0, expiries=1))

    async def scenario() -> None:
        service, stop = service_of(desk, gateway, hours=Hours()), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await move(clock, service, datetime(2026, 11, 27, 20, tzinfo=UTC), timedelta(minutes=30))
        stop.set()
        await running

    asyncio.run(scenario())
    started = list(runs_of(desk)["started"])
    days = sorted({moment.date() for moment in started})
    assert [day.day for day in days] == [25, 27]
    assert all(session_open(m.date()) <= m < session_close(m.date()) for m in started)
    # the hours 19:30 and 20:30 of Wednesday, and 14:30, 15:30, 16:30 and 17:30 of the short Friday
    assert [moment.hour for moment in started] == [19, 20, 14, 15, 16, 17]
    assert len(open_gaps(desk.store, at=clock.now())) == 0


def test_a_gap_is_filled_within_its_slot(new_desk: Any, memory_gateway: Any, moment: datetime) -> None:
    desk = new_desk(ScaledClock(moment, 20.0))
    gateway = memory_gateway(desk.clock, **FEW)
    save_watch(desk.store, Watch("SPY", cadence_s=600.0, expiries=1))

    def spoil(option: ListedOption, observation: Observation) -> None:
        if gateway.sweeps == 1 and option.contract.strike == 600.0:
            observation.missing, observation.bid, observation.ask, observation.open_interest = "timeout", nan, nan, nan

    async def scenario() -> None:
        gateway.spoil = spoil
        service, stop = service_of(desk, gateway, hours=Hours()), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await until(lambda: len(runs_or_none(desk)) == 2 and not len(open_gaps(desk.store, at=desk.clock.now())))
        stop.set()
        await running

    asyncio.run(scenario())
    runs = runs_of(desk)
    assert list(runs["missing"][:2]) == [{"timeout": 2}, {}]
    assert list(runs["received"][:2]) == [8, 2]


def runs_or_none(desk: Desk) -> pd.DataFrame:
    runs = list_runs(desk.store)
    return runs[runs["status"] == "done"]


def all_served(desk: Desk) -> bool:
    return bool(store.list_requests(desk.store, at=desk.clock.now())["finished"].notna().all())


def test_a_request_is_served_though_nothing_is_watched(new_desk: Any, memory_gateway: Any) -> None:
    desk = new_desk()
    gateway = memory_gateway(desk.clock, **FEW)

    async def scenario() -> None:
        service, stop = service_of(desk, gateway, hours=Hours(always=True)), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await asyncio.sleep(0.3)
        request_chain(desk.store, "SPY", requested_by="test", at=desk.clock.now(), expiries=[gateway.days[1]])
        await until(lambda: all_served(desk))
        request_chain(desk.store, "NOSUCH", requested_by="test", at=desk.clock.now())
        await until(lambda: all_served(desk))
        stop.set()
        await running

    asyncio.run(scenario())
    requests = store.list_requests(desk.store, at=desk.clock.now()).sort_values("request_id", ignore_index=True)
    assert list(runs_of(desk)["received"]) == [10, 0]
    assert requests["run_id"][0] == runs_of(desk)["run_id"][0]
    assert "NOSUCH" in requests["problem"][1]


def test_the_watchlist_is_followed_while_it_changes(new_desk: Any, memory_gateway: Any) -> None:
    desk = new_desk()
    gateway = memory_gateway(desk.clock, **FEW)

    async def scenario() -> None:
        service, stop = service_of(desk, gateway, hours=Hours(always=True)), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await asyncio.sleep(0.2)
        assert not service.turns.reports
        save_watch(desk.store, Watch("SPY", cadence_s=3600.0, expiries=1))
        await until(lambda: len(service.turns.reports) == 1)
        await until(lambda: "SPY" in service.hot.streams)
        store.remove_watch(desk.store, "SPY")
        await until(lambda: not service.hot.streams)
        stop.set()
        await running

    asyncio.run(scenario())
    assert list(runs_of(desk)["expected"]) == [10]


def test_what_a_dead_process_left_is_told_and_collected_again(
    new_desk: Any, memory_gateway: Any, moment: datetime
) -> None:
    clock = SteppedClock(moment)
    desk = new_desk(clock)
    gateway = memory_gateway(clock, **FEW)
    save_watch(desk.store, Watch("SPY", cadence_s=600.0, expiries=1))
    store.begin_run(
        desk.store, collector="option_chain", source="simulated", symbol="SPY", started=moment, batch="killed",
        expected=10,
    )  # fmt: skip
    with desk.store.engine.begin() as connection:  # as if a process had written it that has ended since
        connection.exec_driver_sql("UPDATE collection_runs SET process = 'another start'")
    clock.advance(timedelta(minutes=25))

    async def scenario() -> None:
        service, stop = service_of(desk, gateway, hours=Hours()), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await until(lambda: len(service.turns.reports) == 1)
        stop.set()
        await running

    asyncio.run(scenario())
    runs = runs_of(desk)
    assert list(runs["missing"]) == [{"interrupted": 10}, {}]
    with desk.store.engine.connect() as connection:
        gaps = connection.exec_driver_sql("SELECT reason, first_ts, last_ts FROM collection_gaps ORDER BY gap_id").all()
    assert [gap.reason for gap in gaps] == ["interrupted", "not_running"]
    assert (gaps[1].first_ts, gaps[1].last_ts) == (moment + timedelta(minutes=10), moment + timedelta(minutes=20))


def test_a_gateway_that_is_away_is_waited_for(new_desk: Any, memory_gateway: Any, moment: datetime) -> None:
    clock = SteppedClock(moment)
    desk = new_desk(clock)
    gateway = memory_gateway(clock, **FEW)
    save_watch(desk.store, Watch("SPY", cadence_s=600.0, expiries=1))

    async def scenario() -> None:
        service, stop = service_of(desk, gateway, hours=Hours()), asyncio.Event()
        running = asyncio.create_task(service.run(stop))
        await until(lambda: len(service.turns.reports) == 1)
        gateway.state = SessionState.WAITING_2FA
        for _ in range(15):
            clock.advance(timedelta(minutes=2))
            await asyncio.sleep(0.03)
        gateway.state = SessionState.READY
        clock.advance(timedelta(seconds=2))
        await until(lambda: len(service.turns.reports) == 2)
        stop.set()
        await running

    asyncio.run(scenario())
    assert list(runs_of(desk)["received"]) == [10, 10]
    with desk.store.engine.connect() as connection:
        gaps = connection.exec_driver_sql("SELECT reason, first_ts, last_ts FROM collection_gaps").all()
    assert [gap.reason for gap in gaps] == ["waiting_2fa"]
    assert gaps[0].last_ts - gaps[0].first_ts == timedelta(minutes=20)


def test_a_tick_is_seen_within_a_quarter_of_a_second(new_desk: Any, memory_gateway: Any) -> None:
    desk = new_desk(SystemClock())
    gateway = memory_gateway(desk.clock)

    async def scenario() -> list[float]:
        outbox = Outbox(desk.store, Spool(desk.settings.home / "spool"))
        sweeper = Sweeper(desk, gateway, outbox, limits=Limits())
        stream, stop = HotStream(desk.store, gateway, sweeper, desk.clock, symbol="SPY", lines=41), asyncio.Event()
        running = asyncio.create_task(stream.run(stop))
        await until(lambda: "hot SPY" in gateway.leases)
        lease, delays = gateway.leases["hot SPY"], []
        with listen(desk.store, ["live_quotes"]) as listener:
            for number in range(12):
                con_id, ticked = list(lease.newest)[number], time.monotonic()
                lease.newest[con_id].ts = desk.clock.now()
                lease.newest[con_id].last = 100.0 + number
                lease.ticks.put_nowait([lease.newest[con_id]])
                note = await listener.next(5.0)
                assert note is not None
                delays.append(time.monotonic() - ticked)
        stop.set()
        await running
        return delays

    delays = asyncio.run(scenario())
    assert statistics.median(delays) < 0.25  # what the stream itself waits; a busy machine adds to some of them
    quotes = live_quotes(desk.store.engine, "SPY", at=desk.clock.now())
    assert sorted(quotes["last"]) == [100.0 + number for number in range(12)]
    assert set(quotes["quality"]) == {"ok"}
