"""``python -m collectors`` against a simulated gateway over a real socket."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from bifrost_lib.store import Watch, list_runs, market_conditions, option_chain, save_watch
from bifrost_lib.workflows import Desk

StartCollector = Callable[..., "subprocess.Popen[str]"]


def balanced(desk: Desk) -> pd.DataFrame:
    """Return the ledger's runs, each of which must explain every contract, to the row."""
    runs = list_runs(desk.store, limit=1000).sort_values("run_id", ignore_index=True)
    ended = runs[runs["status"] != "running"]
    for run in ended.to_dict("records"):
        assert run["expected"] == run["received"] + sum(run["missing"].values())
    with desk.store.engine.connect() as connection:
        rows, distinct = connection.exec_driver_sql(
            "SELECT count(*), count(DISTINCT (contract_id, ts)) FROM option_snapshots"
        ).one()
    chains = ended[ended["collector"] == "option_chain"]
    assert rows == distinct == chains["received"].sum()
    return runs


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("option_chian",), 2, "did you mean 'option_chain'?"),
        (("option_chain", "--once", "--symbols", "NOSUCH"), 1, "NOSUCH"),
    ],
)
@pytest.mark.slow
def test_trouble_is_one_clear_line(start_collector: StartCollector, words: Any, status: int, said: str) -> None:
    process = start_collector(*words)
    _, problem = process.communicate(timeout=60)
    assert process.returncode == status
    lines = [line for line in problem.splitlines() if line.startswith("collectors: ")]
    assert len(lines) == 1
    assert said in lines[0]
    assert "Traceback" not in problem


@pytest.mark.slow
def test_once_collects_and_then_describes_the_market(desk: Desk, start_collector: StartCollector) -> None:
    save_watch(desk.store, Watch("SPY", expiries=8, strikes=8, cadence_s=60.0))
    process = start_collector("option_chain", "--once")
    _, problem = process.communicate(timeout=120)
    assert process.returncode == 0, problem
    chain = option_chain(desk.store.engine, "SPY", at=desk.clock.now())
    assert len(chain) == 8 * 8 * 2
    assert chain.attrs["source"] == "simulated"
    assert (chain["quality"] == "ok").mean() > 0.9
    assert chain["open_interest"].notna().all()
    process = start_collector("market_conditions", "--once")
    _, problem = process.communicate(timeout=120)
    assert process.returncode == 0, problem
    found = market_conditions(desk.store.engine, "SPY", at=desk.clock.now()).iloc[0]
    assert 0.02 < found["realized_vol"] < 2
    assert found["put_call_open_interest"] > 0
    assert set(balanced(desk)["status"]) == {"done"}


@pytest.mark.slow
def test_sigterm_stores_what_has_come(desk: Desk, start_collector: StartCollector, until: Any) -> None:
    save_watch(desk.store, Watch("SPY", expiries=2, strikes=0, cadence_s=3600.0))
    process = start_collector("option_chain")
    until(lambda: len(list_runs(desk.store)))
    until(lambda: live_rows(desk))
    process.send_signal(signal.SIGTERM)
    _, problem = process.communicate(timeout=20)
    assert process.returncode == 0, problem
    runs = balanced(desk)
    assert set(runs["status"]) == {"done"}
    assert 0 < runs["received"].sum() < runs["expected"].sum()
    assert set().union(*runs["missing"]) == {"stopped"}


@pytest.mark.slow
def test_kill_loses_no_more_than_what_was_in_flight(desk: Desk, start_collector: StartCollector, until: Any) -> None:
    save_watch(desk.store, Watch("SPY", expiries=3, strikes=0, cadence_s=3600.0))
    process = start_collector("option_chain")
    until(lambda: "done" in set(list_runs(desk.store)["status"]), timeout_s=90)
    process.kill()
    process.wait(10)
    before = balanced(desk)
    assert sorted(set(before["status"])) == ["done", "running"]
    stored = int(before["received"].sum())

    process = start_collector("option_chain")
    until(lambda: "failed" in set(list_runs(desk.store)["status"]))
    process.send_signal(signal.SIGTERM)
    _, problem = process.communicate(timeout=20)
    assert process.returncode == 0, problem
    after = balanced(desk)
    assert "running" not in set(after["status"])
    killed = after[after["problem"] == "interrupted"]
    assert list(killed["run_id"]) == list(before.loc[before["status"] == "running", "run_id"])
    assert [run["interrupted"] for run in killed["missing"]] == list(killed["expected"])
    assert after.loc[after["run_id"].isin(before["run_id"]), "received"].sum() == stored
    with desk.store.engine.connect() as connection:
        gaps = connection.exec_driver_sql("SELECT run_id, expected, reason FROM collection_gaps").all()
    assert {gap.run_id for gap in gaps if gap.reason == "interrupted"} == set(killed["run_id"])


def live_rows(desk: Desk) -> int:
    with desk.store.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM live_quotes").scalar_one())
