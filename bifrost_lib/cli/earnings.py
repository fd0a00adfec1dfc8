"""``bifrost earnings``: files of earnings days into the store, and what is known of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifrost_lib.cli.arguments import At, Csv, Json, one_format, read_at
from bifrost_lib.cli.output import frame_rows, number, print_csv, print_json, print_table

app = typer.Typer(no_args_is_help=True, help="Earnings days: store those of a file, and see what is known of them.")

_KEYS = (
    *("symbol", "fiscal_period", "report_date", "time_of_day", "days", "confirmed", "known_at", "known_assumed"),
    *("source", "simulated"),
)


@app.command("ingest")
def ingest(
    file: Annotated[Path, typer.Argument(help="CSV with a header.", show_default=False)],
    known_days_before: Annotated[
        int | None,
        typer.Option(help="Take rows without known_at as known so many days before the report.", show_default=False),
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Who supplied rows that do not say so. Default: the file's name.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Store a file of earnings days, whole or not at all; storing it twice changes nothing.

    Columns: symbol, report_date (2026-10-22; none: never reports); and as far as they are known time_of_day
    (before_open or bmo, during, after_close or amc), known_at (when this was learnt), fiscal_period (2026Q3; needed
    where known_at is given), confirmed (true or false), source. A day that moves is a new row with its own known_at:
    scans and backtests see at each moment what was known then. A history that only has the final days needs
    --known-days-before, and knows of none that moved.

    Example: bifrost earnings ingest earnings_2026.csv --known-days-before 14
    """
    from bifrost_lib.workflows import ingest_earnings, open_desk

    with open_desk() as desk:
        done = ingest_earnings(desk, file, known_days_before=known_days_before, source=source)
    if as_json:
        facts = {"path": str(done.path), "rows": done.rows, "stored": done.stored, "symbols": done.symbols}
        print_json({**facts, "notes": list(done.notes)})
        return
    print(f"{done.path}: {done.rows:,} rows of {done.symbols:,} symbols, {done.stored:,} of them new or changed")
    for note in done.notes:
        print(f"! {note}")


@app.command("list")
def list_days(
    symbols: Annotated[list[str] | None, typer.Argument(help="Default: all.", show_default=False)] = None,
    at: At = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Show the earnings days that are known, or were known at a moment.

    Example: bifrost earnings list SIMT --at 2026-10-01
    """
    from bifrost_lib.workflows import list_earnings, open_desk

    one_format(as_json, as_csv)
    with open_desk() as desk:
        found = list_earnings(desk, symbols or (), at=read_at(at))
    rows = frame_rows(found, _KEYS)
    if as_json:
        print_json({"earnings": rows})
    elif as_csv:
        print_csv(rows, _KEYS)
    elif rows:
        shown = [
            (
                str(row["symbol"]), str(row["fiscal_period"]), _day(row["report_date"]),
                str(row["time_of_day"]).replace("_", " "), number(row["days"], 0),
                "confirmed" if row["confirmed"] else "estimated",
                str(row["known_at"])[:10] + (" assumed" if row["known_assumed"] else ""),
                str(row["source"]) + (" [SIMULATED]" if row["simulated"] and row["source"] != "simulated" else ""),
            )
            for row in rows
        ]  # fmt: skip
        header = ("symbol", "period", "day", "time", "days away", "", "known since", "source")
        print_table("Earnings", shown, header, left=tuple(name for name in header if name != "days away"))
    else:
        print("no earnings days are known; store a file of them with: bifrost earnings ingest FILE")


def _day(text: object) -> str:
    return str(text)[:10] if isinstance(text, str) else "none expected"
