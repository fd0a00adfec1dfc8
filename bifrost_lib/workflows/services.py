"""The processes of a platform: started together, started again when one fails, and ended together."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows.hub import write_private

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
LOOK_EVERY_S = 0.5
STEADY_S = 30.0  # a service that ran this long has not failed at once: the next pause is short again
STOP_TIMEOUT_S = 20.0

#: The first gathers what the others work on.
COLLECTORS = ("option_chain", "market_conditions", "recommendations")
#: What stands between people and the data: the one door, who may pass it, and what is behind. The first ends last.
FRONT = {
    "proxy": ("hub_config.proxy",),
    "hub": ("jupyterhub", "-f", "hub_config/jupyterhub_config.py"),
    "pages": ("apps.serve",),
    "live": ("apps.live",),
}


@dataclass(frozen=True)
class ServiceState:
    """One service as `bifrost status` shows it; `restarts` counts how often it had to be started again.

    `born` tells its process from a later one with the same number.
    """

    name: str
    state: str  # running, waiting
    pid: int | None
    since: str
    restarts: int
    log: str
    born: int | None = None


class Service:
    """One process that is to run for as long as the desk does."""

    def __init__(
        self, name: str, command: Sequence[str], *, log: Path, clock: Clock, tell: Callable[[str], None]
    ) -> None:
        self.name, self._command, self._log, self._clock, self._tell = name, list(command), log, clock, tell
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
            status = self._process.returncode
            self._tell(
                f"{self.name} ended by itself ({_how(status)}): starts again in {self._pause_s:g} s; {self._log}"
            )
            self._process = None
            self._rest()
            return True
        self._wait_s -= passed_s
        if self._wait_s > 0:
            return False
        try:
            self._start()
        except OSError as trouble:  # the machine has no memory or no process to give, or the disk is full
            self._tell(f"{self.name} could not be started ({trouble}): tried again in {self._pause_s:g} s")
            self._rest()
        return True

    def _rest(self) -> None:
        self._wait_s, self._pause_s = self._pause_s, min(2 * self._pause_s, LONGEST_PAUSE_S)

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
        born = process_birth(pid) if pid is not None else None
        return ServiceState(self.name, word, pid, self._since, max(self._restarts, 0), str(self._log), born)


def _how(status: int) -> str:
    return f"killed by {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"


def process_birth(pid: int) -> int | None:
    """Return when a process was started, in ticks since the machine was; None if there is none of this number.

    One that has ended and waits to be collected counts as gone.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


@contextmanager
def run_services(
    settings: Settings,
    clock: Clock,
    commands: Mapping[str, Sequence[str]],
    *,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Callable[[Mapping[str, Sequence[str]]], None]]:
    """Keep one process for each of `commands` (name to words) running while the block does.

    One that ends is started again, after a pause that doubles from a second to a minute; `tell` hears of it. At the
    end all are asked to end at once but the first, which ends last. Their output goes to ``logs/NAME.log`` of the
    home folder, and their state to ``services.json`` there, for `running_services`. What the block is given starts
    more commands.
    """
    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    end_leftovers(settings)
    services: list[Service] = []
    asked: queue.Queue[list[Service] | None] = queue.Queue()

    def add(more: Mapping[str, Sequence[str]]) -> None:
        asked.put(
            [Service(name, words, log=folder / f"{name}.log", clock=clock, tell=tell) for name, words in more.items()]
        )
        asked.join()  # they run, and are told of, when this returns

    watcher = threading.Thread(target=_watch, args=(settings.home, services, asked), name="services", daemon=True)
    watcher.start()
    try:
        add(commands)
        yield add
    finally:
        asked.put(None)
        watcher.join()
        for group in (services[1:], services[:1]):
            for service in group:
                service.ask_to_end()
            for service in group:
                service.end()
        _record(settings.home).unlink(missing_ok=True)


def _watch(home: Path, services: list[Service], asked: queue.Queue[list[Service] | None]) -> None:
    """Start all services, those that are asked for later too: a signal interrupts no start, since none comes here."""
    untold = False
    while True:
        try:
            more = asked.get(timeout=LOOK_EVERY_S)
        except queue.Empty:
            untold |= _look(services, LOOK_EVERY_S)
            untold = untold and not _told(home, services)
            continue
        if more is None:
            return
        services.extend(more)
        _look(more, 0.0)
        untold = not _told(home, services)
        asked.task_done()


def _look(services: Sequence[Service], passed_s: float) -> bool:
    changed = [service.look(passed_s) for service in services]
    return any(changed)


def _told(home: Path, services: Sequence[Service]) -> bool:
    try:
        write_private(_record(home), json.dumps([asdict(service.state()) for service in services]))
    except OSError:  # a full disk, of which the database tells: services are looked after all the same
        return False
    return True


def collector_commands() -> dict[str, Sequence[str]]:
    """Return the collectors' names and how each is started, the one that the others wait for first."""
    return {name: (sys.executable, "-P", "-m", "collectors", name) for name in COLLECTORS}


def front_commands() -> dict[str, Sequence[str]]:
    """Return what people meet: proxy, hub and pages, and how each is started.

    Raises
    ------
    EnvironmentProblem
        If JupyterHub is not installed.
    """
    missing = [name for name in ("jupyterhub", "configurable_http_proxy", "voila", "panel") if find_spec(name) is None]
    if missing:
        remedy = "install the extra 'notebooks': pip install -e '.[notebooks]'"
        raise EnvironmentProblem(f"{' and '.join(missing)} not installed, so there is no hub", remedy)
    return {name: (sys.executable, "-P", "-m", *words) for name, words in FRONT.items()}


def running_services(settings: Settings) -> list[ServiceState]:
    """Return what `bifrost up` keeps running beside the pages; a process that is gone counts as waiting."""
    try:
        known = json.loads(_record(settings.home).read_text(encoding="utf-8"))
        states = [ServiceState(**row) for row in known]
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return []
    return [state if _lives(state) else _gone(state) for state in states]


def end_leftovers(settings: Settings) -> bool:
    """End what a platform that was killed has left running: it holds ports, and would collect everything twice.

    Returns
    -------
    bool
        Whether there was anything.
    """
    left = [state for state in running_services(settings) if state.pid is not None]
    for state in left:
        if state.pid is None:
            continue
        for number in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(state.pid, number)
            deadline = time.monotonic() + STOP_TIMEOUT_S
            while _lives(state) and time.monotonic() < deadline:
                time.sleep(0.05)
            if not _lives(state):
                break
    return bool(left)


def _gone(state: ServiceState) -> ServiceState:
    return ServiceState(**{**asdict(state), "state": "waiting", "pid": None})


def _lives(state: ServiceState) -> bool:
    return state.pid is not None and process_birth(state.pid) == state.born


def _record(home: Path) -> Path:
    return home / "services.json"


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]
