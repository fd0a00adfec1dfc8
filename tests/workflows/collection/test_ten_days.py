"""Ten simulated trading days on which something breaks all the time; in the end nothing is missing without a reason."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bifrost_lib.core.calendar import session_close, session_open, sessions
from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import Limits, Patience, open_gateway
from bifrost_lib.sim import Broker, SimulatedGateway, SyntheticMarket
from bifrost_lib.sim import Limits as Granted
from bifrost_lib.store import Spool, Watch, list_runs, save_watch
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.service import CollectorService

LIMITS = Limits(messages_per_s=None, lines=100, history=False)
PATIENCE = Patience(
    connect_s=2.0,
    request_s=3.0,
    heartbeat_s=1.0,
    answer_s=1.0,
    settle_s=0.3,
    backoff_s=0.1,
    backoff_cap_s=0.5,
    degraded_s=5.0,
)
CADENCE = timedelta(minutes=30)
PEACE_S = 40.0  # in which one whole sweep must come about once nothing is broken
#: Faults and their facts; durations are of the gateway's own clock.
FAULTS: Sequence[tuple[str, dict[str, Any]]] = (
    ("connectivity-lost", {"duration": 0.5}), ("restored-lost", {}), ("restored-kept", {}),
    ("farm-broken", {"farm": "data", "duration": 0.5}), ("drop", {}), ("half-open", {"duration": 0.7}),
    ("silent", {"share": 0.3, "duration": 0.8}), ("slow", {"delay": 0.1, "duration": 0.5}),
    ("line-limit", {"lines": 20, "duration": 1.0}), ("not-subscribed", {"share": 0.2, "duration": 0.5}),
    ("stale", {"duration": 0.5}), ("crossed", {"share": 0.5, "duration": 0.5}),
    ("missing", {"share": 0.3, "duration": 0.8}), ("no-greeks", {"variant": "nan", "duration": 0.5}),
    ("competing-session", {"duration": 0.5}), ("refuse", {"duration": 0.5}), ("relogin", {"duration": 0.5}),
    ("farm-broken", {"farm": "all", "duration": 0.5}), ("no-greeks", {"variant": "absent", "duration": 0.5}),
    ("no-greeks", {"variant": "minus", "duration": 0.5}), ("hmds-error", {"duration": 0.5}),
    ("slow-snapshots", {"duration": 0.5}), ("order-preset", {"duration": 0.5}),
)  # fmt: skip


class LeapingClock:
    """The machine's clock, moved ahead over hours in which nothing is to be seen."""

    speed = 1.0

    def __init__(self, start: datetime) -> None:
        self._machine = SystemClock()
        self._ahead = start - self._machine.now()

    def now(self) -> datetime:
        return self._machine.now() + self._ahead

    def leap_to(self, moment: datetime) -> None:
        self._ahead += max(timedelta(0), moment - self.now())


async def until(condition: Any, seconds: float, what: Any) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, what()
        await asyncio.sleep(0.02)


async def live_through(desk: Any, clock: LeapingClock, days: list[date], chance: random.Random) -> CollectorService:
    market = SyntheticMarket(clock, always_open=False, symbols=("SPY",))
    async with SimulatedGateway(market, Broker(market, clock), limits=Granted(enforced=False)) as sim:
        settings = load_settings({"BIFROST_HOME": str(desk.settings.home), "BIFROST_IB_PORT": str(sim.port)})
        stop, outbox = asyncio.Event(), Outbox(desk.store, Spool(desk.settings.home / "spool"))
        async with open_gateway(settings, clock=clock, limits=LIMITS, patience=PATIENCE) as gateway:
            service = CollectorService(desk, gateway, outbox, limits=LIMITS, hours=Hours())
            running = asyncio.create_task(service.run(stop))
            for day in days:
                slot, close = session_open(day), session_close(day)
                while slot < close:
                    clock.leap_to(slot + timedelta(seconds=1))
                    last = slot + CADENCE >= close
                    if not last:
                        name, facts = chance.choice(FAULTS)
                        sim.faults.inject(name, **facts)
                        await asyncio.sleep(chance.uniform(0.2, 0.8))
                    else:
                        await in_peace(sim, service, gateway)
                    slot += CADENCE
                clock.leap_to(close + timedelta(hours=1))
                sim.faults.inject("nightly-reset", data=chance.choice(["lost", "kept"]), duration=0.3)
                await asyncio.sleep(0.3)
            assert not running.done(), running
            stop.set()
            await asyncio.wait_for(running, 30)
        assert sim.broker.open_orders(None) == []
        assert sim.broker.completed_orders() == []
    return service


async def in_peace(sim: SimulatedGateway, service: CollectorService, gateway: Any) -> None:
    """Break nothing any more; a whole sweep must come about without help."""
    sim.faults.clear()
    done = len(service.turns.reports)

    def whole() -> bool:
        return any(report.received >= 0.95 * report.expected > 0 for report in service.turns.reports[done:])

    await until(whole, PEACE_S, lambda: f"it does not recover: {gateway.status()} {service.turns.reports[done:]}")


@pytest.mark.slow
def test_ten_days_of_trouble(new_desk: Any) -> None:
    days = sessions(date(2026, 11, 16), date(2026, 11, 30))  # with Thanksgiving and the early close after it
    assert len(days) == 10
    clock = LeapingClock(session_open(days[0]) - timedelta(minutes=5))
    desk = new_desk(clock)
    save_watch(desk.store, Watch("SPY", cadence_s=CADENCE.total_seconds(), expiries=2, strikes=10))
    service = asyncio.run(live_through(desk, clock, days, random.Random(20261116)))

    runs = list_runs(desk.store, limit=100_000)
    assert set(runs["status"]) <= {"done", "failed"}
    for run in runs.to_dict("records"):
        assert run["expected"] == run["received"] + sum(run["missing"].values()), run
        assert run["received"] == run["rows_stored"], run
    for report in service.turns.reports:
        assert report.expected == report.received + sum(report.missing.values())
    with desk.store.engine.connect() as connection:
        query = (
            "SELECT count(*), count(DISTINCT (contract_id, ts)), count(DISTINCT (ts AT TIME ZONE 'America/New_York')::"
            "date), count(*) FILTER (WHERE bid IS NULL AND ask IS NULL AND last IS NULL AND open_interest IS NULL) "
            "FROM option_snapshots"
        )
        rows, distinct, traded, silent = connection.exec_driver_sql(query).one()
    assert rows == distinct == runs["received"].sum() > 0
    assert traded == 10
    assert silent == 0
    # every slot of every session is a run or a gap that says why there is none
    assert len(runs) >= 10
    assert clock.now() > datetime(2026, 11, 30, 21, 0, tzinfo=UTC)
