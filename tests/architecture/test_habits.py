"""Habits that keep the code easy to change, checked on every file."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import REPOSITORY, Source

CLOCK = Path("bifrost_lib/core/clock.py")
PRESENT = {  # what asks the machine for the time of day; monotonic() and perf_counter() only measure
    ("datetime", "now"), ("datetime", "today"), ("datetime", "utcnow"), ("date", "today"), ("time", "time"),
    ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"), ("Timestamp", "now"), ("Timestamp", "today"),
    ("Timestamp", "utcnow"),
}  # fmt: skip
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc", "scripts", "tools", "stuff", "base"}
LONGEST = 400
LONG = 300


def asks_the_time(node: ast.AST) -> bool:
    """Whether a call reads the present moment: ``datetime.now()``, ``pd.Timestamp.now()``, ``np.datetime64("now")``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return False
    owner = node.func.value
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    if (name, node.func.attr) in PRESENT:
        return True
    words = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    return node.func.attr in {"datetime64", "Timestamp", "to_datetime"} and bool(
        {"now", "today"} & set(map(str, words))
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("datetime.now(UTC)", True),
        ("pd.Timestamp.now('UTC')", True),
        ("dt.date.today()", True),
        ("np.datetime64('now')", True),
        ("time.time()", True),
        ("time.monotonic()", False),
        ("clock.now()", False),
        ("np.datetime64('2026-08-12')", False),
    ],
)
def test_asks_the_time(code: str, expected: bool) -> None:
    assert asks_the_time(ast.parse(code, mode="eval").body) is expected


def test_only_the_clock_knows_the_present(library: list[Source]) -> None:
    asking = [s.at(n) for s in library if s.path != CLOCK for n in ast.walk(s.tree) if asks_the_time(n)]
    assert asking == []


def test_no_error_is_swallowed(python_files: list[Source]) -> None:
    silent = [
        source.at(node)
        for source in python_files
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or all(isinstance(s, ast.Pass) or _is_ellipsis(s) for s in node.body))
    ]
    assert silent == []


def _is_ellipsis(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def test_files_and_folders_have_names_that_say_something(tracked: list[Path]) -> None:
    assert [str(path) for path in tracked if NAMELESS & {part.split(".")[0].lower() for part in path.parts}] == []


def test_files_are_short(python_files: list[Source]) -> None:
    lines = {str(source.path): source.text.count("\n") for source in python_files}
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}
    long = {path: count for path, count in lines.items() if count > LONG}
    assert len(long) <= 0.1 * len(lines), f"more than one file in ten is longer than {LONG} lines: {long}"


def test_public_functions_say_what_they_do(library: list[Source]) -> None:
    silent = [
        f"{source.at(node)} {node.name}"
        for source in library
        for node in source.tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_notebooks_carry_no_outputs(notebooks: list[Path]) -> None:
    if not notebooks:
        pytest.skip("there is no notebook yet")
    stripper = Path(sys.executable).with_name("nbstripout")
    command = [str(stripper), "--keep-id", "--verify", *(str(REPOSITORY / path) for path in notebooks)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_no_file_names_a_package_registry(tracked: list[Path]) -> None:
    registries = [".".join(host) for host in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))]
    suffixes = {".py", ".md", ".toml", ".yml", ".yaml", ".lock", ".txt", ".ipynb", ".cfg", ""}
    texts = {path: (REPOSITORY / path).read_text(errors="replace") for path in tracked if path.suffix in suffixes}
    assert [str(path) for path, text in texts.items() if any(host in text for host in registries)] == []
