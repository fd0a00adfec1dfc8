"""``bifrost collect`` and ``bifrost watch``: chains from the gateway into the store, once and for ever."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import Csv, Json, one_format
from bifrost_lib.cli.output import number, print_csv, print_json, print_table
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import SweepReport

RUN_KEYS = (
    "symbol", "expected", "received", "missing", "seconds", "lines_peak", "messages", "rows_stored", "predicted_s",
)  # fmt: skip
WATCH_KEYS = ("symbol", "enabled", "cadence_s", "expiries", "strikes", "min_dte", "max_dte", "priority", "updated")


def collect(
    symbols: Annotated[list[str], typer.Argument(help="Underlying symbols, for example SPY.", show_default=False)],
    expiries: Annotated[int, typer.Option(help="How many expirations, the nearest first; 0: all.")] = 2,
    strikes: Annotated[int, typer.Option(help="Strikes around the money of each expiration; 0: all.")] = 0,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Observe the chains of SYMBOLS once at the gateway, and store them.

    Without a gateway in the settings the simulated one is used. Every contract is stored or counted as missing with a
    reason; Ctrl-C stores what has come.

    Example: bifrost collect SPY QQQ --expiries 3 --strikes 20
    """
    from bifrost_lib.workflows import collect as collect_chains
    from bifrost_lib.workflows import open_desk

    one_format(as_json, as_csv)
    with open_desk() as desk:
        reports = collect_chains(desk, symbols, expiries=expiries, strikes=strikes)
    found = [report.as_dict() for report in reports]
    if as_json:
        print_json({"runs": found})
    elif as_csv:
        print_csv(found, RUN_KEYS)
    else:
        _print_reports(reports)
    if any(not report.received for report in reports):
        names = ", ".join(report.symbol for report in reports if not report.received)
        print(f"bifrost: nothing came for {names}; the ledger says why", file=sys.stderr)
        raise typer.Exit(1)


def watch(
    symbol: Annotated[str | None, typer.Argument(help="Underlying symbol; without one the list is shown.")] = None,
    cadence: Annotated[float | None, typer.Option(help="Seconds from one sweep to the next.")] = None,
    expiries: Annotated[int | None, typer.Option(help="How many expirations, the nearest first.")] = None,
    strikes: Annotated[int | None, typer.Option(help="Strikes around the money of each expiration; 0: all.")] = None,
    priority: Annotated[int | None, typer.Option(help="The larger, the earlier its turn.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Stop watching; what was collected stays.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Watch SYMBOL, change how it is watched, or list what is; collectors follow within a second.

    Example: bifrost watch SPY --cadence 120 --expiries 6 --strikes 30
    """
    from bifrost_lib.store import Watch, remove_watch, save_watch, watchlist
    from bifrost_lib.workflows import open_desk

    one_format(as_json, as_csv)
    given = {"cadence_s": cadence, "expiries": expiries, "strikes": strikes, "priority": priority}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if symbol is None and (remove or changes):
        raise InputError("SYMBOL", symbol, "an underlying, for example SPY")
    with open_desk() as desk:
        if symbol is not None:
            name = symbol.strip().upper()
            if remove and not remove_watch(desk.store, name):
                raise InputError("SYMBOL", name, "an underlying that is watched: `bifrost watch` lists them")
            if not remove:
                known = {one.symbol: one for one in watchlist(desk.store)}
                save_watch(desk.store, replace(known.get(name, Watch(name)), enabled=True, **changes))
        rows = [{key: getattr(one, key) for key in WATCH_KEYS} for one in watchlist(desk.store)]
    if as_json:
        print_json({"watches": rows})
    elif as_csv:
        print_csv(rows, WATCH_KEYS)
    elif rows:
        shown = [[_cell(row[key]) for key in WATCH_KEYS[:-1]] for row in rows]
        print_table("Watched", shown, WATCH_KEYS[:-1], left=("symbol",))
    else:
        print("Nothing is watched yet: bifrost watch SPY")


def _print_reports(reports: list[SweepReport]) -> None:
    rows = [
        (
            report.symbol, f"{report.expected:,}", f"{report.received:,}",
            " ".join(f"{reason} {count:,}" for reason, count in report.missing.items()) or "-",
            f"{report.rows_stored:,}", number(report.seconds, 1), number(report.predicted_s, 1),
            str(report.lines_peak), f"{report.messages:,}",
        )
        for report in reports
    ]  # fmt: skip
    header = ("symbol", "expected", "received", "missing", "stored", "seconds", "predicted s", "lines", "messages")
    print_table("Collected", rows, header, left=("symbol", "missing"))


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
