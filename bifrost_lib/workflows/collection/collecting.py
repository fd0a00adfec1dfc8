"""Collecting as a user asks for it: a few chains once, or everything that is watched for ever."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from bifrost_lib.core.errors import InputError, SourceUnavailable
from bifrost_lib.ib import Gateway, Limits, open_gateway
from bifrost_lib.store import Spool
from bifrost_lib.workflows.collection.beacon import telling
from bifrost_lib.workflows.collection.conditions import ConditionsJob
from bifrost_lib.workflows.collection.memory import ChainMemory
from bifrost_lib.workflows.collection.outbox import Outbox, spool_folder
from bifrost_lib.workflows.collection.rows import warm_up
from bifrost_lib.workflows.collection.schedule import Hours
from bifrost_lib.workflows.collection.service import CollectorService
from bifrost_lib.workflows.collection.simulated import gateway_for
from bifrost_lib.workflows.collection.sweep import Sweeper, SweepReport
from bifrost_lib.workflows.collection.universe import Selection
from bifrost_lib.workflows.desk import Desk

#: Between two attempts to reach a gateway that is not there at first; seconds of the machine.
AWAY_S = 5.0

T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Station:
    """What every collector works with: the gateway and the way to the store."""

    gateway: Gateway
    outbox: Outbox

    @property
    def hours(self) -> Hours:
        """When there is something to collect: a simulated gateway trades around the clock."""
        return Hours(always=self.gateway.status().simulated)


def collect(
    desk: Desk, symbols: Sequence[str], *, expiries: int = 2, strikes: int = 0, limits: Limits | None = None
) -> list[SweepReport]:
    """Sweep the chains of `symbols` once and store them.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        Underlyings, in any case.
    expiries : int
        How many expirations, the nearest first; 0: all.
    strikes : int
        How many strikes around the money of each expiration and class; 0: all.
    limits : Limits, optional
        The allowance of the gateway session. Default: what the settings say.

    Returns
    -------
    list of SweepReport
        One for each symbol, in the given order. An interruption stores what has come and accounts for the rest.

    Raises
    ------
    InputError
        If no symbol is given, or a count is negative.
    NoDataError
        If the gateway knows one of them not; nothing is collected then.
    SourceUnavailable
        If the gateway does not answer.
    """
    names = list(dict.fromkeys(symbol.strip().upper() for symbol in symbols))
    if not names or not all(names):
        raise InputError("symbols", list(symbols), "at least one underlying, for example SPY")
    for name, count in (("expiries", expiries), ("strikes", strikes)):
        if count < 0:
            raise InputError(name, count, "a whole number >= 0, 0 for all")
    selection = Selection(expiries=expiries, strikes=strikes)

    async def work(stop: asyncio.Event) -> list[SweepReport]:
        memory = ChainMemory(desk)
        # While the gateway is found and greeted, the store tells what was seen last.
        recalling = asyncio.create_task(asyncio.to_thread(memory.recall, *names))
        async with open_station(desk, holder="collect", limits=limits) as station:
            sweeper = Sweeper(desk, station.gateway, station.outbox, limits=station.gateway.limits, memory=memory)
            for name in names:
                await station.gateway.underlying(name)
            await recalling
            return [await sweeper.sweep(name, selection, stop=stop) for name in names if not stop.is_set()]

    return run_until_signal(work)


def collect_forever(
    desk: Desk, *, symbols: Sequence[str] = (), once: bool = False, limits: Limits | None = None
) -> list[SweepReport]:
    """Collect what the watchlist says, or `symbols`, until SIGTERM or SIGINT; `once` sweeps each a single time.

    Raises
    ------
    SourceUnavailable
        With `once`, if the gateway does not answer; else it is waited for.
    """

    async def work(stop: asyncio.Event) -> list[SweepReport]:
        async with open_station(desk, holder="option_chain", limits=limits) as station:
            service = CollectorService(
                desk, station.gateway, station.outbox, limits=station.gateway.limits, hours=station.hours,
                symbols=[symbol.upper() for symbol in symbols],
            )  # fmt: skip
            if once:
                return await service.run_once(stop)
            await service.run(stop)
            return service.turns.reports

    return run_until_signal(work if once else lambda stop: _until_there(work, stop, []))


def describe_markets(desk: Desk, *, symbols: Sequence[str] = (), once: bool = False, every_s: float = 240.0) -> int:
    """Compute and store the conditions of watched markets, or of `symbols`, on a beat; return how many rows.

    By default often enough that a page never calls them stale, which it does after five minutes, while all is well.

    Raises
    ------
    SourceUnavailable
        With `once`, if the gateway does not answer; else it is waited for.
    """

    async def work(stop: asyncio.Event) -> int:
        async with open_station(desk, holder="market_conditions") as station:
            job = ConditionsJob(
                desk, station.gateway, station.outbox, hours=station.hours, symbols=[one.upper() for one in symbols]
            )
            if once:
                await job.run_once()
            else:
                await job.run(stop, every_s=every_s)
            return job.stored

    return run_until_signal(work if once else lambda stop: _until_there(work, stop, 0))


@asynccontextmanager
async def open_station(desk: Desk, *, holder: str, limits: Limits | None = None) -> AsyncIterator[Station]:
    """Open the gateway that the settings name, or the simulated one, and the way to the store; `holder` is who asks."""
    await asyncio.to_thread(warm_up, desk.clock.now())
    with gateway_for(desk.settings) as settings:
        async with (
            open_gateway(settings, clock=desk.clock, role="collector", limits=limits) as gateway,
            telling(desk, gateway, holder=holder),
        ):
            yield Station(gateway, Outbox(desk.store, Spool(spool_folder(desk.settings))))


async def _until_there(work: Callable[[asyncio.Event], Coroutine[Any, Any, T]], stop: asyncio.Event, nothing: T) -> T:
    """Do `work` once the gateway answers; `nothing` if told to stop before."""
    while not stop.is_set():
        try:
            return await work(stop)
        except SourceUnavailable as trouble:
            log.warning("%s; next try in %.0f s", trouble, AWAY_S)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AWAY_S)
    return nothing


def run_until_signal(work: Callable[[asyncio.Event], Coroutine[Any, Any, T]]) -> T:
    """Run `work`; SIGTERM and SIGINT set its stop event, so that what is under way is stored first."""

    async def main() -> T:
        stop = asyncio.Event()
        for number in numbers:
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        return await work(stop)

    is_main = threading.current_thread() is threading.main_thread()  # signals are not ours elsewhere
    numbers = (signal.SIGTERM, signal.SIGINT) if is_main else ()
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        return asyncio.run(main())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
