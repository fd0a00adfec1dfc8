"""A checkout with the real launcher, a small lock, and a Python whose every answer the test decides."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]

# Answers what the launcher asks a Python, in milliseconds: what it is, `-m venv`, `-m pip install` (the
# shell words of $ON_INSTALL, where `$1` is the .venv), and at last the command line itself.
PRETENDER = """#!/bin/sh
venv=
case "$*" in
*"-s -c "*) echo "${SAYS:-3.12.5 nothing} $0" ;;
*"-m venv"*)
    shift 4
    mkdir -p "$1/bin" "$1/lib/python3.12/site-packages" || exit 1
    sed "s|^venv=.*|venv='$1'|" "$0" >"$1/bin/python" && chmod +x "$1/bin/python" ;;
*"-m pip config"*) ;;
*"-m pip install"*) set -- "$venv" "$@"; eval "${ON_INSTALL:-:}" ;;
*) printf '%s\\n' ran "$@" ;;
esac
"""


@dataclass
class Checkout:
    """A folder with the launcher in it, and the environment that its starts are given."""

    root: Path
    python: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    def start(self, *args: str, command: str | Path | None = None, cwd: Path | None = None, **environ: str) -> Start:
        process = self.begin(*args, command=command, cwd=cwd, **environ)
        begun = time.monotonic()
        out, err = process.communicate(timeout=300)
        return Start(process.returncode, out, err.splitlines(), time.monotonic() - begun)

    def begin(
        self, *args: str, command: str | Path | None = None, cwd: Path | None = None, **environ: str
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(command or self.root / "bifrost"), *args],
            env=self.environ | environ,
            cwd=cwd or "/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def leftovers(self) -> list[str]:
        """What an installation may have left beside .venv."""
        return sorted(path.name for path in self.root.glob(".venv.*"))


@dataclass
class Start:
    """How one start of the launcher ended."""

    code: int
    out: str
    lines: list[str]
    seconds: float

    @property
    def only_line(self) -> str:
        """The one line that a refused start prints, after the lines that tell what it was doing."""
        assert self.code != 0
        told = [line for line in self.lines if "installing about" not in line and "so pip installs" not in line]
        assert len(told) == 1, self.lines
        assert told[0].startswith("Bifrost: ")
        return told[0]


def make_checkout(root: Path) -> Path:
    root.mkdir(parents=True)
    shutil.copy2(REPOSITORY / "bifrost", root / "bifrost")
    (root / "requirements.lock").write_text("stand-in==1.0 \\\n    --hash=sha256:00\n")
    return root


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout under a path with a space and a letter outside ASCII; PATH holds one Python, the pretender."""
    tools = tmp_path / "tools"
    tools.mkdir()
    python = tools / "python3"
    python.write_text(PRETENDER)
    python.chmod(0o755)
    environ = {"PATH": f"{tools}:{_without_python(tmp_path)}", "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    return Checkout(make_checkout(tmp_path / "my désk" / "bifrost"), python, environ)


# The tools that a POSIX shell script may expect, and no Python beside them.
def _without_python(folder: Path) -> str:
    tools = folder / "posix"
    tools.mkdir()
    words = "awk cat chmod cksum cp cut date df dirname env grep id ln mkdir mv ps readlink rm sed sh sleep tail touch"
    for name in (*words.split(), "uname"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    return str(tools)


def kill_hard(process: subprocess.Popen[str]) -> None:
    """End the launcher alone, as a crash would: what it started lives on."""
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)
    for pipe in (process.stdout, process.stderr):
        assert pipe is not None
        pipe.close()


def until(condition: object, seconds: float = 10.0) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
