"""Run a simulated IB Gateway: ``python -m bifrost_lib.sim --port 7497``."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from contextlib import suppress
from pathlib import Path

from bifrost_lib import pricing
from bifrost_lib.core.clock import Clock, ScaledClock, SystemClock, parse_moment
from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.core.kernels import has_kernels
from bifrost_lib.sim import warm_up
from bifrost_lib.sim.exchange import Market
from bifrost_lib.sim.gateway.limits import Limits
from bifrost_lib.sim.gateway.opening import first_moment, open_replay, open_script


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; return the exit status."""
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        asyncio.run(_serve(given))
    except BifrostError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    except OSError as exc:
        sys.stderr.write(
            f"port {given.port} of {given.host} cannot be used: {exc.strerror or exc}; choose another with --port\n"
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bifrost_lib.sim", description="A simulated IB Gateway that clients of the TWS API talk to."
    )
    add = parser.add_argument
    add("--port", type=int, default=7497, help="0 takes any free one (default %(default)s)")
    add("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    add("--market", choices=("synthetic", "replay", "scripted"), default="synthetic")
    add("--seed", type=int, help="of the synthetic market: the same seed shows the same quotes")
    add("--speed", type=float, default=1.0, help="seconds of the market in one of the machine (default %(default)s)")
    add("--start", help="moment at which the market's clock begins, such as 2026-11-20T15:00Z (default: now)")
    add("--hours", choices=("always", "exchange"), default="always", help="when it trades (default %(default)s)")
    add("--replay", type=Path, metavar="FILE", help="quotes to replay, in Parquet")
    add("--script", type=Path, metavar="FILE", help="instruments and numbers of the scripted market, JSON or TOML")
    add("--no-limits", action="store_true", help="no limits on messages, lines and history")
    add("--lines", type=int, default=100, help="market-data lines of all clients together (default %(default)s)")
    add("--max-version", type=int, default=178, help="highest version of the protocol (default %(default)s)")
    return parser


async def _serve(given: argparse.Namespace) -> None:
    from bifrost_lib.sim.broker import Broker
    from bifrost_lib.sim.gateway.server import SimulatedGateway

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    clock = _clock(given)
    market = _market(given, clock)
    limits = Limits(lines=given.lines, enforced=not given.no_limits)
    broker = Broker(market, clock)
    gateway = SimulatedGateway(
        market, broker, port=given.port, host=given.host, limits=limits, max_version=given.max_version
    )
    async with gateway:
        _settle(market)
        sys.stdout.write(f"listening on {gateway.host}:{gateway.port}\n")
        sys.stdout.flush()
        await stop.wait()


def _settle(market: Market) -> None:
    # The first quotes build the day's tables and compile; whoever connects after the announcement should not wait.
    if market.instruments.underlyings() and not has_kernels():
        sys.stderr.write("compiling the pricing of the market for this machine, once; this takes up to a minute\n")
    # All at once, also what only the calculator needs: clients give it four seconds.
    pricing.warm_up()
    warm_up()
    for under in market.instruments.underlyings():
        with suppress(KeyError):
            market.quotes([under.con_id, *(option.con_id for option in market.instruments.options(under.symbol)[:1])])
    gc.collect()
    gc.freeze()


def _clock(given: argparse.Namespace) -> Clock:
    if given.start is not None:
        return ScaledClock(parse_moment(given.start, name="start"), given.speed)
    if given.market == "replay":
        return ScaledClock(first_moment(_replayed(given)), given.speed)
    return SystemClock() if given.speed == 1.0 else ScaledClock(SystemClock().now(), given.speed)


def _replayed(given: argparse.Namespace) -> Path:
    if given.replay is None:
        raise InputError("replay", None, "a file of quotes, --replay FILE, for a replayed market")
    return Path(given.replay)


def _market(given: argparse.Namespace, clock: Clock) -> Market:
    always = given.hours == "always"
    if given.market == "replay":
        return open_replay(_replayed(given), clock)
    if given.market == "scripted":
        return open_script(given.script, clock, always_open=always)
    from bifrost_lib.sim import SyntheticMarket

    return SyntheticMarket(clock, always_open=always, **({} if given.seed is None else {"seed": given.seed}))


if __name__ == "__main__":
    sys.exit(main())
