"""The ledger of collection balances to the row, tells of runs that were cut off, and of what is still missing."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from sqlalchemy import text

from bifrost_lib.core.errors import InputError
from bifrost_lib.store import (
    AlreadyIngested,
    FileKey,
    Gap,
    RunOutcome,
    begin_run,
    close_gap,
    finish_run,
    ingestion,
    interrupted_runs,
    list_runs,
    list_symbols,
    open_gaps,
    option_chain,
    record_gap,
)

BEGAN = datetime(2024, 3, 15, 14, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def begin(store, symbol, **changes):
    known = {"collector": "option_chain", "source": "test", "started": BEGAN}
    return begin_run(store, symbol=symbol, **{**known, **changes})


def run_of(store, run_id, **known):
    return list_runs(store, **known).set_index("run_id").loc[run_id]


def test_a_run_is_running_until_it_ends(store, symbol):
    run_id = begin(store, symbol, batch=f"{symbol} 1")
    running = run_of(store, run_id, symbol=symbol)
    assert (running["status"], running["symbol"], running["batch"]) == ("running", symbol, f"{symbol} 1")
    assert pd.isna(running["finished"]) and pd.isna(running["expected"])
    outcome = RunOutcome(10, 7, {"no data": 2, "timeout": 1}, 6, lines_peak=90, messages=41, seconds=8.5)
    finish_run(store, run_id, outcome, finished=BEGAN + MINUTE)
    done = run_of(store.engine, run_id, symbol=symbol)
    assert (done["status"], done["expected"], done["received"], done["rows_stored"]) == ("done", 10, 7, 6)
    assert done["missing"] == {"no data": 2, "timeout": 1}
    assert (done["lines_peak"], done["messages"], done["seconds"]) == (90, 41, 8.5)
    assert done["finished"] == BEGAN + MINUTE


def test_the_ledger_is_read_as_it_was_known(store, symbol):
    run_id = begin(store, symbol)
    finish_run(store, run_id, RunOutcome(1, 1), finished=BEGAN + MINUTE)
    assert run_of(store, run_id, symbol=symbol, at=BEGAN + MINUTE)["status"] == "done"
    before = run_of(store, run_id, symbol=symbol, at=BEGAN + MINUTE / 2)
    assert before["status"] == "running" and pd.isna(before["finished"]) and pd.isna(before["received"])
    assert list_runs(store, symbol=symbol, at=BEGAN - MINUTE).empty


def test_a_problem_is_a_failure(store, symbol):
    run_id = begin(store, symbol)
    outcome = RunOutcome(5, 0, {"no connection": 5}, problem="the gateway went away")
    finish_run(store, run_id, outcome, finished=BEGAN + MINUTE)
    failed = run_of(store, run_id, symbol=symbol)
    assert (failed["status"], failed["problem"]) == ("failed", "the gateway went away")


@pytest.mark.parametrize(
    ("outcome", "name"),
    [
        (RunOutcome(10, 7, {"timeout": 2}), "outcome.missing"),
        (RunOutcome(10, 11, {"timeout": -1}), "outcome.missing"),
        (RunOutcome(10, 9, {"": 1}), "outcome.missing"),
        (RunOutcome(-1, -1), "outcome.expected"),
        (RunOutcome(1, 1, seconds=float("nan")), "outcome.seconds"),
    ],
)
def test_an_outcome_that_does_not_balance_is_refused(store, symbol, outcome, name):
    run_id = begin(store, symbol)
    with pytest.raises(InputError) as caught:
        finish_run(store, run_id, outcome, finished=BEGAN)
    assert caught.value.name == name
    assert run_of(store, run_id, symbol=symbol)["status"] == "running"


def test_a_run_ends_once(store, symbol):
    run_id = begin(store, symbol)
    finish_run(store, run_id, RunOutcome(1, 1), finished=BEGAN)
    for wrong in (run_id, 10**9):
        with pytest.raises(InputError) as caught:
            finish_run(store, wrong, RunOutcome(1, 1), finished=BEGAN)
        assert caught.value.name == "run_id"


def test_a_second_attempt_at_a_batch_continues_its_run(store, symbol):
    run_id = begin(store, symbol, batch=symbol)
    assert begin(store, symbol, batch=symbol) == run_id
    finish_run(store, run_id, RunOutcome(1, 1), finished=BEGAN)
    with pytest.raises(InputError) as caught:
        begin(store, symbol, batch=symbol)
    assert caught.value.name == "batch"


def test_real_and_simulated_runs_never_share_a_symbol(store, symbol):
    begin(store, symbol, source="simulated ib")
    with pytest.raises(InputError) as caught:
        begin(store, symbol, source="ib")
    assert caught.value.name == "source"


OTHER = """
import sys
from datetime import datetime
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import begin_run, open_store

symbol, moment = sys.argv[1:]
with open_store(load_settings()) as store:
    for expected in (40, None):
        begin_run(store, collector=symbol, source="test", symbol=symbol, started=datetime.fromisoformat(moment),
                  expected=expected)
    print("begun", flush=True)
    sys.stdin.read()
"""


def test_runs_of_a_process_that_is_no_more_are_marked_and_those_of_the_living_are_not(
    store, symbol, database_settings, monkeypatch
):
    environ = {"BIFROST_HOME": str(database_settings.home), "BIFROST_DATABASE_URL": database_settings.database_url}
    ours = begin(store, symbol, collector=symbol)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER, symbol, BEGAN.isoformat()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None and process.stdout.readline() == "begun\n"
        assert interrupted_runs(store, symbol, at=BEGAN + MINUTE).empty
    finally:
        process.kill()
        process.communicate()
    dead = interrupted_runs(store, symbol, at=BEGAN + MINUTE)
    assert dead["status"].tolist() == ["failed", "failed"] and dead["problem"].tolist() == ["interrupted"] * 2
    assert dead["missing"].tolist() == [{"interrupted": 40}, {}] and dead["received"].tolist() == [0, 0]
    assert dead["pid"].tolist() == [process.pid] * 2
    assert interrupted_runs(store, symbol, at=BEGAN + MINUTE).empty
    assert run_of(store, ours, symbol=symbol)["status"] == "running"


def test_a_later_process_with_the_same_number_is_another_one(store, symbol):
    run_id = begin(store, symbol, collector=symbol)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE collection_runs SET process = 'an earlier one' WHERE run_id = :run"), {"run": run_id}
        )
    assert interrupted_runs(store, symbol, at=BEGAN)["run_id"].tolist() == [run_id]


def test_runs_of_another_machine_are_left_alone(store, symbol):
    run_id = begin(store, symbol, collector=symbol)
    with store.engine.begin() as connection:
        connection.execute(
            text("UPDATE collection_runs SET host = 'elsewhere', pid = 1 WHERE run_id = :run"), {"run": run_id}
        )
    assert interrupted_runs(store, symbol, at=BEGAN).empty


def test_a_run_taken_for_interrupted_may_end_after_all(store, symbol):
    run_id = begin(store, symbol, collector=symbol)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE collection_runs SET process = 'x' WHERE run_id = :run"), {"run": run_id})
    assert len(interrupted_runs(store, symbol, at=BEGAN)) == 1
    finish_run(store, run_id, RunOutcome(2, 2), finished=BEGAN + MINUTE)
    assert run_of(store, run_id, symbol=symbol)["status"] == "done"


def collected(symbol, batch):
    return FileKey(path=f"test {symbol}", sha256=batch, size=0, format="collected")


def test_rows_and_the_end_of_their_run_are_one_transaction(store, made, symbol):
    run_id = begin(store, symbol, batch=symbol)
    frame = made.snapshots(made.chain_rows([90, 100]), symbol=symbol)
    with pytest.raises(RuntimeError), ingestion(store, collected(symbol, symbol), source="test") as writer:
        writer.append(frame)
        writer.finish_run(run_id, RunOutcome(4, 4), finished=BEGAN)
        raise RuntimeError("the power fails here")
    assert symbol not in list_symbols(store.engine)["symbol"].tolist()
    assert run_of(store, run_id, symbol=symbol)["status"] == "running"
    with ingestion(store, collected(symbol, symbol), source="test") as writer:
        writer.append(frame)
        writer.finish_run(run_id, RunOutcome(5, 4, {"timeout": 1}), finished=BEGAN)
    assert len(option_chain(store.engine, symbol)) == 4
    done = run_of(store, run_id, symbol=symbol)
    assert (done["status"], done["rows_stored"], done["missing"]) == ("done", 4, {"timeout": 1})
    with pytest.raises(AlreadyIngested), ingestion(store, collected(symbol, symbol), source="test"):
        pytest.fail("entered")
    assert list_symbols(store.engine).set_index("symbol").loc[symbol, "rows"] == 4


def test_rows_of_a_run_that_ended_before_are_not_stored(store, made, symbol):
    run_id = begin(store, symbol)
    finish_run(store, run_id, RunOutcome(1, 1), finished=BEGAN)
    with pytest.raises(InputError), ingestion(store, collected(symbol, symbol), source="test") as writer:
        writer.append(made.snapshots([{"bid": 1.0}], symbol=symbol))
        writer.finish_run(run_id, RunOutcome(1, 1), finished=BEGAN)
    assert symbol not in list_symbols(store.engine)["symbol"].tolist()


def gap(**changes):
    known = {"first_ts": BEGAN, "last_ts": BEGAN + MINUTE, "reason": "no connection", "expected": 9, "received": 2}
    return Gap(**{**known, **changes})


def test_a_gap_is_open_until_it_is_filled_or_cannot_be(store, symbol):
    run_id = begin(store, symbol)
    wanted = {"con_ids": [1, 2]}
    gap_id = record_gap(store, run_id, gap(fillable_until=BEGAN + 9 * MINUTE, wanted=wanted))
    at = BEGAN + 5 * MINUTE
    found = open_gaps(store, at=at, symbol=symbol).iloc[0]
    assert (found["gap_id"], found["run_id"], found["symbol"]) == (gap_id, run_id, symbol)
    assert (found["expected"], found["received"], found["reason"]) == (9, 2, "no connection")
    assert found["wanted"] == wanted
    assert open_gaps(store, at=BEGAN + 9 * MINUTE, symbol=symbol).empty
    assert open_gaps(store, at=BEGAN - MINUTE, symbol=symbol).empty
    close_gap(store, gap_id, at=at)
    close_gap(store, gap_id, at=at + MINUTE)
    assert open_gaps(store.engine, at=at, symbol=symbol).empty
    assert len(open_gaps(store.engine, at=at - MINUTE, symbol=symbol)) == 1


def test_numbers_out_of_frames_are_taken(store, symbol):
    run_id = begin(store, symbol)
    keys = list_runs(store, symbol=symbol)["run_id"]
    gap_id = pd.Series([record_gap(store, keys.iloc[0], gap())]).iloc[0]
    close_gap(store, gap_id, at=BEGAN)
    counts = pd.Series([3, 2, 1])
    outcome = RunOutcome(counts[0], counts[1], {"timeout": counts[2]}, messages=counts[0])
    finish_run(store, keys.iloc[0], outcome, finished=BEGAN)
    assert run_of(store, run_id, symbol=symbol)["missing"] == {"timeout": 1}


def test_gaps_that_cannot_be_are_refused(store, symbol):
    run_id = begin(store, symbol)
    for wrong, name in ((gap(last_ts=BEGAN - MINUTE), "last_ts"), (gap(reason=" "), "reason")):
        with pytest.raises(InputError) as caught:
            record_gap(store, run_id, wrong)
        assert caught.value.name == name
    for attempt, name in (
        (lambda: record_gap(store, 10**9, gap()), "run_id"),
        (lambda: close_gap(store, 10**9, at=BEGAN), "gap_id"),
    ):
        with pytest.raises(InputError) as caught:
            attempt()
        assert caught.value.name == name
