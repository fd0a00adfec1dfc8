"""The peers' own environment, made from requirements-bench.lock when it is first wanted."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np

from bifrost_lib.core.errors import EnvironmentProblem, SourceUnavailable
from bifrost_lib.core.settings import Settings

_CHECKOUT = Path(__file__).resolve().parents[3]
_SCRIPT = Path(__file__).with_name("peers") / "run.py"


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
        venv.create(made, with_pip=False)
        _install(python, lock)
        (made / "complete").touch()
    return python


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


def run_peer(python: Path, peer: str, arrays: dict[str, Any]) -> tuple[np.ndarray[Any, np.dtype[np.float64]], float]:
    """Run one peer on `arrays`, on the caller's core, and return its answers and the CPU seconds of one pass.

    Raises
    ------
    SourceUnavailable
        If the peer fails; the message holds its last line.
    """
    with tempfile.TemporaryDirectory(prefix="bifrost-bench-") as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **arrays)
        environment = os.environ | {"NUMBA_CACHE_DIR": str(Path(folder))}
        command = [str(python), str(_SCRIPT), peer, str(source), str(target)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SourceUnavailable(peer, done.stderr.strip().rpartition("\n")[2][:200])
        found = np.load(target)
        return found["answers"], float(found["seconds"])
