"""Rows made of observations."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from math import inf, nan

import numpy as np
import pytest

from bifrost_lib.core.contracts import OptionContract
from bifrost_lib.core.frames import check_frame
from bifrost_lib.ib import ListedOption, Observation
from bifrost_lib.pricing import price
from bifrost_lib.workflows.collection.rows import COLLECTED_COLUMNS, Observed, to_batch

TS = datetime(2026, 11, 18, 15, 0, 0, 123456, tzinfo=UTC)
EXPIRY = date(2026, 12, 18)


def option(con_id: int, strike: float, right: str, *, expiry: date = EXPIRY) -> ListedOption:
    return ListedOption(con_id, OptionContract("SPX", expiry, strike, right, "SPXW", "european", "PM"))


def smile(strikes: list[float], *, spot: float = 6000.0, vol: float = 0.2) -> list[Observed]:
    """Quotes around Black-Scholes values, the way a gateway tells them."""
    observed = []
    for number, strike in enumerate(strikes):
        for right in "CP":
            value = float(price(spot=spot, strike=strike, tau=30 / 365, vol=vol, right=right, rate=0.04))
            observation = Observation(
                2 * number + (right == "C"), TS, bid=value - 0.05, ask=value + 0.05, last=value, bid_size=10.0,
                ask_size=12.0, volume=100.0, open_interest=1000.0, ib_iv=vol, ib_delta=0.5, ib_gamma=0.001,
                ib_vega=600.0, ib_theta=-700.0,
            )  # fmt: skip
            observed.append(Observed(option(observation.con_id, strike, right), observation, spot))
    return observed


def test_ours_and_the_vendors_numbers_stand_side_by_side() -> None:
    batch = to_batch(smile([5800.0, 5900.0, 6000.0, 6100.0, 6200.0]), symbol="SPX", ts=TS)
    frame = check_frame(batch.frame, COLLECTED_COLUMNS)
    assert len(frame) == 10
    assert not batch.missing
    assert set(frame["quality"]) == {"ok"}
    assert np.allclose(frame["iv"], 0.2, atol=0.003)
    assert np.allclose(frame["ib_iv"], 0.2)
    assert set(frame["market_data_type"]) == {"live"}
    assert frame["ts"].unique().tolist() == [TS]


def test_each_row_keeps_what_came_for_its_own_contract() -> None:
    observed = smile([5800.0, 6000.0, 6200.0])
    for one in observed:
        one.observation.open_interest = one.option.contract.strike + (one.option.contract.right == "C")
    frame = to_batch(observed[::-1], symbol="SPX", ts=TS).frame
    assert np.array_equal(frame["open_interest"], frame["strike"] + (frame["right"] == "C"))
    assert list(frame["right"])[:2] == ["P", "C"]


def test_spot_is_that_of_each_contracts_own_moment() -> None:
    observed = smile([5900.0, 6000.0])
    moved = [Observed(o.option, o.observation, 6000.0 + place) for place, o in enumerate(observed)]
    frame = to_batch(moved, symbol="SPX", ts=TS).frame
    assert sorted(frame["spot"]) == [6000.0, 6001.0, 6002.0, 6003.0]


def test_what_nothing_came_for_is_missing_with_its_reason_and_no_row() -> None:
    observed = smile([5900.0, 6000.0])
    observed += [
        Observed(option(90, 6300.0, "C"), Observation(90, missing="timeout"), 6000.0),
        Observed(option(91, 6300.0, "P"), Observation(91), 6000.0),
        Observed(option(92, 6400.0, "C"), Observation(92, volume=0.0, close=1.0), 6000.0),
    ]
    batch = to_batch(observed, symbol="SPX", ts=TS)
    assert len(batch.frame) == 4
    assert batch.missing == {"timeout": 1, "empty_quote": 2}


def test_open_interest_alone_is_a_row_that_says_that_it_has_no_quote() -> None:
    lonely = Observed(option(1, 9000.0, "C"), Observation(1, TS, open_interest=5.0, missing="empty_quote"), 6000.0)
    batch = to_batch([lonely], symbol="SPX", ts=TS)
    assert batch.frame["quality"].tolist() == ["no_quote"]
    assert batch.frame["bid"].isna().all()
    assert not batch.missing


def test_nothing_at_all_is_no_row() -> None:
    assert len(to_batch([], symbol="SPX", ts=TS).frame) == 0
    batch = to_batch([Observed(option(1, 1.0, "C"), Observation(1, missing="cancelled"), nan)], symbol="SPX", ts=TS)
    assert (len(batch.frame), batch.missing) == (0, {"cancelled": 1})


def test_an_infinite_number_is_no_number() -> None:
    observed = smile([5900.0, 6000.0])
    observed[0].observation.ib_vega = inf
    assert np.isfinite(to_batch(observed, symbol="SPX", ts=TS).frame["ib_vega"]).sum() == 3


@pytest.mark.slow
def test_mapping_a_large_chain_is_not_what_takes_time() -> None:
    observed = smile([float(strike) for strike in range(5000, 6000)])
    to_batch(observed, symbol="SPX", ts=TS)  # compiled by now
    began = time.perf_counter()
    to_batch(observed, symbol="SPX", ts=TS)
    assert len(observed) / (time.perf_counter() - began) > 10_000
