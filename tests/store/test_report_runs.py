"""The ledger of reports: attempts begin, end, are found again, and a process that died is told."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest
from sqlalchemy import inspect, text

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import (
    begin_report_run,
    finish_report_run,
    interrupted_report_runs,
    list_report_runs,
    place_report_run,
)
from bifrost_lib.store.migrate import HEAD, downgrade, migrate

MINUTE = timedelta(minutes=1)


def test_an_attempt_is_running_until_it_ends(store, made):
    run_id = begin_report_run(store, name="open", parameters={"symbols": ["SIM"], "at": None}, started=made.noon)
    place_report_run(store, run_id, path="/somewhere")
    (running,) = list_report_runs(store, name="open").to_dict("records")
    assert (running["status"], running["attempt"], running["path"]) == ("running", 1, "/somewhere")
    assert running["parameters"] == {"symbols": ["SIM"], "at": None}
    assert pd.isna(running["finished"]) and pd.isna(running["slot"])
    finish_report_run(store, run_id, finished=made.noon + MINUTE, seconds=60.0)
    (done,) = list_report_runs(store, name="open").to_dict("records")
    assert (done["status"], done["seconds"], done["problem"]) == ("done", 60.0, None)
    assert done["finished"] == made.noon + MINUTE


def test_a_problem_makes_it_failed_and_an_end_is_final(store, made):
    run_id = begin_report_run(store, name="fails", parameters={}, started=made.noon, slot=made.noon, attempt=2)
    finish_report_run(store, run_id, finished=made.noon, seconds=1.0, problem="no chain")
    (failed,) = list_report_runs(store, name="fails").to_dict("records")
    assert (failed["status"], failed["problem"], failed["attempt"]) == ("failed", "no chain", 2)
    assert failed["slot"] == made.noon
    with pytest.raises(InputError) as caught:
        finish_report_run(store, run_id, finished=made.noon, seconds=1.0)
    assert caught.value.name == "run_id"


def test_the_newest_come_first_and_nothing_later_than_at(store, made):
    for number in range(3):
        begin_report_run(store, name="many", parameters={}, started=made.noon + number * MINUTE)
    started = list_report_runs(store, name="many")["started"]
    assert list(started) == [made.noon + number * MINUTE for number in (2, 1, 0)]
    assert len(list_report_runs(store, name="many", at=made.noon + MINUTE)) == 2
    assert len(list_report_runs(store, name="many", limit=1)) == 1
    assert list_report_runs(store, name="never").empty


def test_an_attempt_whose_process_was_killed_is_told_as_interrupted(store, made, database_settings):
    ours = begin_report_run(store, name="alive", parameters={}, started=made.noon)
    code = (
        "import os; from datetime import datetime, UTC; from bifrost_lib.core.settings import load_settings\n"
        "from bifrost_lib.store import open_store, begin_report_run\n"
        "store = open_store(load_settings())\n"
        "begin_report_run(store, name='killed', parameters={}, started=datetime(2024, 3, 15, 16, tzinfo=UTC))\n"
        "os.kill(os.getpid(), 9)"
    )
    url = database_settings.database_url.replace("+psycopg2", "")
    environment = {"BIFROST_HOME": str(database_settings.home), "BIFROST_DATABASE_URL": url}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == -9
    marked = interrupted_report_runs(store, at=made.noon + MINUTE)
    assert list(marked["name"]) == ["killed"]
    (row,) = list_report_runs(store, name="killed").to_dict("records")
    assert (row["status"], row["problem"], row["finished"]) == ("failed", "interrupted", made.noon + MINUTE)
    assert list(list_report_runs(store, name="alive")["status"]) == ["running"]
    assert interrupted_report_runs(store, at=made.noon + MINUTE).empty
    finish_report_run(store, ours, finished=made.noon, seconds=0.0)


@pytest.mark.parametrize(("field", "value"), [("name", " "), ("attempt", 0)])
def test_nonsense_is_refused(store, made, field, value):
    with pytest.raises(InputError) as caught:
        begin_report_run(store, **{"name": "open", "parameters": {}, "started": made.noon, field: value})
    assert caught.value.name == field


def test_the_step_up_and_back_leaves_the_release_before_alone(store):
    migrate(store.engine)
    assert HEAD >= "0003"
    columns = {column["name"]: column["comment"] for column in inspect(store.engine).get_columns("report_runs")}
    assert all(columns.values())
    downgrade(store.engine, "0002")
    with store.engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('report_runs')")) is None
        assert connection.scalar(text("SELECT to_regclass('live_quotes')")) is not None
    migrate(store.engine)
    assert list_report_runs(store).empty
