"""Everything that goes wrong at a gateway, over a real socket: the ledger balances to the row, and all recovers."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import Limits, Patience, open_gateway
from bifrost_lib.store import Spool, Watch, list_runs, save_watch
from bifrost_lib.workflows import Desk
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.service import CollectorService

LIMITS = Limits(messages_per_s=None, lines=100, history=False)
PATIENCE = Patience(
    connect_s=2.0, request_s=3.0, heartbeat_s=1.0, answer_s=1.0, settle_s=0.5, backoff_s=0.2, backoff_cap_s=1.0
)
FAULTS = (
    "connectivity-lost duration=2", "restored-lost", "restored-kept", "farm-broken farm=data duration=2", "drop",
    "half-open duration=3", "silent share=0.3 duration=3", "slow delay=0.3 duration=2",
    "line-limit lines=20 duration=3", "not-subscribed share=0.2 duration=3", "stale duration=2",
    "crossed share=0.5 duration=2", "missing share=0.3 duration=3", "no-greeks variant=nan duration=2",
    "competing-session duration=2", "nightly-reset data=lost duration=3", "refuse duration=2", "relogin duration=2",
    "farm-broken farm=all duration=2", "no-greeks variant=absent duration=2",
)  # fmt: skip


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A gateway that enforces nothing, so that sweeps take a moment."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bifrost_lib.sim", "--port", "0", "--no-limits"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ,
    )  # fmt: skip
    assert process.stdout is not None
    yield int(process.stdout.readline().rpartition(":")[2])
    process.terminate()
    process.wait(10)
    process.stdout.close()


async def inject(port: int, fault: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bifrost_lib.sim.control", "--port", str(port), *fault.split(),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, problem = await process.communicate()
    assert process.returncode == 0, problem.decode()


async def suffer(desk: Desk, port: int, faults: list[str], *, between_s: float) -> CollectorService:
    """Collect on a beat of two seconds while `faults` come one after the other; then once more in peace."""
    settings = load_settings({"BIFROST_HOME": str(desk.settings.home), "BIFROST_IB_PORT": str(port)})
    stop, outbox = asyncio.Event(), Outbox(desk.store, Spool(desk.settings.home / "spool"))
    async with open_gateway(settings, clock=desk.clock, limits=LIMITS, patience=PATIENCE) as gateway:
        service = CollectorService(desk, gateway, outbox, limits=LIMITS, hours=Hours(always=True))
        running = asyncio.create_task(service.run(stop))
        for fault in faults:
            await asyncio.sleep(between_s)
            await inject(port, fault)
        await asyncio.sleep(4.0)
        await inject(port, "clear")
        done = len(service.turns.reports)
        deadline = asyncio.get_running_loop().time() + 40
        while not (reports := service.turns.reports[done:]) or reports[-1].received < 0.9 * reports[-1].expected:
            assert asyncio.get_running_loop().time() < deadline, f"it does not recover: {gateway.status()} {reports}"
            await asyncio.sleep(0.1)
        stop.set()
        await asyncio.wait_for(running, 20)
    return service


#: What quotes do not depend on, and the other words for greeks that are not there; one after the other.
HARMLESS = (
    "hmds-error duration=1", "slow-snapshots duration=1", "order-preset duration=1", "read-only duration=1",
    "no-greeks variant=minus duration=2", "depth-reset", "farm-broken farm=hmds duration=3",
)  # fmt: skip


def check(desk: Desk, service: CollectorService) -> dict[str, int]:
    """Check that every contract of every run is explained and no row came twice; return what was missing."""
    runs, missing = list_runs(desk.store, limit=10_000), dict[str, int]()
    assert set(runs["status"]) <= {"done", "failed"}
    for run in runs.to_dict("records"):
        assert run["expected"] == run["received"] + sum(run["missing"].values())
        assert run["received"] == run["rows_stored"]
        for reason, count in run["missing"].items():
            missing[reason] = missing.get(reason, 0) + count
    for report in service.turns.reports:
        assert report.expected == report.received + sum(report.missing.values())
    with desk.store.engine.connect() as connection:
        rows, distinct, silent = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT (contract_id, ts)), count(*) FILTER (WHERE bid IS NULL AND ask IS NULL "
            "AND last IS NULL AND open_interest IS NULL) FROM option_snapshots"
        ).one()
        held = connection.exec_driver_sql(
            "SELECT count(*) FROM collection_gaps WHERE fillable_until IS NULL"
        ).scalar_one()
    assert rows == distinct == runs["received"].sum()
    assert silent == held == 0
    return missing


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(new_desk: Any, port: int, fault: str) -> None:
    desk = new_desk(SystemClock())
    save_watch(desk.store, Watch("SPY", cadence_s=2.0, expiries=4, strikes=20))
    service = asyncio.run(suffer(desk, port, [fault], between_s=2.5))
    check(desk, service)


@pytest.mark.slow
def test_what_quotes_do_not_depend_on_costs_none(new_desk: Any, port: int) -> None:
    desk = new_desk(SystemClock())
    save_watch(desk.store, Watch("SPY", cadence_s=2.0, expiries=4, strikes=20))
    service = asyncio.run(suffer(desk, port, list(HARMLESS), between_s=0.5))
    assert set(check(desk, service)) <= {"empty_quote", "stopped"}


@pytest.mark.slow
def test_faults_in_a_random_order(new_desk: Any, port: int) -> None:
    desk = new_desk(SystemClock())
    save_watch(desk.store, Watch("SPY", cadence_s=2.0, expiries=4, strikes=20))
    save_watch(desk.store, Watch("SPX", cadence_s=3.0, expiries=2, strikes=20))
    chosen = random.Random(7).sample(FAULTS, 12)
    service = asyncio.run(suffer(desk, port, chosen, between_s=1.2))
    check(desk, service)
    assert len(service.turns.reports) >= 4
    ended = list_runs(desk.store, limit=1)["finished"].iloc[0]
    assert desk.clock.now() - ended.to_pydatetime() < timedelta(seconds=60)
