"""``bifrost report`` as its users call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def bifrost(database_settings):
    url = database_settings.database_url.replace("+psycopg2", "")
    environment = os.environ | {"BIFROST_HOME": str(database_settings.home), "BIFROST_DATABASE_URL": url}

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bifrost_lib.cli", "report", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_without_a_name_the_reports_and_their_runs_are_listed(bifrost):
    listed = json.loads(bifrost("--json").stdout)
    names = [report["name"] for report in listed["reports"]]
    assert names == ["daily_close", "daily_open", "data_quality", "weekly_review"]
    assert listed["reports"][0]["needs"] == ["data_quality"]
    assert {one["name"] for one in listed["reports"][0]["parameters"]} == {"symbols", "at", "strategies", "top"}
    assert "daily_open" in bifrost().stdout


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("daily_clos",), "did you mean 'daily_close'"),
        (("daily_close", "-p", "symbol=SIM"), "did you mean 'symbols'"),
        (("daily_close", "-p", "top=many"), "top: got 'many', expected a whole number"),
        (("daily_close", "-p", "top"), "name=value"),
        (("-p", "top=3"), "the name of a report"),
    ],
)
def test_a_mistake_is_one_clear_line(bifrost, words, line):
    done = bifrost(*words)
    assert done.returncode == 1
    assert line in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_failure_is_told_with_its_place_and_a_status(bifrost, tmp_path):
    done = bifrost("data_quality", "--json")  # the store is empty
    assert done.returncode == 1
    run = json.loads(done.stdout)["run"]
    assert (run["status"], run["attempt"]) == ("failed", 1) and "NoDataError" in run["problem"]
    assert "the store is empty" in done.stderr and run["html"] in done.stderr
    assert done.stderr.count("\n") == 1
    listed = json.loads(bifrost("--json").stdout)
    assert [(one["name"], one["status"]) for one in listed["runs"]] == [("data_quality", "failed")]
