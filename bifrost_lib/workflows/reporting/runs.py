"""Running a report: checked, tried again where that helps, kept, entered in the ledger, and told of."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bifrost_lib import __version__
from bifrost_lib.core.errors import EnvironmentProblem, NoDataError, StoreError
from bifrost_lib.store import (
    begin_report_run,
    finish_report_run,
    interrupted_report_runs,
    list_report_runs,
    place_report_run,
)
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.reporting.attempts import LOG, NOTEBOOK, PAGE, Outcome, attempt, draw_page
from bifrost_lib.workflows.reporting.catalogue import Report, report_named
from bifrost_lib.workflows.reporting.notices import notify
from bifrost_lib.workflows.reporting.parameters import checked_parameters
from bifrost_lib.workflows.reporting.plans import Limits
from bifrost_lib.workflows.reporting.printing import need_browser, print_page

PRINT = "report.pdf"
#: What a reader may open of a run.
FILES = (PAGE, PRINT, NOTEBOOK, LOG)
FIRST_PAUSE_S = 5.0
#: The only kind of error that passes by itself.
RETRIED = "SourceUnavailable"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReportRun:
    """One attempt at a report, and where its files are; None for a file that there is not."""

    run_id: int
    name: str
    title: str
    parameters: dict[str, Any]
    status: str
    attempt: int
    started: datetime
    finished: datetime
    seconds: float
    problem: str | None
    path: Path
    notebook: Path | None
    html: Path | None
    pdf: Path | None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the run under stable names, paths as texts."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


def run_report(
    desk: Desk,
    name: str,
    parameters: Mapping[str, Any] | None = None,
    *,
    pdf: bool = False,
    limits: Limits | None = None,
    retries: int | None = None,
    slot: datetime | None = None,
    stop: threading.Event | None = None,
    folder: Path | None = None,
    first_pause_s: float = FIRST_PAUSE_S,
) -> ReportRun:
    """Run a report and return its last attempt, done or failed; never hang.

    Parameters
    ----------
    desk : Desk
    name : str
        Of a notebook in ``notebooks/reports``.
    parameters : mapping, optional
        By name; texts are read in the type of the notebook's own values.
    pdf : bool
        Print it too.
    limits : Limits, optional
        Wall clock and memory. Default: the schedule's.
    retries : int, optional
        How often to try again where a source did not answer, after pauses that double from `first_pause_s`. Default:
        the schedule's.
    slot : datetime, aware, optional
        The moment of the schedule that it answers.
    stop : threading.Event, optional
        Ends the attempt when set.
    folder : Path, optional
        Where the reports are. Default: the checkout's.

    Returns
    -------
    ReportRun
        Its notebook, its page and its print lie under ``$BIFROST_HOME/reports/NAME/RUN/``, which only its owner can
        read. A failed notebook is kept as far as it came.

    Raises
    ------
    UnknownNameError, InputError
        If there is no such report or parameter, or a value is not of its type; nothing runs then.
    EnvironmentProblem
        If a print is wanted and nothing can print; nothing runs then.
    """
    report = report_named(name, folder)
    values = checked_parameters(report.parameters, {**report.plan.parameters, **(parameters or {})})
    limits = limits or report.plan.limits
    limits.check()
    if pdf:
        need_browser()
    stop, most = stop or threading.Event(), 1 + (report.plan.retries if retries is None else retries)
    interrupted_report_runs(desk.store, at=desk.clock.now())
    for number in range(1, most + 1):
        run, error = _attempt(desk, report, values, number=number, pdf=pdf, limits=limits, slot=slot, stop=stop)
        if error != RETRIED or number == most:
            break
        pause_s = first_pause_s * 2 ** (number - 1)
        log.warning("%s: %s; next attempt in %.0f s", name, run.problem, pause_s)
        if stop.wait(pause_s):
            break
    _tell(desk, run)
    return run


def report_files(path: str) -> list[str]:
    """Return the names of a run's files that somebody may want to read; a failed run has its notebook, and a log."""
    return [name for name in FILES if (Path(path) / name).is_file()]


def report_file(desk: Desk, run_id: int, name: str) -> Path:
    """Return where a file of a run is.

    Raises
    ------
    NoDataError
        If there is no such run, or it has no such file here.
    """
    runs = list_report_runs(desk.store, run_id=run_id)
    path = runs["path"].iloc[0] if len(runs) else None
    if name not in FILES or not isinstance(path, str) or not (found := Path(path) / name).is_file():
        raise NoDataError("file", run=run_id, name=name, hint="`bifrost report` lists the runs and where they are")
    return found


def last_report_runs(desk: Desk, *, name: str | None = None, limit: int = 20) -> list[dict[str, Any]]:
    """Return the newest attempts of all reports, or of one, the latest first, in JSON's types.

    Attempts whose process was killed are marked as interrupted first.
    """
    interrupted_report_runs(desk.store, at=desk.clock.now())
    rows = list_report_runs(desk.store, name=name, limit=limit)
    moments = ("slot", "started", "finished")
    return [
        {
            **{str(key): value for key, value in row.items()},
            **{key: None if row[key] is None or row[key] != row[key] else row[key].to_pydatetime() for key in moments},
            "seconds": float(row["seconds"]),
        }
        for row in rows.drop(columns=["pid", "host"]).to_dict("records")
    ]


def _attempt(
    desk: Desk,
    report: Report,
    values: dict[str, Any],
    *,
    number: int,
    pdf: bool,
    limits: Limits,
    slot: datetime | None,
    stop: threading.Event,
) -> tuple[ReportRun, str]:
    started, begun = desk.clock.now(), time.monotonic()
    run_id = begin_report_run(
        desk.store, name=report.name, parameters=values, started=started, slot=slot, attempt=number
    )
    outcome, note = Outcome("interrupted", "Interrupted"), ""
    folder = None
    try:
        folder = _make_folder(desk.settings.home, report.name, f"{started:%Y-%m-%dT%H%M%SZ}-{run_id}")
        place_report_run(desk.store, run_id, path=str(folder))
        outcome = attempt(
            report.notebook, values, folder=folder, settings=desk.settings, limits=limits, stop=stop
        )  # fmt: skip
        facts = {
            "name": report.name, "title": report.title, "run": run_id, "attempt": number, "parameters": values,
            "started": started.isoformat(), "problem": outcome.problem, "version": __version__,
        }  # fmt: skip
        outcome, note = _draw(folder, facts, outcome, desk, pdf=pdf)
    except Exception as error:
        outcome = Outcome(str(error), type(error).__name__)
        raise
    finally:
        seconds = time.monotonic() - begun
        finished = max(started, desk.clock.now())
        finish_report_run(desk.store, run_id, finished=finished, seconds=seconds, problem=outcome.problem)
    run = ReportRun(
        run_id=run_id, name=report.name, title=report.title, parameters=values,
        status="failed" if outcome.problem else "done", attempt=number, started=started, finished=finished,
        seconds=seconds, problem=outcome.problem or None, path=folder, notebook=_if_there(folder / NOTEBOOK),
        html=_if_there(folder / PAGE), pdf=_if_there(folder / PRINT), note=note,
    )  # fmt: skip
    return run, outcome.error


def _draw(
    folder: Path, facts: Mapping[str, Any], outcome: Outcome, desk: Desk, *, pdf: bool
) -> tuple[Outcome, str]:  # fmt: skip
    """Draw the page, of a failed notebook too, and print it; a page that fails makes the run failed."""
    if not (folder / NOTEBOOK).exists():
        return outcome, ""
    if problem := draw_page(folder, facts, settings=desk.settings):
        return (outcome if outcome.problem else Outcome(problem, "PageProblem")), ""
    if not pdf:
        return outcome, ""
    try:
        print_page(folder / PAGE, folder / PRINT)
    except EnvironmentProblem as problem:
        return outcome, str(problem)
    return outcome, ""


def _make_folder(home: Path, name: str, run: str) -> Path:
    folder = home / "reports" / name / run
    try:
        for part in (folder.parent.parent, folder.parent, folder):
            part.mkdir(mode=0o700, exist_ok=part != folder)
    except OSError as error:
        raise StoreError(f"{folder} cannot be made: {error.strerror}") from None
    return folder


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None


def _tell(desk: Desk, run: ReportRun) -> None:
    place = run.html or run.notebook or run.path
    last = f"{run.problem}\n" if run.problem else ""
    text = f"{last}{place}\n{run.seconds:.1f} s, attempt {run.attempt}, run {run.run_id}"
    title = f"Bifrost report {run.name}: {run.status}"
    notify(desk.settings.notify_urls or (), title=title, text=text, is_failure=run.status != "done")
