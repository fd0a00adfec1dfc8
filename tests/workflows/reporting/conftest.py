"""Small reports to run, and a desk whose store is empty."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bifrost_lib.core.settings import Settings
from bifrost_lib.workflows import Desk, open_desk

Writer = Callable[..., Path]


def write_notebook(path: Path, *cells: str, parameters: str = "", title: str = "A report") -> Path:
    """Write a notebook with a title, a parameters cell and code cells."""
    head = {"cell_type": "markdown", "id": "0", "metadata": {}, "source": f"# {title}\n\nWhat it is about."}
    code: list[dict[str, Any]] = [
        {
            "cell_type": "code", "id": str(place), "execution_count": None, "outputs": [], "source": source,
            "metadata": {"tags": ["parameters"]} if place == 1 else {},
        }
        for place, source in enumerate((parameters, *cells), start=1)
    ]  # fmt: skip
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata: dict[str, Any] = {"kernelspec": kernel, "language_info": {"name": "python"}}
    notebook = {"cells": [head, *code], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.fixture
def reports(tmp_path: Path) -> Writer:
    """Write a report into a folder of the test's own; returns the folder."""

    def write(name: str, *cells: str, parameters: str = "", schedule: str = "", **more: Any) -> Path:
        folder = tmp_path / "reports"
        folder.mkdir(exist_ok=True)
        write_notebook(folder / f"{name}.ipynb", *cells, parameters=parameters, **more)
        if schedule:
            (folder / "schedule.toml").write_text(schedule, encoding="utf-8")
        return folder

    return write


@pytest.fixture(scope="module")
def desk(database_settings: Settings) -> Iterator[Desk]:
    """A desk whose store was empty at the module's start."""
    with open_desk(settings=database_settings) as opened:
        yield opened
