"""Signals: published indicators, the language of conditions, and gates that know nothing later than their entry."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.backtest import ChainCube, run
from bifrost_lib.backtest.signals import INDICATORS, Bars, entry_bars, gate, signal
from bifrost_lib.backtest.signals import indicators as ta
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.strategies import AtMoney, DteRange, Leg, Sizing, StrategyDocument

NAN = float("nan")
SESSIONS, MOMENTS = 40, 5


@pytest.fixture(scope="module")
def cube() -> ChainCube:
    """Forty sessions from 2024-01-02, five moments each (10:00 to 16:00 in New York), one pair of options."""
    days = pd.bdate_range("2024-01-01", "2024-03-15", tz="America/New_York")
    days = days[~days.strftime("%Y-%m-%d").isin(["2024-01-01", "2024-01-15", "2024-02-19"])][:SESSIONS]
    hours = pd.to_timedelta([10, 11.5, 13, 14.5, 16], unit="h")
    ts = pd.DatetimeIndex([day + hour for day in days for hour in hours]).tz_convert("UTC")
    spot = 100 * np.exp(np.cumsum(np.random.default_rng(4).normal(0, 0.01, len(ts))))
    quotes = pd.concat(
        pd.DataFrame(
            {
                "ts": ts, "expiry": pd.Timestamp("2024-06-21"), "strike": 100.0, "right": right, "bid": 5.0, "ask": 5.2,
                "spot": spot, "trading_class": "X", "multiplier": 100.0, "settlement": "PM", "style": "american",
            }
        )
        for right in "CP"
    )  # fmt: skip
    known = pd.DataFrame({"ts": ts[::MOMENTS], "iv_rank": np.linspace(0, 1, SESSIONS)})
    made = ChainCube.from_frame(quotes, symbol="X", conditions=known)
    assert made.sessions == SESSIONS
    return made


def test_the_published_relative_strength_index():
    """StockCharts, ChartSchool, "Relative Strength Index (RSI)": the spreadsheet of QQQQ from 2009-12-14 on."""
    close = np.array(
        [44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931, 46.0328,
         45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521, 45.7137, 46.4515,
         45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314]
    )  # fmt: skip
    published = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46,
                 41.87, 45.46, 37.30, 33.08, 37.77]  # fmt: skip
    found = ta.rsi(close)
    assert np.isnan(found[:14]).all()
    np.testing.assert_allclose(found[14:], published, atol=0.006)


def test_indicators_by_hand():
    prices = np.array([1.0, 2.0, 3.0, 5.0, 4.0])
    np.testing.assert_allclose(ta.wilder(prices, 2), [NAN, 1.5, 2.25, 3.625, 3.8125])
    np.testing.assert_allclose(ta.true_range(prices + 1, prices - 1, prices), [2, 2, 2, 3, 2])
    np.testing.assert_allclose(ta.rank(prices, 3), [NAN, NAN, 1, 1, 0.5])
    np.testing.assert_allclose(ta.percentile(prices, 2), [NAN, NAN, 1, 1, 0.5])
    np.testing.assert_allclose(ta.breakout(prices + 1, prices, 1), [NAN, 0, 0, 1, 0])
    np.testing.assert_allclose(ta.breakdown(prices - 1, prices, 1), [NAN, 0, 0, 0, 0])
    np.testing.assert_allclose(ta.change(prices, 2), [NAN, NAN, 2, 1.5, 1 / 3])
    np.testing.assert_allclose(ta.zscore(prices, 2), [NAN, 1, 1, 1, -1])
    assert ta.realized_vol(np.array([1.0, 2.0, 1.0]), 2)[-1] == pytest.approx(np.log(2) * np.sqrt(2 * 252))


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(INDICATORS)), st.integers(0, 58), st.integers(0, 2**32 - 1))
def test_no_indicator_looks_ahead(name, cut, seed):
    close = 50 + np.cumsum(np.random.default_rng(seed).normal(0, 1, 60))
    columns = {"high": close + 1, "low": close - 1} | dict.fromkeys(("close", "values", "first"), close)
    columns["second"] = close[::-1]
    short = dict.fromkeys(
        ("sma", "ema", "wilder", "deviation", "highest", "lowest", "rank", "percentile", "zscore"), (5,)
    )
    numbers = (short | {"macd": (3, 6), "macd_signal": (3, 6, 2)}).get(name, ())
    names = [one for one in INDICATORS[name].__annotations__ if one in columns]
    known = INDICATORS[name](*(columns[one] for one in names), *numbers)
    planted = {one: np.where(np.arange(60) > cut, 1e6, column) for one, column in columns.items()}
    again = INDICATORS[name](*(planted[one] for one in names), *numbers)
    np.testing.assert_array_equal(again[: cut + 1], known[: cut + 1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("close > 2", [0, 0, 1, NAN, 1]),
        ("1 < close <= 3", [0, 1, 1, NAN, 0]),
        ("not (close > 2)", [1, 1, 0, NAN, 0]),
        ("close > lag(1)", [NAN, 1, 1, NAN, NAN]),
        ("close > 2 or iv < 0.3", [1, 1, 1, 1, 1]),
        ("close > 2 and iv > 0.3", [0, 0, 0, 0, 1]),
        ("close > 2 or iv > 0.25", [0, 0, 1, 1, 1]),
        ("close < 2 and iv > 0.25", [0, 0, 0, NAN, 0]),
        ("sma(iv, 2) * 10 - 2 > -0.6", [NAN, 0, 1, 1, 1]),
        ("crosses_above(close, sma(2))", [NAN, 0, 0, NAN, NAN]),
        ("-close / 2 < -1", [0, 0, 1, NAN, 1]),
        ("highest(high, 2) > 2", [NAN, 0, 1, NAN, NAN]),
    ],
)
def test_what_is_not_known_stays_unknown(text, expected):
    closes = np.array([1.0, 2.0, 3.0, NAN, 5.0])
    bars = replace(Bars.of_closes(closes), facts={"iv": np.array([0.1, 0.1, 0.2, 0.29, 0.4])})
    np.testing.assert_array_equal(signal(text).truth(bars), expected)
    np.testing.assert_array_equal(signal(text).holds(bars), np.array(expected) == 1)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("close", "close"),
        ("close >", "close >"),
        ("sma(200)", "sma(200)"),
        ("close > (open > 1)", "open > 1"),
        ("close > sma()", "sma()"),
        ("close > sma(5, 6, 7)", "sma(5, 6, 7)"),
        ("close > sma(window=5)", "sma(window=5)"),
        ("close > sma(close, close)", "sma(close, close)"),
        ("close == 5", "close == 5"),
        ("close ** 2 > 5", "close ** 2"),
        ("close > 'x'", "'x'"),
        ("close > True", "True"),
        ("close[0] > 1", "close[0]"),
        ("().__class__ > 1", "().__class__"),
        ("crosses_above(close)", "crosses_above(close)"),
        ("close > " + "-" * 600 + "1", None),
        ("iv > 1", "iv"),
    ],
)
def test_what_is_no_condition_is_refused(text, value):
    with pytest.raises(InputError) as raised:
        signal(text).holds(Bars.of_closes([1.0, 2.0]))
    assert raised.value.name == "signal"
    assert value is None or raised.value.value == value


def test_a_wrong_name_finds_the_right_one():
    for text, nearest in (("clsoe > 1", "close"), ("close > smaa(5)", "sma"), ("iv_rnk > 0.5", "iv_rank")):
        with pytest.raises(UnknownNameError) as raised:
            signal(text)
        assert raised.value.nearest == nearest
    with pytest.raises(InputError) as window:
        signal("close > sma(0)")
    assert window.value.name == "window"
    with pytest.raises(UnknownNameError):
        signal("__import__('os') > 1")


RULE = "close > sma(5) and rsi(4) < 80 and atr(3) > 0 or breakout(3) and iv_rank > 0.2"


@pytest.mark.parametrize("entry_time", [None, time(13), time(10, 30)])
def test_a_gate_never_sees_what_comes_after_its_entry(cube, entry_time):
    """Every figure after an entry moment is changed; that session and those before must stay as they were."""
    allowed = gate(cube, RULE, entry_time=entry_time)
    assert 5 < allowed.sum() < SESSIONS
    place = MOMENTS - 1 if entry_time is None else {time(13): 2, time(10, 30): 0}[entry_time]
    for session in (6, 17, 30):
        after = session * MOMENTS + place + 1
        late = np.arange(SESSIONS) > session
        planted = replace(
            cube,
            spot=np.where(np.arange(len(cube.spot)) >= after, 1e4, cube.spot),
            open_spot=np.where(late, 1e4, cube.open_spot),
            close_spot=np.where(np.arange(SESSIONS) >= session, 1e4, cube.close_spot),
            split_day=np.array([cube.session_day[session] + 1], dtype=np.int32),
            split_ratio=np.array([4.0]),
            conditions={"iv_rank": np.where(late, 0.99, cube.conditions["iv_rank"])},
        )
        found = gate(planted, RULE, entry_time=entry_time)
        np.testing.assert_array_equal(found[: session + 1], allowed[: session + 1])
        assert not np.array_equal(found, allowed)


def test_a_gate_looks_at_the_price_of_its_entry(cube):
    early = entry_bars(cube, entry_time=time(11, 30))
    np.testing.assert_array_equal(early.close, cube.spot[1::MOMENTS])
    np.testing.assert_array_equal(early.high[1:3], [cube.spot[2:7].max(), cube.spot[7:12].max()])
    np.testing.assert_array_equal(entry_bars(cube).close, cube.spot[MOMENTS - 1 :: MOMENTS])
    assert not gate(cube, "close > 0", entry_time=time(9, 45)).any()
    unknown = replace(cube, spot=np.where(np.arange(len(cube.spot)) == 9, NAN, cube.spot))
    np.testing.assert_array_equal(np.flatnonzero(~gate(unknown, "close > 0")), [1])


def test_a_split_does_not_break_an_average(cube):
    """Four new shares for one: the same market, quoted at a quarter."""
    day = cube.session_day[20]
    split = replace(
        cube,
        spot=np.where(np.arange(len(cube.spot)) >= 20 * MOMENTS, cube.spot / 4, cube.spot),
        open_spot=np.where(np.arange(SESSIONS) >= 20, cube.open_spot / 4, cube.open_spot),
        split_day=np.array([day], dtype=np.int32),
        split_ratio=np.array([4.0]),
    )
    np.testing.assert_array_equal(gate(split, RULE), gate(cube, RULE))


def test_history_fills_long_windows_and_ends_where_the_cube_begins(cube):
    rule = "close > sma(20)"
    later = cube.between(start=cube.day(25))
    assert not gate(later, rule)[:10].any()
    past = entry_bars(cube)
    frame = pd.DataFrame({"ts": pd.to_datetime(past.known_us, unit="us", utc=True), "close": past.close})
    found = gate(later, rule, history=Bars.of_frame(frame))
    np.testing.assert_array_equal(found, gate(cube, rule)[25:])
    with pytest.raises(InputError) as raised:
        Bars.of_frame(frame.assign(ts=frame["ts"].dt.tz_localize(None)))
    assert raised.value.name == "bars.ts"
    with pytest.raises(InputError, match="ascending"):
        Bars.of_frame(frame[::-1])


@pytest.mark.slow
def test_a_run_enters_only_where_its_gate_is_open(cube):
    """Forty sessions of one expiry: every trade is opened on a session that the signal admits, the rest are counted."""
    document = StrategyDocument(
        name="long_call",
        view="rises",
        legs=(Leg("call", "C", 1, AtMoney()),),
        dte=DteRange(0, 120, 400),
        sizing=Sizing(max_active=100),
    )
    allowed = gate(cube, RULE)
    result = run(document, cube, entry_allowed=allowed)
    opened = result.trades["opened"].dt.tz_convert("America/New_York").dt.date.tolist()
    assert opened == [cube.day(session) for session in np.flatnonzero(allowed)]
    assert result.skipped == {"signal": int((~allowed).sum())}
