"""The same checks with clients that do not live beside ours: each in an environment of its own, made once."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
UV = Path(sys.executable).with_name("uv")
#: What to install for whom, and which checks run there. The official client is not on the package index by its own
#: name in new versions; Nautilus publishes it unchanged.
ENVIRONMENTS: dict[str, tuple[list[str], list[str]]] = {
    "ib_insync": (["ib_insync==0.9.86"], [str(HERE), f"--ignore={HERE / 'official'}"]),
    "ibapi-10.46": (["nautilus-ibapi==10.46.1", "protobuf>=6"], [str(HERE / "official")]),
    "ibapi-9.81": (["ibapi==9.81.1.post1"], [str(HERE / "official")]),
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.skipif("CONFORMANCE_PYTHON" in os.environ, reason="this is such an environment already"),
]


def python_of(name: str, packages: list[str]) -> Path:
    """Make the environment, or find it as it was made; skip where packages cannot be had."""
    folder = ROOT / ".venv" / "conformance" / name
    made = folder / "made.txt"
    wanted = "\n".join(packages)
    if not made.exists() or made.read_text() != wanted:
        if not UV.exists():
            pytest.skip("uv is not installed beside this interpreter")
        subprocess.run([UV, "venv", "--clear", "--quiet", "--python", sys.executable, folder], check=True)
        install = [
            str(UV),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(folder / "bin" / "python"),
            "pytest",
            *packages,
        ]
        done = subprocess.run(install, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the package index cannot be reached: {done.stderr.strip()[-200:]}")
        made.write_text(wanted)
    return folder / "bin" / "python"


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_checks_hold_for_another_client(name: str) -> None:
    packages, checks = ENVIRONMENTS[name]
    environment = {
        **os.environ, "CONFORMANCE_PYTHON": sys.executable, "BIFROST_IB_CLIENT": "ib_insync", "PYTHONNOUSERSITE": "1",
    }  # fmt: skip
    command = [str(python_of(name, packages)), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *checks]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "checks"),
    [
        ("ib_insync", "tests/ib"),
        ("ibapi-10.46", "tests/sim/wire/test_official_client.py"),
        ("ibapi-9.81", "tests/sim/wire/test_official_client.py"),
    ],
)
def test_our_own_checks_hold_with_another_client(name: str, checks: str) -> None:
    python = python_of(name, ENVIRONMENTS[name][0])
    (site,) = (python.parents[1] / "lib").glob("python3.*/site-packages")
    # Everything else is ours; what is installed there comes first, above all its other eventkit.
    (site / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", checks]
    environment = {**os.environ, "BIFROST_IB_CLIENT": "ib_insync", "PYTHONNOUSERSITE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
