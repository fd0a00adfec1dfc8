"""``bifrost library``: built from a file, listed, and asked what worked."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.cli import run
from bifrost_lib.store import open_store, save_library, save_library_symbol
from bifrost_lib.workflows.backtests.library_rows import Tried, rows_of_symbol

SPLIT = date(2024, 7, 1)
COMPUTED = datetime(2025, 1, 2, tzinfo=UTC)


@pytest.fixture
def bifrost(database_settings, monkeypatch, capsys):
    monkeypatch.setenv("BIFROST_HOME", str(database_settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))

    def command(*words, status=0):
        assert run(["library", *words]) == status
        return capsys.readouterr()

    return command


def tried(name: str, gain: float) -> Tried:
    """A hundred trades, one a working day, of which each wins or loses about `gain` on a margin of 1,000."""
    days = pd.bdate_range("2024-05-01", periods=100)
    opened = pd.Series(days.tz_localize("America/New_York").tz_convert("UTC").as_unit("us")) + pd.Timedelta(hours=16)
    pnl = gain + 30 * np.random.default_rng(len(name)).standard_normal(100)
    trades = pd.DataFrame({
        "opened": opened, "closed": opened + pd.Timedelta(hours=1), "reason": "expired", "pnl": pnl, "margin": 1000.0,
        "max_loss": 500.0, "commission": 1.3, "day": days.astype("datetime64[s]"), "iv_rank": "high", "trend": "up",
    })  # fmt: skip
    return Tried(name, name, {"dte.target": 30} if gain > 0 else {}, trades, pnl)


def fill(settings) -> None:
    with open_store(settings) as store:
        definition = {"strategies": {"short_put": ["a"], "long_call": ["b"]}}
        save_library(store, "income", definition=definition, code_version="1", computed_ts=COMPUTED)
        profile = {"symbol": "SIM", "cube_sha256": "x", "sessions": 100, "start_day": date(2024, 5, 1)}
        profile |= {"split_day": SPLIT, "end_day": date(2024, 9, 17), "iv": 0.2}
        rows = rows_of_symbol([tried("short_put", 20.0), tried("long_call", -20.0)], split=SPLIT)
        save_library_symbol(
            store, "income", profile=profile, results=rows.drop(columns="independent"), computed_ts=COMPUTED
        )


def test_a_library_is_listed_and_asked(bifrost, database_settings):
    assert "no libraries yet" in bifrost("list").out
    fill(database_settings)
    (listed,) = json.loads(bifrost("list", "--json").out)["libraries"]
    assert (listed["library"], listed["symbols"]) == ("income", 1)

    told = json.loads(bifrost("ask", "income", "--like", "SIM", "--iv-rank", "high", "--json").out)
    assert [one["strategy"] for one in told["strategies"]] == ["short_put", "long_call"]
    best = told["strategies"][0]
    assert best["parameters"] == {"dte.target": 30}
    assert best["return_low"] < best["return_mean"] < best["return_high"]
    assert (told["sample"], told["iv_rank"], told["symbols"][0]["symbol"]) == ("out", "high", "SIM")
    shown = bifrost("ask", "income", "--trend", "up").out
    assert "out of sample, after costs, trend up" in shown
    assert "dte.target 30" in shown
    assert "IN SAMPLE" in bifrost("ask", "income", "--sample", "in").out
    assert bifrost("ask", "income", "--csv").out.startswith("strategy,parameters,")


def test_mistakes_are_one_line(bifrost, database_settings, tmp_path):
    fill(database_settings)
    assert "did you mean 'income'" in bifrost("ask", "incom", status=1).err
    assert "no backtested trade" in bifrost("ask", "income", "--iv-rank", "low", status=1).err
    file = tmp_path / "library.yaml"
    file.write_text("iron_condor: {exits.take_proft.share: [0.5]}")
    wrong = bifrost("build", "x", str(file), "--symbol", "SIM", "--split", "2024-07-01", status=1).err
    assert "did you mean 'exits.take_profit.share'" in wrong
    file.write_text("iron_condor: [1]")
    assert "a grid" in bifrost("build", "x", str(file), "--symbol", "SIM", "--split", "2024-07-01", status=1).err
    file.write_text("iron_condor: {exits.take_profit.share: [0.5, 0.25]}\nshort_put:\n")
    built = json.loads(bifrost("build", "x", str(file), "--symbol", "NONE", "--split", "2024-07-01", "--json").out)
    assert built["documents"] == 3
    assert list(built["skipped"]) == ["NONE"]
