"""Bars tell of the same path as quotes, and obey the laws of bars."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from bifrost_lib.core.calendar import session_close, session_open, sessions
from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.core.errors import InputError
from bifrost_lib.sim import SyntheticMarket, simulated_history
from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.instruments import Instrument

OPENING = datetime(2026, 11, 18, 14, 30, tzinfo=UTC)
CLOSING = datetime(2026, 11, 18, 21, 0, tzinfo=UTC)
SPY, AAPL, SPX, SIM = 756733, 265598, 416904, 110000235
DAY = 86_400


def bars(
    market: SyntheticMarket,
    con_id: int,
    *,
    what: str = "TRADES",
    start: datetime = OPENING,
    end: datetime = CLOSING,
    bar_s: int = 60,
    regular_hours: bool = True,
) -> Bars:
    return market.bars(con_id, what=what, start=start, end=end, bar_s=bar_s, regular_hours=regular_hours)


@pytest.fixture(scope="module")
def evening() -> SyntheticMarket:
    """After the close of 18 November 2026, without trading at night."""
    return SyntheticMarket(
        SteppedClock(CLOSING + timedelta(hours=2)), always_open=False, symbols=["SPY", "SPX", "AAPL"]
    )


def near_the_money(market: SyntheticMarket, symbol: str) -> Instrument:
    found = market.instruments.underlying(symbol)
    assert found
    spot = market.quotes([found.con_id]).values["last"][0]
    options = [one for one in market.instruments.options(symbol) if one.expiry == date(2026, 12, 18)]
    return min(options, key=lambda one: abs(one.strike - spot))


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID", "ASK", "OPTION_IMPLIED_VOLATILITY"])
@pytest.mark.parametrize("bar_s", [1, 60, 300, 3_600, DAY])
def test_highs_and_lows_embrace_openings_and_closes(evening: SyntheticMarket, what: str, bar_s: int) -> None:
    found = bars(evening, AAPL, what=what, bar_s=bar_s)
    assert len(found.start) > 0
    assert (found.high >= np.maximum(found.open, found.close)).all()
    assert (found.low <= np.minimum(found.open, found.close)).all()
    assert (found.low > 0).all()
    assert (np.diff(found.start) > 0).all()
    if what == "TRADES":
        assert ((found.wap >= found.low) & (found.wap <= found.high)).all()


def test_short_bars_add_up_to_long_ones(evening: SyntheticMarket) -> None:
    whole = bars(evening, SPY, bar_s=DAY)
    for bar_s, count in ((1, 23_400), (60, 390), (300, 78), (1_800, 13), (3_600, 7)):
        parts = bars(evening, SPY, bar_s=bar_s)
        assert len(parts.start) == count
        assert (parts.open[0], parts.close[-1]) == (whole.open[0], whole.close[0])
        assert (parts.high.max(), parts.low.min()) == (whole.high[0], whole.low[0])
        assert parts.volume.sum() == pytest.approx(whole.volume[0], abs=1)


def test_trade_bars_of_seconds_are_the_last_prices_that_were_shown(evening: SyntheticMarket) -> None:
    begin = OPENING + timedelta(hours=2)
    found = bars(evening, SPY, start=begin, end=begin + timedelta(seconds=30), bar_s=1)
    clock = SteppedClock(begin)
    live = SyntheticMarket(clock, always_open=False, symbols=["SPY"])
    for close in found.close:
        assert live.quotes([SPY]).values["last"][0] == close
        clock.advance(timedelta(seconds=1))


def test_highs_and_lows_of_the_day_are_those_of_its_bar() -> None:
    clock = SteppedClock(OPENING + timedelta(minutes=47, seconds=13))
    market = SyntheticMarket(clock, always_open=False, symbols=["SPY", "SPX"])
    option = near_the_money(market, "SPX")
    asked = [SPY, SPX, option.con_id]
    board = market.quotes(asked).values
    for place, con_id in enumerate(asked[:2]):
        day = bars(market, con_id, bar_s=DAY)
        shown = [board[name][place] for name in ("open", "high", "low", "last")]
        assert shown == [day.open[0], day.high[0], day.low[0], day.close[0]]
    day = bars(market, option.con_id, bar_s=DAY)
    assert board["open"][2] == day.open[0]


def test_midpoint_bars_of_options_are_the_mids_that_were_shown(evening: SyntheticMarket) -> None:
    begin = OPENING + timedelta(hours=3)
    clock = SteppedClock(begin)
    live = SyntheticMarket(clock, always_open=False, symbols=["SPY", "SPX"])
    for symbol, room in (("SPX", 1e-9), ("SPY", 0.0051)):  # an American price is computed less exactly for bars
        option = near_the_money(evening, symbol)
        end = clock.now() + timedelta(seconds=10)
        found = bars(evening, option.con_id, what="MIDPOINT", start=clock.now(), end=end, bar_s=1)
        assert len(found.close) == 10
        for close in found.close:
            board = live.quotes([option.con_id]).values
            assert (board["bid"][0] + board["ask"][0]) / 2 == pytest.approx(close, abs=room)
            clock.advance(timedelta(seconds=1))


def test_daily_closes_are_those_of_the_simulated_history() -> None:
    market = SyntheticMarket(SteppedClock(datetime(2026, 7, 20, 22, tzinfo=UTC)), symbols=["SIM"])
    found = bars(market, SIM, start=session_open(date(2026, 7, 8)), end=datetime(2026, 7, 18, tzinfo=UTC), bar_s=DAY)
    closes = [
        float(frame["spot"].iloc[-1])
        for frame in simulated_history(symbols=["SIM"], start=date(2026, 7, 8), end=date(2026, 7, 17))
    ]
    assert found.close[:-1].tolist() == closes[:-1]
    assert found.start.tolist() == [
        int(session_open(day).timestamp()) for day in sessions(date(2026, 7, 8), date(2026, 7, 17))
    ]


def test_there_are_two_years_of_daily_bars_without_a_seam_where_the_path_is_anchored(evening: SyntheticMarket) -> None:
    end = datetime(2026, 11, 18, 23, tzinfo=UTC)
    found = bars(evening, SPY, start=end - timedelta(days=730), end=end, bar_s=DAY)
    assert len(found.start) == len(sessions(date(2024, 11, 18), date(2026, 11, 18))) - 1
    moves = np.abs(np.diff(np.log(found.close)))
    assert moves.max() < 0.08
    anchor = int(np.searchsorted(found.start, session_open(date(2026, 7, 8)).timestamp()))
    assert moves[anchor - 1] < 0.03
    assert 0.08 < np.diff(np.log(found.close)).std() * np.sqrt(252) < 0.35


def test_nothing_after_the_clocks_moment_is_told() -> None:
    now = OPENING + timedelta(minutes=10, seconds=30)
    market = SyntheticMarket(SteppedClock(now), always_open=False, symbols=["SPY"])
    found = bars(market, SPY)
    assert len(found.start) == 11
    later = SyntheticMarket(SteppedClock(CLOSING), always_open=False, symbols=["SPY"])
    np.testing.assert_array_equal(found.high[:10], bars(later, SPY).high[:10])
    assert market.quotes([SPY]).values["last"][0] == found.close[-1]


def test_holidays_have_no_bars_and_early_closes_short_days() -> None:
    market = SyntheticMarket(SteppedClock(datetime(2026, 12, 1, tzinfo=UTC)), always_open=False, symbols=["SPY"])
    thanksgiving = datetime(2026, 11, 26, tzinfo=UTC)
    assert len(bars(market, SPY, start=thanksgiving, end=thanksgiving + timedelta(days=1)).start) == 0
    friday = thanksgiving + timedelta(days=1)
    assert len(bars(market, SPY, start=friday, end=friday + timedelta(days=1)).start) == 210
    day = bars(market, SPY, start=friday, end=friday + timedelta(days=1), bar_s=DAY)
    half_past_one = SteppedClock(session_close(date(2026, 11, 27)) + timedelta(minutes=30))
    shown = SyntheticMarket(half_past_one, always_open=False, symbols=["SPY"]).quotes([SPY]).values
    assert shown["last"][0] == day.close[0]


def test_an_always_open_market_has_bars_at_night_only_when_asked(market: SyntheticMarket) -> None:
    start, end = datetime(2026, 11, 14, tzinfo=UTC), datetime(2026, 11, 15, tzinfo=UTC)  # a Saturday
    assert len(bars(market, SPY, start=start, end=end).start) == 0
    night = bars(market, SPY, start=start, end=end, regular_hours=False)
    assert len(night.start) == 24 * 60
    assert all(later - earlier == 60 for earlier, later in pairwise(night.start.tolist()))


def test_bid_ask_bars_hold_averages_and_extremes(evening: SyntheticMarket) -> None:
    option = near_the_money(evening, "SPY").con_id
    found, bid, ask = (bars(evening, option, what=what, bar_s=300) for what in ("BID_ASK", "BID", "ASK"))
    np.testing.assert_array_equal(found.high, ask.high)
    np.testing.assert_array_equal(found.low, bid.low)
    assert (found.open < found.close).all()


def test_options_have_trade_bars_only_where_they_traded(evening: SyntheticMarket) -> None:
    quiet = max((one for one in evening.instruments.options("SPX") if one.right == "C"), key=lambda one: one.strike)
    found = bars(evening, quiet.con_id)
    assert len(found.start) < 300
    assert (found.volume > 0).all()
    assert len(bars(evening, quiet.con_id, what="MIDPOINT").start) == 390


def test_volatility_bars_agree_with_what_quotes_show(evening: SyntheticMarket) -> None:
    end = CLOSING + timedelta(hours=1)
    implied = bars(evening, SPY, what="OPTION_IMPLIED_VOLATILITY", end=end, bar_s=DAY)
    board = evening.quotes([SPY]).values
    assert implied.close[-1] == pytest.approx(board["implied_vol"][0], rel=1e-6)
    past = bars(evening, SPY, what="HISTORICAL_VOLATILITY", start=end - timedelta(days=365), end=end, bar_s=DAY)
    assert len(past.start) > 240
    closes = bars(evening, SPY, start=end - timedelta(days=60), end=end, bar_s=DAY).close[-31:]
    assert past.close[-1] == pytest.approx(np.diff(np.log(closes)).std(ddof=1) * np.sqrt(252))
    assert len(bars(evening, near_the_money(evening, "SPY").con_id, what="HISTORICAL_VOLATILITY").start) == 0


def test_an_options_data_begin_when_it_was_listed(evening: SyntheticMarket) -> None:
    option = near_the_money(evening, "SPY")
    first = evening.first_moment(option.con_id)
    found = bars(evening, option.con_id, what="MIDPOINT", start=datetime(2020, 1, 1, tzinfo=UTC), bar_s=DAY)
    assert found.start[0] == first.timestamp()
    assert evening.first_moment(SPY) == session_open(date(2023, 1, 3))


@pytest.mark.parametrize(("what", "bar_s", "name"), [("PRICES", 60, "what"), ("TRADES", 0, "bar_s")])
def test_kinds_and_sizes_that_do_not_exist_are_refused(
    market: SyntheticMarket, what: str, bar_s: int, name: str
) -> None:
    with pytest.raises(InputError) as caught:
        bars(market, SPY, what=what, bar_s=bar_s)
    assert caught.value.name == name
    with pytest.raises(KeyError):
        bars(market, 4711)
