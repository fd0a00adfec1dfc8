"""The engine and the plain one agree, to the last digits, on every trade, price and cash flow of random runs."""

from __future__ import annotations

from datetime import time
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest import run
from tests.backtest.reference.engine import Outcome
from tests.backtest.reference.engine import run as plain_run
from tests.backtest.reference.random_documents import random_document
from tests.backtest.reference.random_markets import random_market
from tests.backtest.reference.tables import cube_of, equity_table, legs_table, trades_table

PAIRS, BATCH = 200, 20
CLOSE = 1e-9


def random_run(seed: int) -> tuple[Any, Any, dict[str, Any]]:
    """Return a document, one or two markets, and the other arguments of a run."""
    rng = np.random.default_rng(seed)
    markets = [random_market(rng)]
    if rng.random() < 0.1:
        markets.append(random_market(rng, symbol="XYZ", near=markets[0]))
    document = random_document(rng, spot=float(markets[0].quotes["spot"].median()))
    days = sorted(set(markets[0].quotes["ts"].dt.tz_convert("America/New_York").dt.date))
    terms: dict[str, Any] = {
        "fills": [*["realistic"] * 2, "mid", "worst", float(rng.uniform(0.3, 1.0))][int(rng.integers(5))],
        "capital": float(rng.choice([20_000, 100_000, 1_000_000])),
        "rate": float(rng.choice([0.0, 0.05, 0.2])),
    }
    if rng.random() < 0.2:
        terms["entry_time"] = time(int(rng.integers(9, 16)), 45)
    if rng.random() < 0.15:
        terms["entry_offset"] = int(rng.integers(1, 5))
    if rng.random() < 0.2 and len(markets) == 1:
        terms["end"] = days[int(rng.integers(len(days) // 2, len(days)))]
    if rng.random() < 0.1 and len(markets) == 1:
        terms["start"] = days[int(rng.integers(0, len(days) // 2))]
    return document, markets, terms


def assert_agree(found: Any, plain: Outcome) -> None:
    """Assert that a result says what a plain outcome says."""
    assert len(found.trades) == len(plain.trades)
    if plain.trades:
        _assert_same(found.trades, trades_table(plain))
        legs = found.legs.sort_values(["trade", "opened", "leg"], ignore_index=True)
        _assert_same(legs, legs_table(plain))
    _assert_same(found.equity, equity_table(plain))
    assert found.skipped == dict(plain.skipped)


def _assert_same(found: pd.DataFrame, plain: pd.DataFrame) -> None:
    assert len(found) == len(plain)
    for name in plain.columns:
        ours, theirs = found[name].tolist(), plain[name].tolist()
        if pd.api.types.is_float_dtype(plain[name]):
            np.testing.assert_allclose(ours, theirs, rtol=CLOSE, atol=CLOSE * 100, err_msg=name)
        else:
            pairs = zip(ours, theirs, strict=True)
            assert all(one == other or (pd.isna(one) and pd.isna(other)) for one, other in pairs), (name, ours, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, PAIRS, BATCH))
def test_random_runs_agree(first):
    for seed in range(first, first + BATCH):
        document, markets, terms = random_run(seed)
        found = run(document, {one.symbol: cube_of(one) for one in markets}, **terms)
        try:
            assert_agree(found, plain_run(document, *markets, **terms))
        except AssertionError as error:
            error.add_note(f"seed {seed}: {document.name}, {terms}")
            raise
