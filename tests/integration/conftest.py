"""A desk of its own for each test module, driven through the command line as a user would."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bifrost_lib.cli import run

Bifrost = Callable[..., Any]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bifrost-desk-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def bifrost(home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Bifrost:
    """Run a command; returns its JSON, or with ``fails=True`` the line on stderr."""
    monkeypatch.setenv("BIFROST_HOME", str(home))

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
