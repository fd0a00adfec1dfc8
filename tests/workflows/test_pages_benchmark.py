"""What the benchmark of pages says where it cannot measure."""

from __future__ import annotations

from pathlib import Path

import pytest

from bifrost_lib.core.errors import EnvironmentProblem
from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows import run_benchmark
from bifrost_lib.workflows.benchmarks.pages import first_password
from bifrost_lib.workflows.hub import Places, read_registry


def test_nothing_is_measured_where_nothing_was_started(tmp_path, monkeypatch):
    monkeypatch.setenv("BIFROST_HOME", str(tmp_path))
    with pytest.raises(EnvironmentProblem, match="bifrost up"):
        run_benchmark("pages", rows=1)


def test_a_password_that_was_removed_is_told_with_what_to_do(tmp_path: Path) -> None:
    settings = load_settings({"BIFROST_HOME": str(tmp_path)})
    with pytest.raises(EnvironmentProblem, match="quant"):
        first_password(settings, "quant")
    (tmp_path / "credentials").write_text("trader: b\nquant: a\n")
    assert first_password(settings, "quant") == "a"


def test_a_platform_without_its_passwords_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("BIFROST_HOME", str(tmp_path))
    Places(1, 2, 3, {page.name: 4 for page in read_registry()}).write(tmp_path)
    with pytest.raises(EnvironmentProblem, match="credentials"):
        run_benchmark("pages", rows=1)
