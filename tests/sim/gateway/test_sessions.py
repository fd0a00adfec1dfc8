"""Connecting, greeting, client ids, time, and what a client is told about contracts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import pytest
from ib_async import IB, Contract, Index, Option, Stock

SPY, CALL = 756733, 1001


def test_a_client_connects_synchronises_and_sees_that_this_is_a_simulation(at_desk):
    async def act(desk):
        began = time.perf_counter()
        ib = await desk.connect()
        assert time.perf_counter() - began < 1.0
        assert ib.client.serverVersion() == 178
        assert ib.managedAccounts() == ["DU1234567"]
        await desk.until(lambda: len(desk.errors) >= 3)
        assert [text.rsplit(":", 1)[-1] for _, _, text in desk.errors] == [
            "simulated", "simulated-hmds", "simulated-secdef"
        ]  # fmt: skip
        assert await ib.reqCurrentTimeAsync() == datetime(2026, 11, 20, 16, tzinfo=UTC)
        assert not await ib.reqUserInfoAsync()  # a customer of IB itself has no white brand

    at_desk(act)


@pytest.mark.parametrize("version", [157, 163, 164, 170, 176, 178])
def test_every_version_of_the_protocol_reads_the_same_contract(at_desk, version):
    async def act(desk):
        ib = await desk.connect()
        assert ib.client.serverVersion() == version
        [details] = await ib.reqContractDetailsAsync(Option("SPY", "20261218", 490, "C", "SMART"))
        assert details.contract.conId == CALL
        assert details.minTick == 0.01
        assert details.realExpirationDate == "20261218"

    at_desk(act, max_version=version)


def test_a_client_id_is_taken_once(at_desk):
    async def act(desk):
        await desk.connect(7)
        other = IB()
        codes = []
        other.errorEvent += lambda _, code, *__: codes.append(code)
        with pytest.raises((TimeoutError, ConnectionError)):
            await other.connectAsync("127.0.0.1", desk.port, clientId=7, timeout=0.3)
        assert codes == [326]
        assert [session.client_id for session in desk.gateway.sessions] == [7]

    at_desk(act)


def test_what_is_no_client_is_turned_away(at_desk):
    async def act(desk):
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await reader.readexactly(1)
        writer.close()
        ib = await desk.connect()
        assert ib.isConnected()

    at_desk(act)


def test_a_partial_contract_names_a_whole_chain(at_desk):
    async def act(desk):
        ib = await desk.connect()
        chain = await ib.reqContractDetailsAsync(Option("SPY", "20261218", exchange="SMART", currency="USD"))
        assert len(chain) == 6
        assert len(await ib.reqContractDetailsAsync(Option("SPY", "202701", right="P", exchange="SMART"))) == 3
        [parameters, *_] = await ib.reqSecDefOptParamsAsync("SPY", "", "STK", SPY)
        assert parameters.expirations == ["20261218", "20270115"]
        assert parameters.strikes == [490.0, 500.0, 510.0]

    at_desk(act)


def test_options_that_settle_on_the_opening_last_trade_the_day_before(at_desk):
    async def act(desk):
        ib = await desk.connect()
        found = await ib.reqContractDetailsAsync(Option("SPX", "", 5000, "C", "SMART"))
        days = {one.contract.tradingClass: one.contract.lastTradeDateOrContractMonth for one in found}
        assert days == {"SPX": "20261217", "SPXW": "20261218"}
        assert {one.realExpirationDate for one in found} == {"20261218"}
        assert {one.contract.localSymbol for one in found} == {"SPX   261218C05000000", "SPXW  261218C05000000"}
        [by_symbol] = await ib.reqContractDetailsAsync(
            Contract(secType="OPT", localSymbol="SPX   261218C05000000", exchange="SMART")
        )
        assert by_symbol.contract.tradingClass == "SPX"

    at_desk(act)


@pytest.mark.parametrize(
    ("contract", "code"),
    [
        (Stock("NOSUCH", "SMART", "USD"), 200),
        (Option("SPY", "20261219", 490, "C", "SMART"), 200),
        (Stock("SPY", "NOWHERE", "USD"), 200),
        (Index("SPX", "SMART"), 200),
        (Contract(conId=CALL, lastTradeDateOrContractMonth="20270115"), 478),
    ],
)
def test_contracts_that_do_not_exist_are_refused(at_desk, contract, code):
    async def act(desk):
        ib = await desk.connect()
        assert not await ib.reqContractDetailsAsync(contract)
        assert desk.codes == [code]

    at_desk(act)


def test_a_contract_without_a_type_of_security_is_invalid(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ib.client.reqContractDetails(1, Contract(symbol="SPY"))  # ib_async takes 321 for a warning and waits on
        await desk.until(lambda: desk.codes)
        assert desk.codes == [321]

    at_desk(act)


def test_a_contract_that_fits_several_is_no_line(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ib.client.reqMktData(1, Option("SPY", "20261218", right="C", exchange="SMART"), "", False, False, [])
        await desk.until(lambda: desk.codes)
        assert desk.codes == [200]
        assert "ambiguous" in desk.errors[-1][2]

    at_desk(act)


def test_symbols_rules_and_exchanges(at_desk):
    async def act(desk):
        ib = await desk.connect()
        samples = await ib.reqMatchingSymbolsAsync("SP")
        assert {one.contract.symbol for one in samples} == {"SPY", "SPX"}
        [increment] = await ib.reqMarketRuleAsync(26)
        assert (increment.lowEdge, increment.increment) == (0.0, 0.01)
        assert await ib.reqMktDepthExchangesAsync()
        assert await ib.reqSmartComponentsAsync("51510001")

    at_desk(act)
