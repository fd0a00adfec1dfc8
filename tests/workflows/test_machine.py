"""Who kernels work for, and whether the cluster answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost_lib.core.clock import SystemClock
from bifrost_lib.core.settings import load_settings
from bifrost_lib.store import spool_backlog
from bifrost_lib.workflows.live.machine import Process, look_at_machine, purposes_of_kernels

KERNEL = ("python", "-m", "ipykernel_launcher", "-f", "connection.json")
NURSERY = ("python", "-P", "-m", "apps.nursery", "apps/voila/strategy_finder.ipynb")


def test_a_kernel_works_for_what_started_it() -> None:
    listed = [
        Process(1, 0, ("init",)),
        Process(10, 1, ("python", "-m", "apps.serve")),
        Process(11, 10, NURSERY),  # which is no kernel itself
        Process(12, 11, NURSERY),
        Process(20, 1, ("python", "/opt/.venv/bin/jupyterhub-singleuser", "--port=0")),
        Process(21, 20, KERNEL),
        Process(30, 1, ("python", "-m", "bifrost_lib.workflows.reporting.execution")),
        Process(31, 30, ("sh",)),
        Process(32, 31, KERNEL),
        Process(40, 1, KERNEL),
        Process(50, 4711, KERNEL),  # its parent ended while we looked
    ]
    purposes = purposes_of_kernels({process.pid: process for process in listed})
    assert purposes == {
        12: "pages",
        21: "JupyterLab",
        32: "reports",
        40: "others",
        50: "others",
    }


def test_a_kernel_of_this_machine_is_counted_with_its_memory(tmp_path: Path) -> None:
    sleeper = [sys.executable, "-c", "import time; print(flush=True); time.sleep(60)", "ipykernel_launcher"]
    with subprocess.Popen(sleeper, stdout=subprocess.PIPE) as kernel:
        assert kernel.stdout is not None
        kernel.stdout.readline()
        found = look_at_machine(load_settings({"BIFROST_HOME": str(tmp_path)}))
        kernel.kill()
    assert found.kernels["kernels"].sum() >= 1
    assert found.kernels["memory_mb"].sum() > 1.0
    assert (found.cluster, found.cluster_state) == ("this machine", "")


@pytest.mark.parametrize("is_there", [True, False])
def test_a_cluster_answers_or_is_silent(tmp_path: Path, is_there: bool) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if is_there:
            listener.listen()
        address = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
        settings = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DASK_SCHEDULER": address})
        found = look_at_machine(settings)
    assert (found.cluster, found.cluster_state) == (address, "answers" if is_there else "silent")


def test_what_waits_for_the_database_is_counted_since_its_oldest(tmp_path: Path) -> None:
    assert spool_backlog(tmp_path / "spool") == spool_backlog(tmp_path)
    assert not (tmp_path / "spool").exists()
    (tmp_path / "set_aside").mkdir()
    for name in ("1.batch", "2.batch", "3.part", "set_aside/0.batch"):
        (tmp_path / name).touch()
    os.utime(tmp_path / "2.batch", (1_000_000.0, 1_000_000.0))
    found = spool_backlog(tmp_path)
    assert (found.waiting, found.set_aside) == (2, 1)
    assert found.oldest is not None and found.oldest.timestamp() == 1_000_000.0
    assert found.oldest < SystemClock().now()
