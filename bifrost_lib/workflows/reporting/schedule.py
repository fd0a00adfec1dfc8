"""Reports on a schedule: ``python -m bifrost_lib.workflows.reporting.schedule`` runs until it is told to stop.

A report is due at a moment of the exchange's sessions. It is made as of that moment; one that was missed while nothing
ran is made once, afterwards, for the newest moment only.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.store import begin_report_run, finish_report_run, interrupted_report_runs, list_report_runs
from bifrost_lib.workflows.desk import Desk, open_desk
from bifrost_lib.workflows.reporting.catalogue import Report, list_reports
from bifrost_lib.workflows.reporting.printing import find_browser
from bifrost_lib.workflows.reporting.runs import ReportRun, run_report

LOOK_EVERY_S = 15.0
#: How long a report waits for another one that it needs before it is given up.
PATIENCE = timedelta(hours=1)
#: A report that took the whole machine down is not tried for ever.
MOST_INTERRUPTIONS = 2
_RECENT = 60

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Due:
    """A report that should be made now, as of `slot`; with a `hindrance` it cannot be."""

    report: Report
    slot: datetime
    hindrance: str = ""


def report_schedule_command() -> dict[str, Sequence[str]]:
    """Return the name of the service that makes reports on time, and how it is started."""
    return {"reports": (sys.executable, "-P", "-m", "bifrost_lib.workflows.reporting.schedule")}


def due_reports(desk: Desk, *, since: datetime, at: datetime, folder: Path | None = None) -> list[Due]:
    """Return what is due at `at`, in the order in which it has to be made.

    Parameters
    ----------
    desk : Desk
    since : datetime, aware
        When the schedule began to be kept. An earlier moment was missed only if the report had been made before it.
    at : datetime, aware
    folder : Path, optional
        Where the reports are.
    """
    reports = {report.name: report for report in list_reports(folder)}
    slots = {name: slot for name, report in reports.items() if (slot := report.plan.newest_slot(at)) is not None}
    runs = {name: list_report_runs(desk.store, name=name, limit=_RECENT) for name in reports}
    open_slots = {name: slot for name, slot in slots.items() if _is_open(runs[name], slot, since)}
    found = []
    for name, slot in sorted(open_slots.items(), key=lambda item: (item[1], item[0])):
        wanted = [one for one in reports[name].plan.needs if not _was_done(runs[one], slot)]
        failed = [one for one in wanted if _failed_for(runs[one], slot, slots.get(one)) and one not in open_slots]
        if failed:
            found.append(Due(reports[name], slot, f"it needs {failed[0]}, which failed on the same day"))
        elif wanted and at - max(slot, since) > PATIENCE:
            found.append(Due(reports[name], slot, f"it needs {wanted[0]}, which was not made on the same day"))
        elif not wanted:
            found.append(Due(reports[name], slot))
    return found


def run_due(
    desk: Desk, *, since: datetime, stop: threading.Event | None = None, folder: Path | None = None
) -> list[ReportRun]:
    """Make what is due now; what needs another report follows as soon as that one is done."""
    stop = stop or threading.Event()
    made: list[ReportRun] = []
    while not stop.is_set():
        due = due_reports(desk, since=since, at=desk.clock.now(), folder=folder)
        if not due:
            return made
        first = due[0]
        if first.hindrance:
            _enter_failure(desk, first)
            continue
        given = {"at": first.slot} if any(one.name == "at" for one in first.report.parameters) else {}
        log.info("%s as of %s", first.report.name, first.slot.isoformat())
        run = run_report(
            desk, first.report.name, given, pdf=find_browser() is not None, slot=first.slot, stop=stop, folder=folder
        )
        log.info("%s: %s %s", run.name, run.status, run.problem or run.html)
        made.append(run)
    return made


def run_schedule(desk: Desk, *, stop: threading.Event, folder: Path | None = None) -> None:
    """Make reports when they are due until `stop` is set; a source that is away is waited for."""
    since = desk.clock.now()
    while not stop.is_set():
        try:
            interrupted_report_runs(desk.store, at=desk.clock.now())
            run_due(desk, since=since, stop=stop, folder=folder)
        except BifrostError as trouble:
            log.warning("%s; next look in %.0f s", trouble, LOOK_EVERY_S)
        stop.wait(LOOK_EVERY_S)


def main() -> int:
    """Keep the schedule until SIGTERM or SIGINT; one clear line and status 1 where that is impossible."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        with open_desk() as desk:
            logging.basicConfig(level=desk.settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
            run_schedule(desk, stop=stop)
    except BifrostError as error:
        sys.stderr.write("reports: " + " ".join(str(error).split()) + "\n")
        return 1
    return 0


def _is_open(runs: pd.DataFrame, slot: datetime, since: datetime) -> bool:
    """Tell whether the slot is still to be answered."""
    answers = runs[runs["slot"] == slot]
    killed = answers["problem"] == "interrupted"
    if len(answers):
        return bool(killed.all()) and len(answers) < MOST_INTERRUPTIONS
    return slot >= since or bool((runs["started"] < slot).any())


def _was_done(runs: pd.DataFrame, slot: datetime) -> bool:
    done = runs[runs["status"] == "done"]
    return any(exchange_date(moment) == exchange_date(slot) for moment in _moments(done))


def _failed_for(runs: pd.DataFrame, slot: datetime, theirs: datetime | None) -> bool:
    """Tell whether the last attempt for the same day's slot of the other report failed."""
    if theirs is None or exchange_date(theirs) != exchange_date(slot):
        return False
    answers = runs[runs["slot"] == theirs]
    return len(answers) > 0 and bool((answers["status"] == "failed").all())


def _moments(runs: pd.DataFrame) -> list[datetime]:
    return [moment.to_pydatetime() for moment in runs["slot"].fillna(runs["started"])]


def _enter_failure(desk: Desk, due: Due) -> None:
    now = desk.clock.now()
    run_id = begin_report_run(desk.store, name=due.report.name, parameters={}, started=now, slot=due.slot)
    finish_report_run(desk.store, run_id, finished=now, seconds=0.0, problem=due.hindrance)
    log.warning("%s: %s", due.report.name, due.hindrance)


if __name__ == "__main__":
    sys.exit(main())
