"""The database stops in the middle of collecting and comes back: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.ib import Limits
from bifrost_lib.store import Spool, Watch, list_runs, save_watch
from bifrost_lib.workflows import open_desk
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.service import CollectorService


@pytest.mark.slow
def test_rows_wait_on_the_disk_and_arrive_once(stoppable_database: Any, memory_gateway: Any) -> None:
    clock = SystemClock()
    gateway = memory_gateway(clock, strikes=tuple(range(595, 606)))
    with open_desk(settings=stoppable_database.settings, clock=clock) as desk:
        save_watch(desk.store, Watch("SPY", cadence_s=1.0, expiries=2))
        spool = Spool(desk.settings.home / "spool")

        async def until(condition: Any, timeout_s: float = 40.0) -> None:
            deadline = time.monotonic() + timeout_s
            while not condition():
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)

        async def scenario() -> int:
            service = CollectorService(
                desk, gateway, Outbox(desk.store, spool), limits=Limits(), hours=Hours(always=True)
            )
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stop))
            await until(lambda: len(service.turns.reports) >= 2)
            await asyncio.to_thread(stoppable_database.stop)
            await until(lambda: len(spool) >= 3)
            waiting = len(spool)
            await asyncio.to_thread(stoppable_database.start)
            await until(lambda: not len(spool))
            done = len(service.turns.reports)
            await until(lambda: len(service.turns.reports) > done)
            stop.set()
            await running
            assert sum(report.received for report in service.turns.reports) == 44 * len(service.turns.reports)
            return waiting

        assert asyncio.run(scenario()) >= 3
        runs = list_runs(desk.store, limit=1000)
        assert set(runs["status"]) == {"done"}
        assert (runs["expected"] == runs["received"]).all()
        with desk.store.engine.connect() as connection:
            rows, distinct = connection.exec_driver_sql(
                "SELECT count(*), count(DISTINCT (contract_id, ts)) FROM option_snapshots"
            ).one()
        assert rows == distinct == runs["received"].sum() == runs["rows_stored"].sum()
        assert runs["received"].sum() == 44 * len(runs)
