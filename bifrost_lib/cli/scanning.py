"""``bifrost scan``: ranked candidates of a strategy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, Symbol, one_format, read_at, read_range
from bifrost_lib.cli.output import number, print_csv, print_json, print_table
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import ScanResult

CSV_KEYS = (
    "rank", "score", "legs", "premium", "max_profit", "max_loss", "max_loss_unbounded", "breakevens", "pop", "ev",
    "return_on_risk", "margin", "dte", "delta", "gamma", "vega", "theta", "slippage_cost", "score_parts", "why",
)  # fmt: skip


def scan(
    symbol: Symbol,
    strategy: Annotated[str, typer.Option(help="Strategy of the catalogue.")] = "iron_condor",
    dte: Annotated[str | None, typer.Option(help="Calendar days to expiry A:B. Default: the strategy's own.")] = None,
    top: Annotated[int, typer.Option(help="How many candidates to show.")] = 10,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Rank the candidates of a strategy on the chain of SYMBOL.

    Example: bifrost scan SIM --strategy iron_condor --dte 20:60 --top 5
    """
    from bifrost_lib.strategies import strategy_named
    from bifrost_lib.workflows import find_strategies, open_desk

    one_format(as_json, as_csv)
    if top < 1:
        raise InputError("--top", top, "a whole number >= 1")
    moment, days, document = read_at(at), read_range(dte, name="--dte"), strategy_named(strategy)
    with open_desk() as desk:
        found = find_strategies(desk, symbol, document, dte=days, top=top, at=moment)
    if as_json:
        print_json(found.as_dict())
    elif as_csv:
        print_csv(found.as_dict()["candidates"], CSV_KEYS)
    else:
        print_scan(found)


def print_scan(found: ScanResult) -> None:
    """Print a ranked scan as a table for people."""
    from bifrost_lib.core.calendar import EXCHANGE_TZ

    data = found.as_dict()
    title = f"{found.symbol} {found.strategy.name}  spot {number(found.spot)}"
    title += f"  as of {found.as_of.astimezone(EXCHANGE_TZ):%Y-%m-%d %H:%M} New York"
    title += "  [SIMULATED]" if found.source == "simulated" else ""
    header = ("#", "score", "legs", "DTE", "credit $", "max profit $", "max loss $", "breakevens", "POP %", "EV $",
              "return %", "margin $")  # fmt: skip
    rows = [
        (
            str(c["rank"]), number(c["score"], 1), _legs(c), str(c["dte"]), number(c["premium"]),
            _bounded(c, "max_profit"), _bounded(c, "max_loss"), " ".join(f"{b:.2f}" for b in c["breakevens"]),
            _percent(c["pop"]), number(c["ev"]), _percent(c["return_on_risk"]), number(c["margin"], 0),
        )
        for c in data["candidates"]
    ]  # fmt: skip
    why = data["candidates"][0].get("why", "") if data["candidates"] else ""
    note = f"{data['considered']:,} candidates considered." + (f" #1: {why}" if why else "")
    print_table(title, rows, header, left=("legs",), note=note)


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
