"""``bifrost library``: built from a file, listed, and asked what worked."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube
from bifrost_lib.cli import run
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.store import open_store
from bifrost_lib.strategies import StrategyDocument
from bifrost_lib.workflows import Desk
from bifrost_lib.workflows.backtests import build_library, read_shelves

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

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


def simulated(document: StrategyDocument, cube: ChainCube, *, capital: float, **options: Any) -> Any:
    """One trade a session on a margin of 1,000: puts win about 20, calls lose it."""
    opened = pd.Series(pd.to_datetime(cube.moment_us, unit="us", utc=True).as_unit("us"))
    gain = 20.0 if document.name == "short_put" else -20.0
    pnl = gain + 30 * np.random.default_rng(len(document.name)).standard_normal(len(opened))
    trades = pd.DataFrame({
        "opened": opened, "closed": opened + pd.Timedelta(hours=1), "reason": "expired", "pnl": pnl, "margin": 1000.0,
        "max_loss": 500.0, "commission": 1.3,
    })  # fmt: skip
    return SimpleNamespace(trades=trades, equity=pd.DataFrame({"equity": capital + np.cumsum(pnl)}))


def history(symbol: str) -> ChainCube:
    """Closes of a rising market with a high IV rank, and one quote each."""
    days = pd.bdate_range("2024-02-01", periods=160)
    close = days.tz_localize("America/New_York") + pd.Timedelta(hours=16)
    chain = pd.DataFrame({
        "ts": close.tz_convert("UTC"), "expiry": np.datetime64("2025-12-19", "s"), "strike": 100.0, "right": "C",
        "bid": 4.9, "ask": 5.1, "delta": 0.5, "spot": 100 * 1.002 ** np.arange(len(days)),
    })  # fmt: skip
    conditions = pd.DataFrame({"ts": (days - pd.Timedelta(hours=1)).tz_localize("UTC"), "iv_rank": 0.9, "iv": 0.2})
    return ChainCube.from_frame(chain, symbol=symbol, conditions=conditions)


def fill(settings: Settings) -> None:
    shelves = read_shelves({"short_put": {"dte.target": [30]}, "long_call": None})
    with open_store(settings) as store:
        desk = Desk(settings=settings, clock=SteppedClock(COMPUTED), store=store)
        build_library(desk, "income", shelves, ["SIM"], split=SPLIT, cube_of=history, run=simulated)


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
