"""``bifrost backtest``: a strategy replayed over the stored chains, alone, as a grid, or searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, one_format, read_at, read_date
from bifrost_lib.cli.backtest_arguments import (
    Maximised,
    Search,
    Seed,
    Sets,
    read_entry_time,
    read_fills,
    read_grid_file,
    read_search,
    tell_best_on_terminal,
    tell_on_terminal,
    tell_sweep,
)
from bifrost_lib.cli.backtest_printing import TRADES, print_backtest, print_grid, trade_rows
from bifrost_lib.cli.output import print_csv, print_json
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import backtests


def backtest(
    document: Annotated[
        str, typer.Argument(metavar="DOC", help="Strategy of the catalogue, or a file.", show_default=False)
    ],
    symbol: Annotated[list[str], typer.Option(help="Underlying; several share one account.", show_default=False)],
    start: Annotated[str | None, typer.Option(help="First session. Default: the first stored.")] = None,
    end: Annotated[str | None, typer.Option(help="Last session. Default: the last stored.")] = None,
    fills: Annotated[
        str, typer.Option(help="mid, realistic, worst, or the fraction of the spread given away.")
    ] = "realistic",
    capital: Annotated[float, typer.Option(help="Account at the start, in currency.")] = 100_000.0,
    grid: Annotated[
        Path | None, typer.Option(help="File with values by parameter path: every combination is run.")
    ] = None,
    search: Search = None,
    sets: Sets = 100,
    seed: Seed = 0,
    figure: Maximised = "sharpe",
    bands: Annotated[bool, typer.Option(help="Also run it under other fills, costs and starts.")] = True,
    signal: Annotated[
        str | None, typer.Option(help="Enter only where this holds, for example 'close > sma(200)'.")
    ] = None,
    cadence: Annotated[str, typer.Option(help="daily, or minutes between the moments looked at.")] = "daily",
    entry_time: Annotated[
        str | None, typer.Option(help="Enter at the last moment up to this New York time, for example 15:45.")
    ] = None,
    rate: Annotated[float, typer.Option(help="Interest rate of early exercise, continuous and annual.")] = 0.0,
    out: Annotated[Path | None, typer.Option(help="Also write a tear sheet, an HTML file.")] = None,
    save: Annotated[bool, typer.Option(help="Keep the run, so that it can be repeated.")] = True,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Replay DOC over the stored chains of a symbol: trades, statistics with intervals, and how sure they are.

    Example: bifrost backtest iron_condor --symbol SIM --start 2026-01-02 --fills worst
    Search:  bifrost backtest iron_condor --symbol SIM --grid ranges.yaml --search bayesian --sets 200
    """
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import backtests, open_desk

    one_format(as_json, as_csv)
    terms: backtests.Terms = {
        "start": read_date(start, name="--start") if start else None,
        "end": read_date(end, name="--end") if end else None,
        "fills": read_fills(fills),
        "capital": capital,
        "cadence": cadence,
        "entry_time": read_entry_time(entry_time),
        "rate": rate,
        "signal": signal,
        "at": read_at(at),
    }
    if out is not None and (grid is not None or out.suffix != ".html" or not out.absolute().parent.is_dir()):
        raise InputError("--out", str(out), "a file .html in a folder that exists, and no --grid")
    strategy = resolve_strategy(document)
    if search is not None:
        method, maximised = read_search(search, figure)
        how: dict[str, Any] = {"method": method, "sets": sets, "seed": seed, "how": {"figure": maximised}}
        if grid is None:
            raise InputError("--search", search, "a --grid FILE beside it: the values or ranges to search")
    axes = read_grid_file(grid) if grid is not None else None
    tell = tell_on_terminal()
    with open_desk() as desk:
        if axes is not None:
            swept = (
                backtests.run_grid(desk, strategy, symbol, axes, progress=tell_sweep, tell=tell, **terms)
                if search is None
                else backtests.tune(
                    desk, strategy, symbol, axes, tell=tell, tell_best=tell_best_on_terminal(), **how, **terms
                )
            )
            print_grid(swept, as_json=as_json, as_csv=as_csv)
            return
        found = backtests.run_backtest(desk, strategy, symbol, bands=bands, save=save, tell=tell, **terms)
    if as_json:
        print_json(found.as_dict())
    elif as_csv:
        print_csv(trade_rows(found), TRADES)
    else:
        print_backtest(found)
    if out is not None:
        _write_sheet(found, out)


def _write_sheet(found: backtests.Backtest, path: Path) -> None:
    from bifrost_lib.backtest import attribute
    from bifrost_lib.workflows import backtests

    sessions = attribute(found.result, found.document, found.cubes).sessions
    parts = {
        str(part): float(sessions[part].sum()) for part in sessions.columns.difference(["date", "pnl"], sort=False)
    }
    sources = ["simulated"] if found.simulated else []
    backtests.write_tear_sheet(
        found.result, found.document, path, attribution=parts, sources=sources, warnings=found.warnings
    )  # fmt: skip
    typer.echo(f"tear sheet: {path}", err=True)
