"""Contracts: found, unknown, ambiguous, and described."""

from __future__ import annotations

import re

import pytest

MONTHS = re.compile(r"\d{6}")


def test_a_stock_is_qualified(ib, api):
    [found] = ib.qualifyContracts(api.Stock("AAPL", "SMART", "USD"))
    assert (found.conId, found.primaryExchange, found.localSymbol) == (265598, "NASDAQ", "AAPL")
    assert found.tradingClass


def test_an_index_is_qualified(ib, api):
    [found] = ib.qualifyContracts(api.Index("SPX", "CBOE", "USD"))
    assert found.conId == 416904


@pytest.mark.parametrize("symbol", ["SPY", "QQQ", "AAPL", "MSFT", "TSLA", "IWM"])
def test_underlyings_have_options(ib, api, symbol):
    [under] = ib.qualifyContracts(api.Stock(symbol, "SMART", "USD"))
    chains = ib.reqSecDefOptParams(symbol, "", "STK", under.conId)
    chain = next(one for one in chains if one.exchange == "SMART")
    assert chain.underlyingConId == under.conId or chain.underlyingConId == str(under.conId)
    assert chain.multiplier == "100"
    assert chain.expirations == sorted(chain.expirations)
    assert len(chain.expirations) >= 5
    assert all(re.fullmatch(r"\d{8}", day) for day in chain.expirations)
    assert chain.strikes == sorted(chain.strikes)
    assert len(chain.strikes) > 20


def test_an_index_has_two_classes_of_options(ib, api):
    chains = ib.reqSecDefOptParams("SPX", "", "IND", 416904)
    assert {one.tradingClass for one in chains} >= {"SPX", "SPXW"}


def test_an_option_is_qualified_by_its_terms(ib, option, near):
    found = option(ib, "P", 2)
    assert found.conId > 0
    assert found.multiplier == "100"
    assert found.localSymbol.startswith("SPY   ")
    assert found.localSymbol[6:13] == near(ib).expiry[2:] + "P"
    assert int(found.localSymbol[13:]) == round(found.strike * 1000)
    assert (found.tradingClass, found.currency, found.right) == ("SPY", "USD", "P")


def test_an_option_is_found_by_its_con_id(ib, api, option):
    known = option(ib)
    [details] = ib.reqContractDetails(api.Contract(conId=known.conId, exchange="SMART"))
    assert details.contract.localSymbol == known.localSymbol
    [details] = ib.reqContractDetails(api.Contract(conId=known.conId))
    assert details.contract.conId == known.conId


def test_an_option_is_found_by_its_local_symbol(ib, api, option):
    known = option(ib)
    [found] = ib.qualifyContracts(api.Option(localSymbol=known.localSymbol, exchange="SMART", currency="USD"))
    assert found.conId == known.conId


def test_many_options_are_qualified_in_order(ib, api, near):
    found = near(ib)
    at = found.strikes.index(found.strike)
    wanted = [api.Option("SPY", found.expiry, strike, right, "SMART")
              for strike in found.strikes[at - 5 : at + 5] for right in "CP"]  # fmt: skip
    qualified = ib.qualifyContracts(*wanted)
    assert [(one.strike, one.right) for one in qualified] == [(one.strike, one.right) for one in wanted]
    assert len({one.conId for one in qualified}) == 20


def test_an_unknown_contract_is_refused(ib, api, watch):
    watch.expect(200)
    watch.allow("Unknown contract")
    assert not [one for one in ib.qualifyContracts(api.Stock("NOSUCHTHING", "SMART", "USD")) if one]
    assert ib.reqContractDetails(api.Option("SPY", "20300101", 1.0, "C", "SMART")) == []
    assert watch.codes == [200, 200]
    assert "No security definition has been found" in watch.errors[-1][2]


def test_an_ambiguous_contract_has_no_market_data(ib, api, near, watch, until):
    watch.expect(200)
    ib.client.reqMktData(ib.client.getReqId(), api.Option("SPY", near(ib).expiry, right="C", exchange="SMART"),
                         "", False, False, [])  # fmt: skip
    until(lambda: watch.codes == [200])


def test_a_partial_contract_names_a_whole_expiry(ib, api, near):
    found = near(ib)
    chain = ib.reqContractDetails(api.Option("SPY", found.expiry, exchange="SMART", currency="USD"))
    assert {one.contract.right for one in chain} == {"C", "P"}
    calls = sorted(one.contract.strike for one in chain if one.contract.right == "C")
    assert calls == found.strikes
    assert len({one.contract.conId for one in chain}) == len(chain) == 2 * len(calls)
    puts = ib.reqContractDetails(api.Option("SPY", found.expiry, right="P", exchange="SMART", currency="USD"))
    assert len(puts) == len(calls)


def test_a_month_and_a_strike_alone_are_enough(ib, api, near):
    found = near(ib)
    by_month = ib.reqContractDetails(api.Option("SPY", found.expiry[:6], found.strike, "C", "SMART"))
    assert {one.contract.lastTradeDateOrContractMonth[:6] for one in by_month} == {found.expiry[:6]}
    by_strike = ib.reqContractDetails(api.Option("SPY", "", found.strike, "C", "SMART"))
    assert {one.contract.strike for one in by_strike} == {found.strike}
    assert len(by_strike) > len(by_month) >= 1


def test_details_of_an_option(ib, option, near):
    [details] = ib.reqContractDetails(option(ib))
    contract = details.contract
    assert contract.lastTradeDateOrContractMonth == near(ib).expiry
    assert details.realExpirationDate == near(ib).expiry
    assert details.contractMonth == near(ib).expiry[:6]
    assert (details.underSymbol, details.underSecType, details.underConId) == ("SPY", "STK", 756733)
    assert details.minTick == 0.01
    assert details.marketName == "SPY"
    assert {"LMT", "MKT", "STP"} <= set(details.orderTypes.split(","))
    assert "SMART" in details.validExchanges.split(",")
    assert len(details.marketRuleIds.split(",")) == len(details.validExchanges.split(","))
    assert details.timeZoneId in ("US/Eastern", "America/New_York", "EST")


def test_details_of_a_stock(ib, stock):
    [details] = ib.reqContractDetails(stock("AAPL"))
    assert details.longName == "APPLE INC"
    assert (details.industry, details.category, details.subcategory) == ("Technology", "Computers", "Computers")
    assert details.stockType == "COMMON"
    assert details.priceMagnifier == 1
    assert details.contract.lastTradeDateOrContractMonth == ""
    [fund] = ib.reqContractDetails(stock("SPY"))
    assert fund.stockType == "ETF"


def test_sizes_follow_the_version(ib, stock, version):
    [details] = ib.reqContractDetails(stock("SPY"))
    if version >= 164:
        assert float(details.minSize) > 0
        assert float(details.sizeIncrement) > 0
        assert float(details.suggestedSizeIncrement) > 0
    else:
        assert not hasattr(details, "mdSizeMultiplier") or details.mdSizeMultiplier == 1


def test_hours_can_be_read(ib, option, stock):
    for contract in (option(ib), stock("SPY")):
        [details] = ib.reqContractDetails(contract)
        liquid, trading = details.liquidSessions(), details.tradingSessions()
        assert liquid
        assert trading
        assert all(one.start < one.end for one in (*liquid, *trading))
        assert all(one.start.tzinfo is not None for one in liquid)
        assert all(re.fullmatch(r"\d{8}:(CLOSED|\d{4}-\d{8}:\d{4})", part) for part in details.liquidHours.split(";"))


def test_a_market_rule_gives_the_increments(ib, option):
    [details] = ib.reqContractDetails(option(ib, symbol="AAPL"))
    rule = ib.reqMarketRule(int(details.marketRuleIds.split(",")[0]))
    assert rule[0].lowEdge == 0
    assert min(one.increment for one in rule) == details.minTick


def test_symbols_are_found_by_name(ib):
    found = ib.reqMatchingSymbols("apple")
    assert "AAPL" in {one.contract.symbol for one in found}
    found = ib.reqMatchingSymbols("SP")
    assert {"SPY"} <= {one.contract.symbol for one in found}
    one = next(one for one in found if one.contract.symbol == "SPY")
    assert one.contract.conId == 756733
    assert "OPT" in one.derivativeSecTypes


def test_option_parameters_need_the_right_underlying(ib, watch, until):
    watch.expect(321)
    # ib_async takes 321 for a warning and would wait for ever.
    ib.client.reqSecDefOptParams(ib.client.getReqId(), "SPY", "", "STK", 1)
    until(lambda: watch.codes == [321])


def test_a_con_id_that_contradicts_its_expiry_is_refused(ib, api, option, watch):
    watch.expect(478, 200)
    known = option(ib)
    assert ib.reqContractDetails(api.Contract(conId=known.conId, lastTradeDateOrContractMonth="20300118")) == []
    assert len(watch.codes) == 1


def test_depth_exchanges_and_components(ib):
    assert ib.reqMktDepthExchanges()
    assert ib.reqSmartComponents("a6") is not None
