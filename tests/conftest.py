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
