"""The browser that looks at pages: Debian's Chromium, installed when this machine lets us."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bifrost_lib.core.kernels import cache_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from bifrost_lib.core.settings import Settings
    from bifrost_lib.workflows import Desk

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("chromium", "fonts-dejavu-core")
INSTALL_WITHIN_S = 300.0
ENDS_WITHIN_S = 120.0


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of a Chromium that runs; tests that need it are skipped, with the reason, where there is none.

    Where it is missing and we are root beside apt-get, it is installed.
    """
    if (found := find_chromium()) is None:
        install_chromium()
        found = find_chromium()
    if found is None:
        pytest.skip("Chromium was installed but does not run")
    return found


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def store_sessions() -> Callable[..., None]:
    """What fills a desk: `store_sessions(desk, symbols=, start=, end=)` stores sessions of the simulated market."""
    return _stored


def _stored(desk: Desk, **which: Any) -> None:
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import with_analytics

    key = FileKey(path="simulated sessions", sha256="0", size=0, format=SOURCE)
    with ingestion(desk.store, key, source=SOURCE) as writer:
        for quotes in simulated_history(**which):
            writer.append(with_analytics(quotes))


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[str]]:
    """What serves pages without a hub: `serve(script, *words)` is their address for as long as the block lasts.

    With `settings` the pages read that desk; without, the script brings its own.
    """
    return _served


@contextmanager
def _served(script: str, *words: str, settings: Settings | None = None) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, str(Path(__file__).with_name(script)), *words, str(port)]
    environ = None if settings is None else os.environ | {
        "BIFROST_HOME": str(settings.home),
        "BIFROST_DATABASE_URL": settings.database_url.replace("+psycopg2", ""),
        "NUMBA_CACHE_DIR": str(cache_folder()),  # a home of its own would compile everything again
    }  # fmt: skip
    process = subprocess.Popen(command, env=environ, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    try:
        assert line.startswith("ready: "), line
        yield line.removeprefix("ready: ").strip()
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(ENDS_WITHIN_S)
        process.stdout.close()
    assert status == 0


def find_chromium() -> Path | None:
    """Return a Chromium that answers to `--version` (Ubuntu's package without snap does not), or None."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (path := shutil.which(name)) and _runs([path, "--version"], within_s=30.0):
            return Path(path)
    return None


def install_chromium() -> None:
    """Install Debian's Chromium, or skip with the reason why not."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        pytest.skip("no Chromium here; install it (Debian: apt install chromium) or run as root, which installs it")
    with (Path(tempfile.gettempdir()) / "bifrost-chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another test run may be installing
        if find_chromium() is not None:
            return
        print("installing Debian's chromium for the browser tests", flush=True)
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *PACKAGES]
        if not (_runs(install) or (_runs(["apt-get", "update", "--quiet"]) and _runs(install))):
            pytest.skip("no Chromium here, and apt-get could not install it; try: apt-get install chromium")


def _runs(command: list[str], *, within_s: float = INSTALL_WITHIN_S) -> bool:
    environ = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environ, capture_output=True, timeout=within_s, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
