"""The simulated gateway that stands in where no gateway is configured; one in a home, ended by its last user."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.core.settings import Settings, Value

READY = "listening on 127.0.0.1:"
START_TIMEOUT_S = 240.0  # a first start compiles, which a busy machine is slow at
STOP_TIMEOUT_S = 10.0
LOOK_EVERY_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0

_children: dict[int, subprocess.Popen[bytes]] = {}  # those of this process, which must collect their exit status


@dataclass(frozen=True)
class SimulatedGateway:
    """A simulated gateway that runs on this machine."""

    pid: int
    port: int


@contextmanager
def gateway_for(settings: Settings) -> Iterator[Settings]:
    """Yield `settings` whose `ib_addresses` are where gateways listen.

    Parameters
    ----------
    settings : Settings
        Where they name a gateway they are yielded as they are. Else the simulated gateway of this home is used, and
        started before if none runs; the last process to leave the block stops it.

    Raises
    ------
    EnvironmentProblem
        If the simulated gateway does not start; its log says why.
    """
    if settings.ib_addresses:
        yield settings
        return
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "gateway.users").open("a") as users:
        with _starting(settings.home):
            gateway = running_gateway(settings) or _start(settings.home)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield _with_port(settings, gateway.port)
        finally:
            with _starting(settings.home):
                if _is_last(users):
                    _stop(settings.home, _recorded(settings.home) or gateway)


@contextmanager
def kept_gateway(settings: Settings, *, tell: Callable[[str], None] = lambda _: None) -> Iterator[Settings]:
    """Yield what `gateway_for` does; a simulated gateway that ends by itself is started again, at its port.

    Parameters
    ----------
    settings : Settings
    tell : callable
        Hears of it, in a thread of its own.

    Raises
    ------
    EnvironmentProblem
        As `gateway_for`.
    """
    with gateway_for(settings) as found:
        if settings.ib_addresses:
            yield found
            return
        stop = threading.Event()
        keeper = threading.Thread(target=_keep, args=(settings.home, found.ib_port, stop, tell), name="gateway")
        keeper.start()
        try:
            yield found
        finally:
            stop.set()
            keeper.join()


def _keep(home: Path, port: int, stop: threading.Event, tell: Callable[[str], None]) -> None:
    pause_s = FIRST_PAUSE_S
    while not stop.wait(LOOK_EVERY_S):
        gateway = _recorded(home)
        if gateway is not None and _is_ours(gateway.pid):
            continue
        if gateway is not None and (child := _children.pop(gateway.pid, None)) is not None:
            child.wait()
        tell(f"gateway ended by itself: starts again in {pause_s:g} s; {home / 'logs' / 'gateway.log'}")
        if stop.wait(pause_s):
            return
        try:
            with _starting(home):
                _start(home, port=port)
            pause_s = FIRST_PAUSE_S
        except EnvironmentProblem as problem:
            tell(str(problem))
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def running_gateway(settings: Settings) -> SimulatedGateway | None:
    """Return the simulated gateway of this home if it runs and listens, or None."""
    gateway = _recorded(settings.home)
    return gateway if gateway is not None and _is_ours(gateway.pid) and _listens(gateway.port) else None


def _recorded(home: Path) -> SimulatedGateway | None:
    try:
        return SimulatedGateway(**json.loads(_record(home).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


@contextmanager
def _starting(home: Path) -> Iterator[None]:
    """Let one process at a time look for, start or stop the gateway."""
    with (home / "gateway.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _start(home: Path, *, port: int = 0) -> SimulatedGateway:
    folder = home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    log = folder / "gateway.log"
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "bifrost_lib.sim", "--port", str(port)],
            stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
            env=os.environ | {"BIFROST_HOME": str(home)},
        )  # fmt: skip
    gateway = SimulatedGateway(process.pid, _port(process, log))
    _children[process.pid] = process
    _write(home, gateway)
    return gateway


def _port(process: subprocess.Popen[bytes], log: Path) -> int:
    """Return the port that the gateway says it listens on."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        ended = process.poll() is not None
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        for line in lines:
            if line.startswith(READY) and line.removeprefix(READY).strip().isdigit():
                return int(line.removeprefix(READY))
        if ended:
            raise EnvironmentProblem(
                f"the simulated gateway ended: {lines[-1] if lines else 'no reason'}", f"see {log}"
            )
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise EnvironmentProblem(f"the simulated gateway was not ready within {START_TIMEOUT_S:.0f} s", f"see {log}")


def _stop(home: Path, gateway: SimulatedGateway) -> None:
    _record(home).unlink(missing_ok=True)
    for number in (signal.SIGTERM, signal.SIGKILL):
        if not _is_ours(gateway.pid):
            break
        with suppress(ProcessLookupError):
            os.kill(gateway.pid, number)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        while _is_ours(gateway.pid) and time.monotonic() < deadline:
            time.sleep(0.02)
    if (child := _children.pop(gateway.pid, None)) is not None:
        child.wait()


def _record(home: Path) -> Path:
    return home / "gateway.json"


def _write(home: Path, gateway: SimulatedGateway) -> None:
    draft = _record(home).with_suffix(".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(gateway), file)
    draft.replace(_record(home))


def _is_ours(pid: int) -> bool:
    """Tell whether `pid` is a simulated gateway: after a restart of the machine the number can be anyone's."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"bifrost_lib.sim" in command


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True


def _with_port(settings: Settings, port: int) -> Settings:
    values = {value.setting.name: value for value in settings.rows()}
    known = values["ib_port"].setting
    values["ib_port"] = Value(known, port, "simulated gateway")
    values["ib_host"] = Value(values["ib_host"].setting, "127.0.0.1", "simulated gateway")
    return Settings(settings.home, values)
