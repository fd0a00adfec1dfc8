"""Streaming market data and snapshots: which ticks come, and whether their values make sense together."""

from __future__ import annotations

from math import isclose, isfinite

import pytest

STOCK_TICKS = "100,101,104,105,106,165,221,232,233,236,293,318,411,456"


@pytest.fixture
def follow(ib):
    """Begin lines that end with the test."""
    begun = []

    def begin(contract, generics=""):
        begun.append(contract)
        return ib.reqMktData(contract, generics)

    yield begin
    for contract in begun:
        ib.cancelMktData(contract)


def on_grid(price, tick):
    return isclose(price / tick, round(price / tick), abs_tol=1e-6)


def test_a_stock_has_a_book_and_a_day(ib, stock, follow, until):
    [spy] = ib.qualifyContracts(stock("SPY"))
    ticker = follow(spy)
    until(lambda: ticker.bid > 0 and ticker.ask > 0 and ticker.last > 0 and ticker.close > 0)
    assert 0 < ticker.bid < ticker.ask < 1.01 * ticker.bid
    assert ticker.bidSize > 0
    assert ticker.askSize > 0
    assert ticker.low <= ticker.last <= ticker.high
    assert ticker.low <= ticker.open <= ticker.high
    assert abs(ticker.last / ticker.close - 1) < 0.2
    assert ticker.volume > 0
    assert ticker.lastSize > 0
    assert ticker.halted == 0
    assert ticker.minTick == 0.01
    assert all(on_grid(price, 0.01) for price in (ticker.bid, ticker.ask, ticker.last, ticker.close))
    assert ticker.time is not None
    assert ticker.marketDataType == 1
    assert ticker.bboExchange


def test_generic_ticks_of_a_stock(ib, stock, follow, until):
    [spy] = ib.qualifyContracts(stock("SPY"))
    ticker = follow(spy, STOCK_TICKS)
    until(lambda: ticker.dividends is not None and ticker.rtTime is not None and ticker.impliedVolatility > 0)
    assert ticker.callOpenInterest > 0
    assert ticker.putOpenInterest > 0
    assert ticker.callVolume > 0
    assert ticker.putVolume > 0
    assert ticker.avOptionVolume > 0
    assert 0.02 < ticker.histVolatility < 2
    assert 0.02 < ticker.impliedVolatility < 2
    assert 0 < ticker.rtHistVolatility < 2
    assert ticker.bid <= ticker.markPrice <= ticker.ask
    assert ticker.shortableShares > 0
    assert ticker.avVolume > 0
    assert ticker.low52week <= ticker.low26week <= ticker.low13week <= ticker.last * 1.02  # told once; prices go on
    assert ticker.high52week >= ticker.high26week >= ticker.high13week >= ticker.last * 0.98
    assert ticker.dividends.next12Months > 0
    assert ticker.dividends.nextAmount > 0
    assert ticker.dividends.nextDate is not None
    assert ticker.rtVolume > 0
    assert ticker.vwap > 0
    assert ticker.tradeCount > 0


def test_quotes_move(ib, stock, follow, until):
    [spy] = ib.qualifyContracts(stock("SPY"))
    ticker = follow(spy)
    seen = []
    ticker.updateEvent += lambda one: seen.append((one.bid, one.ask))
    until(lambda: len(seen) >= 5)  # sizes change all the time, prices seldom while exchanges sleep
    assert all(bid < ask for bid, ask in seen if bid > 0 and ask > 0)


def test_an_option_has_a_book_and_greeks(ib, option, follow, until, near):
    for right, sign in (("C", 1), ("P", -1)):
        contract = option(ib, right)
        ticker = follow(contract, "100,101,106")
        until(lambda ticker=ticker: ticker.modelGreeks and ticker.bidGreeks and ticker.askGreeks and ticker.bid > 0)
        assert 0 < ticker.bid < ticker.ask
        assert ticker.bidSize > 0
        greeks = ticker.modelGreeks
        assert 0.3 < sign * greeks.delta < 0.7
        assert greeks.gamma > 0
        assert greeks.vega > 0
        assert greeks.theta < 0
        assert 0.03 < greeks.impliedVol < 1.5
        assert abs(greeks.undPrice / near(ib).spot - 1) < 0.05
        assert ticker.bid * 0.8 <= greeks.optPrice <= ticker.ask * 1.2
        assert ticker.bidGreeks.impliedVol < ticker.askGreeks.impliedVol
        assert ticker.bidGreeks.optPrice == pytest.approx(ticker.bid, abs=0.2)


def test_open_interest_of_an_option_fills_the_side_of_its_right(ib, option, follow, until):
    call, put = follow(option(ib, "C"), "100,101"), follow(option(ib, "P"), "100,101")
    until(lambda: call.callOpenInterest > 0 and put.putOpenInterest > 0)
    assert call.putOpenInterest == 0
    assert put.callOpenInterest == 0
    assert call.callVolume >= 0
    assert call.putVolume == 0
    assert put.putVolume >= 0
    assert put.callVolume == 0


def test_an_index_and_its_options(ib, api, option, follow, until):
    [spx] = ib.qualifyContracts(api.Index("SPX", "CBOE", "USD"))
    index = follow(spx)
    ticker = follow(option(ib, "C", symbol="SPX"))
    until(lambda: index.last > 0 and ticker.bid > 0 and ticker.modelGreeks)
    assert index.close > 0
    assert ticker.bid < ticker.ask
    tick = 0.05 if ticker.bid < 3 else 0.1
    assert on_grid(ticker.bid, tick)
    assert on_grid(ticker.ask, tick)


def test_deltas_fall_with_the_strike(ib, option, follow, until):
    calls = [follow(option(ib, "C", steps)) for steps in (-8, -3, 0, 3, 8)]
    until(lambda: all(one.modelGreeks and isfinite(one.modelGreeks.delta) and one.bid > 0 for one in calls))
    deltas = [one.modelGreeks.delta for one in calls]
    assert deltas == sorted(deltas, reverse=True)
    assert all(0 < delta < 1 for delta in deltas)
    asks = [one.ask for one in calls]
    assert asks == sorted(asks, reverse=True)


def test_a_snapshot_ends(ib, option, stock):
    contracts = [option(ib, "C"), option(ib, "P"), *ib.qualifyContracts(stock("SPY"))]
    tickers = ib.reqTickers(*contracts)
    assert [one.contract for one in tickers] == contracts
    assert all(0 < one.bid < one.ask for one in tickers)
    assert tickers[0].modelGreeks.delta > 0 > tickers[1].modelGreeks.delta


def test_a_snapshot_is_told_to_end(ib, stock, until):
    ended = []
    original = ib.wrapper.tickSnapshotEnd
    ib.wrapper.tickSnapshotEnd = lambda req_id: (ended.append(req_id), original(req_id))
    ticker = ib.reqMktData(ib.qualifyContracts(stock("QQQ"))[0], "", True)
    until(lambda: ended)
    assert ticker.bid > 0


def test_a_snapshot_has_no_generic_ticks(ib, stock, watch, until):
    watch.expect(321)
    ib.reqMktData(ib.qualifyContracts(stock("SPY"))[0], "101", True)
    until(lambda: watch.codes == [321])
    assert "generic ticks" in watch.errors[-1][2]


@pytest.mark.parametrize("wanted", [1, 2, 3, 4])
def test_types_of_market_data(ib, stock, option, until, wanted):
    ib.reqMarketDataType(wanted)
    ticker = ib.reqMktData(option(ib, "C"), "101")
    under = ib.reqMktData(ib.qualifyContracts(stock("MSFT"))[0])
    until(lambda: ticker.bid > 0 and under.bid > 0 and under.last > 0 and ticker.modelGreeks)
    assert ticker.marketDataType == under.marketDataType
    assert under.marketDataType in ({1: {1}, 2: {1, 2}, 3: {3}, 4: {3, 4}}[wanted])
    assert ticker.bid < ticker.ask
    assert under.close > 0
    if wanted < 3:
        assert ticker.callOpenInterest > 0


def test_delayed_data_come_with_ticks_of_their_own(ib, stock, until):
    seen = set()
    for name in ("priceSizeTick", "tickSize"):
        original = getattr(ib.wrapper, name)
        setattr(ib.wrapper, name, lambda req_id, kind, *rest, original=original: (
            seen.add(kind), original(req_id, kind, *rest)))  # fmt: skip
    ib.reqMarketDataType(3)
    ticker = ib.reqMktData(ib.qualifyContracts(stock("IWM"))[0])
    until(lambda: ticker.bid > 0 and ticker.last > 0)
    assert seen >= {66, 67, 68}
    assert not seen & {1, 2, 4, 6, 7, 9}


def test_a_cancelled_line_is_silent(ib, stock, until, api):
    [spy] = ib.qualifyContracts(stock("SPY"))
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    ib.cancelMktData(spy)
    ib.reqCurrentTime()
    updates = []
    ticker.updateEvent += updates.append
    api.util.sleep(0.7)
    assert not updates


def test_a_line_that_is_not_there_cannot_be_cancelled(ib, watch, until):
    watch.expect(300)
    ib.client.cancelMktData(987654)
    until(lambda: watch.codes == [300])
    assert watch.of(987654) == [300]


def test_unknown_generic_ticks_are_refused(ib, stock, watch, until):
    watch.expect(321)
    ib.reqMktData(ib.qualifyContracts(stock("SPY"))[0], "9999")
    until(lambda: watch.codes == [321])


def test_a_hundred_lines_at_once(ib, api, near, until):
    found = near(ib)
    at = found.strikes.index(found.strike)
    wanted = [one.contract for one in ib.reqContractDetails(api.Option("SPY", found.expiry, exchange="SMART"))
              if one.contract.strike in found.strikes[at - 25 : at + 25]]  # fmt: skip
    tickers = [ib.reqMktData(contract, "101") for contract in wanted]
    until(lambda: all(one.modelGreeks and (one.callOpenInterest >= 0 or one.putOpenInterest >= 0) for one in tickers))
    assert len(tickers) == 100
    quoted = [one for one in tickers if one.bid > 0 and one.ask > 0]
    assert len(quoted) > 95
    assert all(one.bid < one.ask for one in quoted)
    interest = [one.callOpenInterest + one.putOpenInterest for one in tickers]
    assert sum(number > 0 for number in interest) > 90


def test_a_combination_is_quoted(ib, api, option, until):
    low, high = option(ib, "C"), option(ib, "C", 3)
    spread = api.Contract(secType="BAG", symbol="SPY", exchange="SMART", currency="USD", comboLegs=[
        api.ComboLeg(conId=low.conId, ratio=1, action="BUY", exchange="SMART"),
        api.ComboLeg(conId=high.conId, ratio=1, action="SELL", exchange="SMART"),
    ])  # fmt: skip
    ticker = ib.reqMktData(spread)
    until(lambda: ticker.bid > 0 and ticker.ask > 0)
    assert ticker.bid < ticker.ask < high.strike - low.strike


def test_volatility_and_price_are_computed(ib, option):
    call = option(ib, "C")
    [ticker] = ib.reqTickers(call)
    spot = ticker.modelGreeks.undPrice
    middle = (ticker.bid + ticker.ask) / 2
    solved = ib.calculateImpliedVolatility(call, middle, spot)
    assert solved.impliedVol == pytest.approx(ticker.modelGreeks.impliedVol, abs=0.03)
    assert solved.optPrice == pytest.approx(middle, abs=0.02)
    back = ib.calculateOptionPrice(call, solved.impliedVol, spot)
    assert back.optPrice == pytest.approx(middle, rel=0.01)
    assert 0 < back.delta < 1


def test_prices_keep_to_the_increments_of_their_rule(ib, option, follow, until):
    tickers = [follow(option(ib, "C", steps, symbol="AAPL")) for steps in (-6, 0, 6)]
    until(lambda: all(one.bid > 0 and one.ask > 0 for one in tickers))
    for ticker in tickers:
        for price in (ticker.bid, ticker.ask):
            assert on_grid(price, 0.05 if price >= 3 else 0.01)


def test_rare_generic_ticks_are_accepted(ib, stock, follow, until):
    ticker = follow(ib.qualifyContracts(stock("AAPL"))[0], "225,258,318,375,460,588,595")
    until(lambda: ticker.bid > 0)


def test_puts_and_calls_agree(ib, option, follow, until):
    call, put = follow(option(ib, "C")), follow(option(ib, "P"))
    until(lambda: call.modelGreeks and put.modelGreeks and call.bid > 0 and put.bid > 0)
    assert call.modelGreeks.delta - put.modelGreeks.delta == pytest.approx(1, abs=0.12)
    assert call.modelGreeks.gamma == pytest.approx(put.modelGreeks.gamma, rel=0.25)
    forward = (call.bid + call.ask - put.bid - put.ask) / 2
    assert forward == pytest.approx(call.modelGreeks.undPrice - call.contract.strike, abs=0.02 * call.contract.strike)


def test_a_thousand_snapshots_are_filled(trader, api, near):
    ib = trader
    found = near(ib)
    chain = [one.contract for one in ib.reqContractDetails(api.Option("SPY", "", exchange="SMART", right="C"))
             if abs(one.contract.strike / found.spot - 1) < 0.06][:1000]  # fmt: skip
    ib.client.MaxRequests = 0  # the client's own throttle is not what is looked at
    tickers = ib.reqTickers(*chain)
    assert len(tickers) == len(chain) > 500
    told = [one for one in tickers if one.ask > 0 and one.modelGreeks]
    assert len(told) > 0.97 * len(chain)
