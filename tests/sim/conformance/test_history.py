"""Historical bars, ticks, schedules and histograms, and how they fit to live quotes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from operator import gt

import pytest

PRICES = ["TRADES", "MIDPOINT", "BID", "ASK", "BID_ASK", "ADJUSTED_LAST"]


@pytest.fixture
def spy(ib, stock):
    [found] = ib.qualifyContracts(stock("SPY"))
    return found


def bars_of(ib, contract, duration="5 D", size="1 day", what="TRADES", rth=True, form=1, end=""):
    return ib.reqHistoricalData(contract, end, duration, size, what, rth, form)


@pytest.mark.parametrize("what", PRICES)
def test_daily_bars(ib, spy, what):
    bars = bars_of(ib, spy, "10 D", what=what)
    assert len(bars) == 10
    days = [bar.date for bar in bars]
    assert days == sorted(days)
    assert all(type(day) is date for day in days)
    for bar in bars:
        assert bar.low <= min(bar.open, bar.close) or what == "BID_ASK"
        assert bar.high >= max(bar.open, bar.close) or what == "BID_ASK"
        assert bar.low <= bar.high
        assert 100 < bar.close < 5000
    if what == "TRADES":
        assert all(bar.volume > 0 and bar.barCount > 0 and bar.low <= bar.average <= bar.high for bar in bars)
    if what == "MIDPOINT":
        assert all(bar.volume == -1 for bar in bars)


@pytest.mark.parametrize("what", ["HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"])
def test_daily_volatility(ib, spy, what):
    bars = bars_of(ib, spy, "1 M", what=what)
    assert 18 <= len(bars) <= 25
    assert all(0.02 < bar.close < 2.0 for bar in bars)


@pytest.mark.parametrize(
    ("size", "duration", "step", "least"),
    [("5 secs", "600 S", 5, 100), ("30 secs", "1800 S", 30, 50), ("1 min", "1 D", 60, 300), ("5 mins", "2 D", 300, 120),
     ("15 mins", "1 W", 900, 100), ("1 hour", "1 W", 3600, 30)],
)  # fmt: skip
def test_bars_of_every_size(ib, spy, size, duration, step, least):
    bars = bars_of(ib, spy, duration, size, form=2, rth=False)
    assert len(bars) >= least
    starts = [bar.date for bar in bars]
    assert starts == sorted(set(starts))
    assert all(one.tzinfo is not None for one in starts)
    gaps = [(b - a).total_seconds() for a, b in pairwise(starts)]
    assert min(gaps) == step
    assert starts[-1] <= datetime.now(UTC)


@pytest.mark.parametrize(("size", "duration", "count"), [("1 week", "1 Y", 52), ("1 month", "1 Y", 12)])
def test_long_bars(ib, spy, size, duration, count):
    bars = bars_of(ib, spy, duration, size)
    assert abs(len(bars) - count) <= 2
    assert all(bar.low <= bar.close <= bar.high for bar in bars)


def test_both_formats_of_dates_are_the_same_moments(ib, spy):
    # A noon of the exchange: an hour that daylight saving time repeats has two epochs and one text.
    end = (datetime.now(UTC) - timedelta(days=1)).replace(hour=17, minute=0, second=0, microsecond=0)
    texts, epochs = (bars_of(ib, spy, "3600 S", "5 mins", rth=False, form=form, end=end) for form in (1, 2))
    assert len(texts) == len(epochs) > 5
    assert [one.date.timestamp() for one in texts] == [one.date.timestamp() for one in epochs]
    assert [one.close for one in texts] == [one.close for one in epochs]


def test_history_ends_where_the_live_price_is(ib, spy):
    bars = bars_of(ib, spy, "600 S", "5 secs", "MIDPOINT", rth=False)
    [ticker] = ib.reqTickers(spy)
    assert bars[-1].close == pytest.approx(ticker.midpoint(), rel=0.01)


def test_bid_bars_lie_below_ask_bars(ib, spy):
    end = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1)
    bids, asks = (bars_of(ib, spy, "600 S", "5 secs", what, rth=False, end=end) for what in ("BID", "ASK"))
    assert [one.date for one in bids] == [one.date for one in asks]
    assert all(bid.close < ask.close for bid, ask in zip(bids, asks, strict=True))


def test_an_option_has_history(ib, option):
    call = option(ib, "C")
    # Around the clock: since the last regular session a weekend can have halved what an option is worth.
    bars = bars_of(ib, call, "2 D", "1 hour", "MIDPOINT", rth=False)
    [ticker] = ib.reqTickers(call)
    assert bars[-1].close == pytest.approx(ticker.midpoint(), rel=0.2)


def test_an_index_has_history(ib, api):
    [spx] = ib.qualifyContracts(api.Index("SPX", "CBOE", "USD"))
    assert len(bars_of(ib, spx, "5 D")) == 5


def test_a_year_of_days(ib, spy):
    bars = bars_of(ib, spy, "1 Y")
    assert 245 <= len(bars) <= 256
    assert all(bar.date.weekday() < 5 for bar in bars)


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID", "ASK"])
def test_the_first_moment(ib, spy, what):
    first = ib.reqHeadTimeStamp(spy, what, True, 1)
    assert first.year < datetime.now(UTC).year
    assert ib.reqHeadTimeStamp(spy, what, True, 2).timestamp() == first.replace(tzinfo=UTC).timestamp()


def test_a_schedule(ib, spy):
    schedule = ib.reqHistoricalSchedule(spy, 10)
    assert len(schedule.sessions) == 10
    assert schedule.timeZone
    assert all(one.startDateTime < one.endDateTime for one in schedule.sessions)
    assert all(len(one.refDate) == 8 for one in schedule.sessions)


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID_ASK"])
def test_historical_ticks(ib, spy, what):
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    ticks = ib.reqHistoricalTicks(spy, start, "", 100, what, False)
    assert 0 < len(ticks) <= 100
    times = [tick.time for tick in ticks]
    assert times == sorted(times)
    assert times[0] >= start
    if what == "BID_ASK":
        assert all(tick.priceBid < tick.priceAsk and tick.sizeBid > 0 for tick in ticks)
    else:
        assert all(100 < tick.price < 5000 for tick in ticks)
    before = ib.reqHistoricalTicks(spy, "", datetime.now(UTC).replace(microsecond=0), 50, what, False)
    assert 0 < len(before) <= 50


def test_a_histogram(ib, spy):
    found = ib.reqHistogramData(spy, True, "3 days")
    assert len(found) > 10
    assert all(one.count > 0 for one in found)
    prices = [one.price for one in found]
    assert prices == sorted(set(prices))


def test_bars_that_come_every_five_seconds(ib, spy, option, until):
    """Kept up to date and in real time, in and out of regular hours, side by side: a bar of each is waited for once."""
    kept = [ib.reqHistoricalData(spy, "", "300 S", "5 secs", what, rth, 2, True)
            for what, rth in (("MIDPOINT", False), ("TRADES", True))]  # fmt: skip
    live = [ib.reqRealTimeBars(contract, 5, what, rth) for rth in (True, False)
            for contract, what in ((spy, "TRADES"), (option(ib), "MIDPOINT"))]  # fmt: skip
    begun, updated = [len(bars) for bars in kept], set()
    assert all(begun)
    for number, bars in enumerate(kept):
        bars.updateEvent += lambda found, is_new, number=number: updated.add(number)
    until(lambda: len(updated) == 2 and all(map(gt, map(len, kept), begun)) and all(live), 12)
    for bars in kept:
        starts = [bar.date for bar in bars]
        assert starts == sorted(set(starts))
        assert all(bar.low <= bar.close <= bar.high for bar in bars)
        ib.cancelHistoricalData(bars)
    for bars in live:
        assert bars[-1].low <= bars[-1].close <= bars[-1].high
        assert bars[-1].time.timestamp() % 5 == 0
        ib.cancelRealTimeBars(bars)


def test_bars_that_cannot_be_are_refused(ib, spy, watch, until):
    watch.expect(321)
    for size, what in (("7 mins", "TRADES"), ("1 day", "NONSENSE")):
        before = len(watch.codes)
        ib.client.reqHistoricalData(ib.client.getReqId(), spy, "", "1 D", size, what, 1, 1, False, [])
        until(lambda before=before: len(watch.codes) > before)
    assert watch.codes == [321, 321]


def test_an_unknown_contract_has_no_history(ib, api, watch):
    watch.expect(200, 162)
    assert not ib.reqHistoricalData(api.Stock("NOSUCHTHING", "SMART", "USD"), "", "1 D", "1 hour", "TRADES", True)
    assert watch.codes == [200]
