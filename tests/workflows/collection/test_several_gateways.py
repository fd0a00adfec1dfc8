"""Several gateways named by one setting: a sweep uses all, loses nothing when one dies, and the desk sees each."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import Limits, Patience, open_gateway
from bifrost_lib.sim import Broker, SimulatedGateway, SyntheticMarket
from bifrost_lib.sim import Limits as Granted
from bifrost_lib.store import Spool, gateway_sessions, list_runs
from bifrost_lib.workflows.collection.beacon import telling
from bifrost_lib.workflows.collection.outbox import Outbox
from bifrost_lib.workflows.collection.sweep import Sweeper
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.status import desk_status

LINES = 20
LIMITS = Limits(messages_per_s=60.0, lines=LINES, history=False)
PATIENCE = Patience(connect_s=2.0, answer_s=1.0, settle_s=0.5, backoff_s=0.2, backoff_cap_s=0.5)


async def _until(holds: Any) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(holds):
            await asyncio.sleep(0.02)


def test_one_of_two_gateways_dies_in_the_middle_of_a_sweep(new_desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    desk = new_desk(clock)
    market = SyntheticMarket(clock, always_open=True, symbols=("SPY",))
    granted = Granted(lines=LINES, messages_per_s=1000)

    async def scenario() -> None:
        async with AsyncExitStack() as house, SimulatedGateway(market, Broker(market, clock), limits=granted) as first:
            second = await house.enter_async_context(SimulatedGateway(market, Broker(market, clock), limits=granted))
            places = [f"127.0.0.1:{port}" for port in (first.port, second.port)]
            home = {"BIFROST_HOME": str(desk.settings.home), "BIFROST_IB_GATEWAYS": ",".join(places)}
            monkeypatch.setenv("BIFROST_IB_GATEWAYS", ",".join(places))
            monkeypatch.setenv("BIFROST_HOME", str(desk.settings.home))
            monkeypatch.setenv("BIFROST_DATABASE_URL", desk.settings.database_url)
            async with open_gateway(load_settings(home), clock=clock, limits=LIMITS, patience=PATIENCE) as gateway:
                spy = await gateway.underlying("SPY")
                async with gateway.hold("page", [spy]) as page, telling(desk, gateway, holder="option_chain"):
                    sweeper = Sweeper(
                        desk, gateway, Outbox(desk.store, Spool(desk.settings.home / "spool")), limits=gateway.limits
                    )
                    assert gateway.limits.lines == 2 * LINES
                    chosen = Selection(expiries=2, strikes=60)
                    sweeping = asyncio.create_task(sweeper.sweep("SPY", chosen, stop=asyncio.Event()))
                    await _until(lambda: min(one.lines.used for one in gateway.logins()) > 1)
                    await house.aclose()
                    report = await sweeping
                    assert report.expected > 200 and report.lines_peak >= 4
                    assert report.received == report.expected and not report.missing
                    await _until(lambda: page.latest()[spy.con_id].bid > 0)
                    assert gateway.status().lines.total == LINES, "what has died has no lines to give"

                    def is_told() -> bool:
                        rows = gateway_sessions(desk.store)
                        return len(rows) == 2 and (rows["state"] == "ready").sum() == 1  # the other by the hour of day

                    await _until(is_told)
                    told = await asyncio.to_thread(desk_status)
                    parts = {part["name"]: part for part in told["parts"]}
                    assert parts[f"gateway {places[0]}"]["state"] == "running"
                    assert f"of {LINES} lines" in parts[f"gateway {places[0]}"]["detail"]
                    assert parts[f"gateway {places[1]}"]["state"] == "waiting"
                    assert {one["gateway"] for one in told["sessions"]} == set(places)

    asyncio.run(scenario())
    for run in list_runs(desk.store).to_dict("records"):
        assert run["expected"] == run["received"] + sum(run["missing"].values()) == run["rows_stored"]
    assert gateway_sessions(desk.store).empty
