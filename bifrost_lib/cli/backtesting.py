"""``bifrost backtest``: a strategy replayed over the stored chains."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, one_format, read_at, read_date
from bifrost_lib.cli.output import number, print_csv, print_json, print_table
from bifrost_lib.core.errors import FileFormatError, InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import backtests

_SHOWN_TRADES, _SHOWN_SETS = 12, 15
_TRADES = (
    "symbol",
    "opened",
    "closed",
    "reason",
    "legs",
    "units",
    "premium",
    "pnl",
    "commission",
    "mae",
    "mfe",
    "margin",
)
_FILLS = ("mid", "realistic", "worst")


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
    """
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import backtests, open_desk

    one_format(as_json, as_csv)
    options: dict[str, Any] = {
        "start": read_date(start, name="--start") if start else None,
        "end": read_date(end, name="--end") if end else None,
        "fills": read_fills(fills),
        "capital": capital,
        "cadence": cadence,
        "entry_time": _read_time(entry_time),
        "rate": rate,
        "signal": signal,
        "at": read_at(at),
    }
    if out is not None and (grid is not None or out.suffix != ".html" or not out.absolute().parent.is_dir()):
        raise InputError("--out", str(out), "a file .html in a folder that exists, and no --grid")
    strategy = resolve_strategy(document)
    axes = _read_grid(grid) if grid is not None else None
    tell = tell_on_terminal()
    with open_desk() as desk:
        if axes is not None:
            swept = backtests.run_grid(desk, strategy, symbol, axes, progress=_shown, tell=tell, **options)
            _print_grid(swept, as_json=as_json, as_csv=as_csv)
            return
        found = backtests.run_backtest(desk, strategy, symbol, bands=bands, save=save, tell=tell, **options)
    if as_json:
        print_json(found.as_dict())
    elif as_csv:
        print_csv(_trade_rows(found), _TRADES)
    else:
        print_backtest(found)
    if out is not None:
        _write_sheet(found, out)


def read_fills(text: str) -> str | float:
    """Read ``--fills``: a name, or a fraction of the spread."""
    if text in _FILLS:
        return text
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InputError("--fills", text, "mid, realistic, worst, or a fraction of the spread from 0 to 1")
    return share


def _read_time(text: str | None) -> time | None:
    try:
        return None if text is None else time.fromisoformat(text)
    except ValueError:
        raise InputError("--entry-time", text, "a time of day such as 15:45") from None


def _read_grid(path: Path) -> Mapping[str, Any]:
    from bifrost_lib.backtest import read_grid

    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "it is no text"
        raise FileFormatError(path, f"the grid cannot be read: {problem}") from None
    return read_grid(text)


def tell_on_terminal() -> Callable[[int, int, str], None] | None:
    """Return what shows progress on a terminal; None where nobody looks."""
    if not sys.stderr.isatty():
        return None

    def tell(done: int, of: int, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{done / of:4.0%} {text}" + ("\r\x1b[K" if done >= of - 1 else ""))
        sys.stderr.flush()

    return tell


def _shown(progress: Any) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress}")
        sys.stderr.flush()


def print_backtest(found: backtests.Backtest) -> None:
    """Print a run as tables for people."""
    result, told = found.result, found.result.statistics
    title = f"{found.document.name} on {', '.join(result.symbols)}  {result.start} to {result.end}  "
    title += f"{_fill_words(result.fills)}" + ("  [SIMULATED]" if found.simulated else "")
    rows = [_trade_row(row) for row in _trade_rows(found)]
    shown = rows[-_SHOWN_TRADES:]
    more = f"the newest {len(shown)} of {len(rows)} trades; --csv has all of them" if len(rows) > len(shown) else ""
    header = ("opened", "closed", "why", "legs", "premium $", "P&L $", "worst $", "best $")
    print_table(title, shown, header, left=("opened", "closed", "why", "legs"), note=more)
    print_statistics(told)
    if result.bands is not None:
        _print_bands(told["bands"])
    if result.skipped:
        days = sorted(result.skipped.items(), key=lambda one: -one[1])
        print("no entry on: " + ", ".join(f"{count} sessions ({reason.replace('_', ' ')})" for reason, count in days))
    for warning in found.warnings:
        print(f"! {warning}")
    if found.run_id is not None:
        print(f"kept as run {found.run_id}; document {result.document_hash[:12]}, chains {result.cube_sha256[:12]}")


def print_statistics(told: Mapping[str, Any]) -> None:
    """Print the figures of a run that people look at first, with how sure they are."""
    print_table("", _figures(told), ("figure", "value", "95 % interval"), left=("figure",))


def _figures(told: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    def row(name: str, key: str, *, scale: float = 1.0, digits: int = 2, unit: str = "") -> tuple[str, str, str]:
        low, high = told.get(f"{key}_low"), told.get(f"{key}_high")
        between = ""
        if low is not None and high is not None and not math.isnan(low + high):
            between = f"{number(low * scale, digits)} to {number(high * scale, digits)}{unit}"
        value = told.get(key)
        return name, number(None if value is None else value * scale, digits, unit=unit), between

    trades = f"{told['trades']} ({told['closed']} closed, {told['open']} open, {told['unpriceable']} unpriceable)"
    return [
        ("trades", trades, ""),
        row("win rate", "win_rate", scale=100, digits=1, unit=" %"),
        row("P&L", "pnl", unit=" $"),
        row("mean P&L of a trade", "mean_pnl", unit=" $"),
        row("profit factor", "profit_factor"),
        row("commission", "commission", unit=" $"),
        row("annual return", "annual_return", scale=100, unit=" %"),
        row("Sharpe ratio", "sharpe"),
        row("largest drawdown", "max_drawdown", scale=100, unit=" %"),
        row("days in a trade", "mean_days", digits=1),
        row("largest margin", "max_margin", digits=0, unit=" $"),
    ]


def _print_bands(bands: Mapping[str, Mapping[str, Any]]) -> None:
    rows = [
        (name.replace("_", " "), str(one["trades"]), number(one["pnl"]), number(100 * one["win_rate"], 1),
         number(one["sharpe"]), number(100 * one["max_drawdown"], 2))
        for name, one in bands.items()
    ]  # fmt: skip
    header = ("under", "trades", "P&L $", "win %", "Sharpe", "drawdown %")
    print_table("how much hangs on fills, costs and the day of the start", rows, header, left=("under",))


def _print_grid(found: backtests.GridRun, *, as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json(found.as_dict())
        return
    parameters = list(found.assignments[0])
    figures = ["trades", "win_rate", "pnl", "sharpe", "max_drawdown"]
    rows = found.table.to_dict("records")
    if as_csv:
        print_csv(({str(name): value for name, value in row.items()} for row in rows), [*parameters, *figures])
        return
    title = f"{found.document.name}: a grid of {', '.join(parameters)}" + ("  [SIMULATED]" if found.simulated else "")
    print_sets(title, rows, parameters, found.statistics)


def print_sets(
    title: str, rows: Sequence[Mapping[Any, Any]], parameters: Sequence[str], statistics: Mapping[str, Any]
) -> None:  # fmt: skip
    """Print the first of many parameter sets, and how much of the best is luck."""
    shown = [
        (*(str(row[name]) for name in parameters), str(row["trades"]), number(100 * row["win_rate"], 1),
         number(row["pnl"]), number(row["sharpe"]), number(100 * row["max_drawdown"], 2))
        for row in rows[:_SHOWN_SETS]
    ]  # fmt: skip
    note = f"{len(rows):,} sets. Chance that the best is better than luck: "
    note += f"{number(100 * statistics['deflated_sharpe'], 0)} %"
    note += f"; that choosing the best overfits: {number(100 * statistics['pbo'], 0)} %."
    note += f" ({statistics['reason']})" if statistics.get("reason") else ""
    print_table(title, shown, (*parameters, "trades", "win %", "P&L $", "Sharpe", "drawdown %"), note=note)


def _trade_rows(found: backtests.Backtest) -> list[dict[str, Any]]:
    words = {trade: _leg_words(rows) for trade, rows in found.result.legs.groupby("trade", sort=False)}
    trades = found.result.trades
    rows = zip(trades.index, trades.to_dict("records"), trades["closed"].isna(), strict=True)
    return [
        {**{str(name): value for name, value in row.items()}, "legs": words.get(place, "")}
        | ({"closed": None} if is_open else {})
        for place, row, is_open in rows
    ]  # fmt: skip


def _leg_words(legs: Any) -> str:
    expiries = "/".join(sorted({f"{one:%Y-%m-%d}" for one in legs["expiry"]}))
    named = zip(legs["qty"], legs["strike"], legs["right"], strict=True)
    return f"{expiries}  " + " ".join(f"{qty:+d} {strike:g}{right}" for qty, strike, right in named)


def _trade_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    from bifrost_lib.core.calendar import EXCHANGE_TZ

    moments = [
        f"{one.astimezone(EXCHANGE_TZ):%Y-%m-%d %H:%M}" if one else "-" for one in (row["opened"], row["closed"])
    ]
    return (*moments, row["reason"], row["legs"], *(number(row[name]) for name in ("premium", "pnl", "mae", "mfe")))


def _fill_words(fills: str | float) -> str:
    return f"{fills} fills" if isinstance(fills, str) else f"fills at {fills:.0%} of the spread"


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
