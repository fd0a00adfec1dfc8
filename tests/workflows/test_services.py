"""Processes of a platform: kept running, told of, and ended with it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows import services
from bifrost_lib.workflows.services import process_birth, run_services, running_services

STEADY = (sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(600)")
SHORT = (sys.executable, "-c", "raise SystemExit(3)")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(services, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(services, "LOOK_EVERY_S", 0.02)
    return load_settings({"BIFROST_HOME": str(tmp_path)})


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def alive(pid: int) -> bool:
    return process_birth(pid) is not None


def test_a_service_runs_and_ends_with_the_block(settings):
    with run_services(settings, SystemClock(), {"steady": STEADY}):
        wait_for(lambda: any(state.pid for state in running_services(settings)))
        (state,) = running_services(settings)
        assert (state.name, state.state, state.restarts) == ("steady", "running", 0)
        assert state.pid is not None
        wait_for(lambda: "begun" in Path(state.log).read_text())
        assert (settings.home / "services.json").stat().st_mode & 0o077 == 0
    assert not alive(state.pid)
    assert running_services(settings) == []


def test_a_killed_service_is_started_again(settings):
    with run_services(settings, SystemClock(), {"steady": STEADY}):
        wait_for(lambda: any(state.pid for state in running_services(settings)))
        first = running_services(settings)[0].pid
        os.kill(first, signal.SIGKILL)
        wait_for(lambda: running_services(settings)[0].restarts == 1 and running_services(settings)[0].pid is not None)
        assert running_services(settings)[0].pid != first


def test_one_that_fails_at_once_is_tried_less_and_less_often(settings):
    told: list[str] = []
    with run_services(settings, SystemClock(), {"short": SHORT, "steady": STEADY}, tell=told.append):
        wait_for(lambda: running_services(settings)[:1] and running_services(settings)[0].restarts >= 2)
        assert running_services(settings)[1].state == "running"  # the other is not disturbed
    assert [line.partition(": starts")[0] for line in told[:2]] == ["short ended by itself (exit status 3)"] * 2


def test_what_is_added_runs_and_is_told_of_at_once(settings):
    with run_services(settings, SystemClock(), {"first": STEADY}) as add:
        add({"second": STEADY, "third": STEADY})
        states = running_services(settings)
        assert [(state.name, state.state) for state in states] == [(n, "running") for n in ("first", "second", "third")]
    assert not any(alive(state.pid) for state in states if state.pid)


def test_one_that_cannot_be_started_is_told_of_and_tried_again(settings, tmp_path):
    program, told = tmp_path / "program", []
    with run_services(settings, SystemClock(), {"absent": (str(program),), "steady": STEADY}, tell=told.append):
        assert [state.state for state in running_services(settings)] == ["waiting", "running"]
        program.write_text("#!/bin/sh\nexec sleep 600\n")
        program.chmod(0o700)
        wait_for(lambda: running_services(settings)[0].state == "running")
    assert told[0].startswith("absent could not be started ([Errno 2] No such file")


def test_services_are_looked_after_while_their_record_cannot_be_written(settings):
    with run_services(settings, SystemClock(), {"steady": STEADY}):
        (before,) = running_services(settings)
        record = settings.home / "services.json"
        record.unlink()
        record.mkdir()  # stands for a disk that takes nothing
        wait_for(lambda: "begun" in Path(before.log).read_text())
        os.kill(before.pid, signal.SIGKILL)
        wait_for(lambda: Path(before.log).read_text().count("begun") == 2)
        record.rmdir()
        wait_for(lambda: [state.restarts for state in running_services(settings)] == [1])


def test_what_a_killed_desk_left_behind_is_ended_first(settings):
    with run_services(settings, SystemClock(), {"steady": STEADY}):
        wait_for(lambda: any(state.pid for state in running_services(settings)))
        left = running_services(settings)[0].pid
        with run_services(settings, SystemClock(), {"steady": STEADY}):
            wait_for(lambda: not alive(left))


def test_a_number_that_another_process_has_by_now_is_not_ours(settings):
    with run_services(settings, SystemClock(), {"steady": STEADY}):
        wait_for(lambda: any(state.pid for state in running_services(settings)))
        record = settings.home / "services.json"
        (state,) = running_services(settings)
        record.write_text(record.read_text().replace(str(state.born), "1"))
        assert [(state.state, state.pid) for state in running_services(settings)] == [("waiting", None)]
