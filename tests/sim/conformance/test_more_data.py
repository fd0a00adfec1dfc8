"""Tick-by-tick data, books, scans, news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest


@pytest.fixture
def spy(ib, stock):
    [found] = ib.qualifyContracts(stock("SPY"))
    return found


@pytest.mark.parametrize("kind", ["Last", "AllLast", "BidAsk", "MidPoint"])
def test_tick_by_tick(ib, spy, until, kind):
    seen = []
    ticker = ib.reqTickByTickData(spy, kind)
    ticker.updateEvent += lambda one: seen.extend(one.tickByTicks)
    until(lambda: len(seen) >= 2)
    tick = seen[-1]
    if kind == "BidAsk":
        assert tick.bidPrice < tick.askPrice
        assert tick.bidSize > 0
    elif kind == "MidPoint":
        assert tick.midPoint > 0
    else:
        assert tick.price > 0
        assert tick.size > 0
        assert tick.exchange
    assert abs((tick.time - datetime.now(UTC)).total_seconds()) < 10
    ib.cancelTickByTickData(spy, kind)


def test_options_have_no_tick_by_tick(ib, option, watch, until):
    watch.expect(10189, 10190)
    ib.reqTickByTickData(option(ib), "Last")
    until(lambda: watch.codes)
    assert watch.codes[0] in (10189, 10190)


def test_a_book(ib, spy, until):
    ticker = ib.reqMktDepth(spy, 5, True)
    until(lambda: len(ticker.domBids) == 5 and len(ticker.domAsks) == 5)
    bids, asks = ([level.price for level in side] for side in (ticker.domBids, ticker.domAsks))
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert all(level.size > 0 for level in (*ticker.domBids, *ticker.domAsks))
    seen = []
    ticker.updateEvent += lambda one: seen.extend(one.domTicks)
    until(lambda: seen)
    ib.cancelMktDepth(spy, True)


def test_a_book_of_one_exchange(ib, api, until):
    [contract] = ib.qualifyContracts(api.Stock("AAPL", "SMART", "USD"))
    contract.exchange = "NASDAQ"
    ticker = ib.reqMktDepth(contract, 5, False)
    until(lambda: len(ticker.domBids) >= 3 and len(ticker.domAsks) >= 3)
    assert ticker.domBids[0].price < ticker.domAsks[0].price
    ib.cancelMktDepth(contract, False)


def test_a_scan(ib, api, watch):
    watch.expect(162)  # so it is told that a scan was cancelled
    found = ib.reqScannerData(
        api.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
    )
    assert found
    assert [row.rank for row in found] == list(range(len(found)))
    assert all(row.contractDetails.contract.conId > 0 for row in found)
    few = ib.reqScannerData(api.ScannerSubscription(
        instrument="STK", locationCode="STK.US.MAJOR", scanCode="MOST_ACTIVE", numberOfRows=3
    ))  # fmt: skip
    assert len(few) == 3


def test_a_scan_goes_on_until_cancelled(ib, api, until, watch):
    watch.expect(162)
    rows = ib.reqScannerSubscription(
        api.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="HOT_BY_VOLUME")
    )
    until(lambda: len(rows) > 2)
    ib.cancelScannerSubscription(rows)
    ib.reqCurrentTime()


def test_scanner_parameters(ib):
    text = ib.reqScannerParameters()
    assert text.startswith("<?xml")
    assert "TOP_PERC_GAIN" in text


def test_news(ib, spy):
    providers = ib.reqNewsProviders()
    assert providers
    assert all(one.code and one.name for one in providers)
    codes = "+".join(one.code for one in providers)
    now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    heads = ib.reqHistoricalNews(spy.conId, codes, now - timedelta(days=30), now, 10)
    heads = heads if isinstance(heads, list) else [heads]
    assert heads
    assert heads[0].headline
    article = ib.reqNewsArticle(heads[0].providerCode, heads[0].articleId)
    assert article.articleText
    assert article.articleType in (0, 1)


def test_bulletins(ib):
    ib.reqNewsBulletins(True)
    assert ib.reqCurrentTime()
    ib.cancelNewsBulletins()


def test_news_ticks_of_a_provider(ib, spy):
    [provider, *_] = ib.reqNewsProviders()
    ticker = ib.reqMktData(spy, f"mdoff,292:{provider.code}")
    assert ib.reqCurrentTime()
    assert ticker.contract == spy
    ib.cancelMktData(spy)
