"""The processes that work beside the pages: started together, started again when one fails, and ended together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.settings import Settings

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LOOK_EVERY_S = 0.5
STEADY_S = 30.0  # a service that ran this long has not failed at once: the next pause is short again
STOP_TIMEOUT_S = 20.0

_OURS = (
    b"collectors",
    b"apps.live",
    b"workflows.reporting",
)  # what tells our processes from a later one with the same number
COLLECTORS = ("option_chain", "market_conditions")


@dataclass(frozen=True)
class ServiceState:
    """One service as `bifrost status` shows it; `restarts` counts how often it had to be started again."""

    name: str
    state: str  # running, waiting
    pid: int | None
    since: str
    restarts: int
    log: str


class Service:
    """One process that is to run for as long as the desk does."""

    def __init__(self, name: str, command: Sequence[str], *, log: Path, clock: Clock) -> None:
        self.name, self._command, self._log, self._clock = name, list(command), log, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts, self._pause_s, self._wait_s = -1, FIRST_PAUSE_S, 0.0
        self._since, self._ran_s = "", 0.0

    def look(self, passed_s: float) -> bool:
        """Start the process if it does not run and its pause is over; return whether its state changed."""
        if self._process is not None and self._process.poll() is None:
            self._ran_s += passed_s
            if self._ran_s >= STEADY_S:
                self._pause_s = FIRST_PAUSE_S
            return False
        if self._process is not None:
            self._process, self._wait_s = None, self._pause_s
            self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
            return True
        self._wait_s -= passed_s
        if self._wait_s > 0:
            return False
        self._start()
        return True

    def _start(self) -> None:
        with self._log.open("ab") as sink:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True,
                cwd=_checkout(),
            )  # fmt: skip
        self._since, self._ran_s = self._clock.now().isoformat(), 0.0
        self._restarts += 1

    def ask_to_end(self) -> None:
        """Send SIGTERM, which lets it finish what it has begun."""
        if self._process is not None:
            self._process.terminate()

    def end(self) -> None:
        """Wait until it has ended, and kill it if it does not."""
        if self._process is None:
            return
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def state(self) -> ServiceState:
        """Return what there is to tell."""
        pid = self._process.pid if self._process is not None else None
        word = "running" if pid is not None else "waiting"
        return ServiceState(self.name, word, pid, self._since, max(self._restarts, 0), str(self._log))


@contextmanager
def run_services(settings: Settings, clock: Clock, commands: dict[str, Sequence[str]]) -> Iterator[list[Service]]:
    """Keep one process for each of `commands` (name to words) running while the block does.

    One that ends is started again, after a pause that doubles from a second to a minute. Their output goes to
    ``logs/NAME.log`` of the home folder, and their state to ``services.json`` there, for `running_services`.
    """
    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    _end_leftovers(settings)
    services = [Service(name, command, log=folder / f"{name}.log", clock=clock) for name, command in commands.items()]
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(settings.home, services, stop), name="services", daemon=True)
    watcher.start()
    try:
        yield services
    finally:
        stop.set()
        watcher.join()
        for service in services:
            service.ask_to_end()
        for service in services:
            service.end()
        _record(settings.home).unlink(missing_ok=True)


def _watch(home: Path, services: Sequence[Service], stop: threading.Event) -> None:
    while True:
        changed = [service.look(LOOK_EVERY_S) for service in services]
        if any(changed):
            _write(home, [asdict(service.state()) for service in services])
        if stop.wait(LOOK_EVERY_S):
            return


def collector_commands() -> dict[str, Sequence[str]]:
    """Return the collectors' names and how each is started."""
    return {name: (sys.executable, "-P", "-m", "collectors", name) for name in COLLECTORS}


def live_command(port: int | None) -> dict[str, Sequence[str]]:
    """Return how the live pages are started: one port above the other pages'."""
    own = () if port is None else ("--port", str(port + 1))
    return {"live": (sys.executable, "-P", "-m", "apps.live", *own)}


def live_url(settings: Settings, pages_url: str, port: int | None) -> str:
    """Return where the live pages are; they take the token of the other pages."""
    token = pages_url.rpartition("token=")[2]
    return f"http://127.0.0.1:{(port or settings.page_port) + 1}/chain?token={token}"


def running_services(settings: Settings) -> list[ServiceState]:
    """Return what `bifrost up` keeps running beside the pages; a process that is gone counts as waiting."""
    try:
        known = json.loads(_record(settings.home).read_text(encoding="utf-8"))
        states = [ServiceState(**row) for row in known]
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return []
    return [state if _lives(state.pid) else _gone(state) for state in states]


def _end_leftovers(settings: Settings) -> None:
    """End what a desk that was killed has left running, so that nothing is collected twice."""
    for state in running_services(settings):
        if state.pid is not None and _lives(state.pid):
            with suppress(ProcessLookupError):
                os.kill(state.pid, signal.SIGTERM)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while _lives(state.pid) and time.monotonic() < deadline:
                time.sleep(0.05)


def _gone(state: ServiceState) -> ServiceState:
    return ServiceState(**{**asdict(state), "state": "waiting", "pid": None})


def _lives(pid: int | None) -> bool:
    if pid is None:
        return False
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return any(word in command for word in _OURS)


def _record(home: Path) -> Path:
    return home / "services.json"


def _write(home: Path, rows: list[dict[str, Any]]) -> None:
    draft = _record(home).with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(rows, file)
    draft.replace(_record(home))


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]
