"""The one platform that may run in a home: who runs it, where it is, whether it answers, and how it is ended."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.hub import LOOPBACK, Places, write_private
from bifrost_lib.workflows.services import end_leftovers, process_birth, running_services

if TYPE_CHECKING:
    from bifrost_lib.workflows.desk import Desk

STOP_TIMEOUT_S = 45.0
HEALTHY_WITHIN_S = 120.0
#: A collector tells every few seconds how it stands, whatever the gateway does.
COLLECTING_WITHIN_S = 30.0
#: Asking costs the hub as much as a visit does.
LOOK_EVERY_S = 0.25
#: A part that has ended this often before it ever answered will not answer.
HOPELESS = 4


@dataclass(frozen=True)
class Running:
    """A `bifrost up`: its process, when that was born, where the platform is, and whether it has answered yet."""

    pid: int
    born: int
    url: str
    since: str
    ready: bool


def running_platform(settings: Settings) -> Running | None:
    """Return the `bifrost up` of this home, or None if there is none; one that was killed is none."""
    try:
        found = Running(**json.loads(_record(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    return found if process_birth(found.pid) == found.born else None


@contextmanager
def hold_platform(settings: Settings, clock: Clock, *, port: int, pages: Sequence[str]) -> Iterator[Places]:
    """Be the platform of this home while the block runs, with places chosen for all of its parts.

    Raises
    ------
    InputError
        If `port` is taken.
    EnvironmentProblem
        If another start is under way.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    log_folder(settings)
    with (settings.home / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the system lets go of it, however we end
        except BlockingIOError:
            other = running_platform(settings)
            who = f" (process {other.pid})" if other else ""
            raise EnvironmentProblem(
                f"another `bifrost up` is at work in {settings.home}{who}", "wait for it, or end it with: bifrost down"
            ) from None
        end_leftovers(settings)
        places = Places.choose(port, pages)
        places.write(settings.home)
        _tell(settings, Running(os.getpid(), _own_birth(), places.url, clock.now().isoformat(), ready=False))
        try:
            yield places
        finally:
            _record(settings).unlink(missing_ok=True)


def wait_until_healthy(settings: Settings, places: Places, *, within_s: float = HEALTHY_WITHIN_S) -> None:
    """Wait until hub and pages answer at the one address that people use.

    Raises
    ------
    EnvironmentProblem
        If one does not, or keeps ending by itself; the message names it and its log.
    """
    silent: dict[str, str] = {"hub": "/hub/health"} | {name: f"/services/{name}/" for name in places.pages}
    deadline = time.monotonic() + within_s
    while silent:
        asked = {"hub": silent["hub"]} if "hub" in silent else silent  # without the hub no page lets anybody in
        answering = {name for name, path in asked.items() if _answers(places.public, path)}
        silent = {name: path for name, path in silent.items() if name not in answering}
        failing = [state for state in running_services(settings) if state.restarts >= HOPELESS]
        if silent and (failing or time.monotonic() > deadline):
            word = f"{failing[0].name} keeps ending" if failing else f"{', '.join(silent)} not ready in {within_s:g} s"
            log = failing[0].log if failing else str(settings.home / "logs")
            raise EnvironmentProblem(f"{word}{_last_word(log)}", f"see {log}")
        if silent:
            time.sleep(LOOK_EVERY_S)


def wait_until_collecting(desk: Desk, *, since: datetime, within_s: float = COLLECTING_WITHIN_S) -> bool:
    """Wait until a collector has told how it stands with the gateway since `since`; return whether one has."""
    from bifrost_lib.store import gateway_sessions  # `bifrost down` needs no database

    deadline = time.monotonic() + within_s
    while True:
        told = gateway_sessions(desk.store)["ts"]
        if bool((told >= since).any()):
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY_S)


def say_ready(settings: Settings) -> None:
    """Let others know that the platform of this home is at work."""
    found = running_platform(settings)
    if found is not None:
        _tell(settings, Running(**{**asdict(found), "ready": True}))


def start_detached(settings: Settings, options: Sequence[str], *, tell: Callable[[str], None]) -> str:
    """Run `bifrost up` with `options` in the background and return the platform's URL once it answers.

    Parameters
    ----------
    settings : Settings
    options : sequence of str
    tell : callable
        Hears each line that the process prints before it is ready.

    Raises
    ------
    EnvironmentProblem
        If it ends before; its log says why.
    """
    log = log_folder(settings) / "up.log"
    told = 0
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bifrost_lib.cli", "up", *options],
            stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"BIFROST_HOME": str(settings.home)},
        )  # fmt: skip
    while process.poll() is None:
        lines = log.read_text(encoding="utf-8").split("\n")[:-1]
        for line in lines[told:]:
            if line.startswith("ready: "):
                return line.removeprefix("ready: ")
            tell(line)
        told = len(lines)
        time.sleep(0.1)
    raise EnvironmentProblem(f"`bifrost up` ended{_last_word(str(log))}", f"see {log}")


def stop_platform(settings: Settings) -> bool:
    """Stop the `bifrost up` of this home, or what one that was killed has left; return whether there was anything.

    Raises
    ------
    EnvironmentProblem
        If it does not end.
    """
    found = running_platform(settings)
    if found is None:
        return end_leftovers(settings)
    with suppress(ProcessLookupError):
        os.kill(found.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while process_birth(found.pid) == found.born:
        if time.monotonic() > deadline:
            raise EnvironmentProblem(f"process {found.pid} does not stop", f"end it with: kill -9 {found.pid}")
        time.sleep(0.05)
    return True


def log_folder(settings: Settings) -> Path:
    """Return the folder of logs, which only its owner may read."""
    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    if path.startswith("/hub/"):
        return answer.status == 200
    # A page that runs sends a stranger to the login; as long as its route is unknown the hub answers, from its own.
    return answer.status == 302 and not (answer.getheader("Location") or "").startswith("/hub/services/")


def _last_word(log: str) -> str:
    try:
        lines = [line for line in Path(log).read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    except OSError:
        return ""
    return f": {lines[-1].strip().removeprefix('bifrost: ')[:200]}" if lines else ""


def _own_birth() -> int:
    return process_birth(os.getpid()) or 0


def _record(settings: Settings) -> Path:
    return settings.home / "run" / "up.json"


def _tell(settings: Settings, running: Running) -> None:
    write_private(_record(settings), json.dumps(asdict(running)))
