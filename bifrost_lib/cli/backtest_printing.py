"""Runs, grids and searches as tables for people, and as rows for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from bifrost_lib.cli.output import number, print_csv, print_json, print_table

if TYPE_CHECKING:
    from bifrost_lib.workflows import backtests

_SHOWN_TRADES, _SHOWN_SETS = 12, 15
#: Columns of trades for programs.
TRADES = (
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


def print_backtest(found: backtests.Backtest) -> None:
    """Print a run as tables for people."""
    result, told = found.result, found.result.statistics
    title = f"{found.document.name} on {', '.join(result.symbols)}  {result.start} to {result.end}  "
    title += f"{_fill_words(result.fills)}" + ("  [SIMULATED]" if found.simulated else "")
    rows = [_trade_row(row) for row in trade_rows(found)]
    shown = rows[-_SHOWN_TRADES:]
    more = f"the newest {len(shown)} of {len(rows)} trades; --csv has all of them" if len(rows) > len(shown) else ""
    header = ("opened", "closed", "why", "legs", "premium $", "P&L $", "worst $", "best $")
    print_table(title, shown, header, left=("opened", "closed", "why", "legs"), note=more)
    print_statistics(told)
    if result.bands is not None:
        _print_bands(told["bands"])
    if result.skipped:
        days = sorted(result.skipped.items(), key=lambda one: -one[1])
        told_days = (f"{count} session{'s' * (count > 1)} ({reason.replace('_', ' ')})" for reason, count in days)
        print("no entry on: " + ", ".join(told_days))
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
        value: float | None = told.get(key)
        between = ""
        if _is_known(value) and _is_known(low) and _is_known(high):
            between = f"{number(low * scale, digits)} to {number(high * scale, digits)}{unit}"
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


def print_grid(found: backtests.GridRun, *, as_json: bool, as_csv: bool) -> None:
    """Print a grid, or the sets of one that a search tried, the best first."""
    if as_json:
        print_json(found.as_dict())
        return
    told, parameters = found.as_dict().get("search"), list(found.assignments[0])
    figures = [*(["value"] if told else []), "trades", "win_rate", "pnl", "sharpe", "max_drawdown"]
    rows = found.table.to_dict("records")
    if as_csv:
        print_csv(({str(name): value for name, value in row.items()} for row in rows), [*parameters, *figures])
        return
    what = f"{told['method']} search of" if told else "a grid of"
    title = f"{found.document.name}: {what} {', '.join(parameters)}" + ("  [SIMULATED]" if found.simulated else "")
    print_sets(title, rows, parameters, found.statistics, note=search_words(told) if told else "")


def search_words(told: Mapping[str, Any]) -> str:
    """Return how a search went: what it tried of what was asked, and why some sets made no document."""
    again = told["asked"] - told["tried"] - sum(told["refused"].values())
    words = [f"stopped: {told['tried']:,} of {told['asked']:,} sets were tried"] if told["stopped"] else []
    words += [f"{again:,} had been tried already"] if again and not told["stopped"] else []
    words += [f"{count:,} made no document ({why})" for why, count in told["refused"].items()]
    words += [f"seed {told['seed']}; sought was the mean over parts of the history less its error"]
    return "".join(f" {one[0].upper()}{one[1:]}." for one in words)


def print_sets(
    title: str,
    rows: Sequence[Mapping[Any, Any]],
    parameters: Sequence[str],
    statistics: Mapping[str, Any],
    *,
    note: str = "",
) -> None:
    """Print the first of many parameter sets, and how much of the best is luck."""
    has_value = bool(rows) and "value" in rows[0]
    shown = [
        (*(_short(row[name]) for name in parameters), *([number(row["value"], 3)] if has_value else []),
         str(row["trades"]), number(100 * row["win_rate"], 1), number(row["pnl"]), number(row["sharpe"]),
         number(100 * row["max_drawdown"], 2))
        for row in rows[:_SHOWN_SETS]
    ]  # fmt: skip
    words = f"{len(rows):,} {'set' if len(rows) == 1 else 'sets'}."
    chances = {"the best is better than luck": "deflated_sharpe", "choosing the best overfits": "pbo"}
    known = {what: 100 * statistics[name] for what, name in chances.items() if _is_known(statistics[name])}
    told = "; that ".join(f"{what}: {number(chance, 0)} %" for what, chance in known.items())
    words += f" Chance that {told}." if told else ""
    words += f" Not told: {statistics['reason']}." if statistics.get("reason") else ""
    header = (*parameters, *(["sought"] if has_value else []), "trades", "win %", "P&L $", "Sharpe", "drawdown %")
    print_table(title, shown, header, note=words + note)


def _is_known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def trade_rows(found: backtests.Backtest) -> list[dict[str, Any]]:
    """Return the trades of a run, `TRADES`, with their legs in words."""
    words = {trade: _leg_words(rows) for trade, rows in found.result.legs.groupby("trade", sort=False)}
    trades = found.result.trades
    rows = zip(trades.index, trades.to_dict("records"), trades["closed"].isna(), strict=True)
    return [
        {**{str(name): value for name, value in row.items()}, "legs": _shares_words(row) + words.get(place, "")}
        | ({"closed": None} if is_open else {})
        for place, row, is_open in rows
    ]  # fmt: skip


def _shares_words(row: Mapping[Any, Any]) -> str:
    shares = row.get("shares", 0.0)  # runs that were kept early do not say
    return f"{shares / row['units']:+,g} shares " if shares else ""


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
