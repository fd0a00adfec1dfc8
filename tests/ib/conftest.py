"""A simulated gateway over a scripted market, in the same event loop as the client that is tested."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bifrost_lib.core.clock import Clock, ScaledClock
from bifrost_lib.core.contracts import OptionContract, occ_symbol
from bifrost_lib.core.settings import load_settings
from bifrost_lib.ib import Gateway, Limits, ListedOption, Patience, open_gateway
from bifrost_lib.ib.link import Link
from bifrost_lib.sim import COMPUTATION_SIDES, Broker, Instrument, ScriptedMarket, SimulatedGateway
from bifrost_lib.sim import Limits as Granted

#: A Friday in the middle of a session.
NOON = datetime(2026, 11, 20, 17, tzinfo=UTC)
EXPIRY = date(2026, 12, 18)
SPY_ID, FIRST_OPTION_ID = 756733, 700_001
#: Every wait of the client is short here, except those that a test shortens further.
QUICK = Patience(
    connect_s=2.0, request_s=3.0, heartbeat_s=30.0, answer_s=0.5, settle_s=0.2, backoff_s=0.05, floor_s=0.05
)
TICKS = ((0.0, 0.01),)


@dataclass
class Bench:
    """A simulated gateway, and how to connect to it."""

    exchange: SimulatedGateway
    market: ScriptedMarket
    options: list[ListedOption]
    clock: Clock
    home: Path
    patience: Patience = QUICK

    def connect(self, limits: Limits | None = None, *, patience: Patience = QUICK, **more: Any) -> Any:
        """Return a context manager of a gateway that is connected."""
        environ = {"BIFROST_HOME": str(self.home), "BIFROST_IB_PORT": str(self.exchange.port)}
        settings = load_settings(environ | {"BIFROST_IB_CLIENT": os.environ.get("BIFROST_IB_CLIENT", "")})
        granted = limits or Limits(messages_per_s=None, lines=5, history=False)
        return open_gateway(settings, clock=self.clock, limits=granted, patience=patience, random=Random(1), **more)

    def inject(self, name: str, **facts: Any) -> None:
        """Make something go wrong."""
        self.exchange.faults.inject(name, **facts)

    @staticmethod
    async def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
        """Wait until `holds`, in the machine's seconds, because sockets keep them."""
        async with asyncio.timeout(seconds):
            while not holds():
                await asyncio.sleep(0.005)

    @staticmethod
    def links_of(gateway: Gateway) -> list[Link]:
        """Return the gateway's links, to look inside."""
        return list(gateway._links)

    def quote(self, option: ListedOption, bid: float) -> None:
        """Change a quote."""
        self.market.set(option.con_id, bid=bid, ask=bid + 0.1, bid_size=10.0, ask_size=12.0)


def _stock() -> Instrument:
    return Instrument(
        SPY_ID, "SPY", "STK", "SMART", "ARCA", "USD", "SPY", "SPY", "SPDR S&P 500 ETF TRUST", 26, TICKS,
        valid_exchanges=("SMART", "ARCA"),
    )  # fmt: skip


def _option(number: int) -> tuple[Instrument, ListedOption]:
    contract = OptionContract("SPY", EXPIRY, 500.0 + number // 2, "CP"[number % 2])
    instrument = Instrument(
        FIRST_OPTION_ID + number, "SPY", "OPT", "SMART", "", "USD", occ_symbol(contract), "SPY", "", 26, TICKS,
        expiry=EXPIRY, strike=contract.strike, right=contract.right, multiplier=100.0, style="american",
        settlement="PM", under_con_id=SPY_ID,
    )  # fmt: skip
    return instrument, ListedOption(instrument.con_id, contract)


def _scripted(clock: Clock, contracts: int) -> tuple[ScriptedMarket, list[ListedOption]]:
    pairs = [_option(number) for number in range(contracts)]
    market = ScriptedMarket(clock, [_stock()], [instrument for instrument, _ in pairs])
    market.set(SPY_ID, bid=519.99, ask=520.01, last=520.0, bid_size=300.0, ask_size=200.0)
    for number, (instrument, _) in enumerate(pairs):
        market.set(
            instrument.con_id, bid=1.0 + number, ask=1.1 + number, bid_size=10.0, ask_size=12.0, last=1.05 + number,
            volume=7.0, open_interest=100.0 + number, option_volume=7.0, close=0.9 + number,
        )  # fmt: skip
        for side in COMPUTATION_SIDES:
            market.set_computation(
                instrument.con_id, side, iv=0.2, delta=0.5, price=1.05, pv_dividend=0.0, gamma=0.01, vega=0.7,
                theta=-0.05, und_price=520.0,
            )  # fmt: skip
    return market, [listed for _, listed in pairs]


@asynccontextmanager
async def _bench(home: Path, contracts: int, start: datetime, speed: float, **granted: Any) -> AsyncIterator[Bench]:
    clock = ScaledClock(start, speed)
    market, options = _scripted(clock, contracts)
    limits = Granted(**granted) if granted else Granted(enforced=False)
    async with SimulatedGateway(market, Broker(market, clock), limits=limits) as exchange:
        yield Bench(exchange, market, options, clock, home)


Scenario = Callable[[Bench], Any]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Run a coroutine function against a fresh simulated gateway and return its result."""

    def run(
        scenario: Scenario, *, contracts: int = 30, start: datetime = NOON, speed: float = 1.0, **granted: Any
    ) -> Any:
        async def main() -> Any:
            async with asyncio.timeout(60.0), _bench(tmp_path, contracts, start, speed, **granted) as bench:
                return await scenario(bench)

        return asyncio.run(main())

    yield run
