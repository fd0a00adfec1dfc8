"""``bifrost scan``: ranked candidates of a strategy."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, one_format, read_at, read_range
from bifrost_lib.cli.output import number, print_csv, print_json, print_table
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.strategies import Progress
    from bifrost_lib.workflows import ScanResult, ScanResults

_NEW_DAYS = 12  # days of the past that one command computes: the next one goes on from there
_QUIET_S = 1.0  # a scan that takes no longer shows no progress
CSV_KEYS = (
    "rank", "score", "legs", "premium", "max_profit", "max_loss", "max_loss_unbounded", "breakevens", "pop", "ev",
    "pop_recalibrated", "pop_surface", "ev_surface", "tail_loss", "on_front", "return_on_risk", "margin", "dte",
    "delta", "gamma", "vega", "theta", "slippage_cost", "score_parts", "why",
)  # fmt: skip


def scan(
    symbols: Annotated[list[str], typer.Argument(help="Underlying symbols, for example SPY QQQ.", show_default=False)],
    strategy: Annotated[
        str, typer.Option(help="Strategy of the catalogue, or a file with a document of one's own.")
    ] = "iron_condor",
    dte: Annotated[str | None, typer.Option(help="Calendar days to expiry A:B. Default: the strategy's own.")] = None,
    top: Annotated[int, typer.Option(help="How many candidates to show.")] = 10,
    weights: Annotated[
        Path | None, typer.Option(help="File with weights of the score: pop, ev, return_on_risk, liquidity, fit.")
    ] = None,
    surface: Annotated[bool, typer.Option(help="Also state the odds under a volatility surface.")] = True,
    recalibrated: Annotated[
        bool, typer.Option(help="Count in the score what settled recommendations make of the probability.")
    ] = False,
    history: Annotated[
        bool | None, typer.Option(help="In JSON, each candidate beside its own past. Default: for one symbol.")
    ] = None,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Rank the candidates of a strategy on the chains of SYMBOLS; Ctrl-C stops with what was found.

    Example: bifrost scan SIM SIMX --strategy iron_condor --dte 20:60 --top 5
    """
    from bifrost_lib.strategies import read_weights_file, resolve_strategy
    from bifrost_lib.workflows import histories, open_desk, scan_symbols

    one_format(as_json, as_csv)
    if top < 1:
        raise InputError("--top", top, "a whole number >= 1")
    options: dict[str, Any] = {"at": read_at(at), "dte": read_range(dte, name="--dte"), "top": top}
    options["weights"] = None if weights is None else read_weights_file(weights).as_dict()
    options |= {"with_surface": surface, "recalibrated": recalibrated}
    document = resolve_strategy(strategy)
    with open_desk() as desk, _watched() as watch:
        found = scan_symbols(desk, symbols, document, on_progress=watch, **options)
        wanted = as_json and (len(symbols) == 1 if history is None else history)
        past = {each.symbol: histories(desk, each, most_new=_NEW_DAYS) for each in found.scans} if wanted else {}
    if as_json:
        one = len(found.scans) == 1 and not found.failed
        first = found.scans[0] if one else None
        print_json(first.as_dict(history=past.get(first.symbol)) if first else found.as_dict(top, history=past))
    elif as_csv:
        print_csv(found.ranked(top), CSV_KEYS if len(found.scans) == 1 else ("symbol", *CSV_KEYS))
    elif len(found.scans) == 1:
        print_scan(found.scans[0])
    else:
        _print_scans(found, top)
    for symbol, reason in found.failed.items() if not as_json else ():
        typer.echo(f"{symbol}: {reason}", err=True)


@contextmanager
def _watched() -> Iterator[Callable[[str, Progress], bool]]:
    """Give a callback that shows a long scan's progress on a terminal and stops it after Ctrl-C."""
    interrupted, began, shown = False, time.monotonic(), False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        signal.signal(signal.SIGINT, before)  # a second one ends the command at once

    def watch(symbol: str, progress: Progress) -> bool:
        nonlocal shown
        if sys.stderr.isatty() and progress.admissible and time.monotonic() - began > _QUIET_S:
            share = progress.considered / progress.admissible
            sys.stderr.write(f"\r{symbol}: {share:4.0%} of {progress.admissible:,} candidates ")
            sys.stderr.flush()
            shown = True
        return interrupted

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield watch
    finally:
        signal.signal(signal.SIGINT, before)
        if shown:
            sys.stderr.write("\n")


_HEADER = (
    "#", "score", "legs", "DTE", "credit $", "max profit $", "max loss $", "breakevens", "POP %", "surface POP %",
    "EV $", "return %", "margin $", "front",
)  # fmt: skip


def _row(c: dict[str, Any]) -> tuple[str, ...]:
    return (
        str(c["rank"]), number(c["score"], 1), _legs(c), str(c["dte"]), number(c["premium"]),
        _bounded(c, "max_profit"), _bounded(c, "max_loss"), " ".join(f"{b:.2f}" for b in c["breakevens"]),
        _percent(c["pop"]), _percent(c["pop_surface"]), number(c["ev"]), _percent(c["return_on_risk"]),
        number(c["margin"], 0), "yes" if c["on_front"] else "",
    )  # fmt: skip


def print_scan(found: ScanResult) -> None:
    """Print a ranked scan as a table for people."""
    from bifrost_lib.core.calendar import EXCHANGE_TZ

    data = found.as_dict()
    title = f"{found.symbol} {found.strategy.name}  spot {number(found.spot)}"
    title += f"  as of {found.as_of.astimezone(EXCHANGE_TZ):%Y-%m-%d %H:%M} New York"
    title += "  [SIMULATED]" if found.source == "simulated" else ""
    why = data["candidates"][0].get("why", "") if data["candidates"] else ""
    note = _considered(found) + (f" #1: {why}" if why else "")
    print_table(title, [_row(c) for c in data["candidates"]], _HEADER, left=("legs",), note=note)


def _print_scans(found: ScanResults, top: int) -> None:
    records = found.ranked(top)
    title = f"{found.strategy.name} on {len(found.scans)} symbols"
    title += "  [SIMULATED]" if all(scan.source == "simulated" for scan in found.scans) else ""
    rows = [(record["symbol"], *_row(record)) for record in records]
    note = " ".join(f"{scan.symbol}: {_considered(scan)}" for scan in found.scans)
    print_table(title, rows, ("symbol", *_HEADER), left=("symbol", "legs"), note=note)


def _considered(found: ScanResult) -> str:
    from bifrost_lib.workflows import FEWEST_OUTCOMES, earnings_facts

    candidates = found.candidates
    whole = f"{candidates.considered:,} candidates considered."
    if not candidates.is_complete:
        whole = f"{candidates.considered:,} of {candidates.admissible:,} candidates considered"
        whole += ", then stopped." if candidates.stopped else ", which is the limit."
    whole += f" Not checked: {', '.join(candidates.unchecked)}." if candidates.unchecked else ""
    learned = found.recalibration
    if learned is not None and learned.outcomes < FEWEST_OUTCOMES:
        whole += f" Not recalibrated: {learned.outcomes} recommendations have settled, {FEWEST_OUTCOMES} are needed."
    ahead = earnings_facts(found.earnings, found.at)
    return whole + (f" Next earnings {ahead['day']}, in {ahead['days']} days." if ahead["day"] else "")


def _legs(candidate: dict[str, Any]) -> str:
    legs = candidate["legs"]
    words = [
        f"{leg['qty'] * candidate['multiplier']:+,.0f} shares"
        if leg["right"] == "S"
        else f"{leg['qty']:+d} {leg['strike']:g}{leg['right']}"
        for leg in legs
    ]
    expiries = sorted({str(leg["expiry"]) for leg in legs if leg["expiry"]})
    return f"{'/'.join(expiries)}  {' '.join(words)}"


def _bounded(candidate: dict[str, Any], name: str) -> str:
    return "unlimited" if candidate.get(f"{name}_unbounded") else number(candidate[name])


def _percent(value: float | None) -> str:
    return number(None if value is None else value * 100, 1)
