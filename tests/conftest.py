"""Fixtures that every test folder shares."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder with real sample data; tests that need it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("BIFROST_SAMPLE_DATA") or beside)
    if not (folder / "MANIFEST.csv").exists():
        pytest.skip(f"no sample data at {folder}; set BIFROST_SAMPLE_DATA to a folder that has it")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick tests first, then slow ones, then those with a browser, so that a mistake shows early."""
    items.sort(key=lambda item: 2 * (item.get_closest_marker("browser") is not None) + _is_slow(item))


def _is_slow(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None
