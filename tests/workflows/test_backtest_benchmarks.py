"""What the benchmark of backtests rests on: made-up cubes like real ones, and every row on little work."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import ChainCube
from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.workflows.benchmarks import Measured, backtest
from bifrost_lib.workflows.benchmarks.backtest_years import cold_year, year_of_minutes
from bifrost_lib.workflows.benchmarks.generated_cubes import SYMBOL, generated_cube, vendor_columns
from bifrost_lib.workflows.benchmarks.peer_environment import peer_version


def assert_figures(lines: list[Measured], *works: str) -> None:
    assert [line.work.split(",")[0] for line in lines] == list(works)
    assert all(math.isfinite(line.ours) and line.ours >= 0 for line in lines)


def test_a_generated_cube_is_what_its_quotes_would_be_laid_out_as():
    made = generated_cube(days=20, expiries=3, strikes=6)
    columns = vendor_columns(made)
    quotes = pd.DataFrame(
        {
            "date": columns["day"].astype("datetime64[D]"), "expiry": columns["expiry"].astype("datetime64[D]"),
            "strike": columns["strike"], "right": np.where(columns["calls"], "C", "P"), "bid": columns["bid"],
            "ask": columns["ask"], "delta": columns["delta"], "spot": columns["spot"], "forward": columns["spot"],
            "trading_class": SYMBOL, "multiplier": 100.0, "settlement": "PM", "style": "european",
        }
    )  # fmt: skip
    laid_out = ChainCube.from_frame(quotes, symbol=SYMBOL)
    assert [name for name, _ in made.arrays()] == [name for name, _ in laid_out.arrays()]
    for (name, ours), (_, theirs) in zip(made.arrays(), laid_out.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs, err_msg=name)


def test_minutes_end_at_the_close_and_lie_in_files(tmp_path):
    made = generated_cube(days=3, expiries=2, strikes=4, moments=390, folder=tmp_path)
    daily = generated_cube(days=3, expiries=2, strikes=4)
    np.testing.assert_array_equal(made.moment_us[389::390], daily.moment_us)
    np.testing.assert_allclose(made.close_spot, daily.close_spot)
    np.testing.assert_allclose(made.bid.reshape(-1, 390)[:, -1], daily.bid, atol=0.011)
    assert (np.diff(made.moment_us) > 0).all()
    assert np.load(tmp_path / "bid.npy", mmap_mode="r").size == made.bid.size


def test_documents_differ():
    made = backtest.documents(300)
    assert len({document.sha256 for document in made}) == 300


def test_averages_stand_beside_vectorbt():
    lines = backtest.averages(bars=200, windows=4)
    assert_figures(lines, "6 pairs of averages on 200 bars", "largest difference of return")
    assert lines[0].peer_name == peer_version(Path(sys.executable), "vectorbt")
    assert lines[1].ours < 1e-9


def test_a_peer_that_is_not_there_leaves_its_lines_out(monkeypatch):
    def missing(*_: object, **__: object) -> None:
        raise SourceUnavailable("the package index", "no network")

    monkeypatch.setattr(backtest, "run_peer", missing)
    monkeypatch.setattr(backtest, "peer_python", missing)
    lines = backtest.averages(bars=100, windows=3)
    assert [line.peer for line in lines] == [None, None]
    assert "no network" in lines[1].work


@pytest.mark.slow
def test_condors_are_counted_and_timed(monkeypatch):
    def missing(*_: object) -> None:
        raise SourceUnavailable("the package index", "no network")

    monkeypatch.setattr(backtest, "peer_python", missing)
    cube = generated_cube(days=60, expiries=9, strikes=58)
    lines = backtest.condors(cube, sets=10)
    assert lines[0].unit == "sets/s"
    assert 30 < lines[2].ours <= 60  # a trade a day, but on days without such deltas


@pytest.mark.slow
def test_growth_is_an_exponent():
    lines = backtest.growth(decades=1)
    assert [line.unit for line in lines].count("exponent") == 2
    assert all(math.isfinite(line.ours) for line in lines)


@pytest.mark.slow
def test_a_year_of_minutes_runs(tmp_path):
    lines = year_of_minutes(backtest.condor(), days=6)
    assert lines[0].unit == "seconds"
    assert "6 days of minute chains" in lines[0].work


@pytest.mark.slow
def test_a_cold_year_comes_from_a_store():
    lines = cold_year(backtest.condor(), days=5)
    assert all(0 < line.ours < 600 for line in lines)


@pytest.mark.slow
def test_two_workers_stand_beside_one():
    (line,) = backtest.on_two_cores(generated_cube(days=20, expiries=9, strikes=10), sets=20)
    assert line.ours > 0 and line.peer is not None and line.peer > 0
