"""Backtests that go on after an assignment, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.backtest import attribute, run, sweep
from bifrost_lib.strategies import Costs, Exits, Sizing
from tests.backtest.test_engine import FEB, SPREAD_DAYS, document, put
from tests.backtest.written_markets import actions, cube

CALLED = "2024-03-22"
#: A put is assigned in February; a call is listed a session later, on a dividend's day, and exercised in March.
WHEEL_DAYS = {
    "2024-02-01": (100.0, {f"{FEB} 95P": (2.00, 2.10)}),
    FEB: (93.0, {f"{FEB} 95P": (2.00, 2.10)}),
    "2024-02-20": (91.0, {f"{CALLED} 96C": (1.15, 1.25)}),
    CALLED: (99.0, {f"{CALLED} 96C": (3.00, 3.20)}),
}


def test_after_an_assignment_the_shares_are_held_until_they_are_called_away():
    # In cash: 205 for the put, 120 for the call, shares bought at 95 and sold at 96, a dividend of 0.50, 2 contracts.
    wheel = document(put(95.0), exits=Exits(after_assignment="covered_call"), costs=Costs())
    market = cube(WHEEL_DAYS, style="american", actions=actions(("2024-02-20", "dividend", 0.50)))
    found = run(wheel, market, fills="mid")
    assert found.pnl == pytest.approx(205 + 120 + 100 * (96 - 95) + 50 - 2 * 0.65)
    trades = found.trades
    assert trades["reason"].tolist() == ["expired", "shares held", "expired"]
    assert trades["pnl"].tolist() == pytest.approx([205 - 200 - 0.65, 100 * (91 - 93) + 50, 120 + 500 - 0.65])
    assert trades["shares"].tolist() == [0.0, 100.0, 100.0]
    assert trades["premium"].tolist() == pytest.approx([205.0, -9300.0, 120.0 - 9100.0])
    assert found.legs["leg"].tolist() == ["put", "short_call"]
    base = 100_000.0
    assert found.equity["equity"].tolist() == pytest.approx(
        [base - 0.65, base + 4.35, base + 4.35 - 150 - 0.65, base + found.pnl]
    )
    assert found.equity["margin"].tolist()[1] == pytest.approx(0.5 * 9300)
    assert found.equity["active"].tolist() == [1, 1, 1, 0]
    assert found.settings["after_assignment"].startswith("covered_call ")
    assert sweep([wheel], market, fills="mid").summary["pnl"][0] == pytest.approx(found.pnl)
    parts = attribute(found, wheel, market)
    np.testing.assert_allclose(parts.trades.drop(columns="pnl").sum(axis=1), trades["pnl"])
    assert parts.trades["delta"][1] == pytest.approx(-200) and parts.trades["dividends"][1] == pytest.approx(50)


def test_an_assignment_that_cannot_be_followed_is_said():
    for wheel in (
        document(put(95.0), exits=Exits(after_assignment="covered_call"), sizing=Sizing(max_active=2)),
        document(put(95.0), exits=Exits(after_assignment="my_own_calls")),
    ):
        found = run(wheel, cube(SPREAD_DAYS), fills="mid")
        assert found.settings["not_replayed"] == f"after assignment: {wheel.exits.after_assignment}"
        assert found.trades["reason"].iloc[0] == "expired"  # the shares, bought at 95, are sold at 93
        assert found.trades["pnl"].iloc[0] == pytest.approx(210.0 - 200.0)
    assert "not_replayed" not in run(document(put(95.0)), cube(SPREAD_DAYS)).settings
