"""``bifrost report``: a notebook as a page to send round, and what became of the last ones."""

from __future__ import annotations

import shutil
import sys
from math import isnan
from pathlib import Path
from typing import Annotated, Any

import typer

from bifrost_lib.cli.arguments import Json
from bifrost_lib.cli.output import print_json, print_table
from bifrost_lib.core.errors import InputError, StoreError

RUN_KEYS = ("run_id", "name", "status", "started", "seconds", "attempt", "problem", "path")
LAST = 10


def report(
    name: Annotated[str | None, typer.Argument(help="Report; without one they are listed.")] = None,
    parameter: Annotated[list[str] | None, typer.Option("-p", help="NAME=VALUE of one of its parameters.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Make the page (the default).")] = False,
    pdf: Annotated[bool, typer.Option("--pdf", help="Print it too; needs Chromium.")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", help="Copy the page, or the print, to this file or folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run a report and print where its page is; without NAME, list the reports and their last runs.

    Every run is kept under $BIFROST_HOME/reports, with its notebook, also when it fails. Run by hand, a report waits
    for no other one.

    Example: bifrost report daily_close -p at=2026-09-30 -p symbols=SIM,SIMT --pdf
    """
    from bifrost_lib.workflows import open_desk, read_assignments, run_report

    if name is None:
        for option, value in (("-p", parameter), ("-o", output), ("--html", html), ("--pdf", pdf)):
            if value:
                raise InputError(option, value, "the name of a report before it: `bifrost report` lists them")
        _list(as_json)
        return
    given = read_assignments(parameter or [])
    wants_pdf = pdf or (output is not None and output.suffix.lower() == ".pdf")
    with open_desk() as desk:
        run = run_report(desk, name, given, pdf=wants_pdf)
    copies = _copy({"html": run.html if html or not wants_pdf else None, "pdf": run.pdf}, output, run.name)
    if as_json:
        print_json({"run": {**run.as_dict(), "copies": copies}})
    elif run.status == "done":
        for path in copies or [str(path) for path in (run.html, run.pdf) if path]:
            print(path)
    problem = run.problem or run.note
    if problem:
        kept = run.html or run.notebook or run.path
        print(f"bifrost: {name} {run.status}: {' '.join(problem.split())}; see {kept}", file=sys.stderr)
        raise typer.Exit(1)


def _copy(pages: dict[str, Path | None], output: Path | None, name: str) -> list[str]:
    found = {kind: path for kind, path in pages.items() if path is not None}
    if output is None:
        return []
    is_folder = output.is_dir() or len(found) > 1
    copies = []
    try:
        for kind, path in found.items():
            target = output / f"{name}.{kind}" if is_folder else output
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            copies.append(str(target))
    except OSError as error:
        raise StoreError(f"{output} cannot be written: {error.strerror}; the report is in {path.parent}") from None
    return copies


def _list(as_json: bool) -> None:
    from bifrost_lib.workflows import last_report_runs, list_reports, open_desk

    reports = [one.as_dict() for one in list_reports()]
    with open_desk() as desk:
        runs = last_report_runs(desk, limit=LAST)
    if as_json:
        print_json({"reports": reports, "runs": runs})
        return
    rows = [
        [one["name"], one["title"], one["schedule"], " ".join(each["name"] for each in one["parameters"])]
        for one in reports
    ]
    print_table("Reports", rows, ("name", "title", "due", "parameters"), left=("name", "title", "due", "parameters"))
    if runs:
        shown = [[_cell(key, run[key]) for key in RUN_KEYS] for run in runs]
        header = ("run", "name", "status", "started UTC", "seconds", "attempt", "problem", "where")
        print_table("Last runs", shown, header, left=("name", "status", "started UTC", "problem", "where"))
    else:
        print("No report was made yet: bifrost report daily_open")


def _cell(key: str, value: Any) -> str:
    if value is None or (isinstance(value, float) and isnan(value)):
        return "-"
    if key == "started":
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{value:.1f}" if key == "seconds" else " ".join(str(value).split())
