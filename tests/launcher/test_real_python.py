"""The launcher with a real Python, pip and lock; the packages come from a folder, so nothing is downloaded."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .conftest import Checkout, make_checkout

pytestmark = pytest.mark.slow

UNROUTABLE = "http://127.0.0.1:9/simple"


def write_wheel(folder: Path) -> str:
    """Make a package `stand_in` of one line and return the hash of its wheel."""
    wheel = folder / "stand_in-1.0-py3-none-any.whl"
    about = "stand_in-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("stand_in.py", "ANSWER = 42\n")
        archive.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: stand-in\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.fixture
def real(tmp_path: Path) -> Checkout:
    root = make_checkout(tmp_path / "my désk" / "bifrost")
    digest = write_wheel(tmp_path)
    (root / "requirements.lock").write_text(f"stand-in==1.0 \\\n    --hash=sha256:{digest}\n")
    package = root / "bifrost_lib" / "cli"
    package.mkdir(parents=True)
    (package / "__main__.py").write_text(
        "import sys, stand_in, bifrost_lib\nprint(stand_in.ANSWER, sys.version_info[:2], list(bifrost_lib.__path__))\n"
    )
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHON": str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PYTHONPATH": "/nowhere",
    }
    return Checkout(root, Path(environ["PYTHON"]), environ)


def test_it_installs_from_the_lock_and_runs_the_checkout(real: Checkout, tmp_path: Path) -> None:
    (tmp_path / "stand_in.py").write_text("ANSWER = 'the file of the folder we are called from'\n")
    first = real.start(cwd=tmp_path)
    assert first.code == 0, first.lines
    assert first.out.strip() == f"42 {sys.version_info[:2]} {[str(real.root / 'bifrost_lib')]}"
    again = real.start(cwd=tmp_path)
    assert (again.code, again.lines, again.out) == (0, [], first.out)
    script = subprocess.run(
        [real.venv / "bin" / "bifrost"], env=real.environ, capture_output=True, text=True, check=True
    )
    assert script.stdout == first.out


def test_a_package_that_differs_from_the_lock_is_refused(real: Checkout) -> None:
    lock = real.root / "requirements.lock"
    lock.write_text(lock.read_text()[:-65] + "0" * 64 + "\n")
    assert "is not the one that requirements.lock pins" in real.start().only_line
    assert not real.venv.exists()


def test_no_network_is_said_in_one_line(real: Checkout) -> None:
    (real.root / "requirements.lock").write_text(
        f"stand-in==1.0 \\\n    --hash=sha256:{'0' * 64}\nuv==0.13.8 \\\n    --hash=sha256:{'0' * 64}\n"
    )
    del real.environ["PIP_NO_INDEX"], real.environ["PIP_FIND_LINKS"]
    refused = real.start(PIP_INDEX_URL=UNROUTABLE, UV_INDEX_URL=UNROUTABLE)
    assert "check the network" in refused.only_line
    assert not real.venv.exists()
    assert real.leftovers() == []
