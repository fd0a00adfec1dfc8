"""``bifrost bench``: our speed as ratios to named peers, measured in one run."""

from __future__ import annotations

from typing import Annotated

import typer

from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import number, print_json, print_table


def bench(
    subject: Annotated[str, typer.Argument(help="store, pricing, strategies, backtest or pages.")] = "store",
    rows: Annotated[int, typer.Option(help="Size of the work, in rows.")] = 1_000_000,
    as_json: Json = False,
) -> None:
    """Measure a part of the platform against what one would use instead, in the same run.

    Example: bifrost bench store --rows 1000000
    """
    from bifrost_lib.workflows import run_benchmark

    result = run_benchmark(subject, rows=rows)
    if as_json:
        print_json(result)
        return
    lines = [
        (
            row["work"], _figure(row["ours"]), row["peer_name"] or "-", _figure(row["peer"]), row["unit"],
            _figure(row["ratio"]),
        )
        for row in result["rows"]
    ]  # fmt: skip
    header = ("work", "ours", "peer's name", "peer", "unit", "ours / peer")
    print_table(f"{subject} on {result['machine']}", lines, header, left=("work", "peer's name", "unit"))


def _figure(value: float | None) -> str:
    """Show three digits of any size: a benchmark has speeds in millions beside errors of 1e-14."""
    return f"{value:.3g}" if value is not None and 0 < abs(value) < 100 else number(value, 0)
