"""What the gateway encodes is what a real client's wrapper gets, in every version."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from bifrost_lib.sim import wire

UNSET = wire.UNSET_DOUBLE
OPTION = wire.Contract(
    495512, "SIMA", "OPT", "20260116", 512.5, "C", "100", "SMART", "CBOE", "USD", "SIMA  260116C00512500", "SIMA"
)
MORNING = int(datetime(2026, 1, 2, 15, 0, tzinfo=UTC).timestamp())

PLAIN: list[tuple[Any, tuple[str, tuple[Any, ...]]]] = [
    (wire.TickPrice(5, 2, 101.25, 300.0, 1), ("priceSizeTick", (5, 2, 101.25, 300.0))),
    (wire.TickSize(5, 8, 12345.0), ("tickSize", (5, 8, 12345.0))),
    (
        wire.TickOptionComputation(5, 13, 1, 0.25, 0.5, 3.5, 0.125, 0.0625, 0.75, -0.5, 101.5),
        ("tickOptionComputation", (5, 13, 1, 0.25, 0.5, 3.5, 0.125, 0.0625, 0.75, -0.5, 101.5)),
    ),
    (
        wire.TickOptionComputation(5, 10),
        ("tickOptionComputation", (5, 10, 0, -1.0, -2.0, -1.0, -1.0, -2.0, -2.0, -2.0, -1.0)),
    ),
    (wire.TickGeneric(5, 49, 0.0), ("tickGeneric", (5, 49, 0.0))),
    (wire.TickString(5, 45, "1767366000"), ("tickString", (5, 45, "1767366000"))),
    (wire.TickSnapshotEnd(5), ("tickSnapshotEnd", (5,))),
    (wire.MarketDataType(5, 3), ("marketDataType", (5, 3))),
    (wire.TickReqParams(5, 0.01, "9c0001", 3), ("tickReqParams", (5, 0.01, "9c0001", 3))),
    (wire.RerouteMktData(5, 77, "SMART"), ("rerouteMktDataReq", (5, 77, "SMART"))),
    (wire.MarketDepth(5, 1, 0, 1, 101.25, 300.0), ("updateMktDepth", (5, 1, 0, 1, 101.25, 300.0))),
    (
        wire.MarketDepthL2(5, 1, "NSDQ", 0, 1, 101.25, 300.0, True),
        ("updateMktDepthL2", (5, 1, "NSDQ", 0, 1, 101.25, 300.0, True)),
    ),
    (
        wire.OrderStatus(12, "Filled", 3.0, 0.0, 1.5, 991, 11, 1.25, 7, "locate", 2.5),
        ("orderStatus", (12, "Filled", 3.0, 0.0, 1.5, 991, 11, 1.25, 7, "locate", 2.5)),
    ),
    (wire.OpenOrderEnd(), ("openOrderEnd", ())),
    (wire.CompletedOrdersEnd(), ("completedOrdersEnd", ())),
    (wire.ExecutionDataEnd(6), ("execDetailsEnd", (6,))),
    (wire.OrderBound(991, 7, 12), ("orderBound", (991, 7, 12))),
    (wire.AccountValue("Cash", "1.5", "USD", "DU1"), ("updateAccountValue", ("Cash", "1.5", "USD", "DU1"))),
    (wire.AccountUpdateTime("15:04"), ("updateAccountTime", ("15:04",))),
    (wire.AccountDownloadEnd("DU1"), ("accountDownloadEnd", ("DU1",))),
    (wire.ManagedAccounts("DU1,DU2"), ("managedAccounts", ("DU1,DU2",))),
    (wire.PositionEnd(), ("positionEnd", ())),
    (wire.PositionMultiEnd(6), ("positionMultiEnd", (6,))),
    (wire.AccountSummary(6, "DU1", "Cushion", "0.9", ""), ("accountSummary", (6, "DU1", "Cushion", "0.9", ""))),
    (wire.AccountSummaryEnd(6), ("accountSummaryEnd", (6,))),
    (
        wire.AccountUpdateMulti(6, "DU1", "m", "Cash", "1", "USD"),
        ("accountUpdateMulti", (6, "DU1", "m", "Cash", "1", "USD")),
    ),
    (wire.AccountUpdateMultiEnd(6), ("accountUpdateMultiEnd", (6,))),
    (wire.Pnl(6, 1.5, 2.5), ("pnl", (6, 1.5, 2.5, UNSET))),
    (wire.PnlSingle(6, 3.0, 1.5, 2.5, UNSET, 99.5), ("pnlSingle", (6, 3.0, 1.5, 2.5, UNSET, 99.5))),
    (wire.NextValidId(44), ("nextValidId", (44,))),
    (wire.CurrentTime(MORNING), ("currentTime", (MORNING,))),
    (wire.UserInfo(6, "brand"), ("userInfo", (6, "brand"))),
    (wire.ScannerParameters("<xml/>"), ("scannerParameters", ("<xml/>",))),
    (wire.ContractDataEnd(6), ("contractDetailsEnd", (6,))),
    (
        wire.SecDefOptParams(6, "SMART", 77, "SIMA", "100", ("20260116", "20260220"), (500.0, 512.5)),
        (
            "securityDefinitionOptionParameter",
            (6, "SMART", "77", "SIMA", "100", ["20260116", "20260220"], [500.0, 512.5]),
        ),
    ),
    (wire.SecDefOptParamsEnd(6), ("securityDefinitionOptionParameterEnd", (6,))),
    (
        wire.RealTimeBar(6, MORNING, 1.5, 3.5, 0.5, 2.5, 100.0, 2.25, 7),
        ("realtimeBar", (6, MORNING, 1.5, 3.5, 0.5, 2.5, 100.0, 2.25, 7)),
    ),
    (wire.HeadTimestamp(6, "20040102 14:30:00"), ("headTimestamp", (6, "20040102 14:30:00"))),
    (wire.NewsBulletin(6, 1, "text", "NYSE"), ("updateNewsBulletin", (6, 1, "text", "NYSE"))),
    (wire.NewsArticle(6, 0, "text"), ("newsArticle", (6, 0, "text"))),
    (
        wire.TickNews(6, MORNING * 1000, "BRFG", "BRFG$1", "headline", "extra"),
        ("tickNews", (6, MORNING * 1000, "BRFG", "BRFG$1", "headline", "extra")),
    ),
    (
        wire.HistoricalNews(6, "2026-01-02 15:00:00.0", "BRFG", "BRFG$1", "headline"),
        ("historicalNews", (6, "2026-01-02 15:00:00.0", "BRFG", "BRFG$1", "headline")),
    ),
    (wire.HistoricalNewsEnd(6, True), ("historicalNewsEnd", (6, True))),
]


@pytest.mark.parametrize(("message", "expected"), PLAIN, ids=[type(case[0]).__name__ for case in PLAIN])
def test_plain_responses(shown, message, expected):
    assert shown(message) == [expected]


def plain(thing: Any) -> Any:
    """Return a client's record as values in their order."""
    if isinstance(thing, list):
        return [plain(each) for each in thing]
    if dataclasses.is_dataclass(thing):
        return tuple(getattr(thing, field.name) for field in dataclasses.fields(thing))
    return tuple(thing) if isinstance(thing, tuple) else thing


ROWS: list[tuple[Any, str, tuple[Any, ...]]] = [
    (
        wire.MktDepthExchanges((wire.DepthExchange("ISLAND", "STK", "NASDAQ", "Deep2", 1),)),
        "mktDepthExchanges", ([("ISLAND", "STK", "NASDAQ", "Deep2", 1)],),
    ),
    (wire.SmartComponents(6, (wire.SmartComponent(3, "ARCA", "P"),)), "smartComponents", (6, [(3, "ARCA", "P")])),
    (
        wire.MarketRule(26, (wire.PriceIncrement(0.0, 0.01), wire.PriceIncrement(3.0, 0.05))),
        "marketRule", (26, [(0.0, 0.01), (3.0, 0.05)]),
    ),
    (wire.HistogramData(6, (wire.HistogramEntry(1.5, 20),)), "histogramData", (6, [(1.5, 20)])),
    (wire.NewsProviders((wire.NewsProvider("BRFG", "Briefing"),)), "newsProviders", ([("BRFG", "Briefing")],)),
    (
        wire.HistoricalSchedule(
            6, "20260102-09:30:00", "20260102-16:00:00", "US/Eastern",
            (wire.HistoricalSession("20260102-09:30:00", "20260102-16:00:00", "20260102"),),
        ),
        "historicalSchedule",
        (
            6, "20260102-09:30:00", "20260102-16:00:00", "US/Eastern",
            [("20260102-09:30:00", "20260102-16:00:00", "20260102")],
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("message", "name", "args"), ROWS, ids=[case[1] for case in ROWS])
def test_responses_with_rows(shown, message, name, args):
    ((called, got),) = shown(message)
    assert (called, tuple(plain(arg) for arg in got)) == (name, args)


def test_errors(shown, version):
    rejected = wire.error(201, 12, reason="too large", advanced_order_reject_json='{"a":1}')
    expected = (12, 201, "Order rejected - reason:too large", '{"a":1}' if version >= 166 else "")
    assert shown(rejected) == [("error", expected)]


def test_contract_details(shown, version):
    sent = wire.ContractData(
        6, OPTION, "20260116 16:00:00 US/Eastern", "SIMA", 0.01, "LMT,MKT", "SMART,CBOE", 1, 77,
        "Simulated Café ☕ Inc", "202601", "Tech", "Software", "Games", "US/Eastern", "20260102:0930-20260102:1600",
        "20260102:0930-20260102:1600", "rule", 2, (wire.TagValue("ISIN", "US1"), wire.TagValue("CUSIP", "2")), 3,
        "SIMA", "STK", "32,109", "20260116", "COMMON", 1.0, 2.0, 100.0,
    )  # fmt: skip
    ((name, (req_id, got)),) = shown(sent)
    assert (name, req_id) == ("contractDetails", 6)
    c = got.contract
    assert (c.conId, c.symbol, c.secType, c.strike, c.right, c.multiplier) == (495512, "SIMA", "OPT", 512.5, "C", "100")
    assert (c.lastTradeDateOrContractMonth, got.lastTradeTime, got.timeZoneId) == ("20260116", "16:00:00", "US/Eastern")
    assert (c.exchange, c.primaryExchange, c.currency) == ("SMART", "CBOE", "USD")
    assert (c.localSymbol, c.tradingClass) == ("SIMA  260116C00512500", "SIMA")
    assert got.longName == "Simulated Café ☕ Inc"
    assert [(pair.tag, pair.value) for pair in got.secIdList] == [("ISIN", "US1"), ("CUSIP", "2")]
    assert (got.aggGroup, got.underSymbol, got.underSecType, got.marketRuleIds) == (3, "SIMA", "STK", "32,109")
    assert (got.realExpirationDate, got.stockType, got.evRule, got.evMultiplier) == ("20260116", "COMMON", "rule", 2)
    assert (got.minTick, got.priceMagnifier, got.underConId, got.contractMonth) == (0.01, 1, 77, "202601")
    assert (got.industry, got.category, got.subcategory, got.liquidHours[:13]) == (
        "Tech", "Software", "Games", "20260102:0930",
    )  # fmt: skip
    sizes = {163: (0.0, 0.0, 100.0)}.get(version, (1.0, 2.0, 100.0) if version >= 164 else (0.0, 0.0, 0.0))
    assert (got.minSize, got.sizeIncrement, got.suggestedSizeIncrement) == sizes


def check_contract(contract: Any, *, exchange: str, primary: str) -> None:
    assert (contract.conId, contract.symbol, contract.secType) == (495512, "SIMA", "OPT")
    assert (contract.lastTradeDateOrContractMonth, contract.strike, contract.right) == ("20260116", 512.5, "C")
    assert (contract.multiplier, contract.exchange, contract.primaryExchange) == ("100", exchange, primary)
    assert (contract.currency, contract.localSymbol, contract.tradingClass) == ("USD", OPTION.local_symbol, "SIMA")


def test_portfolio_and_positions(shown):
    ((name, (contract, *rest)),) = shown(wire.PortfolioValue(OPTION, 3.0, 1.5, 450.0, 140.0, 30.0, 5.0, "DU1"))
    assert (name, rest) == ("updatePortfolio", [3.0, 1.5, 450.0, 140.0, 30.0, 5.0, "DU1"])
    check_contract(contract, exchange="", primary="CBOE")
    ((name, (account, contract, *rest)),) = shown(wire.PositionData("DU1", OPTION, -3.0, 140.5))
    assert (name, account, rest) == ("position", "DU1", [-3.0, 140.5])
    check_contract(contract, exchange="SMART", primary="")
    ((name, (*start, contract, position, cost)),) = shown(wire.PositionMulti(6, "DU1", OPTION, -3.0, 140.5, "m"))
    assert (name, start, position, cost) == ("positionMulti", [6, "DU1", "m"], -3.0, 140.5)
    check_contract(contract, exchange="SMART", primary="")


def test_executions_and_commissions(shown, version):
    sent = wire.ExecutionData(
        -1, 12, OPTION, "0001.01", "20260102 10:00:00 US/Eastern", "DU1", "CBOE", "BOT", 3.0, 1.25, 991, 7, 1, 4.0, 1.5,
        "ref", "rule", 2.5, "m", 2, True,
    )  # fmt: skip
    ((name, (req_id, contract, got)),) = shown(sent)
    assert (name, req_id) == ("execDetails", -1)
    check_contract(contract, exchange="SMART", primary="")
    assert got.time == datetime(2026, 1, 2, 15, 0, tzinfo=UTC)
    assert (got.orderId, got.execId, got.acctNumber, got.exchange, got.side) == (12, "0001.01", "DU1", "CBOE", "BOT")
    assert (got.shares, got.price, got.permId, got.clientId, got.liquidation) == (3.0, 1.25, 991, 7, 1)
    assert (got.cumQty, got.avgPrice, got.orderRef, got.evRule, got.evMultiplier) == (4.0, 1.5, "ref", "rule", 2.5)
    assert (got.modelCode, got.lastLiquidity) == ("m", 2)
    assert getattr(got, "pendingPriceRevision", False) is (version >= 178)
    ((name, (report,)),) = shown(wire.CommissionReport("0001.01", 1.05, "USD"))
    assert (name, plain(report)) == ("commissionReport", ("0001.01", 1.05, "USD", UNSET, UNSET, 0))


def test_bars(shown):
    bars = (
        wire.HistoricalBar("20260102", 1.5, 3.5, 0.5, 2.5, 100.0, 2.25, 7),
        wire.HistoricalBar("20260105", 2.5, 4.5, 1.5, 3.5, 200.0, 3.25, 8),
    )
    calls = shown(wire.HistoricalData(6, "20260101 00:00:00", "20260106 00:00:00", bars))
    assert [name for name, _ in calls] == ["historicalData", "historicalData", "historicalDataEnd"]
    assert plain(calls[1][1][1]) == ("20260105", 2.5, 4.5, 1.5, 3.5, 200.0, 3.25, 8)
    assert calls[2][1] == (6, "20260101 00:00:00", "20260106 00:00:00")
    ((name, (req_id, bar)),) = shown(wire.HistoricalDataUpdate(6, "20260105", 2.5, 4.5, 1.5, 3.5, 200.0, 3.25, 8))
    assert (name, req_id, plain(bar)) == ("historicalDataUpdate", 6, ("20260105", 2.5, 4.5, 1.5, 3.5, 200.0, 3.25, 8))


def test_historical_ticks(shown):
    moment = datetime.fromtimestamp(MORNING, UTC)
    ((name, (req_id, (tick,), done)),) = shown(
        wire.HistoricalTicks(6, (wire.HistoricalTick(MORNING, 1.5, 2.5),), False)
    )
    assert (name, req_id, plain(tick), done) == ("historicalTicks", 6, (moment, 1.5, 2.5), False)
    quote = wire.HistoricalTickBidAsk(MORNING, 1, 1.5, 1.75, 10.0, 20.0)
    ((name, (_, (tick,), done)),) = shown(wire.HistoricalTicksBidAsk(6, (quote,)))
    assert (name, plain(tick)[2:], done) == ("historicalTicksBidAsk", (1.5, 1.75, 10.0, 20.0), True)
    trade = wire.HistoricalTickLast(MORNING, 2, 1.5, 10.0, "CBOE", "I")
    ((name, (_, (tick,), done)),) = shown(wire.HistoricalTicksLast(6, (trade,)))
    assert (name, plain(tick)[2:], tick.tickAttribLast.unreported) == (
        "historicalTicksLast", (1.5, 10.0, "CBOE", "I"), True,
    )  # fmt: skip


def test_tick_by_tick(shown):
    last = wire.TickByTick(6, 1, MORNING, price=1.5, size=10.0, mask=1, exchange="CBOE", special_conditions="I")
    ((name, (*start, attributes, exchange, conditions)),) = shown(last)
    assert (name, start) == ("tickByTickAllLast", [6, 1, MORNING, 1.5, 10.0])
    assert (attributes.pastLimit, exchange, conditions) == (True, "CBOE", "I")
    quote = wire.TickByTick(6, 3, MORNING, bid=1.5, ask=1.75, bid_size=10.0, ask_size=20.0, mask=2)
    ((name, (*start, attributes)),) = shown(quote)
    assert (name, start[2:]) == ("tickByTickBidAsk", [1.5, 1.75, 10.0, 20.0])
    assert attributes.askPastHigh
    ((name, args),) = shown(wire.TickByTick(6, 4, MORNING, mid_point=1.625))
    assert (name, args[2]) == ("tickByTickMidPoint", 1.625)


def test_symbols_and_scans(shown, version):
    sample = wire.SymbolSample(77, "SIMA", "STK", "CBOE", "USD", ("OPT", "WAR"), "Simulated", "e12")
    ((name, (req_id, (got,))),) = shown(wire.SymbolSamples(6, (sample,)))
    assert (name, req_id, got.contract.conId, got.derivativeSecTypes) == ("symbolSamples", 6, 77, ["OPT", "WAR"])
    assert got.contract.description == ("Simulated" if version >= 176 else "")
    row = wire.ScannerRow(
        0, 77, "SIMA", "STK", "", 0.0, "", "SMART", "USD", "SIMA", "NMS", "SIMA", "d", "b", "p", "l"
    )  # fmt: skip
    (name, (req_id, rank, details, *texts)), end = shown(wire.ScannerData(6, (row,)))
    assert (name, req_id, rank, texts) == ("scannerData", 6, 0, ["d", "b", "p", "l"])
    assert (details.contract.conId, details.marketName, details.contract.tradingClass) == (77, "NMS", "SIMA")
    assert end == ("scannerDataEnd", (6,))
