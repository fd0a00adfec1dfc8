"""The peers' own environment, made from requirements-bench.lock when it is first wanted."""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import EnvironmentProblem, SourceUnavailable
from bifrost_lib.core.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[3]
_PYTHONS = ("python3.13", "python3.12")
_SCRIPT = Path(__file__).with_name("peers") / "run.py"


@dataclass(frozen=True)
class PeerRun:
    """What a peer answered, and the median CPU seconds of one pass of ours and of the peer's."""

    answers: npt.NDArray[np.float64]
    ours_s: float
    peer_s: float


def peer_python(settings: Settings) -> Path:
    """Return the Python of the peers' environment, installing it under the home folder if it is not there.

    Raises
    ------
    EnvironmentProblem
        If this is no checkout with requirements-bench.lock.
    SourceUnavailable
        If the packages cannot be installed.
    """
    lock = _CHECKOUT / "requirements-bench.lock"
    if not lock.exists():
        raise EnvironmentProblem(f"{lock} is missing", "run ./bifrost bench in a checkout")
    made = settings.home / "cache" / f"peers-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}"
    python = made / "bin" / "python"
    if not (made / "complete").exists():
        shutil.rmtree(made, ignore_errors=True)
        subprocess.run([str(_newest_python()), "-m", "venv", "--without-pip", str(made)], check=True)
        _install(python, lock)
        (made / "complete").touch()
    return python


def _newest_python() -> Path:
    """Return the newest Python that the peers run on: some have left the one of this process behind."""
    homes = sorted(Path.home().glob(".pyenv/versions/*/bin"))
    for name in _PYTHONS:
        for found in (shutil.which(name), *(str(home / name) for home in homes if (home / name).exists())):
            if found and not subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode:
                return Path(found)
    return Path(sys.executable)


def _install(python: Path, lock: Path) -> None:
    installer = Path(sys.executable).with_name("uv")
    command = [str(installer), "pip", "install", "--quiet", "--python", str(python), "--no-deps", "--require-hashes"]
    environment = dict(os.environ)
    if (index := _pip_index()) and not environment.get("UV_DEFAULT_INDEX"):
        environment["UV_DEFAULT_INDEX"] = index
    done = subprocess.run([*command, "-r", str(lock)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2]
        raise SourceUnavailable("the package index", f"the peers cannot be installed ({last[:200]})")


def _pip_index() -> str:
    """Return the mirror that pip was told to use, which uv does not know of."""
    asked = [sys.executable, "-I", "-m", "pip", "config", "get", "global.index-url"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()


def peer_version(python: Path, distribution: str) -> str:
    """Return a distribution's name with the version that `python` has of it."""
    asked = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1]))"
    done = subprocess.run([str(python), "-c", asked, distribution], capture_output=True, text=True, check=False)
    return f"{distribution} {done.stdout.strip()}".strip()


def run_peer(
    python: Path, peer: str, arrays: dict[str, Any], *, beside: Callable[[], object] | None = None, turns: int = 0
) -> PeerRun:
    """Run one peer on `arrays`, on the caller's core, and time passes of `beside` (ours) and of the peer in turns.

    A machine that is busy with something else for a while then slows both.

    Raises
    ------
    SourceUnavailable
        If the peer fails; the message holds its last line.
    """
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        source, target, words = (Path(folder) / name for name in ("in.npz", "out.npz", "stderr"))
        np.savez(source, **arrays)
        command = [str(python), str(_SCRIPT), peer, str(source), str(target)]
        environment = os.environ | {"NUMBA_CACHE_DIR": folder}
        with (
            words.open("w") as stderr,
            subprocess.Popen(
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True
            ) as process,
        ):
            ours, theirs = [], []
            try:
                _answer(process, words, peer)
                for _ in range(turns):
                    if beside is not None:
                        ours.append(_cpu_seconds(beside))
                    _ask(process)
                    theirs.append(float(_answer(process, words, peer)))
            finally:
                process.terminate()
        return PeerRun(np.load(target)["answers"], _median(ours), _median(theirs))


def _ask(process: subprocess.Popen[str]) -> None:
    asked = cast("IO[str]", process.stdin)
    asked.write("again\n")
    asked.flush()


def _answer(process: subprocess.Popen[str], words: Path, peer: str) -> str:
    if answer := cast("IO[str]", process.stdout).readline():
        return answer
    process.wait()
    raise SourceUnavailable(peer, words.read_text().strip().rpartition("\n")[2][:200])


def _cpu_seconds(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _median(spent: list[float]) -> float:
    return statistics.median(spent) if spent else math.nan
