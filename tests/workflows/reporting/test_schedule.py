"""When reports are due: sessions only, in the exchange's time, missed ones once, and after what they need."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import FileFormatError
from bifrost_lib.store import begin_report_run, finish_report_run, list_report_runs
from bifrost_lib.workflows import Desk, report_schedule_command
from bifrost_lib.workflows.reporting.plans import Plan, read_plans
from bifrost_lib.workflows.reporting.schedule import due_reports, run_due

OPEN = Plan(after="open", minutes=30)
CLOSE = Plan(after="close", minutes=20)
WEEK = Plan(after="close", minutes=40, days="week")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("plan", "at", "slot"),
    [
        (OPEN, "2026-09-30T13:59", "2026-09-29T14:00"),  # the session opens at 13:30 UTC
        (OPEN, "2026-09-30T14:00", "2026-09-30T14:00"),
        (OPEN, "2026-12-01T15:00", "2026-12-01T15:00"),  # and at 14:30 UTC in winter
        (CLOSE, "2026-11-21T12:00", "2026-11-20T21:20"),  # a Saturday
        (CLOSE, "2026-11-27T18:20", "2026-11-27T18:20"),  # an early close, at 13:00 New York
        (CLOSE, "2026-09-07T23:00", "2026-09-04T20:20"),  # Labor Day
        (WEEK, "2026-09-30T23:00", "2026-09-25T20:40"),  # a Wednesday
        (WEEK, "2026-09-25T20:40", "2026-09-25T20:40"),
        (WEEK, "2026-04-03T20:40", "2026-04-02T20:40"),  # Good Friday: Thursday ends the week
        (Plan(), "2026-09-30T20:00", None),
    ],
)
def test_the_newest_moment_at_which_a_report_was_due(plan, at, slot):
    assert plan.newest_slot(utc(at)) == (utc(slot) if slot else None)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("after = 'lunch'", "after"),
        ("after = 'open'\nminuets = 3", "minuets"),
        ("days = 'month'", "days"),
        ("wall_s = -1", "wall_s"),
        ("retries = 'many'", "retries"),
        ("memory_mb = true", "memory_mb"),
    ],
)
def test_a_row_that_cannot_mean_anything_is_refused(tmp_path, row, word):
    (tmp_path / "schedule.toml").write_text(f"[daily]\n{row}\n")
    with pytest.raises(FileFormatError, match=word) as caught:
        read_plans(tmp_path)
    assert caught.value.member == "daily"


def test_a_schedule_names_only_what_is_there(reports, desk):
    folder = reports("one", schedule='[one]\nneeds = ["two"]\n')
    with pytest.raises(FileFormatError, match=r"two\.ipynb"):
        due_reports(desk, since=utc("2026-09-30T00:00"), at=utc("2026-09-30T00:00"), folder=folder)


NAMES = iter(range(1000))
AFTER_CLOSE = utc("2026-09-30T20:30")


@pytest.fixture
def pair(reports):
    """Two reports, the second of which needs the first; names of the test's own, since tests share the ledger."""
    first, second = (f"r{next(NAMES)}" for _ in range(2))
    reports(first)
    schedule = (
        f"[{first}]\nafter = 'close'\nminutes = 10\n[{second}]\nafter = 'close'\nminutes = 20\nneeds = ['{first}']\n"
    )
    return first, second, reports(second, schedule=schedule)


def enter(desk, name, *, slot=None, started=AFTER_CLOSE, problem=""):
    run_id = begin_report_run(desk.store, name=name, parameters={}, started=started, slot=slot)
    finish_report_run(desk.store, run_id, finished=started, seconds=1.0, problem=problem)


def due(desk, folder, *, since="2026-09-30T00:00", at=AFTER_CLOSE):
    return [(one.report.name, bool(one.hindrance)) for one in due_reports(desk, since=utc(since), at=at, folder=folder)]


SLOT = utc("2026-09-30T20:10")


def test_nothing_was_missed_before_a_schedule_was_kept(desk, pair):
    assert due(desk, pair[2], since="2026-09-30T20:25") == []


def test_what_was_missed_is_made_once_for_the_newest_moment_only(desk, pair):
    first, _, folder = pair
    enter(desk, first, slot=utc("2026-09-15T20:10"), started=utc("2026-09-15T20:10"))
    (one,) = due_reports(desk, since=utc("2026-09-30T20:25"), at=AFTER_CLOSE, folder=folder)
    assert (one.report.name, one.slot) == (first, SLOT)
    enter(desk, first, slot=SLOT)
    assert (first, False) not in due(desk, folder, since="2026-09-30T20:25")


def test_a_report_waits_for_what_it_needs(desk, pair):
    first, second, folder = pair
    assert due(desk, folder) == [(first, False)]
    enter(desk, first, slot=SLOT)
    assert due(desk, folder) == [(second, False)]


def test_success_of_another_day_does_not_count_and_by_hand_does(desk, pair):
    first, second, folder = pair
    enter(desk, first, started=utc("2026-09-29T20:10"))
    assert due(desk, folder) == [(first, False)]
    enter(desk, first, started=utc("2026-09-30T15:00"))
    assert (second, False) in due(desk, folder)


def test_a_failure_of_what_it_needs_is_told_and_not_waited_for(desk, pair):
    first, second, folder = pair
    enter(desk, first, slot=SLOT, problem="no chain")
    assert due(desk, folder) == [(second, True)]
    clocked = Desk(settings=desk.settings, clock=SteppedClock(AFTER_CLOSE), store=desk.store)
    try:
        assert run_due(clocked, since=utc("2026-09-30T00:00"), folder=folder) == []
    finally:
        clocked._finalizer.detach()  # the store belongs to the module
    (row,) = list_report_runs(desk.store, name=second).to_dict("records")
    assert row["status"] == "failed" and first in row["problem"] and row["slot"] == utc("2026-09-30T20:20")
    assert due(desk, folder) == []


def test_what_was_killed_is_made_again_but_not_for_ever(desk, pair):
    first, _, folder = pair
    enter(desk, first, slot=SLOT, problem="interrupted")
    assert (first, False) in due(desk, folder)
    enter(desk, first, slot=SLOT, problem="interrupted")
    assert (first, False) not in due(desk, folder)


def test_it_gives_up_on_what_does_not_come(desk, pair):
    first, second, folder = pair
    enter(desk, first, slot=SLOT, problem="interrupted")
    enter(desk, first, slot=SLOT, problem="interrupted")
    late = AFTER_CLOSE + timedelta(hours=2)
    assert (second, True) in due(desk, folder, at=late)


def test_the_service_is_started_as_a_module_of_the_library():
    (command,) = report_schedule_command().values()
    assert command[-1] == "bifrost_lib.workflows.reporting.schedule"


@pytest.mark.slow
def test_the_service_keeps_the_schedule_until_it_is_told_to_stop(desk):
    url = desk.settings.database_url.replace("+psycopg2", "")
    environment = os.environ | {"BIFROST_HOME": str(desk.settings.home), "BIFROST_DATABASE_URL": url}
    (command,) = report_schedule_command().values()
    before = len(list_report_runs(desk.store, limit=1000))
    service = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    time.sleep(6.0)
    assert service.poll() is None, service.communicate()[1]
    begun = time.monotonic()
    service.send_signal(signal.SIGTERM)
    assert service.communicate(timeout=20)[1] == ""
    assert service.returncode == 0 and time.monotonic() - begun < 10
    assert len(list_report_runs(desk.store, limit=1000)) == before, "nothing was missed before it was started"
