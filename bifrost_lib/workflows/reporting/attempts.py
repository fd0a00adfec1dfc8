"""One attempt at a report: a process of its own under a wall clock and a memory limit, and a page of its result."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bifrost_lib.core.settings import SETTINGS, Settings
from bifrost_lib.workflows.reporting.plans import Limits
from bifrost_lib.workflows.reporting.processes import ProcessTree

LOOK_EVERY_S = 0.2
PAGE_LIMIT_S = 120.0
NOTEBOOK, PAGE, LOG = "report.ipynb", "report.html", "run.log"
#: Settings that no notebook needs.
_WITHHELD = ("notify_urls",)


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt: no `problem`, or one; `error` is the name of the exception that caused it."""

    problem: str = ""
    error: str = ""


def attempt(
    notebook: Path,
    parameters: Mapping[str, Any],
    *,
    folder: Path,
    settings: Settings,
    limits: Limits,
    stop: threading.Event,
) -> Outcome:
    """Run `notebook` in `folder`; always return, with everything that was started at an end.

    The executed notebook is ``report.ipynb`` of the folder, as far as it came; what the processes said is ``run.log``.
    """
    result = folder / "outcome.json"
    job = {
        "notebook": str(notebook), "output": str(folder / NOTEBOOK), "folder": str(folder), "outcome": str(result),
        "parameters": dict(parameters),
    }  # fmt: skip
    with (folder / LOG).open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "bifrost_lib.workflows.reporting.execution"],
            stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=folder, start_new_session=True, umask=0o077,
            env=_environment(settings),
        )  # fmt: skip
    tree = ProcessTree(process.pid)
    try:
        _hand_over(process, job)
        problem = _watch(process, tree, limits, stop)
    finally:
        tree.kill()
        process.wait()
        if process.stdin is not None:
            process.stdin.close()
    if problem:
        return Outcome(problem, "LimitReached")
    return _read(result, process.returncode, folder / LOG)


def draw_page(folder: Path, facts: Mapping[str, Any], *, settings: Settings) -> str:
    """Turn the executed notebook of `folder` into its page; return what went wrong, or nothing."""
    job = {"notebook": str(folder / NOTEBOOK), "page": str(folder / PAGE), "facts": dict(facts)}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "bifrost_lib.views.report_page"], input=json.dumps(job), text=True,
            capture_output=True, timeout=PAGE_LIMIT_S, check=False, umask=0o077, env=_environment(settings),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"its page was not drawn within {PAGE_LIMIT_S:.0f} s"
    if done.returncode == 0:
        return ""
    with (folder / LOG).open("a", encoding="utf-8") as log:
        log.write(done.stderr)
    return f"its page cannot be drawn: {_last_line(done.stderr)}"


def _hand_over(process: subprocess.Popen[bytes], job: Mapping[str, Any]) -> None:
    assert process.stdin is not None  # noqa: S101 (asked for above)
    try:
        process.stdin.write(json.dumps(job).encode() + b"\n")
        process.stdin.flush()
    except BrokenPipeError:
        return  # it has ended already; its log says why


def _watch(process: subprocess.Popen[bytes], tree: ProcessTree, limits: Limits, stop: threading.Event) -> str:
    begun = time.monotonic()
    while process.poll() is None:
        if tree.look() > limits.memory_mb * 2**20:
            return f"stopped: it took more than the {limits.memory_mb:g} MB of memory that it may have"
        if time.monotonic() - begun > limits.wall_s:
            return f"stopped: it took longer than the {limits.wall_s:g} s that it may have"
        if stop.wait(LOOK_EVERY_S):
            return "interrupted"
    return ""


def _read(result: Path, status: int, log: Path) -> Outcome:
    try:
        outcome = Outcome(**json.loads(result.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        said = _last_line(log.read_text(encoding="utf-8", errors="replace"))
        return Outcome(f"the process ended with status {status}" + (f": {said}" if said else ""), "ProcessEnded")
    result.unlink()
    return outcome


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else ""


def _environment(settings: Settings) -> dict[str, str]:
    """Return the environment in which a kernel opens the same desk as we did."""
    ours = {setting.variable for setting in SETTINGS} | {"BIFROST_HOME"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    given = {
        row.setting.variable: str(row.value)
        for row in settings.rows()
        if row.value is not None and row.origin == row.setting.variable and row.setting.name not in _WITHHELD
    }
    return {**kept, **given, "BIFROST_HOME": str(settings.home)}
