"""A whole platform, started once for all tests of a run that need one: the real hub, real pages, a small history."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests


@dataclass(frozen=True)
class Platform:
    """Where it is; `passwords` by name, each name being its role."""

    url: str
    home: Path
    passwords: dict[str, str]

    def visitor(self, name: str = "") -> requests.Session:
        """Return a browser's session: of nobody, or logged in."""
        session = requests.Session()
        if name:
            form = session.get(f"{self.url}hub/login", timeout=60).text
            found = re.search(r'name="_xsrf" value="([^"]*)"', form)
            assert found is not None
            data = {"username": name, "password": self.passwords[name], "_xsrf": found.group(1)}
            answer = session.post(f"{self.url}hub/login?next=%2Fhub%2Fhome", data=data, timeout=60)
            assert answer.url == f"{self.url}hub/home", answer.status_code
        return session

    def status(self) -> dict[str, Any]:
        """Return what `bifrost status --json` says."""
        told: dict[str, Any] = json.loads(_bifrost(self.home, "status", "--json").stdout)
        return told


@contextmanager
def started_platform() -> Iterator[Platform]:
    """Start a platform with two simulated sessions and without collectors, and stop it at the end."""
    home = Path(tempfile.mkdtemp(prefix="bifrost-hub-", dir="/tmp"))
    home.chmod(0o711)
    try:
        _load_history(home)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        started = _bifrost(home, "up", "--no-seed", "--no-collect", "--detach", "--port", str(port))
        assert started.returncode == 0, started.stdout + started.stderr
        lines = (home / "credentials").read_text(encoding="utf-8").splitlines()
        yield Platform(f"http://127.0.0.1:{port}/", home, dict(line.split(": ") for line in lines))
    finally:
        _bifrost(home, "down")
        shutil.rmtree(home)


def _load_history(home: Path) -> None:
    from bifrost_lib.core.calendar import exchange_date, previous_session
    from bifrost_lib.core.clock import SystemClock
    from bifrost_lib.core.settings import load_settings
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import open_desk, with_analytics

    last = previous_session(exchange_date(SystemClock().now()))
    with open_desk(settings=load_settings({"BIFROST_HOME": str(home)})) as desk:
        key = FileKey(path="two sessions", sha256="0", size=0, format=SOURCE)
        with ingestion(desk.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(symbols=("SIM",), start=previous_session(last), end=last):
                writer.append(with_analytics(quotes))


def _bifrost(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("BIFROST_")}
    return subprocess.run(
        [sys.executable, "-m", "bifrost_lib.cli", *words], env=environ | {"BIFROST_HOME": str(home)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
