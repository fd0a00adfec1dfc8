"""A candidate's profit over spot is its payoff at expiry, and its model value today."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.workflows import payoff_profile

TAU, RATE, YIELD, VOL, SPOT = 0.1, 0.04, 0.01, 0.2, 500.0
FORWARD = SPOT * math.exp((RATE - YIELD) * TAU)
EXPIRY, LATER = "2026-10-30", "2026-12-18"


def leg(right: str, qty: int, strike: float | None, cost: float, expiry: str | None = EXPIRY) -> dict[str, Any]:
    iv = None if right == "S" else VOL
    return {"leg": "a leg", "right": right, "qty": qty, "strike": strike, "expiry": expiry, "price": cost, "iv": iv}


def scan(legs: list[dict[str, Any]], *, premium: float, breakevens: list[float]) -> Any:
    record = {
        "legs": legs, "premium": premium, "breakevens": breakevens, "multiplier": 100.0, "tau": TAU, "vol": VOL,
        "rate": RATE, "div_yield": YIELD, "forward": FORWARD,
    }  # fmt: skip
    days = pd.to_datetime([EXPIRY, LATER]).astype("datetime64[s]")
    chain = pd.DataFrame({"expiry": days, "tau": [TAU, 0.25]})
    return SimpleNamespace(spot=SPOT, chain=chain, candidates=SimpleNamespace(records=lambda: [record]))


def condor() -> Any:
    legs = [leg("P", 1, 475, 0.5), leg("P", -1, 480, 1.4), leg("C", -1, 520, 1.5), leg("C", 1, 525, 0.4)]
    return scan(legs, premium=200.0, breakevens=[478.0, 522.0])


def test_an_iron_condor_is_drawn_exactly() -> None:
    profile = payoff_profile(condor(), 1)
    curve = profile.frame.set_index("spot")["pnl_at_expiry"]
    for spot, pnl in {475: -300, 478: 0, 480: 200, 500: 200, 520: 200, 522: 0, 525: -300}.items():
        assert curve[spot] == pytest.approx(pnl, abs=1e-9)
    assert curve.index.is_monotonic_increasing and curve.index.is_unique
    assert profile.band == pytest.approx((FORWARD * math.exp(-VOL * TAU**0.5), FORWARD * math.exp(VOL * TAU**0.5)))


def test_today_is_the_model_value_of_every_leg() -> None:
    frame = payoff_profile(condor(), 1).frame
    spot = frame["spot"].to_numpy()
    market = {"spot": spot, "tau": TAU, "vol": VOL, "rate": RATE, "div_yield": YIELD}
    puts = price(strike=475.0, right="P", **market) - price(strike=480.0, right="P", **market)
    calls = price(strike=525.0, right="C", **market) - price(strike=520.0, right="C", **market)
    np.testing.assert_allclose(frame["pnl_now"], 200.0 + 100.0 * (puts + calls), atol=1e-9)


def test_shares_count_by_the_multiplier() -> None:
    covered = scan([leg("S", 1, None, 500.0, None), leg("C", -1, 520, 1.5)], premium=-49_850.0, breakevens=[498.5])
    curve = payoff_profile(covered, 1).frame.set_index("spot")["pnl_at_expiry"]
    assert curve[498.5] == pytest.approx(0.0, abs=1e-9)
    assert curve[520.0] == pytest.approx(2150.0)


def test_a_later_leg_keeps_its_model_value_at_the_first_expiry() -> None:
    calendar = scan([leg("C", -1, 500, 12.0), leg("C", 1, 500, 20.0, LATER)], premium=-800.0, breakevens=[])
    curve = payoff_profile(calendar, 1).frame.set_index("spot")["pnl_at_expiry"]
    left = price(spot=500.0, strike=500.0, tau=0.15, vol=VOL, right="C", rate=RATE, div_yield=YIELD)
    assert curve[500.0] == pytest.approx(100 * left - 800)


def test_a_breakeven_out_of_reach_does_not_squeeze_the_picture() -> None:
    frame = payoff_profile(scan([leg("C", 1, 505, 6.0)], premium=-600.0, breakevens=[511.0, 2000.0]), 1).frame
    assert 511.0 in set(frame["spot"])
    assert frame["spot"].max() < 700


@pytest.mark.parametrize("rank", [0, 2])
def test_a_rank_that_is_not_there_is_refused(rank: int) -> None:
    with pytest.raises(InputError) as caught:
        payoff_profile(condor(), rank)
    assert caught.value.name == "rank"
