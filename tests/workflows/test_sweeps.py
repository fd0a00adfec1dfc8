"""Sweeps on real workers: killed, cut off, cancelled and out of disk, and nothing finished is lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube
from bifrost_lib.core.errors import InputError, SettingsError, SourceUnavailable
from bifrost_lib.core.settings import load_settings
from bifrost_lib.strategies import DteRange, strategy_named
from bifrost_lib.workflows.sweeps import SweepInterrupted, connect
from bifrost_lib.workflows.sweeps.running import simulated

pytestmark = pytest.mark.slow
SETS = 60


def make_simulate():
    """A simulation that writes down what it did and misbehaves on demand; nested, so that it travels by its code."""

    def simulate(documents, cubes, *, folder, killer=-1, forever=False, pause_s=0.0):
        rows = []
        for document in documents:
            target = document.dte.target
            flag = Path(folder) / "killed"
            if target == killer and (forever or not flag.exists()):
                flag.write_text("once")
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(pause_s)
            with (Path(folder) / "log").open("a") as log:
                log.write(f"{target}\n")
            if target == 3000:
                raise InputError("entry.earnings", "through", "a cube that knows earnings")
            rows.append(np.asarray(cubes.bid) * target)
        daily = np.array(rows)
        return {"pnl": daily.sum(axis=1), "trades": np.arange(len(daily)) * 0 + 3, "daily": daily}

    return simulate


SIMULATE = make_simulate()


def documents(count=SETS):
    base = strategy_named("iron_condor")
    return [base.model_copy(update={"dte": DteRange(0, target, 3650)}) for target in range(count)]


def three_days():
    moments = pd.date_range("2026-01-05 21:00", periods=3, freq="D", tz="UTC")
    rows = [
        {"ts": ts, "expiry": pd.Timestamp("2026-03-20"), "strike": strike, "right": right,
         "bid": 1.0 + strike / 100 + day, "ask": 1.2 + strike / 100 + day}
        for day, ts in enumerate(moments) for strike in (90.0, 100.0) for right in ("C", "P")
    ]  # fmt: skip
    return ChainCube.from_frame(pd.DataFrame(rows), symbol="XYZ")


@pytest.fixture(scope="module")
def cube():
    return three_days()


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    settings = load_settings({"BIFROST_HOME": str(tmp_path_factory.mktemp("desk"))})
    with connect(settings, workers=2) as connected:
        yield connected


@pytest.fixture
def sweep(cube, client, tmp_path):
    """Sweeps in a home of its own; what was simulated is in `log`."""

    def run(count=SETS, *, client=client, progress=None, stop=None, **options):
        options = {"folder": str(tmp_path), **options}
        return simulated(
            SIMULATE, documents(count), cube, client=client, home=tmp_path, progress=progress, stop=stop,
            code="1", options=options,
        )  # fmt: skip

    run.log = lambda: [int(line) for line in (tmp_path / "log").read_text().split()]
    return run


def expected(cube, tmp_path, count=SETS):
    return SIMULATE(documents(count), cube, folder=str(tmp_path / ".."))


def same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_the_result_is_that_of_one_process_and_a_second_call_simulates_nothing(sweep, cube, tmp_path):
    told = []
    found = sweep(progress=told.append)
    same(found, expected(cube, tmp_path))
    assert sorted(sweep.log()) == list(range(SETS))
    assert (told[-1].done, told[-1].total, told[-1].kept) == (SETS, SETS, 0)
    assert [step.done for step in told] == sorted(step.done for step in told)
    same(sweep(progress=told.append), found)
    assert told[-1].kept == SETS
    more = sweep(SETS + 5)  # a larger grid asks only for what is new
    same(more, expected(cube, tmp_path, SETS + 5))
    assert sorted(sweep.log()) == list(range(SETS + 5))


def test_other_options_and_other_chunks_are_other_and_the_same(sweep, cube, tmp_path):
    """An option belongs to the result; how documents are cut does not: ever longer chunks give the same rows."""
    slow = sweep(12, pause_s=0.01)
    same(slow, expected(cube, tmp_path, 12))
    same(sweep(12), slow)
    assert len(sweep.log()) == 24


def test_a_killed_worker_costs_nothing_but_time(sweep, cube, tmp_path):
    told = []
    same(sweep(killer=17, progress=told.append, pause_s=0.002), expected(cube, tmp_path))
    assert (tmp_path / "killed").exists()


def test_a_set_that_ends_every_worker_is_named_and_the_others_are_kept(sweep, cube, tmp_path):
    with pytest.raises(SweepInterrupted) as error:
        sweep(4, killer=2, forever=True)
    assert (error.value.done, error.value.total) == (3, 4)
    assert error.value.cause.startswith("every worker that takes set 3 dies")
    (tmp_path / "killed").unlink()


def test_a_document_that_cannot_be_replayed_is_said_as_the_engine_says_it(sweep):
    with pytest.raises(InputError) as error:
        sweep(3_001)
    assert (error.value.name, error.value.value) == ("entry.earnings", "through")
    assert "expected a cube that knows earnings" in str(error.value)


def test_a_sweep_that_is_stopped_goes_on_where_it_was(sweep, cube, tmp_path):
    stop = threading.Event()

    def tell(step):
        if step.done >= 10:
            stop.set()

    with pytest.raises(SweepInterrupted) as error:
        sweep(stop=stop, progress=tell, pause_s=0.02)
    assert 10 <= error.value.done < SETS
    told = []
    same(sweep(progress=told.append, pause_s=0.02), expected(cube, tmp_path))
    assert told[0].kept == error.value.done


def test_a_full_disk_loses_nothing_that_was_found(sweep, cube, tmp_path, caplog):
    """Files of this process may not grow: what comes after is in the result, and the next call simulates it again."""
    sweep(20)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, hard))
    try:
        found = sweep()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    same(found, expected(cube, tmp_path))
    assert "could not be written" in caplog.text and "File too large" in caplog.text
    assert [path.suffix for path in tmp_path.rglob("*.draft")] == []
    told = []
    same(sweep(progress=told.append), found)
    assert told[0].kept == 20


def sweep_to_the_end_of_the_disk(home, folder):
    """Sweep in a process of its own, its home a disk with room for some of the results; say how many it kept."""
    filler = home / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(home).free - 20 * 1024))
    simulate = partial(
        simulated, SIMULATE, documents(), three_days(), client=None, home=home, code="1",
        options={"folder": str(folder)},
    )  # fmt: skip
    same(simulate(), expected(three_days(), folder))
    with pytest.raises(OSError, match="No space left on device"):
        (home / "more").write_bytes(bytes(1024 * 1024))
    (home / "more").unlink()
    filler.unlink()
    told = []
    same(simulate(progress=told.append), expected(three_days(), folder))
    assert [path.suffix for path in home.rglob("*.draft")] == []
    print(told[0].kept, len((folder / "log").read_text().split()))


def sweep_until_killed(home, folder):
    def tell(step):
        if step.done >= 24:
            os.kill(os.getpid(), signal.SIGKILL)

    simulated(
        SIMULATE, documents(), three_days(), client=None, home=home, progress=tell, code="1",
        options={"folder": str(folder), "pause_s": 0.05},
    )  # fmt: skip


def in_a_process(work, home, folder, *before):
    """Do one of these in a process that writes every chunk at once."""
    code = (
        "import sys; from pathlib import Path; from bifrost_lib.workflows.sweeps import running; "
        "from tests.workflows import test_sweeps; running.WRITE_EVERY_S = 0.0; "
        "getattr(test_sweeps, sys.argv[1])(*map(Path, sys.argv[2:]))"
    )
    command = [*before, sys.executable, "-c", code, work.__name__, str(home), str(folder)]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=60, check=False)


def test_a_disk_without_space_loses_nothing_that_it_had_taken(tmp_path):
    """The disk is one of 128 kB in memory, which this process alone sees."""
    home = tmp_path / "disk"
    home.mkdir()
    mounted = ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size=128k none "$0" && exec "$@"', str(home)]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*mounted, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no disk can be mounted in a namespace of its own here")
    done = in_a_process(sweep_to_the_end_of_the_disk, home, tmp_path, *mounted)
    assert done.returncode == 0, done.stderr
    kept, simulated_in_all = map(int, done.stdout.split())
    assert 0 < kept < SETS
    assert simulated_in_all == SETS + (SETS - kept)
    assert "No space left on device" in done.stderr


def test_a_process_that_is_killed_has_kept_what_it_had_told(cube, tmp_path):
    assert in_a_process(sweep_until_killed, tmp_path, tmp_path).returncode == -signal.SIGKILL
    told, options = [], {"folder": str(tmp_path), "pause_s": 0.05}
    found = simulated(
        SIMULATE, documents(), cube, client=None, home=tmp_path, progress=told.append, code="1", options=options
    )
    assert 24 <= told[0].kept < SETS
    assert sorted((tmp_path / "log").read_text().split(), key=int) == [str(one) for one in range(SETS)]
    same(found, expected(cube, tmp_path))


SCHEDULER = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--no-dashboard"]
WORKER = [sys.executable, "-m", "distributed.cli.dask_worker", "--nthreads", "1", "--no-dashboard", "--death-timeout"]


@pytest.fixture
def far(tmp_path):
    """A scheduler and a worker that are processes of their own, and may be killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"cwd": tmp_path, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    scheduler = subprocess.Popen([*SCHEDULER, "--port", str(port), "--dashboard-address", "127.0.0.1:0"], **quiet)
    address = f"tcp://127.0.0.1:{port}"
    worker = subprocess.Popen([*WORKER, "20", address], **quiet)
    yield load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DASK_SCHEDULER": address}), scheduler
    for process in (worker, scheduler):
        process.kill()
        process.wait()


def test_a_lost_scheduler_is_said_and_what_was_found_is_kept(sweep, far, cube, tmp_path, monkeypatch):
    monkeypatch.setattr("bifrost_lib.workflows.sweeps.dispatch.RECONNECT_S", 3.0)
    settings, scheduler = far

    def tell(step):
        if step.done >= 10:
            scheduler.kill()

    with connect(settings) as client, pytest.raises(SweepInterrupted) as error:
        sweep(client=client, progress=tell, pause_s=0.02)
    assert "scheduler was lost" in error.value.cause and 10 <= error.value.done < SETS
    told = []
    same(sweep(progress=told.append, pause_s=0.02), expected(cube, tmp_path))  # on the workers here
    assert told[0].kept == error.value.done


def test_a_scheduler_that_does_not_answer_is_said_so(monkeypatch, tmp_path):
    monkeypatch.setattr("bifrost_lib.workflows.sweeps.connecting.ANSWER_WITHIN_S", 0.5)
    settings = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_DASK_SCHEDULER": "tcp://127.0.0.1:9"})
    with pytest.raises(SourceUnavailable) as error:
        connect(settings)
    assert error.value.source == "Dask scheduler tcp://127.0.0.1:9"


@pytest.mark.parametrize(
    ("values", "key"),
    [({"BIFROST_DASK_SCHEDULER": "tcp://10.0.0.5:8786"}, "dask_scheduler"),
     ({"BIFROST_DASK_SCHEDULER": "tls://10.0.0.5:8786"}, "dask_tls"),
     ({"BIFROST_DASK_SCHEDULER": "tls://10.0.0.5:8786", "BIFROST_DASK_TLS": "/nowhere"}, "dask_tls")],
)  # fmt: skip
def test_no_connection_leaves_the_machine_in_the_clear(values, key, tmp_path):
    with pytest.raises(SettingsError) as error:
        connect(load_settings({"BIFROST_HOME": str(tmp_path), **values}))
    assert error.value.key == key


def test_the_workers_listen_on_loopback_alone_and_believe_nobody_else(client):
    from dask.distributed import Client

    addresses = [client.scheduler.address, *client.scheduler_info(n_workers=-1)["workers"]]
    assert all(address.startswith("tls://127.0.0.1:") for address in addresses)
    with pytest.raises((OSError, TypeError, RuntimeError)):
        Client(client.scheduler.address.replace("tls", "tcp"), timeout=1)


def test_ctrl_c_reaches_the_caller_alone(sweep, client):
    pids = client.run(os.getpid)
    for pid in pids.values():
        os.kill(pid, signal.SIGINT)

    def tell(step):
        if step.done >= 10:
            signal.raise_signal(signal.SIGINT)  # to this very thread: another may take a signal of the process late

    with pytest.raises(KeyboardInterrupt):
        sweep(progress=tell, pause_s=0.02)
    assert client.run(os.getpid) == pids
    told = []
    sweep(progress=told.append, pause_s=0.02)
    assert told[0].kept >= 10


def test_maps_of_files_are_sent_by_path_and_other_cubes_as_they_are(cube, client, tmp_path):
    from dataclasses import replace

    from bifrost_lib.workflows.sweeps.shipping import Shipment, map_cube, received

    np.concatenate([[9.0], cube.bid]).tofile(tmp_path / "bid")
    mapped = replace(cube, bid=np.memmap(tmp_path / "bid", "float64", mode="r")[1:])
    place = dict(map_cube(mapped, tmp_path / "others").arrays)["bid"]
    assert (place.path, place.offset) == (str(tmp_path / "bid"), 8)
    with Shipment(mapped, client, tmp_path) as shipment:
        assert shipment.is_mapped
        there = client.submit(lambda argument: received(argument).sha256, shipment.argument).result()
        opened = received(shipment.argument)
        assert {name: array.tobytes() for name, array in opened.arrays()} == {
            name: array.tobytes() for name, array in cube.arrays()
        }
        shipment.send(copies=True)
        assert client.submit(lambda argument: received(argument).sha256, shipment.argument).result() == there
    assert there == cube.sha256
    assert [*(tmp_path / "sweeps").iterdir()] == []


def test_the_engine_on_workers_finds_what_it_finds_here(client, tmp_path):
    from bifrost_lib import backtest
    from bifrost_lib.workflows.benchmarks.generated_cubes import generated_cube
    from bifrost_lib.workflows.sweeps import run_sweep

    history = generated_cube(days=40, expiries=4, strikes=21)
    base = strategy_named("iron_condor").model_copy(update={"dte": DteRange(1, 10, 30)})
    grid = backtest.expand(base, {"exits.take_profit.share": [0.25, 0.5, 0.75], "dte.target": [7, 14, 21]})
    options = {"fills": "mid", "capital": 50_000.0, "start": history.day(5)}
    here = backtest.sweep(grid, history, **options)
    there = run_sweep(grid, {history.symbol: history}, client=client, home=tmp_path, **options)
    assert (here.summary["trades"] > 0).all()
    np.testing.assert_array_equal(there.daily, here.daily)
    pd.testing.assert_frame_equal(there.summary, here.summary, check_exact=True)


def test_two_sweeps_share_the_workers(sweep, client, cube, tmp_path):
    """The second one does not wait for the first to end, however much that has still to do."""
    ended: dict[str, float] = {}

    def run(name, count):
        (tmp_path / name).mkdir()
        simulated(
            SIMULATE, documents(count), cube, client=client, home=tmp_path / name, code="1",
            options={"folder": str(tmp_path / name), "pause_s": 0.05},
        )  # fmt: skip
        ended[name] = time.monotonic()

    first = threading.Thread(target=run, args=("long", 200))
    first.start()
    while not (tmp_path / "long" / "log").exists():
        time.sleep(0.05)
    run("short", 10)
    first.join()
    assert ended["short"] < ended["long"]
