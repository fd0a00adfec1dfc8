"""The cluster that sweeps go to: its words, its certificates, what it lets onto a card, and its units."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bifrost_lib.core.errors import EnvironmentProblem, InputError, SettingsError
from bifrost_lib.core.settings import load_settings
from gpu_cluster import cluster
from gpu_cluster.admission import KEPT_FREE, Card, Need, admit, card_bytes, read_cards
from gpu_cluster.client import connect
from gpu_cluster.cluster import scheduler_command, usable_cards, worker_command
from hub_config.systemd import COMPUTE_ROLES, Machine, compute_unit_name, render_compute

CHECKOUT = Path(__file__).resolve().parents[2]
CARD = Card(0, "a card", 24 * 1024**3, 23 * 1024**3)
NEED = Need(cube=2_000_000_000, each_set=20_000)


def settings_of(home, **values):
    return load_settings(
        {"BIFROST_HOME": str(home)} | {f"BIFROST_{name.upper()}": text for name, text in values.items()}
    )


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """A folder as an operator makes it: who may issue certificates, and one with its key."""
    from dask.distributed import Security

    folder = tmp_path_factory.mktemp("tls")
    made = Security.temporary()
    files = {"ca.pem": made.tls_ca_file, "node.pem": made.tls_worker_cert, "node-key.pem": made.tls_worker_key}
    for name, text in files.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    return folder


def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.mark.slow
def test_a_scheduler_and_a_worker_answer_those_who_hold_a_certificate(certificates, tmp_path):
    address = f"tls://127.0.0.1:{port()}"
    names = {"BIFROST_HOME": str(tmp_path), "BIFROST_DASK_SCHEDULER": address, "BIFROST_DASK_TLS": str(certificates)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BIFROST_")}
    command = [sys.executable, "-m", "gpu_cluster.cluster"]
    started = [
        subprocess.Popen([*command, *words], env=kept | names | {"BIFROST_DASK_WORKERS": "1"}, cwd=CHECKOUT,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for words in (["scheduler"], ["worker", "--cpu"])
    ]  # fmt: skip
    try:
        lines = [process.stdout.readline().strip() for process in started]
        assert lines == [
            f"Dask scheduler at {address}", f"1 Dask workers for {address} on the processors: no GPU answers here",
        ]  # fmt: skip
        with connect(load_settings(names)) as client:
            client.wait_for_workers(1, timeout=60)
            (worker,) = client.scheduler_info(n_workers=-1)["workers"].values()
            assert worker["nthreads"] == 1 and worker["host"] == "127.0.0.1"
            assert client.submit(os.getenv, "NUMBA_NUM_THREADS").result(timeout=60) == "1"
        with pytest.raises(SettingsError):
            connect(load_settings(names | {"BIFROST_DASK_TLS": ""}))
    finally:
        for process in started:
            process.terminate()
            process.wait(30)
            process.stdout.close()


def test_nothing_listens_beyond_the_machine_in_the_clear(tmp_path, certificates):
    for make in (scheduler_command, lambda settings: worker_command(settings, [])):
        for address, key in (("tcp://10.1.2.3:8786", "dask_scheduler"), ("tls://10.1.2.3:8786", "dask_tls")):
            with pytest.raises(SettingsError) as error:
                make(settings_of(tmp_path, dask_scheduler=address))
            assert error.value.key == key
        with pytest.raises(SettingsError) as error:
            make(settings_of(tmp_path))
        assert error.value.key == "dask_scheduler"
    (certificates / "node-key.pem").chmod(0o644)
    with pytest.raises(SettingsError) as error:
        scheduler_command(settings_of(tmp_path, dask_scheduler="tls://10.1.2.3:8786", dask_tls=str(certificates)))
    assert "chmod 600" in str(error.value)
    (certificates / "node-key.pem").chmod(0o600)


def test_a_worker_for_each_card_announces_what_sweeps_may_use(tmp_path):
    settings = settings_of(tmp_path, dask_scheduler="tcp://127.0.0.1:8786", dask_memory_gb="8")
    smaller = Card(1, "another", 24 * 1024**3, 10 * 1024**3)
    words = worker_command(settings, [CARD, smaller])
    assert words[:5] == [sys.executable, "-m", "dask", "cuda", "worker"]
    assert words[words.index("--resources") + 1] == f"card_bytes={card_bytes(smaller)}"
    assert words[words.index("--memory-limit") + 1] == "4000000000"
    assert words[words.index("--host") + 1] == "127.0.0.1"
    assert "--nworkers" not in words
    alone = worker_command(settings_of(tmp_path, dask_scheduler="tcp://127.0.0.1:8786", dask_workers="3"), [])
    assert alone[-2:] == ["--nworkers", "3"]


def test_cards_are_read_from_the_driver():
    said = "0, NVIDIA RTX 6000, 24576, 24000\n1, NVIDIA A10G, 23028, 500\n2, shared out, [N/A], [N/A]\n"
    first, full = read_cards(said)
    assert (first.index, first.name, first.total) == (0, "NVIDIA RTX 6000", 24576 * 1024**2)
    assert card_bytes(first) < first.free - KEPT_FREE
    assert card_bytes(full) == 0
    assert read_cards("") == []


def test_cards_without_the_package_for_them_are_said(monkeypatch):
    monkeypatch.setattr(cluster, "read_cards", lambda: [CARD])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem) as error:
        usable_cards()
    assert "--cpu" in error.value.remedy


def worker(limit=0, card=0):
    return {"memory_limit": limit, "resources": {"card_bytes": card} if card else {}}


@pytest.mark.parametrize("sets", [1, 100, 10**7])
def test_a_chunk_never_asks_for_more_than_a_card_has(sets):
    card = card_bytes(CARD)
    admitted = admit(NEED, sets, [worker(card=card), worker(10**10)], on_card=NEED)
    assert admitted.options == {"device": "cuda"} and 1 <= admitted.most_sets <= sets
    assert admitted.resources == {"card_bytes": NEED.of(admitted.most_sets)}
    assert NEED.of(admitted.most_sets) <= card


def test_what_fits_on_no_card_runs_on_the_processors():
    large = Need(cube=30 * 10**9, each_set=20_000)
    for need, on_card in ((large, large), (NEED, None)):
        admitted = admit(need, 1000, [worker(64 * 10**9, card=card_bytes(CARD))], on_card=on_card)
        assert (admitted.resources, admitted.options) == (None, {})


def test_what_fits_nowhere_is_refused_with_what_would_do():
    with pytest.raises(InputError) as error:
        admit(Need(cube=8 * 10**9, each_set=20_000), 10, [worker(4 * 10**9), worker(16 * 10**9)])
    assert error.value.name == "cubes" and "8.4 GB" in error.value.value and "4.0 GB" in error.value.expected


def test_chunks_are_cut_to_the_memory_of_the_smallest_worker():
    need = Need(cube=10**9, each_set=10**7)
    admitted = admit(need, 10**6, [worker(2 * 10**9), worker(64 * 10**9)])
    assert admitted.most_sets == 6  # no more than results of 64 MB, whatever room there is
    tight = admit(Need(cube=10**9, each_set=10**5), 10**6, [worker(1_410_000_000)])
    assert tight.most_sets == 100


@pytest.mark.slow
def test_a_card_is_never_promised_twice():
    """Dask counts what chunks ask for: with room for two of three at a time, the third waits for its turn."""
    import time

    from dask.distributed import Client, LocalCluster

    def hold(begun):
        start = time.monotonic()
        time.sleep(0.3)
        return start - begun, time.monotonic() - begun

    with (
        LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None,
                     scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                     resources={"card_bytes": 10.0}) as local,
        Client(local, set_as_default=False) as client,
    ):  # fmt: skip
        begun = time.monotonic()
        spans = client.gather([client.submit(hold, begun, pure=False, resources={"card_bytes": 4.0}) for _ in range(5)])
    for start, _ in spans:
        assert sum(other <= start < end for other, end in spans) <= 2


def test_the_units_are_accepted_and_see_no_more_than_they_need(tmp_path):
    machine = Machine(CHECKOUT, Path(sys.executable))
    units = render_compute(machine, COMPUTE_ROLES)
    assert [*units] == [compute_unit_name(role) for role in COMPUTE_ROLES]
    for role, text in zip(COMPUTE_ROLES, units.values(), strict=True):
        assert f"ExecStart={machine.python} -m gpu_cluster.cluster {role}\n" in text
        assert ("PrivateDevices=yes" in text) == (role == "scheduler")
        assert "Restart=always" in text and "MemoryMax=" in text
    with pytest.raises(InputError) as error:
        render_compute(machine, ["gpu"])
    assert error.value.name == "compute"
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze here")
    paths = [tmp_path / name for name in units]
    for path in paths:
        path.write_text(units[path.name])
    said = subprocess.run(["systemd-analyze", "verify", *paths], capture_output=True, text=True, check=False)
    assert said.stderr == ""
    scored = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", *paths], capture_output=True, text=True, check=False
    ).stdout
    scores = [float(score) for score in re.findall(r"level for \S+: ([\d.]+)", scored)]
    assert len(scores) == 2 and max(scores) <= 2.4
