"""Streaming lines, snapshots, depth and tick-by-tick, as a client sees them."""

from __future__ import annotations

import asyncio
from math import isnan

import pytest
from ib_async import Bag, ComboLeg, Index, Option, Stock

SPY, CALL, PUT = 756733, 1001, 1002


def call() -> Option:
    return Option(conId=CALL, exchange="SMART")


def test_a_stock_shows_its_board_and_then_what_changes(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktData(Stock(conId=SPY, symbol="SPY", exchange="SMART"), "100,101,104,106,221,233,236,411,456")
        await desk.until(lambda: ticker.bid == 500.0 and ticker.impliedVolatility == 0.17)
        assert (ticker.ask, ticker.bidSize, ticker.last, ticker.close) == (500.02, 300.0, 500.01, 498.0)
        assert (ticker.callOpenInterest, ticker.putOpenInterest) == (9e5, 8e5)
        assert (ticker.histVolatility, ticker.shortableShares, ticker.markPrice) == (0.15, 1e6, 500.01)
        assert ticker.marketDataType == 1
        assert ticker.minTick == 0.01
        received = ib.client._numMsgRecv
        await asyncio.sleep(0.6)
        assert ib.client._numMsgRecv == received  # nothing changed, nothing was sent
        desk.market.set(SPY, bid=499.9)
        await desk.until(lambda: ticker.bid == 499.9)
        assert ticker.ask == 500.02

    at_desk(act)


def test_an_option_shows_greeks_and_open_interest_of_its_own_right(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktData(call(), "100,101")
        await desk.until(lambda: ticker.modelGreeks)
        assert ticker.modelGreeks.impliedVol == 0.2
        assert ticker.modelGreeks.undPrice == 500.01
        assert (ticker.callOpenInterest, ticker.putOpenInterest) == (1234.0, 0.0)
        assert (ticker.callVolume, ticker.putVolume) == (7.0, 0.0)
        assert ticker.bidGreeks.impliedVol is None  # the script says nothing of the bid's volatility
        assert ticker.bidGreeks.delta is None
        desk.market.set_computation(CALL, "model", delta=0.6)
        await desk.until(lambda: ticker.modelGreeks.delta == 0.6)

    at_desk(act)


def test_a_side_that_goes_away_is_told(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktData(call())
        await desk.until(lambda: ticker.bid == 2.4)
        desk.market.set(CALL, bid=float("nan"), bid_size=float("nan"))
        await desk.until(lambda: ticker.bid == -1)
        assert ticker.bidSize == 0

    at_desk(act)


def test_an_index_has_a_last_price_and_no_sides(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktData(Index(conId=416904, symbol="SPX", exchange="CBOE"))
        await desk.until(lambda: ticker.last == 5000.0)
        assert isnan(ticker.bid)

    at_desk(act)


def test_a_snapshot_ends_and_frees_its_line(at_desk):
    async def act(desk):
        ib = await desk.connect()
        [ticker] = await ib.reqTickersAsync(call())
        assert (ticker.bid, ticker.ask, ticker.modelGreeks.gamma) == (2.4, 2.6, 0.02)
        assert desk.gateway.lines_in_use() == 0

    at_desk(act)


@pytest.mark.parametrize(("type_", "told"), [(1, 1), (2, 1), (3, 3), (4, 3)])
def test_types_of_market_data(at_desk, type_, told):
    async def act(desk):
        ib = await desk.connect()
        ib.reqMarketDataType(type_)
        ticker = ib.reqMktData(call(), "101")
        await desk.until(lambda: ticker.bid == 2.4 and ticker.modelGreeks)
        assert ticker.marketDataType == told
        assert ticker.callOpenInterest == 1234.0

    at_desk(act)


@pytest.mark.parametrize(
    ("generics", "snapshot", "code"), [("101", True, 321), ("9999", False, 321), ("abc", False, 321)]
)
def test_wrong_ticks_are_refused(at_desk, generics, snapshot, code):
    async def act(desk):
        ib = await desk.connect()
        ib.reqMktData(call(), generics, snapshot)
        await desk.until(lambda: desk.codes)
        assert desk.codes == [code]
        assert desk.gateway.lines_in_use() == 0

    at_desk(act)


def test_cancelled_lines_are_silent_and_unknown_ones_are_refused(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktData(call())
        await desk.until(lambda: ticker.bid == 2.4)
        ib.cancelMktData(ticker.contract)
        ib.client.cancelMktData(4711)
        await desk.until(lambda: desk.codes)
        assert desk.codes == [300]
        assert desk.gateway.lines_in_use() == 0
        desk.market.set(CALL, bid=2.0)
        await asyncio.sleep(0.3)
        assert ticker.bid == 2.4

    at_desk(act)


def test_a_combination_is_quoted_by_its_legs(at_desk):
    async def act(desk):
        ib = await desk.connect()
        desk.market.set(CALL + 4, bid=1.0, ask=1.1, bid_size=5.0, ask_size=6.0)
        spread = Bag(symbol="SPY", exchange="SMART", currency="USD", comboLegs=[
            ComboLeg(CALL, 1, "BUY", "SMART"), ComboLeg(CALL + 4, 1, "SELL", "SMART")
        ])  # fmt: skip
        ticker = ib.reqMktData(spread)
        await desk.until(lambda: ticker.bid == pytest.approx(1.3))
        assert ticker.ask == pytest.approx(1.6)
        assert (ticker.bidSize, ticker.askSize) == (6.0, 5.0)

    at_desk(act)


def test_depth_inserts_and_updates_rows(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktDepth(Stock(conId=SPY, symbol="SPY", exchange="SMART"), numRows=3, isSmartDepth=True)
        await desk.until(lambda: len(ticker.domBids) == 3 and len(ticker.domAsks) == 3)
        assert [level.price for level in ticker.domBids] == [500.0, 499.99, 499.98]
        assert ticker.domAsks[0].size == 200.0
        desk.market.set(SPY, bid=499.5)
        await desk.until(lambda: ticker.domBids[0].price == 499.5)
        ib.cancelMktDepth(ticker.contract, isSmartDepth=True)
        await asyncio.sleep(0.05)
        assert not desk.codes

    at_desk(act)


def test_tick_by_tick_of_stocks_and_none_of_options(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqTickByTickData(Stock(conId=SPY, symbol="SPY", exchange="SMART"), "BidAsk")
        seen = []
        ticker.updateEvent += lambda one: seen.extend(one.tickByTicks)
        await asyncio.sleep(0.15)
        desk.market.set(SPY, bid=500.01)
        await desk.until(lambda: any(tick.bidPrice == 500.01 for tick in seen))
        ib.reqTickByTickData(call(), "Last")
        await desk.until(lambda: desk.codes)
        assert desk.codes == [10189]

    at_desk(act)
