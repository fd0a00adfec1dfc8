"""The door to IB: what is listed, what it costs, and how the session stands."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import replace
from datetime import date
from itertools import count
from math import isnan
from random import Random
from typing import TYPE_CHECKING, Any

from bifrost_lib.core.clock import Clock, SystemClock
from bifrost_lib.core.errors import InputError, SettingsError, SourceUnavailable
from bifrost_lib.core.vocabulary import MARKET_DATA_TYPES
from bifrost_lib.ib.bars import duration_text, frame_of_daily_bars
from bifrost_lib.ib.client import SOURCE, Client, load_library
from bifrost_lib.ib.contracts import ContractCache
from bifrost_lib.ib.errors import Category, GatewayRefusal
from bifrost_lib.ib.history import BarsRequest
from bifrost_lib.ib.limits import Limits, Patience, configured_limits, sum_of_limits
from bifrost_lib.ib.lines import Priority
from bifrost_lib.ib.link import Link
from bifrost_lib.ib.records import (
    GatewayStatus,
    LineGauge,
    ListedOption,
    Observation,
    OptionClass,
    SessionState,
    Underlying,
)
from bifrost_lib.ib.session import Endpoint
from bifrost_lib.ib.slots import ask_for
from bifrost_lib.ib.subscriptions import Lease
from bifrost_lib.ib.sweep import Pace, Sweep
from bifrost_lib.ib.waiting import sleep
from bifrost_lib.ib.windows import login_lapses_at

if TYPE_CHECKING:
    import pandas as pd

    from bifrost_lib.core.settings import Settings

DAY_S = 86_400
HISTORY_PAUSE_S = 15.0
#: Best first, for several logins: the desk can work as soon as one of them can.
_BEST = (
    SessionState.READY, SessionState.RESUBSCRIBING, SessionState.DEGRADED, SessionState.SYNCING,
    SessionState.CONNECTING, SessionState.RESET_WINDOW, SessionState.WAITING_2FA, SessionState.DISCONNECTED,
    SessionState.HALTED,
)  # fmt: skip


class Gateway:
    """One or more gateway logins, used as one: their lines and messages add up."""

    def __init__(self, links: Sequence[Link], *, clock: Clock, patience: Patience) -> None:
        self._links, self._clock, self._patience = links, clock, patience
        self._cache = ContractCache(clock, self)
        self._numbers = count(1)

    @property
    def simulated(self) -> bool:
        """Whether the gateway says of itself that it is a simulation."""
        return any(link.session.simulated for link in self._links)

    @property
    def limits(self) -> Limits:
        """The allowance of all logins together, as it is kept now."""
        return sum_of_limits([link.limits for link in self._links])

    def status(self) -> GatewayStatus:
        """Return how the session stands; with several logins, the best of them and the sum of what they have."""
        logins = self.logins()
        granted = [one.lines.total for one, link in zip(logins, self._links, strict=True) if link.session.connected]
        lines = _sum_of([one.lines for one in logins])
        return replace(
            min(logins, key=lambda one: _BEST.index(one.state)),
            lines=replace(lines, total=sum(granted)) if granted else lines,
            messages_sent=sum(one.messages_sent for one in logins),
            messages_per_s=sum(one.messages_per_s for one in logins),
            quotes_flow=any(one.quotes_flow for one in logins),
        )

    def logins(self) -> list[GatewayStatus]:
        """Return how each login stands by itself, in the order in which they were named."""
        return [self._status_of(link) for link in self._links]

    def _status_of(self, link: Link) -> GatewayStatus:
        session, client = link.session, link.session.client
        return GatewayStatus(
            state=session.state,
            since=session.since,
            host=session.endpoint.host,
            port=session.endpoint.port,
            server_version=client.server_version if client is not None else 0,
            simulated=self.simulated,
            accounts=client.accounts if client is not None and client.connected else (),
            lines=link.lines.gauge(),
            messages_sent=link.pacer.sent_total,
            messages_per_s=link.pacer.messages_per_s(),
            data_type=MARKET_DATA_TYPES[link.data_type],
            last_heard=session.last_heard,
            quotes_flow=link.usable,
            login_lapses=None if self.simulated else login_lapses_at(self._clock.now()),
            trouble=session.trouble,
        )

    def reset_peak(self) -> None:
        """Begin a new measurement of the most lines used at once."""
        for link in self._links:
            link.lines.reset_peak()

    async def underlying(self, symbol: str) -> Underlying:
        """Return the stock, fund or index of that symbol.

        Raises
        ------
        NoDataError
            If IB knows none.
        SourceUnavailable
            If the gateway does not answer.
        """
        return await self._cache.underlying(symbol)

    async def option_classes(self, underlying: Underlying) -> list[OptionClass]:
        """Return the trading classes listed on an underlying, with expiries and strikes."""
        return await self._cache.option_classes(underlying)

    async def listed_options(
        self, underlying: Underlying, *, expiries: Sequence[date], trading_class: str | None = None
    ) -> list[ListedOption]:
        """Return every option listed for the given expiries, sorted by class, expiry, strike, right.

        One request for each expiry (two where a class settles on the opening) and day of the exchange.
        """
        return await self._cache.listed_options(underlying, expiries=expiries, trading_class=trading_class)

    async def spot(self, underlying: Underlying) -> Observation:
        """Observe the underlying itself; `spot` is the mid, else the last price, else the previous close."""
        async with aclosing(self._observe([underlying], "spot", Priority.DASHBOARD, 11.0)) as observations:
            async for seen in observations:
                mid = (seen.bid + seen.ask) / 2.0
                seen.spot = next((price for price in (mid, seen.last, seen.close) if not isnan(price)), mid)
                return seen
        raise SourceUnavailable(SOURCE, f"{underlying.symbol} was not observed")

    async def observe(
        self,
        options: Sequence[ListedOption | Underlying],
        *,
        open_interest: bool = True,
        priority: Priority = Priority.SWEEP,
        timeout_s: float = 11.0,
        snapshot: bool = False,
    ) -> AsyncGenerator[Observation, None]:
        """Ask for every contract once, over whatever lines there are, and yield each as soon as it is complete.

        Parameters
        ----------
        options : sequence
            Contracts; one that comes twice is observed once.
        open_interest : bool
            Ask for it too. It takes a subscription: two messages instead of one.
        priority : Priority
            Whose turn it is when lines are scarce.
        timeout_s : float
            Seconds to wait for a contract's first quote, > 0.
        snapshot : bool
            Ask for snapshots, one message each; IB ends them within 11 s. They carry no open interest.

        Yields
        ------
        Observation
            Exactly one for each contract; `missing` says why there is no quote. Close the generator
            (``contextlib.aclosing``) when leaving it early.
        """
        if not timeout_s > 0:
            raise InputError("timeout_s", timeout_s, "a number of seconds > 0")
        if snapshot and open_interest:
            raise InputError("open_interest", True, "False with snapshot=True: IB's snapshots carry none")
        name = f"sweep-{next(self._numbers)}"
        seen = self._observe(
            options, name, priority, timeout_s, open_interest=open_interest, snapshot=snapshot
        )  # fmt: skip
        async with aclosing(seen) as observations:
            async for observation in observations:
                yield observation

    @asynccontextmanager
    async def hold(
        self,
        owner: str,
        items: Sequence[ListedOption | Underlying],
        priority: Priority = Priority.HELD,
        *,
        open_interest: bool = True,
    ) -> AsyncIterator[Lease]:
        """Follow contracts on permanent lines for as long as the block lasts, through every reconnect."""
        asks = [ask_for(item, open_interest=open_interest) for item in items]
        lease = Lease(owner, self._links, asks, priority)
        lease.open()
        try:
            yield lease
        finally:
            lease.close()

    async def daily_bars(self, underlying: Underlying, days: int = 365, what: str = "TRADES") -> pd.DataFrame:
        """Return daily bars of regular hours: ts (when complete), open, high, low, close, volume, oldest first.

        Parameters
        ----------
        days : int
            Calendar days back from now, >= 1.
        what : str
            TRADES, MIDPOINT, BID, ASK, HISTORICAL_VOLATILITY, OPTION_IMPLIED_VOLATILITY...
        """
        if days < 1:
            raise InputError("days", days, "a whole number >= 1")
        link = await self._ready_link()
        request = BarsRequest(underlying.con_id, underlying.exchange, what, DAY_S, duration_text(days))

        def send(client: Client, req_id: int) -> None:
            client.request_bars(
                req_id, request.con_id, request.exchange, what=what, duration=request.duration, bar="1 day"
            )

        for attempt in range(3):
            try:
                async with link.gate.opened(request):
                    rows = await link.request(f"daily bars of {underlying.symbol}", send)
                return frame_of_daily_bars(rows, now=self._clock.now())
            except GatewayRefusal as error:
                if error.verdict.category is not Category.HISTORY_PACING or attempt == 2:
                    raise
                await sleep(self._clock, HISTORY_PAUSE_S)
        raise AssertionError("unreachable: the loop returns or raises")

    async def request(self, what: str, send: Callable[[Client, int], None], *, patience_s: float = 0.0) -> list[Any]:
        """Send a request over a login that is connected, and over the next one if it is not answered."""
        links = [link for link in self._links if link.session.connected] or self._links[:1]
        for link in links[:-1]:
            with suppress(SourceUnavailable):
                return await link.request(what, send, patience_s=patience_s)
        return await links[-1].request(what, send, patience_s=patience_s)

    def _observe(
        self, items: Sequence[ListedOption | Underlying], name: str, priority: Priority, timeout_s: float, *,
        open_interest: bool = False, snapshot: bool = False,
    ) -> AsyncGenerator[Observation, None]:  # fmt: skip
        asks = [ask_for(item, open_interest=open_interest) for item in items]
        pace = Pace.of(self._patience, timeout_s)
        return Sweep(self._links, asks, name=name, priority=priority, pace=pace, snapshot=snapshot).run()

    async def _ready_link(self) -> Link:
        return next((link for link in self._links if link.session.connected), self._links[0])


@asynccontextmanager
async def open_gateway(
    settings: Settings,
    *,
    clock: Clock | None = None,
    role: str = "collector",
    limits: Limits | None = None,
    patience: Patience | None = None,
    endpoints: Sequence[tuple[str, int]] = (),
    random: Random | None = None,
) -> AsyncIterator[Gateway]:
    """Connect to the gateways that the settings name, one or several, and stay connected inside the block.

    Parameters
    ----------
    settings : Settings
        `ib_addresses` and `ib_client`.
    clock : Clock, optional
    role : str
        collector, orders or research: which client ids are used.
    limits : Limits, optional
        The allowance of each login. Default: what the settings say; none at a simulated gateway without limits.
    patience : Patience, optional
    endpoints : sequence of (host, port), optional
        Logins to use instead of those in the settings.
    random : Random, optional
        For the jitter of reconnecting.

    Raises
    ------
    SourceUnavailable
        If none of them answers.
    SettingsError
        If no gateway is named.
    EnvironmentProblem
        If the IB client library is not installed.
    """
    clock, limits, patience = clock or SystemClock(), limits or configured_limits(settings), patience or Patience()
    places = [Endpoint(host, port) for host, port in endpoints or _addresses(settings)]
    library = load_library(settings.ib_client)
    links = [
        Link(place, library=library, clock=clock, role=role, limits=limits, patience=patience, random=random)
        for place in places
    ]
    try:
        await _open_all(links)
        yield Gateway(links, clock=clock, patience=patience)
    finally:
        for link in links:
            await link.close()


async def _open_all(links: Sequence[Link]) -> None:
    """Open every login; one is enough to begin with, the others are tried for as long as the gateway is open."""
    results = await asyncio.gather(*(link.session.open() for link in links), return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    for failure in failures:
        if not isinstance(failure, SourceUnavailable) or len(failures) == len(links):
            raise failure
    for link in links:
        link.session.keep()


def _addresses(settings: Settings) -> Sequence[tuple[str, int]]:
    if not settings.ib_addresses:
        raise SettingsError("ib_port", "default", "no gateway is named; set BIFROST_IB_PORT, or start ./bifrost up")
    return settings.ib_addresses


def _sum_of(gauges: Sequence[LineGauge]) -> LineGauge:
    holders: dict[str, int] = {}
    for gauge in gauges:
        for name, used in gauge.holders.items():
            holders[name] = holders.get(name, 0) + used
    return LineGauge(
        sum(gauge.used for gauge in gauges),
        sum(gauge.total for gauge in gauges),
        sum(gauge.peak for gauge in gauges),
        holders,
    )
