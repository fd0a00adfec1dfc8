"""The GPU's code gives the processor's numbers; without a GPU the compiler's simulator runs it, thread by thread."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from bifrost_lib.backtest import sweep_chunk
from gpu_cluster.smoke import options
from gpu_cluster.smoke_sweeps import made_up_cube, many_documents


def smoke(*words: str, simulator: bool) -> subprocess.CompletedProcess[str]:
    asked = "1" if simulator else "0"
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": asked, "NUMBA_DISABLE_JIT": asked}
    command = [sys.executable, "-m", "gpu_cluster.smoke", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
def test_every_number_is_the_processors():
    done = smoke("--size", "48", "--accuracy", "fast", "--sets", "5", "--days", "12", simulator=True)
    found = json.loads(done.stdout)
    assert found["equal"], found
    assert found["simulated"]
    told = {row["what"] for row in found["rows"]}
    assert {"price", "gamma", "color", "implied vol", "status"} <= told
    assert {"American price", "American gamma", "American rho", "American implied vol", "American status"} <= told
    assert {"sweep trades", "sweep pnl", "sweep daily"} <= told
    assert done.returncode == 0


def test_the_sweep_is_of_many_different_documents_that_trade():
    documents = many_documents(100)
    assert len({document.sha256 for document in documents}) == 100
    assert (sweep_chunk(documents[:5], made_up_cube(12))["trades"] > 0).all()


@pytest.mark.slow
def test_a_machine_without_a_gpu_is_told_so_in_one_line():
    done = smoke("--size", "4", simulator=False)
    if done.returncode == 0:
        pytest.skip("this machine has a GPU")
    assert done.stderr.strip().splitlines()[-1].startswith("gpu_cluster.smoke: no CUDA GPU answers")
    assert "Traceback" not in done.stderr


def test_a_size_that_is_none_is_refused():
    done = smoke("--size", "0", simulator=True)
    assert done.returncode == 2
    assert "expected a number of options >= 1" in done.stderr


def test_the_options_are_the_same_each_time():
    assert (options(5)["spot"] == options(5)["spot"]).all()
