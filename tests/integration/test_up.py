"""The platform as a whole: up, a second up, status, and down, with the server that it starts itself."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

Bifrost = Callable[..., subprocess.CompletedProcess[str]]
COLLECTORS = ("option_chain", "market_conditions", "recommendations")
PARTS = ("store", "gateway", "proxy", "hub", "pages", "live", *COLLECTORS, "reports")


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
def url(bifrost: Bifrost, own_home: Path) -> str:
    started = bifrost("up", "--detach", "--port", str(_free_port()))
    assert started.returncode == 0, started.stderr
    *before, last = started.stdout.splitlines()
    assert last.startswith("ready: ") and not any(line.startswith("ready: ") for line in before)
    passwords = [line.partition(": ")[2] for line in (own_home / "credentials").read_text().splitlines()]
    assert len(passwords) == 4 and all(sum(password in line for line in before) == 1 for password in passwords)
    return last.removeprefix("ready: ")


def test_a_ranked_scan_is_printed_and_the_login_answers(url, own_home):
    printed = (own_home / "logs" / "up.log").read_text(encoding="utf-8")
    assert "SIM iron_condor" in printed
    assert "[SIMULATED]" in printed
    assert printed.index("SIM iron_condor") < printed.index("ready: ")
    assert (own_home / "logs").stat().st_mode & 0o077 == 0
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 (our own address)
        assert answer.status == 200 and answer.url.endswith("/hub/login?next=%2Fhub%2Fhome")


def test_status_tells_what_runs_and_no_secret(url, bifrost, own_home):
    found = json.loads(bifrost("status", "--json").stdout)
    states = {part["name"]: part["state"] for part in found["parts"]}
    assert states == dict.fromkeys(PARTS, "running")
    assert found["simulated_only"] is True and found["url"] == url
    assert {"data_age_s", "completeness", "lines"} <= found.keys()
    assert {row["symbol"] for row in found["symbols"]} == {"SIM", "SIMX", "SIMT"}


def test_no_secret_is_logged_or_in_a_command_line_or_readable_by_others(url, own_home):
    secrets = [line.partition(": ")[2].encode() for line in (own_home / "credentials").read_text().splitlines()]
    secrets.append((own_home / "run" / "hub-secret").read_bytes())
    secrets.append((own_home / "postgres.password").read_bytes().strip())
    places = [*(own_home / "logs").iterdir(), *Path("/proc").glob("[0-9]*/cmdline")]
    for place in places:
        try:
            text = place.read_bytes()
        except OSError:
            continue  # a process that has ended meanwhile
        assert not any(secret in text for secret in secrets), place
    private = [own_home / "credentials", own_home / "accounts.json", *(own_home / "run").iterdir()]
    assert all(path.stat().st_mode & 0o077 == 0 for path in [*private, own_home / "hub"])


def test_each_part_that_is_killed_comes_back_and_the_others_live(url, bifrost, own_home):
    def running() -> dict[str, int]:
        """Process ids by part; those of files, since asking by command takes seconds."""
        found = {part["name"]: part["pid"] for part in json.loads((own_home / "services.json").read_text())}
        found["gateway"] = json.loads((own_home / "gateway.json").read_text())["pid"]
        lock = own_home / "postgres" / "data" / "postmaster.pid"
        lines = lock.read_text().splitlines() if lock.exists() else []
        return found | {"store": int(lines[0]) if lines else 0}

    for name in PARTS:
        before = running()
        os.kill(before[name], signal.SIGKILL)
        deadline = time.monotonic() + 120
        while not (after := running())[name] or after[name] == before[name]:
            assert time.monotonic() < deadline, f"{name} did not come back"
            time.sleep(0.2)
        ended = {other for other, pid in before.items() if other != name and after[other] != pid}
        assert not ended, f"{ended} ended with {name}"
    told = (own_home / "logs" / "up.log").read_text()
    assert all(f"{name} ended by itself" in told for name in PARTS[1:])
    deadline = time.monotonic() + 120
    for page in ("chain", "strategy_finder"):
        while not _answers(f"{url}services/{page}/"):
            assert time.monotonic() < deadline, f"{page} does not answer"
            time.sleep(0.2)
    states = {part["name"]: part["state"] for part in json.loads(bifrost("status", "--json").stdout)["parts"]}
    assert set(states.values()) == {"running"}, states


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
    assert {part["name"]: part["state"] for part in found["parts"]}["hub"] == "stopped"
    assert bifrost("down").stdout == "nothing was running\n"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 (our own address)
            return "/hub/login" in answer.url
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
