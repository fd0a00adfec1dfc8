"""What the benchmark of pricing rests on: exact prices, a machine's limit, and peers that are kept apart."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bifrost_lib.core.errors import SourceUnavailable
from bifrost_lib.core.settings import load_settings
from bifrost_lib.pricing import implied_vol
from bifrost_lib.workflows.benchmarks.accuracy import hard_grid, worst_error
from bifrost_lib.workflows.benchmarks.limit import implied_vol_limit
from bifrost_lib.workflows.benchmarks.peer_environment import peer_python, run_peer


def test_every_volatility_that_a_price_carries_is_recovered():
    """K/S 0.2 to 4, one day to two years, 1 to 300 %: prices in 60 digits."""
    grid = hard_grid()
    terms = {name: grid[name] for name in ("price", "spot", "strike", "tau")}
    found = implied_vol(**terms, right=grid["calls"])
    worst, missing = worst_error(found, grid)
    assert worst <= 1e-12
    assert missing == 0
    assert grid["carried"].sum() > 200


def test_a_missing_answer_is_counted():
    grid = hard_grid()
    found = grid["vol"].copy()
    found[np.flatnonzero(grid["carried"])[:3]] = np.nan
    assert worst_error(found, grid) == (0.0, 3)


def test_the_limit_is_above_what_a_solver_reaches():
    assert 1e6 < implied_vol_limit() < 1e10


def test_peers_that_cannot_be_installed_are_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "2")
    with pytest.raises(SourceUnavailable, match="peers cannot be installed"):
        peer_python(load_settings({"BIFROST_HOME": str(tmp_path)}))


QUOTES = {
    "price": np.array([10.450584]), "spot": np.array([100.0]), "strike": np.array([100.0]), "tau": np.array([1.0]),
    "rate": np.array([0.05]), "div_yield": np.array([0.0]), "calls": np.array([True]),
}  # fmt: skip


def test_ours_and_the_peers_passes_take_turns():
    passes = []
    run = run_peer(Path(sys.executable), "py_vollib", QUOTES, beside=lambda: passes.append(1), turns=3)
    np.testing.assert_allclose(run.answers, 0.2, atol=1e-8)
    assert len(passes) == 3
    assert 0 <= run.ours_s < run.peer_s


def test_a_peer_that_fails_says_why():
    with pytest.raises(SourceUnavailable, match="No module named 'vanilla_option_pricers'"):
        run_peer(Path(sys.executable), "vanilla_option_pricers", QUOTES, turns=1)
