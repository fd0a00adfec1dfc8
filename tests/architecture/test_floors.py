"""The floors of the house are those that pyproject.toml states, and import-linter proves them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Source

LINTER = Path(sys.executable).with_name("lint-imports")
PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
FLOORS = [[name.strip("() ") for name in layer.split("|")] for layer in CONTRACTS["floors"]["layers"]]
PACKAGES = [package for floor in FLOORS for package in floor]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LINTER, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


def test_the_house_stands() -> None:
    proof = lint(REPOSITORY)
    assert proof.returncode == 0, proof.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("pricing/intruder.py", "import bifrost_lib.workflows", "Imports go downward"),
        ("feeds/intruder.py", "from bifrost_lib import store", "Imports go downward"),
        ("newcomer/__init__.py", "", "Imports go downward"),
        ("views/intruder.py", "from bifrost_lib.pricing import price", "Views know frames"),
        ("workflows/intruder.py", "from sqlalchemy import text", "Only the store talks"),
        ("workflows/intruder.py", "import bokeh", "Only views draw"),
        ("views/intruder.py", "import rich", "Only the command line"),
        ("pricing/intruder.py", "from numba import njit", "Kernels are declared"),
        ("strategies/intruder.py", "import subprocess", "compute and touch nothing else"),
    ],
)
def test_a_crack_is_found(tmp_path: Path, module: str, line: str, broken: str) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(REPOSITORY / "bifrost_lib", tmp_path / "bifrost_lib", ignore=ignored)
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    intruder = tmp_path / "bifrost_lib" / module
    intruder.parent.mkdir(exist_ok=True)
    intruder.write_text(line + "\n")
    proof = lint(tmp_path)
    assert proof.returncode != 0
    assert re.search(rf"{broken}.* BROKEN", proof.stdout), proof.stdout


def test_every_package_of_the_library_has_a_floor(library: list[Source]) -> None:
    assert {source.package for source in library} - {""} == set(PACKAGES)


def test_the_floors_are_in_the_order_that_the_architecture_names() -> None:
    named = ["cli", "workflows views", "ib store feeds sim", "ml", "backtest execution analytics", "risk compliance"]
    named += ["portfolio", "strategies microstructure news", "pricing", "core"]
    height = {package: -row for row, floor in enumerate(named) for package in floor.split()}
    heights = [{height[package] for package in floor} for floor in FLOORS]
    assert all(len(on_one_floor) == 1 for on_one_floor in heights)
    assert [on_one_floor.pop() for on_one_floor in heights] == sorted((height[f[0]] for f in FLOORS), reverse=True)
