"""``bifrost lines``: the best use of a market-data allowance."""

from __future__ import annotations

from typing import Annotated

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, Symbol, one_format, read_at
from bifrost_lib.cli.output import number, print_csv, print_json, print_table

KEYS = ("expiry", "strike", "right", "bid", "ask", "iv")


def lines(
    symbol: Symbol,
    budget: Annotated[int, typer.Option("--lines", help="Market-data lines to spend.")] = 50,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Choose the contracts of SYMBOL whose live quotes tell most about the others.

    Example: bifrost lines SIM --lines 40
    """
    from bifrost_lib.workflows import open_desk, plan_lines

    one_format(as_json, as_csv)
    with open_desk() as desk:
        plan = plan_lines(desk, symbol, lines=budget, at=read_at(at))
    found = plan.as_dict()
    if as_json:
        print_json(found)
    elif as_csv:
        print_csv(found["contracts"], KEYS)
    else:
        rows = [
            (str(place), f"{row['expiry']:%Y-%m-%d}", number(row["strike"]), row["right"], number(row["bid"]),
             number(row["ask"]), number(100 * row["iv"], 1))
            for place, row in enumerate(found["contracts"], 1)
        ]  # fmt: skip
        title = f"{plan.symbol}: {len(rows)} lines of {plan.as_of:%Y-%m-%d %H:%M} UTC"
        title += "  [SIMULATED]" if plan.source == "simulated" else ""
        print_table(title, rows, ("#", "expiry", "strike", "right", "bid", "ask", "IV %"), left=("expiry", "right"))
        print(
            f"{plan.strikes:,} quotes are left to estimate. Their volatility is expected to be off by "
            f"{100 * plan.expected_after:.2f} points ({100 * plan.expected_before:.1f} without any line); measured on "
            f"the quotes themselves: {100 * plan.measured:.2f} points, {100 * plan.within_spread:.0f} % within their "
            f"spread. The same lines nearest the money: {100 * plan.near_money:.2f} points."
        )
