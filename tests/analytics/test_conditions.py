"""The row of a market: known surfaces, real chains, reasons for what is missing, and nothing of the future."""

from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.analytics import (
    iv_at_tenor,
    market_conditions,
    put_call_ratio,
    realized_vol,
    volatility_index,
)
from bifrost_lib.core.errors import InputError, UnknownNameError


def bars_until(at, count, zone=None):
    days = pd.bdate_range(end=pd.Timestamp(at).tz_localize(None).normalize(), periods=count, tz=zone)
    close = 100 * np.exp(0.01 * np.random.default_rng(1).standard_normal(count).cumsum())
    return pd.DataFrame({"ts": days, "open": close, "high": close, "low": close, "close": close})


def past(at, days, value=0.2):
    ts = pd.bdate_range(end=pd.Timestamp(at) - pd.Timedelta(days=1), periods=days)
    return pd.Series(np.linspace(0.5 * value, 1.5 * value, days), index=ts)


def test_the_index_of_a_flat_surface_is_its_volatility(chain_of, later):
    chain = chain_of(0.2, days=(23, 37), step=0.0025)
    assert volatility_index(chain, at=later(0)).value == pytest.approx(20.0, rel=1e-3)


def test_an_index_is_not_extrapolated(chain_of, later):
    for days in ((31, 37), (9, 23), (3, 29.9), (30,)):
        found = volatility_index(chain_of(0.2, days=days), at=later(0))
        assert math.isnan(found.value)
        assert "enclose 30 days" in found.reason
    assert "enclose" in volatility_index(chain_of(0.2, days=(6, 40)), at=later(0)).reason, "six days are too short"
    assert volatility_index(chain_of(0.2, days=(30, 40)), at=later(0)).value == pytest.approx(20, rel=0.01)
    assert volatility_index(chain_of(0.2, days=(20, 30)), at=later(0)).value == pytest.approx(20, rel=0.01)


def test_an_index_says_which_expiry_has_no_strip(chain_of, later):
    chain = chain_of(0.2, days=(23, 37))
    chain.loc[chain["tau"] < 0.08, "bid"] = 0.0
    assert "23.0 days: no strike has both options" in volatility_index(chain, at=later(0)).reason


@pytest.mark.parametrize("of", ["volume", "open_interest"])
def test_puts_are_divided_by_calls(of):
    chain = pd.DataFrame({"right": ["C", "C", "P", "P"], of: [10.0, np.nan, 30.0, 5.0]})
    assert put_call_ratio(chain, of=of).value == 3.5
    for change, reason in (({"C": 0.0}, "calls is zero"), ({"C": np.nan}, "no call"), ({"P": np.nan}, "no put")):
        found = put_call_ratio(chain.assign(**{of: chain["right"].map({"C": 1.0, "P": 2.0} | change)}), of=of)
        assert math.isnan(found.value)
        assert reason in found.reason
    with pytest.raises(InputError):
        put_call_ratio(chain.drop(columns=of), of=of)
    with pytest.raises(UnknownNameError):
        put_call_ratio(chain, of="trades")


def test_every_figure_of_a_flat_market(chain_of, later):
    chain, at = chain_of(0.2, step=0.0025), later(0)
    bars = bars_until(at, 60)
    found = market_conditions(chain, daily_bars=bars, history=past(at, 100), at=at)
    assert found.reasons == {}
    assert found.ts == at
    assert (found.spot, found.iv_days) == (100.0, 100)
    assert found.iv == pytest.approx(0.2, rel=1e-9)
    assert found.iv_rank == pytest.approx(0.5, abs=0.01)
    assert found.iv_percentile == 0.5
    assert found.skew == pytest.approx(0, abs=1e-9)
    assert found.term_slope == pytest.approx(0, abs=1e-9)
    assert (found.put_call_volume, found.put_call_open_interest) == (1.0, 1.0)
    assert found.vol_index == pytest.approx(20, rel=1e-3)
    assert found.realized_vol == realized_vol(bars.iloc[:-1]).iloc[-1]
    assert set(found.as_row()) == {each.name for each in fields(found)} - {"reasons"}


def test_nothing_of_the_future_is_used(chain_of, later):
    chain, at = chain_of(0.2), later(0)
    bars, history = bars_until(at, 60), past(at, 100)
    base = market_conditions(chain, daily_bars=bars, history=history, at=at)
    known_later = market_conditions(
        pd.concat([chain, chain_of(0.5, spot=150.0).assign(ts=pd.Timestamp(later(1)))]),
        daily_bars=pd.concat([bars, bars_until(later(20), 10).assign(close=500.0)]),
        history=pd.concat([history, pd.Series([9.0, 0.01], index=pd.DatetimeIndex([at, later(2)]))]),
        at=at,
    )
    assert known_later == base


def test_bars_stamped_by_date_or_by_moment_are_the_same_sessions(chain_of, later):
    chain, at = chain_of(0.2), later(0)
    bars = bars_until(at, 60)
    utc = bars.assign(ts=bars["ts"].dt.tz_localize("UTC"))
    close = bars.assign(ts=(bars["ts"] + pd.Timedelta(hours=16)).dt.tz_localize("America/New_York"))
    found = {market_conditions(chain, daily_bars=each, at=at).realized_vol for each in (bars, utc, close)}
    assert len(found) == 1


def test_several_observations_a_day_are_one_session(chain_of, later):
    history = past(later(0), 100)
    twice = pd.concat([history, pd.Series(9.0, index=history.index - pd.Timedelta(hours=1))]).sample(
        frac=1, random_state=1
    )
    base, other = (market_conditions(chain_of(0.2), history=each, at=later(0)) for each in (history, twice))
    assert (base.iv_rank, base.iv_days) == (other.iv_rank, other.iv_days)


def test_what_is_missing_is_nan_with_a_reason(chain_of, later):
    empty = market_conditions(chain_of(0.2).iloc[:0], at=later(0))
    row = empty.as_row()
    missing = {name for name, value in row.items() if isinstance(value, float) and math.isnan(value)}
    assert missing == set(empty.reasons) == set(row) - {"ts", "iv_days"}
    assert all(empty.reasons.values())
    young = market_conditions(chain_of(0.2), daily_bars=bars_until(later(0), 22), history=[0.1] * 3, at=later(0))
    assert set(young.reasons) == {"realized_vol", "iv_rank", "iv_percentile"}
    assert young.iv_days == 3


def test_refusals_name_the_argument(chain_of, later):
    for arguments, name in (
        ({"daily_bars": pd.DataFrame({"close": [1.0]})}, "daily_bars.ts"),
        ({"history": pd.Series([0.1])}, "history"),
        ({"at": later(0).replace(tzinfo=None)}, "at"),
    ):
        with pytest.raises(InputError) as caught:
            market_conditions(chain_of(0.2), **({"at": later(0)} | arguments))
        assert caught.value.name == name


@pytest.mark.samples
def test_real_chain_of_spy(real_chain):
    chain = real_chain("SPY", "2026-08-13")
    at = chain["ts"].max().to_pydatetime()
    found = market_conditions(chain, at=at)
    assert found.spot == pytest.approx(777.88, abs=0.01)
    assert 13 < found.vol_index < 17, "as the strip over whole days tells"
    assert 1.05 < found.vol_index / (100 * found.iv) < 1.35, "a skewed smile is worth more than its middle"
    assert found.put_call_open_interest > 1.5
    assert found.iv == iv_at_tenor(chain, at=at).value
    assert set(found.reasons) == {"iv_rank", "iv_percentile", "realized_vol", "term_slope"}
