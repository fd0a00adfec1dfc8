"""``bifrost collect`` and ``bifrost watch``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bifrost_lib.core.settings import load_settings
from bifrost_lib.workflows import gateway_for, running_gateway


def bifrost(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bifrost_lib.cli", *words],
        capture_output=True, text=True, check=False, timeout=120, env=os.environ | environment,
    )  # fmt: skip


@pytest.mark.slow
def test_collect_tells_what_became_of_every_contract(environment: dict[str, str]) -> None:
    done = bifrost(environment, "collect", "spy", "QQQ", "--expiries", "2", "--strikes", "6", "--json")
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)["runs"]
    assert [run["symbol"] for run in runs] == ["SPY", "QQQ"]
    for run in runs:
        assert run["expected"] == 24
        assert run["received"] + sum(run["missing"].values()) == run["expected"]
        assert run["messages"] >= 24
        assert 0 < run["lines_peak"] <= 100
    unknown = bifrost(environment, "collect", "NOSUCH")
    assert unknown.returncode == 1
    assert "NOSUCH" in unknown.stderr
    assert unknown.stderr.count("\n") == 1


@pytest.mark.slow
def test_the_watchlist_is_edited(environment: dict[str, str]) -> None:
    def watches(*words: str) -> list[dict[str, Any]]:
        done = bifrost(environment, "watch", *words, "--json")
        assert done.returncode == 0, done.stderr
        found: list[dict[str, Any]] = json.loads(done.stdout)["watches"]
        return found

    assert watches() == []
    watches("spy", "--cadence", "60")
    (watch,) = watches("SPY", "--strikes", "0")
    assert (watch["symbol"], watch["cadence_s"], watch["strikes"]) == ("SPY", 60.0, 0)
    assert watches("SPY", "--remove") == []
    refused = bifrost(environment, "watch", "SPY", "--remove")
    assert refused.returncode == 1
    assert "is watched" in refused.stderr


@pytest.mark.slow
def test_without_a_gateway_the_simulated_one_is_shared_and_ends_with_its_last_user(tmp_path: Path) -> None:
    settings = load_settings({"BIFROST_HOME": str(tmp_path)})
    with gateway_for(settings) as first:
        gateway = running_gateway(settings)
        assert gateway is not None
        assert (tmp_path / "gateway.json").stat().st_mode & 0o777 == 0o600
        with gateway_for(settings) as second:
            assert first.ib_port == second.ib_port == gateway.port
        assert running_gateway(settings) == gateway
    assert running_gateway(settings) is None
    assert not Path(f"/proc/{gateway.pid}").exists()
    named = load_settings({"BIFROST_HOME": str(tmp_path), "BIFROST_IB_PORT": "4001"})
    with gateway_for(named) as given:
        assert given is named
