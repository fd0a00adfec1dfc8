"""What the official client is told about contracts and markets."""

from __future__ import annotations

import time

import pytest


def test_connecting(talk, version):
    assert talk.serverVersion() == version
    assert talk.wait("managedAccounts")["accountsList"].startswith("DU")
    assert talk.twsConnectionTime()
    for code in (2104, 2106, 2158):
        talk.wait("error", errorCode=code)


def test_a_taken_client_id_is_refused(talk_to, simulator):
    talk = talk_to(simulator, 77)
    with pytest.raises(AssertionError, match="no nextValidId"):
        talk_to(simulator, 77)
    talk.reqCurrentTime()
    talk.wait("currentTime")


def test_the_time(talk):
    talk.reqCurrentTime()
    assert abs(talk.wait("currentTime")["time"] - time.time()) < 5


def test_contract_details(talk, spy, call, contract):
    talk.reqContractDetails(one := talk.new_id(), spy)
    details = talk.wait("contractDetails", reqId=one)["contractDetails"]
    assert (details.contract.conId, details.longName, details.minTick) == (756733, "SPDR S&P 500 ETF TRUST", 0.01)
    assert details.contract.primaryExchange == "ARCA"
    assert details.liquidHours
    assert call.multiplier == "100"
    assert call.tradingClass == "SPY"
    talk.reqContractDetails(two := talk.new_id(), contract(symbol="NOSUCHTHING", secType="STK"))
    assert talk.error(200)["reqId"] == two


def test_symbols_and_rules(talk):
    talk.reqMatchingSymbols(one := talk.new_id(), "SPY")
    samples = talk.wait("symbolSamples", reqId=one)["contractDescriptions"]
    assert samples[0].contract.symbol == "SPY"
    talk.reqMarketRule(26)
    assert talk.wait("marketRule", marketRuleId=26)["priceIncrements"][0].increment == 0.01


def test_market_data(talk, spy):
    talk.reqMktData(one := talk.new_id(), spy, "100,101,104,106,165,221,233,236,456", False, False, [])
    prices = {kind: talk.wait("tickPrice", reqId=one, tickType=kind)["price"] for kind in (1, 2, 4, 6, 7, 9)}
    assert prices[1] < prices[2]
    assert prices[7] <= prices[4] <= prices[6]
    for kind in (0, 3, 5, 8, 27, 28):
        assert float(talk.wait("tickSize", reqId=one, tickType=kind)["size"]) > 0
    assert talk.wait("tickGeneric", reqId=one, tickType=24)["value"] > 0
    assert talk.wait("tickString", reqId=one, tickType=59)["value"].count(",") == 3
    assert talk.wait("marketDataType", reqId=one)["marketDataType"] == 1
    assert talk.wait("tickReqParams", tickerId=one)["minTick"] == 0.01
    talk.cancelMktData(one)


def test_greeks(talk, call):
    talk.reqMktData(one := talk.new_id(), call, "100,101", False, False, [])
    model = talk.wait("tickOptionComputation", reqId=one, tickType=13)
    assert 0.3 < model["delta"] < 0.7
    assert model["impliedVol"] > 0
    assert model["theta"] < 0
    assert float(talk.wait("tickSize", reqId=one, tickType=27)["size"]) > 0
    talk.cancelMktData(one)


def test_a_snapshot(talk, call):
    talk.reqMktData(one := talk.new_id(), call, "", True, False, [])
    talk.wait("tickSnapshotEnd", reqId=one)
    assert talk.told("tickPrice", reqId=one)
    talk.reqMktData(two := talk.new_id(), call, "101", True, False, [])
    assert talk.error(321)["reqId"] == two


def test_delayed_data(talk, spy):
    talk.reqMarketDataType(3)
    talk.reqMktData(one := talk.new_id(), spy, "", False, False, [])
    assert talk.wait("tickPrice", reqId=one, tickType=66)["price"] > 0
    assert talk.wait("marketDataType", reqId=one)["marketDataType"] == 3


def test_history(talk, spy):
    talk.reqHistoricalData(one := talk.new_id(), spy, "", "5 D", "1 day", "TRADES", 1, 1, False, [])
    talk.wait("historicalDataEnd", reqId=one)
    bars = [row["bar"] for row in talk.told("historicalData", reqId=one)]
    assert len(bars) == 5
    assert all(bar.low <= bar.close <= bar.high and float(bar.volume) > 0 for bar in bars)


def test_bars_kept_up_to_date(talk, spy):
    talk.reqHistoricalData(one := talk.new_id(), spy, "", "300 S", "5 secs", "MIDPOINT", 0, 2, True, [])
    bar = talk.wait("historicalDataUpdate", reqId=one)["bar"]
    assert bar.low <= bar.close <= bar.high
    talk.cancelHistoricalData(one)
    talk.error(162)


def test_the_first_moment_ticks_and_histogram(talk, spy):
    talk.reqHeadTimeStamp(one := talk.new_id(), spy, "TRADES", 1, 2)
    assert int(talk.wait("headTimestamp", reqId=one)["headTimestamp"]) > 0
    end = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
    for what, name in (("TRADES", "historicalTicksLast"), ("BID_ASK", "historicalTicksBidAsk"),
                       ("MIDPOINT", "historicalTicks")):  # fmt: skip
        talk.reqHistoricalTicks(two := talk.new_id(), spy, "", end, 20, what, 0, True, [])
        told = talk.wait(name, reqId=two)
        assert told["ticks"]
        assert told["done"]
    talk.reqHistogramData(three := talk.new_id(), spy, True, "3 days")
    assert talk.wait("histogramData", reqId=three)["items"]


def test_real_time_bars(talk, spy):
    talk.reqRealTimeBars(one := talk.new_id(), spy, 5, "TRADES", 0, [])
    told = talk.wait("realtimeBar", reqId=one, seconds=12)
    assert told["low"] <= told["close"] <= told["high"]
    talk.cancelRealTimeBars(one)


@pytest.mark.parametrize(("kind", "name"), [("Last", "tickByTickAllLast"), ("BidAsk", "tickByTickBidAsk"),
                                            ("MidPoint", "tickByTickMidPoint")])  # fmt: skip
def test_tick_by_tick(talk, spy, kind, name):
    talk.reqTickByTickData(one := talk.new_id(), spy, kind, 0, False)
    talk.wait(name, reqId=one, seconds=10)
    talk.cancelTickByTickData(one)


def test_a_book(talk, spy):
    talk.reqMktDepth(one := talk.new_id(), spy, 5, True, [])
    told = talk.wait("updateMktDepthL2", reqId=one, count=10)
    assert told["price"] > 0
    talk.cancelMktDepth(one, True)


def test_a_scan_and_news(talk, official):
    scan = official("scanner").ScannerSubscription()
    scan.instrument, scan.locationCode, scan.scanCode = "STK", "STK.US.MAJOR", "TOP_PERC_GAIN"
    talk.reqScannerSubscription(one := talk.new_id(), scan, [], [])
    talk.wait("scannerDataEnd", reqId=one)
    assert talk.wait("scannerData", reqId=one)["rank"] == 0
    talk.cancelScannerSubscription(one)
    talk.error(162)
    talk.reqScannerParameters()
    assert "TOP_PERC_GAIN" in talk.wait("scannerParameters")["xml"]
    talk.reqNewsProviders()
    codes = "+".join(one.code for one in talk.wait("newsProviders")["newsProviders"])
    talk.reqHistoricalNews(two := talk.new_id(), 756733, codes, "", "", 5, [])
    talk.wait("historicalNewsEnd", requestId=two)
    head = talk.wait("historicalNews", requestId=two)
    talk.reqNewsArticle(three := talk.new_id(), head["providerCode"], head["articleId"], [])
    assert talk.wait("newsArticle", requestId=three)["articleText"]


def test_calculations(talk, call):
    talk.calculateOptionPrice(one := talk.new_id(), call, 0.2, call.strike, [])
    price = talk.wait("tickOptionComputation", reqId=one)["optPrice"]
    talk.calculateImpliedVolatility(two := talk.new_id(), call, price, call.strike, [])
    assert talk.wait("tickOptionComputation", reqId=two)["impliedVol"] == pytest.approx(0.2, abs=0.01)
