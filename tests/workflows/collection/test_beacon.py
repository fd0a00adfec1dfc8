"""The desk knows from the database how the session with the gateway stands, for as long as somebody holds it."""

from __future__ import annotations

import asyncio
from typing import Any

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import Limits, open_gateway
from bifrost_lib.sim import Broker, SimulatedGateway, SyntheticMarket
from bifrost_lib.sim import Limits as Granted
from bifrost_lib.store import gateway_sessions
from bifrost_lib.workflows.collection.beacon import telling


def test_how_the_session_stands_is_told_until_it_ends(new_desk: Any) -> None:
    clock = SystemClock()
    desk = new_desk(clock)

    async def scenario() -> Any:
        market = SyntheticMarket(clock, always_open=True, symbols=("SPY",))
        async with SimulatedGateway(market, Broker(market, clock), limits=Granted()) as sim:
            settings = load_settings({"BIFROST_HOME": str(desk.settings.home), "BIFROST_IB_PORT": str(sim.port)})
            async with open_gateway(settings, clock=clock, limits=Limits(lines=40)) as gateway:
                spy = await gateway.underlying("SPY")
                async with gateway.hold("page", [spy]), telling(desk, gateway, holder="option_chain"):
                    async with asyncio.timeout(20):
                        while (rows := await asyncio.to_thread(gateway_sessions, desk.store)).empty:
                            await asyncio.sleep(0.02)
                    assert rows["port"].tolist() == [sim.port]
        (row,) = rows.to_dict("records")
        return row

    row = asyncio.run(scenario())
    assert (row["holder"], row["host"], row["state"], row["trouble"]) == ("option_chain", "127.0.0.1", "ready", "")
    assert row["simulated"] and row["lines_total"] == 40 and row["lines_used"] == sum(row["lines_held"].values())
    assert gateway_sessions(desk.store).empty, "its holder ended in good order"
