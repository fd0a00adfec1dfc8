"""The platform as a whole: up, a second up, status, and down, with the server that it starts itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Bifrost = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def own_home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bifrost-up-", dir="/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def bifrost(own_home: Path) -> Iterator[Bifrost]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("BIFROST_")}
    environ["BIFROST_HOME"] = str(own_home)

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "bifrost_lib.cli", *words],
            capture_output=True, text=True, timeout=300, check=False, env=environ,
        )  # fmt: skip

    yield command
    command("down")


@pytest.fixture(scope="module")
def url(bifrost: Bifrost) -> str:
    started = bifrost("up", "--detach", "--port", str(_free_port()))
    assert started.returncode == 0, started.stderr
    return started.stdout.removeprefix("ready: ").strip()


def test_a_ranked_scan_is_printed_and_the_page_answers(url, own_home):
    printed = (own_home / "logs" / "up.log").read_text(encoding="utf-8")
    assert "SIM iron_condor" in printed
    assert "[SIMULATED]" in printed
    assert printed.index("SIM iron_condor") < printed.index("ready: ")
    assert (own_home / "logs").stat().st_mode & 0o077 == 0
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (our own address)
        assert answer.status == 200


def test_status_tells_what_runs_and_no_secret(url, bifrost):
    found = json.loads(bifrost("status", "--json").stdout)
    states = {part["name"]: part["state"] for part in found["parts"]}
    beside = {"gateway": "running", "option_chain": "running", "market_conditions": "running", "live": "running"}
    beside |= {"reports": "running"}
    assert states == {"store": "running", "pages": "running"} | beside
    assert found["simulated_only"] is True
    assert {row["symbol"] for row in found["symbols"]} == {"SIM", "SIMX", "SIMT"}
    assert url.partition("token=")[2] not in json.dumps(found)


def test_a_second_up_shows_the_first(url, bifrost):
    again = bifrost("up")
    assert again.returncode == 0
    assert "already running" in again.stdout
    assert f"ready: {url}" in again.stdout


def test_seeding_again_stores_nothing(url, bifrost, own_home):
    assert bifrost("down").stdout == "stopped\n"
    before = json.loads(bifrost("status", "--json").stdout)["store"]["rows"]["option_snapshots"]
    taken = socket.socket()
    with taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = bifrost("up", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr.startswith("bifrost: --port") and refused.stderr.count("\n") == 1
    found = json.loads(bifrost("status", "--json").stdout)
    assert found["store"]["rows"]["option_snapshots"] == before
    assert {part["name"]: part["state"] for part in found["parts"]}["pages"] == "stopped"
    assert bifrost("down").stdout == "nothing was running\n"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
