"""Bars, ticks, schedules, scans, news and calculations over the synthetic market."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from ib_async import IB, Option, ScannerSubscription, Stock

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.pricing import american_greeks, american_implied_vol, american_price
from bifrost_lib.sim import SyntheticMarket
from bifrost_lib.sim.broker import Broker
from bifrost_lib.sim.gateway import Limits, SimulatedGateway

SPY = Stock(conId=756733, symbol="SPY", exchange="SMART")
#: A Friday, two hours into the session.
NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def market():
    return SyntheticMarket(SteppedClock(NOW), always_open=False, symbols=["SPY", "AAPL"])


@pytest.fixture
def ask(market):
    """Run a coroutine function with a connected client and the list of its errors."""

    def run(act):
        async def main():
            broker = Broker(market, market.clock)
            async with SimulatedGateway(market, broker, limits=Limits(enforced=False)) as gateway:
                ib, codes = IB(), []
                ib.errorEvent += lambda _, code, *__: codes.append(code)
                await ib.connectAsync("127.0.0.1", gateway.port, clientId=1)
                codes.clear()
                try:
                    await asyncio.wait_for(act(ib, codes), 60)
                finally:
                    ib.disconnect()

        asyncio.run(main())

    return run


@pytest.mark.parametrize(
    ("duration", "size", "what", "bars"),
    [
        ("5 D", "1 day", "TRADES", 5),
        ("2 W", "1 week", "TRADES", 3),
        ("2 D", "1 hour", "MIDPOINT", 7 + 3),
        ("1 D", "5 mins", "BID_ASK", 24),
        ("1 D", "30 mins", "TRADES", 4),
        ("60 S", "5 secs", "BID", 12),
        ("3 D", "1 day", "HISTORICAL_VOLATILITY", 3),
        ("3 D", "1 day", "OPTION_IMPLIED_VOLATILITY", 3),
        ("1 D", "15 mins", "ADJUSTED_LAST", 8),
    ],
)
def test_bars_of_every_kind(ask, duration, size, what, bars):
    async def act(ib, codes):
        found = await ib.reqHistoricalDataAsync(SPY, "", duration, size, what, True, 2)
        assert len(found) == bars
        assert all(one.low <= min(one.open, one.close) <= one.high or what == "BID_ASK" for one in found)
        assert not codes

    ask(act)


def test_dates_follow_the_format_that_was_asked_for(ask):
    async def act(ib, codes):
        daily = await ib.reqHistoricalDataAsync(SPY, "", "2 D", "1 day", "TRADES", True, 2)
        assert [one.date for one in daily] == [date(2026, 11, 19), date(2026, 11, 20)]
        text = await ib.reqHistoricalDataAsync(SPY, "20261119 16:00:00 US/Eastern", "1 D", "1 hour", "TRADES", True, 1)
        epoch = await ib.reqHistoricalDataAsync(SPY, "20261119-21:00:00", "1 D", "1 hour", "TRADES", True, 2)
        assert [one.date for one in text] == [one.date for one in epoch]
        assert text[0].date.astimezone(UTC) == datetime(2026, 11, 19, 14, 30, tzinfo=UTC)
        assert not codes

    ask(act)


def test_bars_kept_up_to_date_follow_the_clock(ask, market):
    async def act(ib, codes):
        bars = await ib.reqHistoricalDataAsync(SPY, "", "300 S", "1 min", "TRADES", True, 2, keepUpToDate=True)
        before = bars[-1].date
        market.clock.advance(timedelta(minutes=3))
        for _ in range(200):
            await asyncio.sleep(0.02)
            if bars[-1].date >= before + timedelta(minutes=2):
                break
        assert bars[-1].date >= before + timedelta(minutes=2)
        assert len({one.date for one in bars}) == len(bars)
        ib.cancelHistoricalData(bars)
        await asyncio.sleep(0.05)
        assert codes == [162]  # how IB confirms a cancellation

    ask(act)


def test_schedules_and_head_timestamps(ask):
    async def act(ib, codes):
        schedule = await ib.reqHistoricalScheduleAsync(SPY, 3, "20261127-21:00:00")
        assert [one.refDate for one in schedule.sessions][-1] == "20261120"  # not later than the market's time
        text = await ib.reqHeadTimeStampAsync(SPY, "TRADES", True, 1)
        epoch = await ib.reqHeadTimeStampAsync(SPY, "TRADES", True, 2)
        assert text.replace(tzinfo=UTC) == epoch
        assert not codes

    ask(act)


@pytest.mark.parametrize("what", ["TRADES", "MIDPOINT", "BID_ASK"])
def test_ticks_before_and_after_a_moment(ask, what):
    async def act(ib, codes):
        moment = datetime(2026, 11, 19, 16, 0, tzinfo=UTC)
        before = await ib.reqHistoricalTicksAsync(SPY, "", moment, 50, what, True)
        after = await ib.reqHistoricalTicksAsync(SPY, moment, "", 50, what, True)
        assert len(before) == len(after) == 50
        assert before[-1].time < moment <= after[0].time
        assert not codes

    ask(act)


def test_histogram_scan_and_parameters(ask):
    async def act(ib, codes):
        histogram = await ib.reqHistogramDataAsync(SPY, True, "2 days")
        assert sum(one.count for one in histogram) > 0
        wanted = ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="MOST_ACTIVE")
        found = await ib.reqScannerDataAsync(wanted)
        assert {one.contractDetails.contract.symbol for one in found} <= {"SPY", "AAPL"}
        assert [one.rank for one in found] == list(range(len(found)))
        assert "<scanCode>TOP_PERC_GAIN</scanCode>" in await ib.reqScannerParametersAsync()

    ask(act)


def test_news_and_articles(ask):
    async def act(ib, codes):
        providers = await ib.reqNewsProvidersAsync()
        wanted = "+".join(one.code for one in providers)
        headlines = await ib.reqHistoricalNewsAsync(265598, wanted, "", "", 5)
        assert 0 < len(headlines) <= 5
        article = await ib.reqNewsArticleAsync(headlines[0].providerCode, headlines[0].articleId)
        assert article.articleText
        assert not codes

    ask(act)


def test_the_calculator_inverts_itself(ask):
    async def act(ib, codes):
        [details] = await ib.reqContractDetailsAsync(Option("SPY", "20261218", 800, "C", "SMART"))
        option = details.contract
        # ib_async waits for 4 s, and compiling takes longer.
        inputs = {"spot": 790.0, "strike": 800.0, "tau": 0.1, "right": "C"}
        american_implied_vol(price=float(american_price(vol=0.2, **inputs)), **inputs)
        american_greeks(vol=0.2, **inputs)
        priced = await ib.calculateOptionPriceAsync(option, 0.25, 790.0)
        solved = await ib.calculateImpliedVolatilityAsync(option, priced.optPrice, 790.0)
        assert solved.impliedVol == pytest.approx(0.25, abs=1e-6)
        assert 0 < solved.delta < 1
        assert not codes

    ask(act)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("", "1 D", "7 mins", "TRADES", True), 321),
        (("", "1 X", "1 day", "TRADES", True), 321),
        (("", "1 D", "1 day", "RUMOURS", True), 321),
        (("", "2 Y", "1 min", "TRADES", True), 162),
        (("yesterday", "1 D", "1 day", "TRADES", True), 10314),
        (("20200101-00:00:00", "1 D", "1 day", "TRADES", True), 162),
        (("20261119-21:00:00", "1 D", "1 day", "ADJUSTED_LAST", True), 321),
    ],
)
def test_requests_that_make_no_sense_are_refused(ask, arguments, code):
    async def act(ib, codes):
        ib.client.reqHistoricalData(5, SPY, *arguments, 1, False, [])
        async with asyncio.timeout(3):
            while not codes:
                await asyncio.sleep(0.01)
        assert codes == [code]

    ask(act)
