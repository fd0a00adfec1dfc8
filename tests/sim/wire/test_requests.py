"""What a real client sends is what the gateway reads, in every version."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from bifrost_lib.sim import wire

UNSET = wire.UNSET_DOUBLE
OPTION = wire.Contract(
    495512, "SIMA", "OPT", "20260116", 512.5, "C", "100", "SMART", "CBOE", "USD", "SIMA  260116C00512500", "SIMA"
)
TAGS = (wire.TagValue("manual", "yes"), wire.TagValue("deep", "2"))


def options(ib: Any) -> list[Any]:
    return [ib.TagValue("manual", "yes"), ib.TagValue("deep", "2")]


def option(ib: Any, **more: Any) -> Any:
    return ib.Contract(
        conId=495512, symbol="SIMA", secType="OPT", lastTradeDateOrContractMonth="20260116", strike=512.5, right="C",
        multiplier="100", exchange="SMART", primaryExchange="CBOE", currency="USD",
        localSymbol="SIMA  260116C00512500", tradingClass="SIMA", **more,
    )  # fmt: skip


PLAIN: list[tuple[str, tuple[Any, ...], Any]] = [
    ("cancelMktData", (7,), wire.CancelMktData(7)),
    ("cancelOrder", (12, "20260102-15:00:00"), "cancelOrder"),
    ("reqOpenOrders", (), wire.ReqOpenOrders()),
    ("reqAllOpenOrders", (), wire.ReqAllOpenOrders()),
    ("reqAutoOpenOrders", (True,), wire.ReqAutoOpenOrders(True)),
    ("reqGlobalCancel", (), wire.ReqGlobalCancel()),
    ("reqCompletedOrders", (True,), wire.ReqCompletedOrders(True)),
    ("reqAccountUpdates", (True, "DU1"), wire.ReqAccountUpdates(True, "DU1")),
    ("reqIds", (5,), wire.ReqIds(5)),
    ("reqManagedAccts", (), wire.ReqManagedAccts()),
    ("cancelMktDepth", (4, True), wire.CancelMktDepth(4, True)),
    ("reqNewsBulletins", (True,), wire.ReqNewsBulletins(True)),
    ("cancelNewsBulletins", (), wire.CancelNewsBulletins()),
    ("setServerLogLevel", (5,), wire.SetServerLogLevel(5)),
    ("cancelScannerSubscription", (3,), wire.CancelScannerSubscription(3)),
    ("reqScannerParameters", (), wire.ReqScannerParameters()),
    ("cancelHistoricalData", (8,), wire.CancelHistoricalData(8)),
    ("reqCurrentTime", (), wire.ReqCurrentTime()),
    ("cancelRealTimeBars", (9,), wire.CancelRealTimeBars(9)),
    ("cancelCalculateImpliedVolatility", (9,), wire.CancelCalcImpliedVol(9)),
    ("cancelCalculateOptionPrice", (9,), wire.CancelCalcOptionPrice(9)),
    ("reqMarketDataType", (3,), wire.ReqMarketDataType(3)),
    ("reqPositions", (), wire.ReqPositions()),
    ("cancelPositions", (), wire.CancelPositions()),
    ("reqAccountSummary", (9, "All", "a,b"), wire.ReqAccountSummary(9, "All", "a,b")),
    ("cancelAccountSummary", (9,), wire.CancelAccountSummary(9)),
    ("reqPositionsMulti", (9, "DU1", "m"), wire.ReqPositionsMulti(9, "DU1", "m")),
    ("cancelPositionsMulti", (9,), wire.CancelPositionsMulti(9)),
    ("reqAccountUpdatesMulti", (9, "DU1", "m", True), wire.ReqAccountUpdatesMulti(9, "DU1", "m", True)),
    ("cancelAccountUpdatesMulti", (9,), wire.CancelAccountUpdatesMulti(9)),
    ("reqSecDefOptParams", (9, "SIMA", "", "STK", 77), wire.ReqSecDefOptParams(9, "SIMA", "", "STK", 77)),
    ("reqMatchingSymbols", (9, "SIM"), wire.ReqMatchingSymbols(9, "SIM")),
    ("reqMktDepthExchanges", (), wire.ReqMktDepthExchanges()),
    ("reqSmartComponents", (9, "9c0001"), wire.ReqSmartComponents(9, "9c0001")),
    ("reqNewsProviders", (), wire.ReqNewsProviders()),
    ("cancelHistogramData", (9,), wire.CancelHistogramData(9)),
    ("cancelHeadTimeStamp", (9,), wire.CancelHeadTimestamp(9)),
    ("reqMarketRule", (26,), wire.ReqMarketRule(26)),
    ("reqPnL", (9, "DU1", "m"), wire.ReqPnl(9, "DU1", "m")),
    ("cancelPnL", (9,), wire.CancelPnl(9)),
    ("reqPnLSingle", (9, "DU1", "m", 77), wire.ReqPnlSingle(9, "DU1", "m", 77)),
    ("cancelPnLSingle", (9,), wire.CancelPnlSingle(9)),
    ("cancelTickByTickData", (9,), wire.CancelTickByTick(9)),
    ("reqUserInfo", (9,), wire.ReqUserInfo(9)),
]


@pytest.mark.parametrize(("method", "args", "expected"), PLAIN, ids=[case[0] for case in PLAIN])
def test_plain_requests(received, version, method, args, expected):
    if expected == "cancelOrder":
        expected = wire.CancelOrder(12, "20260102-15:00:00" if version >= 169 else "")
    assert received(method, *args) == expected


def test_start_api(ib, version):
    module = __import__(f"{ib.__name__}.client", fromlist=["Client"])
    client, sent = module.Client(SimpleNamespace()), []
    client.connState, client._serverVersion, client.sendMsg = module.Client.CONNECTED, version, sent.append
    client.clientId = 31
    client.startApi()
    assert wire.decode_request(sent[0].split("\0")[:-1], version) == wire.StartApi(31, "")


def test_market_data(ib, received):
    got = received("reqMktData", 5, option(ib), "100,101,106", False, True, options(ib))
    assert got == wire.ReqMktData(5, OPTION, "100,101,106", False, True, TAGS)


def test_market_data_of_a_combination_with_delta_neutral(ib, received):
    bag = ib.Contract(
        secType="BAG", symbol="SIMA", exchange="SMART", currency="USD",
        comboLegs=[ib.ComboLeg(11, 1, "BUY", "SMART"), ib.ComboLeg(12, 2, "SELL", "CBOE")],
        deltaNeutralContract=ib.DeltaNeutralContract(77, 0.5, 101.25),
    )  # fmt: skip
    got = received("reqMktData", 5, bag, "", True, False, [])
    assert got.contract.combo_legs == (wire.ComboLeg(11, 1, "BUY", "SMART"), wire.ComboLeg(12, 2, "SELL", "CBOE"))
    assert got.contract.delta_neutral_contract == wire.DeltaNeutralContract(77, 0.5, 101.25)
    assert (got.snapshot, got.reg_snapshot, got.generic_ticks) == (True, False, "")


def test_contract_details(ib, received, version):
    asked = option(ib, includeExpired=True, secIdType="ISIN", secId="US0000000001")
    expected = wire.ReqContractDetails(6, OPTION, True, "ISIN", "US0000000001", "e1234" if version >= 176 else "")
    asked.issuerId = "e1234"
    assert received("reqContractDetails", 6, asked) == expected


def test_historical_data(ib, received):
    args = ("20260102 16:00:00 US/Eastern", "5 D", "1 min", "TRADES", 1, 2, True, options(ib))
    got = received("reqHistoricalData", 8, option(ib, includeExpired=True), *args)
    assert got == wire.ReqHistoricalData(
        8, OPTION, True, "20260102 16:00:00 US/Eastern", "1 min", "5 D", True, "TRADES", 2, True, TAGS
    )


def test_historical_data_of_a_combination(ib, received):
    bag = ib.Contract(secType="BAG", symbol="SIMA", comboLegs=[ib.ComboLeg(11, 1, "BUY", "SMART")])
    got = received("reqHistoricalData", 8, bag, "", "1 D", "1 hour", "BID", 0, 1, False, [])
    assert got.contract.combo_legs == (wire.ComboLeg(11, 1, "BUY", "SMART"),)
    assert (got.keep_up_to_date, got.what, got.use_rth) == (False, "BID", False)


def test_other_requests_with_a_contract(ib, received):
    c = option(ib)
    assert received("reqMktDepth", 4, c, 5, True, options(ib)) == wire.ReqMktDepth(4, OPTION, 5, True, TAGS)
    got = received("reqRealTimeBars", 4, c, 5, "MIDPOINT", True, options(ib))
    assert got == wire.ReqRealTimeBars(4, OPTION, 5, "MIDPOINT", True, TAGS)
    got = received("calculateImpliedVolatility", 4, c, 3.25, 512.0, [])
    assert got == wire.CalcImpliedVol(4, OPTION, 3.25, 512.0)
    got = received("calculateOptionPrice", 4, c, 0.25, 512.0, options(ib))
    assert got == wire.CalcOptionPrice(4, OPTION, 0.25, 512.0, TAGS)
    assert received("reqHeadTimeStamp", 4, c, "TRADES", True, 2) == wire.ReqHeadTimestamp(
        4, OPTION, False, True, "TRADES", 2
    )
    assert received("reqHistogramData", 4, c, True, "3 days") == wire.ReqHistogramData(4, OPTION, False, True, "3 days")
    got = received("reqTickByTickData", 4, c, "BidAsk", 10, True)
    assert got == wire.ReqTickByTick(4, OPTION, "BidAsk", 10, True)
    got = received("reqHistoricalTicks", 4, c, "20260102 10:00:00", "", 500, "TRADES", True, False, options(ib))
    assert got == wire.ReqHistoricalTicks(4, OPTION, False, "20260102 10:00:00", "", 500, "TRADES", True, False, TAGS)
    got = received("exerciseOptions", 4, c, 1, 2, "DU1", 1)
    assert (got.contract.con_id, got.contract.trading_class, got.contract.primary_exchange) == (495512, "SIMA", "")
    assert (got.action, got.quantity, got.account, got.override) == (1, 2, "DU1", 1)


def test_executions(ib, received):
    asked = ib.ExecutionFilter(3, "DU1", "20260102-10:00:00", "SIMA", "OPT", "SMART", "BUY")
    assert received("reqExecutions", 4, asked) == wire.ReqExecutions(
        4, 3, "DU1", "20260102-10:00:00", "SIMA", "OPT", "SMART", "BUY"
    )


def test_scanner(ib, received, snake):
    asked = ib.ScannerSubscription(
        20, "STK", "STK.US.MAJOR", "TOP_PERC_GAIN", 5.0, 50.0, 1000, 1e6, 1e9, "A", "B", "C", "D", "20260101",
        "20270101", 1.5, 2.5, True, 10, "Annual,true", "ALL",
    )  # fmt: skip
    got = received("reqScannerSubscription", 4, asked, options(ib), [])
    for name, value in vars(asked).items():
        assert getattr(got, snake(name)) == value, name
    assert (got.options, got.filter_options) == (TAGS, ())


def test_scanner_with_nothing_set(ib, received):
    assert received("reqScannerSubscription", 4, ib.ScannerSubscription(), [], []) == wire.ReqScannerSubscription(4)


def test_news(ib, received):
    assert received("reqNewsArticle", 4, "BRFG", "BRFG$1", options(ib)) == wire.ReqNewsArticle(
        4, "BRFG", "BRFG$1", TAGS
    )
    assert received("reqHistoricalNews", 4, 77, "BRFG+BZ", "", "2026-01-02", 10, []) == wire.ReqHistoricalNews(
        4, 77, "BRFG+BZ", "", "2026-01-02", 10
    )
