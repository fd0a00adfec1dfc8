"""Every notebook is a title and few lines: parameters first, no outputs, and pages without logic of their own."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "apps" / "voila").glob("*.ipynb"))
NOTEBOOKS = [*sorted((ROOT / "notebooks").rglob("*.ipynb")), *PAGES]
MOST_CODE_LINES = 80


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tree(cell: Any) -> ast.Module:
    return ast.parse(str(cell.source))


def test_there_are_notebooks() -> None:
    assert {path.name for path in NOTEBOOKS} >= {"01_first_scan.ipynb", "strategy_finder.ipynb"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_begins_with_a_title(path: Path) -> None:
    first = read(path).cells[0]
    assert first.cell_type == "markdown" and first.source.startswith("# ")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_its_first_code_cell_holds_the_parameters_each_with_its_help(path: Path) -> None:
    first = code_cells(path)[0]
    assert first.metadata.get("tags") == ["parameters"]
    assert all(isinstance(statement, ast.Assign) for statement in tree(first).body)
    assert all("  # " in line for line in first.source.splitlines())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_outputs_are_stripped(path: Path) -> None:
    for cell in code_cells(path):
        assert cell.outputs == []
        assert cell.execution_count is None
    assert read(path).metadata.keys() == {"kernelspec", "language_info"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_is_short(path: Path) -> None:
    assert sum(len(cell.source.splitlines()) for cell in code_cells(path)) <= MOST_CODE_LINES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_it_talks_to_packages_through_their_front_doors(path: Path) -> None:
    for cell in code_cells(path):
        for node in ast.walk(tree(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bifrost_lib."):
                assert node.module is not None
                assert node.module.count(".") == (2 if node.module.startswith("bifrost_lib.core.") else 1), node.module


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_a_page_is_three_cells_without_logic(path: Path) -> None:
    cells = code_cells(path)
    assert len(cells) == 3
    for cell in cells:
        kinds = {type(node) for node in ast.walk(tree(cell))}
        assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.BinOp, ast.If, ast.For, ast.While, ast.Try}
        assert "SELECT" not in cell.source.upper()


def test_every_page_is_in_the_registry() -> None:
    from bifrost_lib.workflows.hub import read_registry

    assert sorted(page.path for page in read_registry() if page.kind == "voila") == PAGES
