"""``bifrost ingest``: files into the store."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifrost_lib.cli.arguments import Csv, Json, one_format
from bifrost_lib.cli.output import print_csv, print_json, print_table

if TYPE_CHECKING:
    from bifrost_lib.workflows import FileReport

KEYS = (
    "path",
    "state",
    "rows_read",
    "rows_stored",
    "rows_unchanged",
    "rejected",
    "seconds",
    "reject_file",
    "problem",
    "note",
)


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.", show_default=False)],
    layout: Annotated[
        str,
        typer.Option("--format", help="auto, lean, yahoo, barchart, optionsdx, cboe, or a MAPPING.toml of your own."),
    ] = "auto",
    symbol: Annotated[str | None, typer.Option(help="Underlying, where the file does not say.")] = None,
    analytics: Annotated[
        bool, typer.Option("--analytics/--no-analytics", help="Compute IV and greeks of every quote.")
    ] = True,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Store option chains from files: LEAN zips, or csv, csv.gz, csv.xz and parquet of several vendors.

    A file is stored whole or not at all, and storing it twice changes nothing. Rows that cannot be read are counted
    by reason and written to a reject file. A vendor's own layout is described in a mapping file, whose keys
    bifrost_lib/feeds/mapping.py explains and whose examples lie in bifrost_lib/feeds/mappings.

    Example: bifrost ingest ~/lean/Data/option/usa/daily
    """
    from bifrost_lib.workflows import ingest_paths, open_desk

    one_format(as_json, as_csv)
    with open_desk() as desk, _Progress(enabled=sys.stderr.isatty()) as progress:
        reports = ingest_paths(
            desk, paths, layout=layout, symbol=symbol, analytics=analytics, on_progress=progress.update
        )
    if as_json:
        print_json({"files": [report.as_dict() for report in reports]})
    elif as_csv:
        print_csv([report.as_dict() for report in reports], KEYS)
    else:
        _print_reports(reports)
    for report in reports:
        if report.problem:
            print(f"bifrost: {report.problem}", file=sys.stderr)
    if any(report.problem for report in reports):
        raise typer.Exit(1)


def _print_reports(reports: list[FileReport]) -> None:
    rows = [
        (
            str(report.path), report.state, f"{report.rows_read:,}", f"{report.rows_stored:,}",
            " ".join(f"{reason} {count:,}" for reason, count in report.rejected.items()) or "-",
            f"{report.seconds:.1f}", f"{report.rows_read / max(report.seconds, 1e-9):,.0f}",
        )
        for report in reports
    ]  # fmt: skip
    header = ("file", "state", "read", "stored", "rejected", "seconds", "rows/s")
    rejects = [str(report.reject_file) for report in reports if report.reject_file]
    notes = {report.note for report in reports if report.note}
    note = "\n".join([*sorted(notes), *(["rejected rows: " + " ".join(rejects)] if rejects else [])])
    print_table("Ingested", rows, header, left=("file", "state", "rejected"), note=note)


class _Progress:
    """A progress bar on stderr that follows bytes read; silent when nobody watches."""

    def __init__(self, *, enabled: bool) -> None:
        self._enabled = enabled

    def __enter__(self) -> _Progress:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"),
            TextColumn("{task.fields[rows]:,} rows"), TimeElapsedColumn(),
            console=Console(stderr=True), transient=True, disable=not self._enabled,
        )  # fmt: skip
        self._task = self._bar.add_task("reading", total=1.0, rows=0)
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, path: Path, fraction: float, rows: int) -> None:
        """Show that `fraction` of all files is done, `path` being read."""
        self._bar.update(self._task, description=path.name, completed=fraction, rows=rows)
