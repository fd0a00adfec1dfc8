"""Conditions of markets and changes of contracts: as they were known at a time."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.store import append_market_conditions, append_option_changes, market_conditions, option_changes

MINUTE = timedelta(minutes=1)
NUMBERS = (
    *("spot", "bid", "ask", "volume", "rate", "div_yield", "iv", "iv_rank", "iv_percentile", "iv_days"),
    *("realized_vol", "skew", "term_slope", "put_call_volume", "put_call_open_interest", "vol_index"),
)


def conditions(symbol, moments, **columns):
    ts = pd.DatetimeIndex(moments).as_unit("us")
    return pd.DataFrame({"ts": ts, "symbol": pd.Categorical([symbol] * len(ts)), **columns})


def test_every_number_comes_back(store, made, symbol):
    told = {name: [float(place)] for place, name in enumerate(NUMBERS, 1)}
    assert append_market_conditions(store, conditions(symbol, [made.noon], **told), source="test") == 1
    found = market_conditions(store.engine, symbol, at=made.noon)
    assert tuple(found.columns) == ("ts", "symbol", *NUMBERS, "source")
    assert found[list(NUMBERS)].to_dict("list") == told
    assert (found["ts"].item(), found["symbol"].item(), found["source"].item()) == (made.noon, symbol, "test")


def test_without_a_start_the_newest_row_is_read_and_nothing_later(store, made, symbol):
    moments = [made.noon + k * MINUTE for k in range(4)]
    append_market_conditions(store, conditions(symbol, moments, spot=[1.0, 2.0, 3.0, 4.0]), source="test")
    at = made.noon + 2.5 * MINUTE
    assert market_conditions(store.engine, symbol, at=at)["spot"].tolist() == [3.0]
    since = market_conditions(store.engine, symbol, at=at, start=made.noon + MINUTE)
    assert since["spot"].tolist() == [2.0, 3.0]
    with pytest.raises(NoDataError):
        market_conditions(store.engine, symbol, at=made.noon - MINUTE)
    with pytest.raises(NoDataError):
        market_conditions(store.engine, symbol, at=at, start=made.noon + 2.2 * MINUTE)


def test_the_last_row_of_each_day_at_the_exchange(store, made, symbol):
    days = [made.noon + timedelta(days=7 * k) for k in range(12)]  # over months, hence partitions
    late = [day + timedelta(hours=11) for day in days]  # 23:00 in New York, past midnight in UTC
    spots = [float(k) for k in range(24)]
    append_market_conditions(store, conditions(symbol, days + late, spot=spots), source="test")
    daily = market_conditions(store.engine, symbol, at=late[-1], start=days[0], daily=True)
    assert daily["spot"].tolist() == spots[12:]


def test_a_row_that_is_there_is_completed_and_nothing_else(store, made, symbol):
    append_market_conditions(store, conditions(symbol, [made.noon], spot=[1.0]), source="test")
    more = conditions(symbol, [made.noon], spot=[9.0], iv=[0.2])
    assert append_market_conditions(store, more, source="test") == 1
    assert append_market_conditions(store, more, source="test") == 0
    row = market_conditions(store.engine, symbol, at=made.noon).iloc[0]
    assert (row["spot"], row["iv"]) == (1.0, 0.2) and np.isnan(row["vol_index"])


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda frame: frame.assign(mood=1.0), "frame"),
        (lambda frame: frame.drop(columns="ts"), "frame.ts"),
        (lambda frame: frame.assign(iv=np.inf), "frame.iv"),
        (lambda frame: frame.assign(iv="high"), "frame.iv"),
        (lambda frame: frame.assign(symbol=pd.Categorical([None])), "frame.symbol"),
        (lambda frame: frame.assign(ts=frame["ts"].dt.tz_localize(None)), "frame.ts"),
    ],
)
def test_conditions_that_cannot_be_are_refused(store, made, symbol, change, name):
    with pytest.raises(InputError) as caught:
        append_market_conditions(store, change(conditions(symbol, [made.noon], iv=[0.2])), source="test")
    assert caught.value.name == name
    with pytest.raises(NoDataError):
        market_conditions(store.engine, symbol, at=made.noon)


def test_simulated_conditions_never_join_real_ones(store, made, symbol):
    frame = conditions(symbol, [made.noon], spot=[1.0])
    append_market_conditions(store, frame, source="simulated ib")
    with pytest.raises(InputError) as caught:
        append_market_conditions(store, frame, source="ib")
    assert caught.value.name == "source"


def changes(made, symbol, rows):
    contracts = made.snapshots(rows, symbol=symbol)
    return contracts.assign(
        since_ts=contracts["ts"] - MINUTE,
        **{name: [row.get(name, default) for row in rows] for name, default in (("what", "iv"), ("old", 0.2))},
        new=[float(row.get("new", 0.3)) for row in rows],
    )


def test_changes_are_stored_once_and_read_in_order(store, made, symbol):
    made.ingest(store, symbol, made.snapshots([{"bid": 1.0}], symbol=symbol))
    rows = [
        {"ts": made.noon + MINUTE, "strike": 110.0, "what": "listed", "old": np.nan},
        {"ts": made.noon, "new": 0.4},
        {"ts": made.noon, "what": "open_interest", "old": 10.0, "new": 500.0},
    ]
    frame = changes(made, symbol, rows)
    assert append_option_changes(store, frame) == 3
    assert append_option_changes(store, frame) == 0
    found = option_changes(store.engine, symbol, at=made.noon + MINUTE, start=made.noon)
    assert found["what"].tolist() == ["iv", "open_interest", "listed"]
    assert found["new"].tolist() == [0.4, 500.0, 0.3] and np.isnan(found["old"].iloc[2])
    assert found["strike"].tolist() == [100.0, 100.0, 110.0]
    assert (found["since_ts"] == found["ts"] - MINUTE).all()
    pd.testing.assert_series_equal(found["expiry"], frame["expiry"])
    assert len(option_changes(store.engine, symbol, at=made.noon, start=made.noon)) == 2
    assert option_changes(store.engine, symbol, at=made.noon - MINUTE, start=made.noon - 2 * MINUTE).empty


def test_changes_that_cannot_be_are_refused(store, made, symbol):
    frame = changes(made, symbol, [{"ts": made.noon}])
    with pytest.raises(InputError) as caught:
        append_option_changes(store, frame)
    assert caught.value.name == "symbol"  # nothing is known of it
    made.ingest(store, symbol, made.snapshots([{"bid": 1.0}], symbol=symbol))
    for wrong, name in (
        (frame.drop(columns="what"), "frame.what"),
        (frame.assign(new=np.inf), "frame.new"),
        (frame.assign(old=1), "frame.old"),
        (frame.assign(what=None), "frame.what"),
    ):
        with pytest.raises(InputError) as caught:
            append_option_changes(store, wrong)
        assert caught.value.name == name
    with pytest.raises(InputError) as caught:
        option_changes(store.engine, symbol, at=made.noon, start=made.noon + MINUTE)
    assert caught.value.name == "at"
