"""A scripted market behind a simulated gateway, and unmodified clients that talk to it over a socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from ib_async import IB

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.sim.broker import Broker
from bifrost_lib.sim.gateway import Faults, Limits, SimulatedGateway
from bifrost_lib.sim.gateway.opening import add_instrument
from bifrost_lib.sim.market.scripted import ScriptedMarket

NOW = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
SPY, SPX, CALL, PUT = 756733, 416904, 1001, 1002
GREEKS = {"iv": 0.2, "delta": 0.5, "price": 2.5, "pv_dividend": 0.1, "gamma": 0.02, "vega": 0.3, "theta": -0.1,
          "und_price": 500.01}  # fmt: skip


class Desk:
    """A gateway over a scripted market, and the clients that a test connects to it."""

    def __init__(self, gateway: SimulatedGateway, market: ScriptedMarket) -> None:
        self.gateway, self.market, self.port = gateway, market, gateway.port
        self.errors: list[tuple[int, int, str]] = []
        self._clients: list[IB] = []

    async def connect(self, client_id: int = 1, **options: Any) -> IB:
        """Connect an ib_async client; its errors are kept in `errors`."""
        ib = IB()
        ib.errorEvent += lambda req_id, code, text, _: self.errors.append((req_id, code, text))
        self._clients.append(ib)
        await ib.connectAsync("127.0.0.1", self.port, clientId=client_id, timeout=3, **options)
        return ib

    async def reconnect(self, client_id: int, seconds: float = 20.0) -> IB:
        """Connect as soon as the gateway accepts it."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return await self.connect(client_id)
                except OSError:
                    await asyncio.sleep(0.02)

    @property
    def codes(self) -> list[int]:
        """Codes of the errors so far, notices of farms left out."""
        return [code for _, code, _ in self.errors if code not in (2104, 2106, 2158)]

    async def until(self, condition: Callable[[], Any], seconds: float = 20.0) -> None:
        """Wait for something to become true."""
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.01)

    def close(self) -> None:
        """Disconnect every client."""
        for ib in self._clients:
            ib.disconnect()


@asynccontextmanager
async def open_desk(**options: Any) -> AsyncIterator[Desk]:
    """Start a gateway over a scripted market with a stock, an index and a few options."""
    clock = SteppedClock(NOW)
    market = scripted(clock)
    settings = {"snapshot_s": 0.05, "limits": Limits(), **options}
    async with SimulatedGateway(market, Broker(market, clock), **settings) as gateway:
        desk = Desk(gateway, market)
        try:
            yield desk
        finally:
            desk.close()


def scripted(clock: SteppedClock) -> ScriptedMarket:
    """Return a market with SPY, SPX and options of both, and quotes of some of them."""
    market = ScriptedMarket(clock)
    add_instrument(market, {"symbol": "SPY", "con_id": SPY, "bid": 500.0, "ask": 500.02, "bid_size": 300.0,
                            "ask_size": 200.0, "last": 500.01, "last_size": 100.0, "volume": 1e6, "close": 498.0,
                            "call_open_interest": 9e5, "put_open_interest": 8e5, "hist_vol": 0.15, "implied_vol": 0.17,
                            "shortable": 3.0, "shortable_shares": 1e6, "mark": 500.01})  # fmt: skip
    add_instrument(market, {"symbol": "SPX", "con_id": SPX, "sec_type": "IND", "last": 5000.0, "close": 4990.0})
    con_id = CALL
    for expiry in ("2026-12-18", "2027-01-15"):
        for strike in (490.0, 500.0, 510.0):
            for right in ("C", "P"):
                add_instrument(market, {"symbol": "SPY", "con_id": con_id, "expiry": expiry, "strike": strike,
                                        "right": right, "bid": 2.4, "ask": 2.6, "bid_size": 10.0, "ask_size": 20.0,
                                        "volume": 7.0, "open_interest": 1234.0, "option_volume": 7.0,
                                        "model": GREEKS})  # fmt: skip
                con_id += 1
    for trading_class in ("SPX", "SPXW"):
        add_instrument(market, {"symbol": "SPX", "con_id": con_id, "expiry": "2026-12-18", "strike": 5000.0,
                                "right": "C", "trading_class": trading_class, "bid": 50.0, "ask": 51.0, "bid_size": 3.0,
                                "ask_size": 4.0})  # fmt: skip
        con_id += 1
    return market


@pytest.fixture
def at_desk() -> Callable[..., None]:
    """Run a coroutine function with a desk; options go to the gateway."""

    def run(act: Callable[[Desk], Coroutine[Any, Any, None]], **options: Any) -> None:
        async def main() -> None:
            async with open_desk(**options) as desk:
                await act(desk)

        asyncio.run(main())

    return run


@pytest.fixture
def faults() -> Faults:
    """Faults that a test may set before its gateway starts."""
    return Faults()
