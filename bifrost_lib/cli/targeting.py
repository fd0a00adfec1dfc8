"""``bifrost target``: from a price, a date and a budget to the structures that serve them best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifrost_lib.cli.arguments import At, Json, Symbol, read_at, read_date
from bifrost_lib.cli.output import number, print_json, print_table
from bifrost_lib.core.errors import InputError

if TYPE_CHECKING:
    from bifrost_lib.workflows import TargetResult


def target(
    symbol: Symbol,
    by: Annotated[str, typer.Option("--by", help="Date by which the price is there, such as 2026-09-18.")],
    budget: Annotated[float, typer.Option(help="What may be lost at most; the margin where a loss has no bound.")],
    price: Annotated[float | None, typer.Option(help="Where the price will be. Default: where it is.")] = None,
    between: Annotated[str | None, typer.Option("--range", help="Or anywhere in LOW:HIGH, all prices alike.")] = None,
    iv_change: Annotated[float, typer.Option(help="Change of volatility in points: -5 lets it fall by five.")] = 0.0,
    max_loss: Annotated[float | None, typer.Option(help="Most that all units together may lose.")] = None,
    strategy: Annotated[list[str] | None, typer.Option(help="Only these strategies or files; may be repeated.")] = None,
    top: Annotated[int, typer.Option(help="How many structures to show.")] = 10,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Find the structures of the whole catalogue that earn most on a budget if a view of SYMBOL comes true.

    Example: bifrost target SIM --price 560 --by 2026-10-30 --budget 2000
    """
    from bifrost_lib.strategies import resolve_strategy
    from bifrost_lib.workflows import find_targets, open_desk

    day, moment, low_high = read_date(by, name="--by"), read_at(at), _read_prices(between)
    documents = [resolve_strategy(name) for name in strategy] if strategy else None
    with open_desk() as desk:
        found = find_targets(
            desk, symbol, by=day, budget=budget, price=price, between=low_high, iv_change=iv_change / 100,
            max_loss=max_loss, strategies=documents, top=top, at=moment,
        )  # fmt: skip
    if as_json:
        print_json(found.as_dict())
    else:
        print_targets(found)


def print_targets(found: TargetResult) -> None:
    """Print structures for a view as a table for people."""
    where = f"{found.low:,.2f} to {found.high:,.2f}" if found.high > found.low else f"{found.price:,.2f}"
    title = f"{found.symbol} at {where} by {found.by}  spot {number(found.spot)}  budget {number(found.budget, 0)}"
    title += "  [SIMULATED]" if found.source == "simulated" else ""
    header = ("#", "strategy", "legs", "units", "profit $", "return %", "at risk $", "max profit $", "market POP %")
    rows = [
        (
            str(row["rank"]), row["strategy"], _legs(row), str(row["units"]), number(row["profit"], 0),
            number(100 * row["return_on_budget"], 0), number(_at_risk(row), 0),
            "unlimited" if row["max_profit"] is None else number(row["units"] * row["max_profit"], 0),
            number(100 * row["market_pop"], 1),
        )
        for row in found.structures
    ]  # fmt: skip
    note = f"{found.considered:,} structures of {found.strategies} strategies considered."
    if not found.structures:
        typer.echo(f"{title}\n{note} None earns anything within these limits: allow more, or expect something else.")
        return
    note += f" #1: {found.structures[0]['why']}"
    print_table(title, rows, header, left=("strategy", "legs"), note=note)


def _at_risk(row: dict[str, Any]) -> float:
    return float(row["capital_used"] if row["max_loss"] is None else row["units"] * row["max_loss"])


def _legs(row: dict[str, Any]) -> str:
    words = [
        f"{leg['qty'] * row['multiplier']:+,.0f} shares"
        if leg["right"] == "S"
        else f"{leg['qty']:+d} {leg['expiry'][5:]} {leg['strike']:g}{leg['right']}"
        for leg in row["legs"]
    ]
    return " ".join(words)


def _read_prices(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = 0.0
    if not 0 < low < high:
        raise InputError("--range", text, "two prices LOW:HIGH, for example 540:580")
    return low, high
