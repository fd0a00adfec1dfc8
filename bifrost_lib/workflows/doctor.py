"""What this machine lacks, and what to do about it."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.kernels import cache_folder, has_kernels
from bifrost_lib.core.settings import Settings, load_settings
from bifrost_lib.workflows.desk import open_desk

Finding = tuple[str, str, str]  # state (ok, note, fail), detail, remedy
LEAST_FREE_BYTES = 2 * 1024**3


def diagnose() -> list[dict[str, str]]:
    """Check everything that the platform needs on this machine.

    Returns
    -------
    list of dict
        ``check``, ``state`` (ok; note: works, but something is worth knowing; fail), ``detail`` and ``remedy``.
    """
    settings = load_settings()
    return [
        {"check": name, "state": state, "detail": detail, "remedy": remedy}
        for name, check in _checks(settings)
        for state, detail, remedy in [check()]
    ]


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], Finding]]]:
    yield "python", _python
    yield "home folder", lambda: _home(settings.home)
    yield "disk space", lambda: _disk(settings.home)
    yield "store", lambda: _store(settings)
    yield "compiled kernels", _kernels
    yield "hub port", lambda: _port(settings.hub_port)
    yield "browser for tests", _browser


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "fail", version, "use Python 3.11, 3.12 or 3.13"
    return "ok", f"{version} at {sys.executable}", ""


def _home(home: Path) -> Finding:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        return "fail", f"{home}: {error.strerror}", "set BIFROST_HOME to a folder of yours"
    if not os.access(home, os.W_OK):
        return "fail", f"{home} cannot be written", "set BIFROST_HOME to a folder of yours"
    return "ok", str(home), ""


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    state = "ok" if free >= LEAST_FREE_BYTES else "fail"
    return state, f"{free / 1024**3:.1f} GiB free at {existing}", "" if state == "ok" else "free at least 2 GiB"


def _store(settings: Settings) -> Finding:
    try:
        with open_desk(settings=settings) as desk:
            return "ok", desk.store.description, ""
    except BifrostError as error:
        return "fail", str(error), "see the message; the server's log lies in the home folder"


def _kernels() -> Finding:
    if not has_kernels():
        return "note", f"none in {cache_folder()}", "`bifrost up` compiles them; the first calculation is slow without"
    return "ok", f"in {cache_folder()}", ""


def _port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return "note", f"{port} is in use", "fine if `bifrost up` runs; else use `bifrost up --port N`"
    return "ok", f"{port} is free", ""


def _browser() -> Finding:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return ("ok", path, "") if path else ("note", "no Chromium", "browser tests are skipped; apt install chromium")
