"""`./bifrost test`: the checks, then pytest; with arguments, pytest alone.

pytest's summary is the last thing printed. A check that failed is named just above it and makes the run fail.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
TOOLS = Path(sys.executable).parent

#: What is checked before the tests run, in this order.
CHECKS: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("mypy",),
    ("lint-imports",),
    ("nbstripout", "--keep-id", "--verify"),  # followed by the notebooks
)
#: Half of the time tests wait for a gateway, a server or a browser, so that a core can serve two workers. The tests of
#: one file stay together, because they share what was set up.
PARALLEL = (f"--numprocesses={min(2 * (os.cpu_count() or 1), 6)}", "--dist=loadfile", "--no-loadscope-reorder")
#: Machine code is compiled while the checks run and before the workers start, or each of them would compile all of it.
WARM_UP = "from bifrost_lib import backtest, pricing, sim, strategies; " + "; ".join(
    f"{package}.warm_up()" for package in ("pricing", "strategies", "backtest", "sim")
)


class FailedChecks:
    """A pytest plugin that names the failed checks above pytest's last line."""

    def __init__(self, failed: list[str]) -> None:
        self.failed = failed

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.failed:
            terminalreporter.section("checks that failed (their output is at the top)", red=True)
            for name in self.failed:
                terminalreporter.write_line(f"FAILED {name}")


def main(arguments: list[str]) -> int:
    """Run everything, or only pytest with `arguments`; return the exit status."""
    if not Path.cwd().is_relative_to(REPOSITORY):
        os.chdir(REPOSITORY)
    if arguments:
        return int(pytest.main(arguments))
    os.chdir(REPOSITORY)
    with ThreadPoolExecutor(1) as beside:
        compiling = beside.submit(compile_kernels)
        failed = [" ".join(check) for check in CHECKS if not passes(check)]
        compiling.result()
    status = int(pytest.main([*PARALLEL], plugins=[FailedChecks(failed)]))
    return status or bool(failed)


def compile_kernels() -> None:
    """Fill the cache of machine code that all test runs of this checkout share."""
    begun = time.monotonic()
    environment = {"NUMBA_CACHE_DIR": str(REPOSITORY / ".venv" / "kernels"), **os.environ}
    subprocess.run([sys.executable, "-P", "-c", WARM_UP], env=environment, check=True)
    print(f"{'compiled kernels':<28} {'ok':>6} {time.monotonic() - begun:6.1f} s", flush=True)


def passes(check: tuple[str, ...]) -> bool:
    """Run one check; print a line when it passes and all of its output when it does not."""
    begun = time.monotonic()
    name = " ".join(check)
    command = [str(TOOLS / check[0]), *check[1:]]
    if check[0] == "nbstripout":
        if not (found := notebooks()):
            return True
        command += found
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{name:<28} {verdict:>6} {time.monotonic() - begun:6.1f} s", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def notebooks() -> list[str]:
    """Every notebook of the project, checkpoints left out."""
    folders = (REPOSITORY / "notebooks", REPOSITORY / "apps")
    found = (path for folder in folders for path in folder.rglob("*.ipynb"))
    return sorted(str(path) for path in found if ".ipynb_checkpoints" not in path.parts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
