"""A gateway that answers from memory, where the real one over a socket would only be slower."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bifrost_lib.core.calendar import year_fraction
from bifrost_lib.core.clock import Clock, SystemClock
from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.errors import NoDataError, SourceUnavailable
from bifrost_lib.core.settings import Settings
from bifrost_lib.ib import (
    GatewayStatus,
    LineGauge,
    ListedOption,
    Observation,
    OptionClass,
    SessionState,
    Underlying,
)
from bifrost_lib.pricing import price
from bifrost_lib.workflows import Desk, open_desk

if TYPE_CHECKING:
    import pandas as pd
    from sqlalchemy import URL


@dataclass
class MemoryLease:
    """Lines that are held."""

    newest: dict[int, Observation]
    ticks: asyncio.Queue[list[Observation]] = field(default_factory=asyncio.Queue)

    def latest(self) -> dict[int, Observation]:
        return self.newest

    async def changes(self) -> AsyncIterator[list[Observation]]:
        while True:
            yield await self.ticks.get()


class MemoryGateway:
    """Offers SPY, with strikes 580 to 620 in two expiries, at a spot of 600; `spoil` can change what is observed."""

    def __init__(self, clock: Clock, *, strikes: Sequence[float], days: Sequence[date]) -> None:
        self.clock, self.strikes, self.days = clock, tuple(strikes), tuple(days)
        self.spoil: Callable[[ListedOption, Observation], None] = lambda option, observation: None
        self.before_each: Callable[[int], None] = lambda number: None
        self.is_down = False
        self.spot_price = 600.0
        self.messages = 0
        self.sweeps = 0
        self.state = SessionState.READY
        self.bars: pd.DataFrame | None = None
        self.leases: dict[str, MemoryLease] = {}

    def status(self) -> GatewayStatus:
        return GatewayStatus(
            self.state, self.clock.now(), "memory", 0, 178, True, ("DU1",), LineGauge(7, 100, 7), self.messages,
            0.0, "live", None, self.state is SessionState.READY,
        )  # fmt: skip

    def reset_peak(self) -> None:
        self.messages += 0

    async def underlying(self, symbol: str) -> Underlying:
        self._answer()
        if symbol != "SPY":
            raise NoDataError("underlying at the gateway", symbol=symbol)
        return Underlying("SPY", 1, "STK", "SMART", "USD")

    async def option_classes(self, underlying: Underlying) -> list[OptionClass]:
        self._answer()
        return [OptionClass("SPY", 100.0, self.days, self.strikes)]

    async def listed_options(
        self, underlying: Underlying, *, expiries: Sequence[date], trading_class: str | None = None
    ) -> list[ListedOption]:
        self._answer()
        keys = [(day, strike, right) for day in self.days for strike in self.strikes for right in "PC"]
        listed = [
            ListedOption(100 + number, OptionContract("SPY", day, strike, right))
            for number, (day, strike, right) in enumerate(keys)
        ]
        return [option for option in listed if option.contract.expiry in expiries]

    async def spot(self, underlying: Underlying) -> Observation:
        self._answer()
        return Observation(1, self.clock.now(), bid=self.spot_price - 0.01, ask=self.spot_price + 0.01)

    async def observe(self, options: Sequence[ListedOption], **_: Any) -> AsyncIterator[Observation]:
        self.sweeps += 1
        for number, option in enumerate(options):
            self.before_each(number)
            self._answer()
            await asyncio.sleep(0)
            observation = self.quote(option)
            self.spoil(option, observation)
            yield observation

    @asynccontextmanager
    async def hold(self, owner: str, wanted: Sequence[Any], **_: Any) -> AsyncIterator[MemoryLease]:
        newest = {one.con_id: self.quote(one) for one in wanted if isinstance(one, ListedOption)}
        self.leases[owner] = MemoryLease(newest)
        try:
            yield self.leases[owner]
        finally:
            del self.leases[owner]

    async def daily_bars(self, underlying: Underlying, days: int = 365, what: str = "TRADES") -> pd.DataFrame:
        self._answer()
        if self.bars is None:
            raise SourceUnavailable("the gateway", "it has no history")
        return self.bars if what == "TRADES" else self.bars.assign(close=self.bars["close"] / 3000)

    def quote(self, option: ListedOption) -> Observation:
        contract, now = option.contract, self.clock.now()
        tau = year_fraction(now, contract.expiry)
        value = float(
            price(spot=self.spot_price, strike=contract.strike, tau=tau, vol=0.2, right=contract.right, rate=0.04)
        )
        return Observation(
            option.con_id, now, bid=value - 0.02, ask=value + 0.02, bid_size=5.0, ask_size=6.0, open_interest=100.0,
            volume=10.0, ib_iv=0.2, spot=self.spot_price,
        )  # fmt: skip

    def _answer(self) -> None:
        self.messages += 1
        if self.is_down:
            raise SourceUnavailable("the gateway", "it is down")


MakeGateway = Callable[..., MemoryGateway]


@pytest.fixture
def memory_gateway() -> MakeGateway:
    """Makes gateways that answer from memory."""

    def make(
        clock: Clock | None = None,
        *,
        strikes: Sequence[float] = tuple(range(580, 621)),
        days: Sequence[date] = (date(2026, 12, 18), date(2027, 1, 15)),
    ) -> MemoryGateway:
        return MemoryGateway(clock or SystemClock(), strikes=strikes, days=days)

    return make


@pytest.fixture
def new_desk(database_server: URL, tmp_path: Any) -> Iterator[Callable[..., Desk]]:
    """Opens desks on a database of the test's own."""
    import secrets

    from sqlalchemy import create_engine, text

    from bifrost_lib.core.settings import load_settings

    name = f"bifrost_test_{secrets.token_hex(4)}"
    engine = create_engine(database_server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = database_server.set(database=name).render_as_string(hide_password=False)
    settings: Settings = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DATABASE_URL": url})
    desks: list[Desk] = []

    def make(clock: Clock | None = None) -> Desk:
        desks.append(open_desk(settings=settings, clock=clock or SystemClock()))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture
def moment() -> datetime:
    """A Wednesday noon at the exchange."""
    return datetime.fromisoformat("2026-11-18T17:00:00+00:00")
