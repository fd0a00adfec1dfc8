"""``python -m collectors NAME``: one collector, for as long as it is not told to stop.

It logs to stderr, ends on SIGTERM or SIGINT after what it has observed is stored, and exits with 0 then; with 1 and one
clear line where it cannot work, with 2 where it was called wrongly.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from bifrost_lib import workflows  # whose names are loaded as they are used: no collector loads what others need
from bifrost_lib.core.errors import BifrostError, UnknownNameError


@dataclass(frozen=True)
class Collector:
    """One line of the help text, and what to run: it takes a desk, symbols and `once`."""

    help: str
    run: Callable[[workflows.Desk, Sequence[str], bool], object]


COLLECTORS = {
    "option_chain": Collector(
        "watched option chains: hot strikes stream, the rest rotates, requests go first",
        lambda desk, symbols, once: workflows.collect_forever(desk, symbols=symbols, once=once),
    ),
    "market_conditions": Collector(
        "volatility, its rank, skew, term slope, ratios and index of watched markets",
        lambda desk, symbols, once: workflows.describe_markets(desk, symbols=symbols, once=once),
    ),
    "recommendations": Collector(
        "watched documents on each new snapshot; open recommendations marked and settled after each close",
        lambda desk, symbols, once: workflows.keep_records(desk, symbols=symbols, once=once),
    ),
}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one collector and end the process with its exit status."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one collector and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        if given.name not in COLLECTORS:
            raise UnknownNameError("collector", given.name, COLLECTORS)
    except UnknownNameError as error:
        return _fail(error, 2)
    try:
        with workflows.open_desk() as desk:
            logging.basicConfig(level=desk.settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
            COLLECTORS[given.name].run(desk, given.symbols, given.once)
    except BifrostError as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:18} {collector.help}" for name, collector in COLLECTORS.items())
    parser = argparse.ArgumentParser(
        prog="python -m collectors", description=f"Collect market data.\n\ncollectors:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("name", help="which collector, for example option_chain")
    parser.add_argument("--once", action="store_true", help="collect everything a single time, whatever the hour")
    parser.add_argument(
        "--symbols", nargs="+", default=[], metavar="SYMBOL", help="these underlyings instead of the watchlist"
    )
    return parser


def _fail(error: Exception, status: int) -> int:
    print("collectors: " + " ".join(str(error).split()), file=sys.stderr)
    return status


if __name__ == "__main__":
    main()
