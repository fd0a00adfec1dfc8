"""The project's own files, parsed once."""

from __future__ import annotations

import ast
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One file of the project: where it is, relative to the checkout, and what it says."""

    path: Path
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def package(self) -> str:
        """The package of the library that it belongs to, or "" for a file outside of it."""
        parts = self.path.parts
        return parts[1] if parts[0] == "bifrost_lib" and len(parts) > 2 else ""

    def at(self, node: ast.AST) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)}"


def imported(source: Source) -> Iterator[tuple[ast.AST, str]]:
    """Every module that a file names in an import, relative ones resolved."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = source.path.with_suffix("").parts[: -node.level] if node.level else ()
            yield node, ".".join((*base, *(node.module or "").split("."))).strip(".")


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that belongs to the project: those that git tracks or would add."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout.decode()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"git cannot list the project's files here: {error}")
    paths = [Path(name) for name in listed.split("\0") if name]
    return sorted(path for path in paths if (REPOSITORY / path).is_file())


@pytest.fixture(scope="session")
def python_files(tracked: list[Path]) -> list[Source]:
    """Every Python file of the project, tests included."""
    return [Source(path, (REPOSITORY / path).read_text()) for path in tracked if path.suffix == ".py"]


@pytest.fixture(scope="session")
def library(python_files: list[Source]) -> list[Source]:
    """The Python files of the library."""
    return [source for source in python_files if source.path.parts[0] == "bifrost_lib"]


@pytest.fixture(scope="session")
def notebooks(tracked: list[Path]) -> list[Path]:
    """Every notebook of the project."""
    return [path for path in tracked if path.suffix == ".ipynb"]


@pytest.fixture(scope="session")
def notebook_sources(notebooks: list[Path]) -> list[Source]:
    """The code of every notebook, magics left out."""
    return [Source(path, "\n".join(_code_lines(REPOSITORY / path))) for path in notebooks]


def _code_lines(path: Path) -> Iterator[str]:
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            yield from (line for line in "".join(cell["source"]).splitlines() if not line.startswith(("%", "!")))
