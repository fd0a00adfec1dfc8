"""A run comes with its variants, each of which changes one thing alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.backtest.bands import FIGURES, band_edges, costs_doubled, run_with_bands
from bifrost_lib.backtest.result import EQUITY_COLUMNS, LEG_COLUMNS, TRADE_COLUMNS, Result
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import ByDelta, Costs, Leg, StrategyDocument

PUT = StrategyDocument(
    name="put", view="up", legs=(Leg("put", "P", -1, ByDelta(-0.3)),), costs=Costs(0.65, (0.75, 0.6))
)


def plain_run(document: StrategyDocument, cube: Any, *, fills: Any, entry_offset: int, **settings: Any) -> Result:
    """A run that loses what fills, commission and the days put off say, and keeps what it was asked."""
    share = {"realistic": document.costs.fill_of(1), "mid": 0.5, "worst": 1.0}.get(fills, fills)
    lost = 100 * share + document.costs.commission + 1000 * entry_offset
    ts = pd.date_range("2024-01-02", periods=5, tz="UTC").as_unit("us")
    level = 100_000.0 - lost * np.arange(5)
    equity = pd.DataFrame({"ts": ts, "equity": level, "margin": 0.0, "active": 1})[entry_offset:]
    assert set(EQUITY_COLUMNS) == set(equity)
    trades = pd.DataFrame({name: pd.Series(dtype=float) for name in TRADE_COLUMNS}).astype({"reason": str})
    legs = pd.DataFrame(columns=list(LEG_COLUMNS))
    asked = {"fills": fills, "entry_offset": entry_offset, **settings}
    return Result(
        document.sha256, ("SPY",), date(2024, 1, 2), date(2024, 1, 6), fills, 100_000.0, "", "", trades, legs, equity,
        {}, settings=asked,
    )  # fmt: skip


def test_each_variant_changes_one_thing():
    found = run_with_bands(PUT, None, offsets=2, run=plain_run, capital=100_000.0)
    assert found.bands is not None
    assert list(found.bands) == ["ts", "mid", "realistic", "worst", "costs_doubled", "offset_1", "offset_2"]
    assert found.document_hash == PUT.sha256
    last = found.bands.iloc[-1]
    assert last["mid"] == pytest.approx(100_000 - 4 * 50.65)
    assert last["realistic"] == pytest.approx(100_000 - 4 * 75.65)
    assert last["worst"] == pytest.approx(100_000 - 4 * 100.65)
    assert last["costs_doubled"] == pytest.approx(100_000 - 4 * 101.3)
    assert last["offset_2"] == pytest.approx(100_000 - 4 * 2075.65)
    # What begins two sessions later holds its capital until then.
    assert found.bands["offset_2"].iloc[0] == 100_000
    edges = band_edges(found.bands)
    assert (edges["low"] <= found.bands["realistic"]).all()
    assert edges["high"].iloc[-1] == last["mid"]
    assert set(found.statistics["bands"]["worst"]) == set(FIGURES)


def test_a_share_of_the_spread_is_doubled_beyond_mid():
    found = run_with_bands(PUT, None, fills=0.6, offsets=0, run=plain_run)
    assert found.fills == 0.6
    assert found.bands is not None
    assert found.bands["costs_doubled"].iloc[-1] == pytest.approx(100_000 - 4 * (70 + 1.3))
    assert costs_doubled(PUT).costs == Costs(1.3, (1.0, 0.7))
    with pytest.raises(InputError) as caught:
        run_with_bands(PUT, None, offsets=-1, run=plain_run)
    assert caught.value.name == "offsets"
