"""A desk of its own for each test module, driven through the command line as a user would."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bifrost_lib.cli import run
from bifrost_lib.core.settings import Settings

Bifrost = Callable[..., Any]


@pytest.fixture(scope="module")
def home(database_settings: Settings) -> Path:
    return database_settings.home


@pytest.fixture
def bifrost(database_settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Bifrost:
    """Run a command; returns its JSON or text, or with ``fails=True`` the line on stderr."""
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url)

    def command(*words: object, fails: bool = False) -> Any:
        capfd.readouterr()
        status = run([str(word) for word in words])
        out, err = capfd.readouterr()
        if fails:
            assert status != 0
            assert err.startswith("bifrost: ") and err.count("\n") == 1, err
            return err
        assert status == 0, err
        return json.loads(out) if "--json" in words else out

    return command
