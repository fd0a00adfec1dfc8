"""The cache of compiled loops, filled and read by several processes and users at once."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

LOOPS = """
from __future__ import annotations
import os
from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats

with open(os.environ["IMPORTED"], "a") as file:  # only who compiles imports this module
    file.write("once\\n")


@kernel()
def twice(value):
    return value + value


def add_all(a: Floats, n: int) -> int:
    total = twice(n)
    for i in range(a.size):
        a[i] = twice(a[i])
    return total
"""

CALL = """
import numpy as np
from bifrost_lib.core.native import loop
values = np.arange(5.0)
print(loop("shared_loops", "add_all")(values, 21), values.tolist())
"""
ANSWER = "42 [0.0, 2.0, 4.0, 6.0, 8.0]\n"

KERNEL = """
import os
from shared_loops import twice
print([twice(one) for one in eval(os.environ["SIGNATURES"])])
"""


@pytest.fixture
def shared():
    """Return a folder that every user may read and the environment of a process that keeps loops in it."""
    with tempfile.TemporaryDirectory(prefix="bifrost-shared-") as name:  # pytest's own are closed to other users
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "shared_loops.py").write_text(LOOPS)
        imported = folder / "imported"
        imported.touch()
        imported.chmod(0o666)
        yield (
            folder,
            os.environ
            | {
                "NUMBA_CACHE_DIR": str(folder / "cache"),
                "IMPORTED": str(imported),
                "PYTHONPATH": os.pathsep.join([name, *(path for path in sys.path if path)]),
            },
        )


def _start(program, environment, **options):
    command = [sys.executable, "-W", "error", "-c", program]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **pipes, **options)


def _works(program, environment, **options):
    try:
        process = _start(program, environment, **options)
    except PermissionError:
        return False
    process.communicate()
    return process.returncode == 0


def _imports(folder):
    return len((folder / "imported").read_text().splitlines())


def test_six_processes_that_want_one_loop_compile_it_once(shared):
    folder, environment = shared
    processes = [_start(CALL, environment) for _ in range(6)]
    answers = [process.communicate() for process in processes]
    assert answers == [(ANSWER, "")] * 6
    assert _imports(folder) == 1


def test_kernels_that_several_processes_compile_for_other_types_are_not_confused(shared):
    _, environment = shared
    kinds = ["[1]", "[1.5]", "[1.5 + 1j]", "[True]"]
    expected = ["[2]\n", "[3.0]\n", "[(3+2j)]\n", "[2]\n"]
    for _ in range(2):  # the second time from the cache
        started = [_start(KERNEL, environment | {"SIGNATURES": kind}) for kind in kinds]
        assert [process.communicate() for process in started] == [(answer, "") for answer in expected]
    both = _start(KERNEL, environment | {"SIGNATURES": "[1, 1.5, 1.5 + 1j, True]"})
    assert both.communicate() == ("[2, 3.0, (3+2j), 2]\n", "")


def test_another_user_reads_what_the_first_compiled_and_can_do_without(shared):
    if os.geteuid() != 0:
        pytest.skip("only root can be two users")
    folder, environment = shared
    nobody = pwd.getpwnam("nobody")
    other = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}
    theirs = environment | {"HOME": str(folder), "BIFROST_HOME": str(folder / "none")}
    if not _works("import numpy", theirs, **other):
        pytest.skip("this Python cannot be read by another user")
    assert _start(CALL, environment).communicate() == (ANSWER, "")
    assert _start(CALL, theirs, **other).communicate() == (ANSWER, "")
    assert _imports(folder) == 1
    source = folder / "shared_loops.py"
    source.write_text(LOOPS + "\n# an upgrade\n")  # the cache is now without it, and not the other user's to fill
    assert _start(CALL, theirs, **other).communicate() == (ANSWER, "")
    assert _imports(folder) == 2
