"""The dashboard pages: a server of their own, on loopback, that lives as long as `bifrost up`."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import EnvironmentProblem, InputError
from bifrost_lib.core.settings import Settings

STOP_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Pages:
    """A running page server. `url` holds its access token, so it is for the owner's eyes."""

    pid: int
    url: str
    since: str


@dataclass(frozen=True)
class PageServer:
    """The server inside its `serve_pages` block."""

    url: str
    process: subprocess.Popen[str]

    def wait(self) -> int:
        """Wait until the server ends by itself, and return its exit status."""
        return self.process.wait()


def running_pages(settings: Settings) -> Pages | None:
    """Return what `bifrost up` has started in this home and still runs, or None."""
    try:
        pages = Pages(**json.loads(_record(settings).read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None
    return pages if _is_ours(pages.pid) else None


@contextmanager
def serve_pages(settings: Settings, clock: Clock, *, port: int | None = None) -> Iterator[PageServer]:
    """Serve the dashboards on 127.0.0.1 while the block runs; only one server in a home at a time.

    Raises
    ------
    InputError
        If the port is taken.
    EnvironmentProblem
        If the server does not start; its log says why.
    """
    port = port or settings.page_port
    _check_free(port)
    log = _log_folder(settings) / "pages.log"
    with log.open("w", encoding="utf-8") as sink:
        server = subprocess.Popen(
            [sys.executable, "-m", "apps.serve", "--port", str(port)],
            stdout=subprocess.PIPE, stderr=sink, stdin=subprocess.DEVNULL, text=True,
            env=os.environ | {"BIFROST_HOME": str(settings.home)}, start_new_session=True, cwd=_checkout(),
        )  # fmt: skip
    try:
        pages = Pages(os.getpid(), _ready_url(server, log), clock.now().isoformat())
        _write(settings, pages)
        yield PageServer(pages.url, server)
    finally:
        _record(settings).unlink(missing_ok=True)
        _end(server)


def start_detached(settings: Settings, options: Sequence[str]) -> str:
    """Run `bifrost up` with `options` in the background and return the URL of its pages once they are ready.

    Raises
    ------
    EnvironmentProblem
        If it ends before; its log says why.
    """
    log = _log_folder(settings) / "up.log"
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(
            [sys.executable, "-m", "bifrost_lib.cli", "up", *options],
            stdout=sink, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
    while process.poll() is None:
        if (pages := running_pages(settings)) is not None and pages.pid == process.pid:
            return pages.url
        time.sleep(0.1)
    last = log.read_text(encoding="utf-8").strip().rpartition("\n")[2].removeprefix("bifrost: ")
    raise EnvironmentProblem(f"`bifrost up` ended: {last}", f"see {log}")


def stop_pages(settings: Settings) -> bool:
    """Stop the `bifrost up` of this home; return whether there was one."""
    pages = running_pages(settings)
    if pages is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pages.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while _is_ours(pages.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _is_ours(pages.pid):
        raise EnvironmentProblem(f"process {pages.pid} does not stop", f"end it with: kill -9 {pages.pid}")
    return True


def _log_folder(settings: Settings) -> Path:
    """Return the folder of logs, which only its owner may read: what `up` prints holds the pages' access token."""
    folder = settings.home / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return folder


def _record(settings: Settings) -> Path:
    return settings.home / "pages.json"


def _write(settings: Settings, pages: Pages) -> None:
    draft = _record(settings).with_suffix(".new")
    with suppress(FileNotFoundError):
        draft.unlink()
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(pages), file)
    draft.replace(_record(settings))


def _is_ours(pid: int) -> bool:
    """Tell whether `pid` is a Bifrost process: after a restart of the machine the number can be anyone's."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return b"bifrost_lib" in command


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise InputError("--port", port, "a free port; something else listens there, name another one") from None


def _ready_url(server: subprocess.Popen[str], log: Path) -> str:
    assert server.stdout is not None  # noqa: S101 (asked for above)
    for line in server.stdout:
        if line.startswith("ready: "):
            return line.removeprefix("ready: ").strip()
    raise EnvironmentProblem("the pages do not start", f"see {log}")


def _end(server: subprocess.Popen[str]) -> None:
    server.terminate()
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
    if server.stdout is not None:
        server.stdout.close()


def _checkout() -> Path:
    return Path(__file__).resolve().parents[2]
