"""Backtests that a page asks for: each in a process of its own, which can be stopped and holds up no page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bifrost_lib.core.errors import BifrostError, EnvironmentProblem
from bifrost_lib.core.settings import Settings

CHECKOUT = Path(__file__).resolve().parents[2]
#: More at once would starve the pages; who comes later waits.
MOST = 2
LOOK_EVERY_S = 0.2

Tell = Callable[[float | None, str], None]


class RunCancelledError(BifrostError):
    """The viewer changed his mind."""


class RunFailedError(BifrostError):
    """A run ended without a result; its words say why."""


class BacktestRuns:
    """Starts runs, at most a few at a time.

    Parameters
    ----------
    settings : Settings
        Of the desk that the runs read and are saved in.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = threading.BoundedSemaphore(MOST)

    def run(self, job: Mapping[str, Any], *, tell: Tell, cancelled: threading.Event) -> str:
        """Replay what `job` asks for, and return the saved run; blocks, so call it outside of the server's loop.

        Parameters
        ----------
        job : mapping
            `strategy`, `symbol`, `start`, `end`, `fills` and `capital` as the form has them.
        tell : callable
            Takes the share of the work that is done (None where that is unknown) and what is being done.
        cancelled : Event
            Ends the run when set.

        Raises
        ------
        RunCancelledError
            If it was cancelled.
        RunFailedError, EnvironmentProblem
            If it ended without a result.
        """
        return str(self._work({"kind": "run", **job}, tell, cancelled)["run"])

    def grid(self, study: str) -> dict[str, Any]:
        """Replay the grid of a study on the days that it shows, and return what it came to; blocks.

        Returns
        -------
        dict
            `summary` (columns, one row a set), `parameters`, `figures`, `splits` (pairs of Sharpe ratios).

        Raises
        ------
        RunFailedError, EnvironmentProblem
            If it ended without a result.
        """
        found: dict[str, Any] = self._work({"kind": "grid", "study": study}, lambda *_: None, threading.Event())["grid"]
        return found

    def _work(self, job: Mapping[str, Any], tell: Tell, cancelled: threading.Event) -> dict[str, Any]:
        while not self._room.acquire(timeout=LOOK_EVERY_S):
            tell(None, "waits for runs of others")
            if cancelled.is_set():
                raise RunCancelledError("cancelled")
        try:
            return self._attempt(job, tell, cancelled)
        finally:
            self._room.release()

    def _attempt(self, job: Mapping[str, Any], tell: Tell, cancelled: threading.Event) -> dict[str, Any]:
        tell(None, "starting")
        process = subprocess.Popen(
            [sys.executable, "-m", "apps.panel.backtest_worker"], cwd=CHECKOUT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        threading.Thread(target=_stop_when, args=(cancelled, process), daemon=True).start()
        complaints: list[str] = []
        listener = threading.Thread(target=lambda: complaints.extend(process.stderr or ()), daemon=True)
        listener.start()
        with process:
            said = _follow(process, {"settings": settings_environment(self._settings), **job}, tell)
            listener.join()
        if cancelled.is_set():
            raise RunCancelledError("cancelled")
        if "problem" in said:
            raise RunFailedError(said["problem"])
        if job["kind"] not in said:
            last = complaints[-1].strip() if complaints else f"status {process.returncode}"
            raise EnvironmentProblem(f"the run ended without a result: {last}", "try a shorter window")
        return said


def _follow(process: subprocess.Popen[str], job: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Hand over the job, tell how far it is, and return the last that it said."""
    said: dict[str, Any] = {}
    if process.stdin is None or process.stdout is None:
        return said
    try:
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()  # it stays open: a worker whose server is gone ends
    except BrokenPipeError:
        return said  # it has ended already, and its complaints say why
    for line in process.stdout:
        said = json.loads(line)
        if "text" in said:
            tell(said["share"], said["text"])
    return said


def settings_environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which the same settings are read; handed over by a pipe, since secrets are in it."""
    found = {row.setting.variable: str(row.value) for row in settings.rows()
             if row.value is not None and row.origin == row.setting.variable}  # fmt: skip
    return found | {"BIFROST_HOME": str(settings.home)}


def _stop_when(cancelled: threading.Event, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        if cancelled.wait(LOOK_EVERY_S):
            process.kill()
            return
