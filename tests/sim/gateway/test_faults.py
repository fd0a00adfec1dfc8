"""Each fault, by what a client observes while it lasts and once it is over."""

from __future__ import annotations

import asyncio
from math import isnan

import pytest
from ib_async import IB, LimitOrder, Option, Stock

from bifrost_lib.core.errors import InputError, SourceUnavailable, UnknownNameError
from bifrost_lib.sim.control import ControlError, control, main
from bifrost_lib.sim.gateway import Faults

SPY, CALL = 756733, 1001


def call() -> Option:
    return Option(conId=CALL, exchange="SMART")


def stock() -> Stock:
    return Stock(conId=SPY, symbol="SPY", exchange="SMART")


async def streaming(desk, contract=None):
    ib = await desk.connect()
    ticker = ib.reqMktData(contract or call())
    await desk.until(lambda: ticker.bid > 0)
    return ib, ticker


async def is_silent(desk, ticker) -> bool:
    """Tell whether a change of the bid does not reach the client."""
    desk.market.set(ticker.contract.conId, bid=ticker.bid + 0.01)
    before = ticker.bid
    await asyncio.sleep(0.4)
    return bool(ticker.bid == before)


def test_connectivity_lost_and_restored_with_data_kept(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        desk.gateway.faults.inject("connectivity-lost", duration=1.0)
        await desk.until(lambda: 1100 in desk.codes)
        assert await is_silent(desk, ticker)
        await desk.until(lambda: 1102 in desk.codes)
        await desk.until(lambda: ticker.bid == 2.41)
        assert ib.isConnected()

    at_desk(act)


@pytest.mark.parametrize(("ends", "code"), [("restored-kept", 1102), ("restored-lost", 1101)])
def test_who_connects_while_ib_is_away_hears_that_the_farms_are_back(at_desk, ends, code):
    async def act(desk):
        desk.gateway.faults.inject("connectivity-lost")
        await desk.connect()
        await desk.until(lambda: {2103, 2105, 2157} <= set(desk.codes))
        desk.gateway.faults.inject(ends)
        await desk.until(lambda: code in desk.codes)
        await desk.until(lambda: {2104, 2106, 2158} <= {code for _, code, _ in desk.errors})

    at_desk(act)


def test_after_1101_lines_are_dead_and_their_cancellation_is_unknown(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        desk.gateway.faults.inject("connectivity-lost")
        desk.gateway.faults.inject("restored-lost")
        await desk.until(lambda: 1101 in desk.codes)
        assert await is_silent(desk, ticker)
        assert desk.gateway.lines_in_use() == 0
        ib.cancelMktData(ticker.contract)
        await desk.until(lambda: 300 in desk.codes)
        again = ib.reqMktData(call())
        await desk.until(lambda: again.bid == 2.41)
        assert 1102 not in desk.codes

    at_desk(act)


@pytest.mark.parametrize(("farm", "broken", "ok"), [("data", 2103, 2104), ("hmds", 2105, 2106), ("secdef", 2157, 2158)])
def test_farms_break_and_mend(at_desk, farm, broken, ok):
    async def act(desk):
        ib, ticker = await streaming(desk)
        desk.gateway.faults.inject("farm-broken", farm=farm)
        await desk.until(lambda: broken in desk.codes)
        assert await is_silent(desk, ticker) == (farm == "data")
        if farm == "hmds":
            await ib.reqHistoricalDataAsync(stock(), "", "1 D", "1 min", "TRADES", True)
            assert 162 in desk.codes
        if farm == "secdef":
            assert not await ib.reqContractDetailsAsync(stock())
        told = len([code for _, code, _ in desk.errors if code == ok])
        desk.gateway.faults.inject("farm-ok", farm=farm)
        await desk.until(lambda: len([code for _, code, _ in desk.errors if code == ok]) > told)
        assert not await is_silent(desk, ticker)

    at_desk(act)


def test_drop_cuts_connections(at_desk):
    async def act(desk):
        first, second = await desk.connect(1), await desk.connect(2)
        desk.gateway.faults.inject("drop", client=2)
        await desk.until(lambda: not second.isConnected())
        assert first.isConnected()
        desk.gateway.faults.inject("drop")
        await desk.until(lambda: not first.isConnected())
        await desk.connect(1)

    at_desk(act)


def test_half_open_accepts_and_never_answers(at_desk):
    async def act(desk):
        ib = await desk.connect()
        desk.gateway.faults.inject("half-open")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(ib.reqCurrentTimeAsync(), 0.3)
        with pytest.raises(TimeoutError):
            await IB().connectAsync("127.0.0.1", desk.port, clientId=9, timeout=0.3)
        desk.gateway.faults.clear()
        await desk.until(lambda: not ib.isConnected())
        await desk.connect(1)

    at_desk(act)


def test_silent_feeds_say_nothing_of_the_symbols_they_strike(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        other = ib.reqMktData(Option(conId=1013, exchange="SMART"))
        await desk.until(lambda: other.bid == 50.0)
        desk.gateway.faults.inject("silent", symbol="SPY")
        assert await is_silent(desk, ticker)
        assert not await is_silent(desk, other)
        desk.gateway.faults.clear("silent")
        await desk.until(lambda: ticker.bid == 2.41)
        assert not desk.codes

    at_desk(act)


def test_stale_quotes_stand_still_also_for_new_lines(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        desk.gateway.faults.inject("stale")
        await asyncio.sleep(0.15)
        assert await is_silent(desk, ticker)
        [picture] = await ib.reqTickersAsync(call())
        assert picture.bid == 2.4
        desk.gateway.faults.clear()
        await desk.until(lambda: ticker.bid == 2.41)

    at_desk(act)


def test_crossed_and_missing_quotes(at_desk):
    async def act(desk):
        _, ticker = await streaming(desk)
        desk.gateway.faults.inject("crossed")
        await desk.until(lambda: ticker.bid == 2.61)
        assert ticker.ask == 2.6
        desk.gateway.faults.inject("missing")
        await desk.until(lambda: ticker.bid == -1 and ticker.ask == -1)
        desk.gateway.faults.clear()
        await desk.until(lambda: (ticker.bid, ticker.ask) == (2.4, 2.6))

    at_desk(act)


def test_a_share_strikes_the_same_contracts_every_time(at_desk):
    async def act(desk):
        ib = await desk.connect()
        desk.gateway.faults.inject("missing", share=0.5, seed=3)
        options = [Option(conId=con_id, exchange="SMART") for con_id in range(1001, 1013)]
        first = {ticker.contract.conId for ticker in await ib.reqTickersAsync(*options) if ticker.bid == -1}
        again = {ticker.contract.conId for ticker in await ib.reqTickersAsync(*options) if ticker.bid == -1}
        assert 0 < len(first) < 12
        assert first == again

    at_desk(act)


@pytest.mark.parametrize("variant", ["minus", "nan", "absent"])
def test_greeks_are_absent_in_three_ways(at_desk, variant):
    async def act(desk):
        desk.gateway.faults.inject("no-greeks", variant=variant)
        ib, ticker = await streaming(desk)
        await asyncio.sleep(0.3)
        if variant == "absent":
            assert ticker.modelGreeks is None
        elif variant == "nan":
            assert isnan(ticker.modelGreeks.impliedVol)
        else:
            assert (ticker.modelGreeks.impliedVol, ticker.modelGreeks.delta) == (None, None)
            assert ticker.modelGreeks.vega == -2
        desk.gateway.faults.clear()
        await desk.until(lambda: ticker.modelGreeks and ticker.modelGreeks.impliedVol == 0.2)
        assert ib.isConnected()

    at_desk(act)


def test_order_preset_looks_like_a_cancellation_of_an_order_that_lives(at_desk):
    async def act(desk):
        desk.gateway.faults.inject("order-preset")
        ib = await desk.connect()
        trade = ib.placeOrder(stock(), LimitOrder("BUY", 1, 400.0))
        await desk.until(lambda: 10349 in desk.codes)
        orders = await ib.reqAllOpenOrdersAsync()
        assert [one.order.orderId for one in orders] == [trade.order.orderId]
        assert orders[0].order.tif in ("", "DAY")

    at_desk(act)


def test_read_only_refuses_orders(at_desk):
    async def act(desk):
        desk.gateway.faults.inject("read-only")
        ib = await desk.connect()
        ib.placeOrder(stock(), LimitOrder("BUY", 1, 400.0, tif="DAY"))
        await desk.until(lambda: 321 in desk.codes)
        assert not await ib.reqAllOpenOrdersAsync()

    at_desk(act)


def test_historical_errors_and_the_line_limit(at_desk):
    async def act(desk):
        ib, _ = await streaming(desk)
        desk.gateway.faults.inject("hmds-error")
        desk.gateway.faults.inject("line-limit", lines=1)
        assert not await ib.reqHistoricalDataAsync(stock(), "", "1 D", "1 min", "TRADES", True)
        ib.reqMktData(stock())
        await desk.until(lambda: desk.codes == [162, 101])

    at_desk(act)


def test_a_competing_session_takes_the_data_and_gives_it_back(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        desk.gateway.faults.inject("competing-session")
        await desk.until(lambda: desk.codes == [10197])
        assert await is_silent(desk, ticker)
        ib.reqMktData(stock())
        await desk.until(lambda: desk.codes == [10197, 10197])
        desk.gateway.faults.clear()
        await desk.until(lambda: ticker.bid == 2.41)

    at_desk(act)


@pytest.mark.parametrize(("data", "code", "lines"), [("kept", 1102, 1), ("lost", 1101, 0)])
def test_the_nightly_reset_ends_by_itself(at_desk, data, code, lines):
    async def act(desk):
        _, ticker = await streaming(desk)
        desk.gateway.faults.inject("nightly-reset", duration=0.6, data=data)
        await desk.until(lambda: {1100, 2103, 2105, 2157} <= set(desk.codes))
        assert await is_silent(desk, ticker)
        await desk.until(lambda: code in desk.codes)
        assert desk.gateway.lines_in_use() == lines

    at_desk(act)


@pytest.mark.parametrize(("fault", "ends"), [("refuse", "clear"), ("relogin", "login")])
def test_refused_connections(at_desk, fault, ends):
    async def act(desk):
        ib = await desk.connect()
        assert (await control(desk.port, fault)).startswith(fault)
        with pytest.raises(ConnectionRefusedError):
            await IB().connectAsync("127.0.0.1", desk.port, clientId=9, timeout=1)
        await asyncio.sleep(0.05)
        assert ib.isConnected() == (fault == "refuse")
        await control(desk.port, ends)
        await asyncio.sleep(0.05)
        await desk.connect(3)

    at_desk(act)


def test_slow_answers_and_slow_snapshots(at_desk):
    async def act(desk):
        ib = await desk.connect()
        loop = asyncio.get_running_loop()
        desk.gateway.faults.inject("slow", delay=0.3)
        began = loop.time()
        await ib.reqCurrentTimeAsync()
        assert loop.time() - began >= 0.3
        desk.gateway.faults.clear()
        desk.gateway.faults.inject("slow-snapshots", delay=0.4)
        began = loop.time()
        await ib.reqTickersAsync(call())
        assert loop.time() - began >= 0.4

    at_desk(act)


@pytest.mark.parametrize("code", [354, 10089, 10168])
def test_without_a_subscription_delayed_data_is_left(at_desk, code):
    async def act(desk):
        desk.gateway.faults.inject("not-subscribed", symbol="SPY", code=code)
        ib = await desk.connect()
        ib.reqMktData(call())
        await desk.until(lambda: desk.codes == [code])
        ib.reqMarketDataType(3)
        ticker = ib.reqMktData(call())
        await desk.until(lambda: ticker.bid == 2.4)
        assert desk.codes == [code, 10167]
        assert ticker.marketDataType == 3

    at_desk(act)


def test_books_are_reset(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ticker = ib.reqMktDepth(stock(), numRows=2)
        await desk.until(lambda: len(ticker.domBids) == 2)
        ib.client._numMsgRecv = 0
        desk.gateway.faults.inject("depth-reset")
        await desk.until(lambda: ib.client._numMsgRecv >= 5)
        assert 317 in desk.codes

    at_desk(act)


def test_faults_may_be_set_before_the_gateway_starts(at_desk):
    faults = Faults()
    faults.inject("missing", symbol="SPY")

    async def act(desk):
        ib = await desk.connect()
        [ticker] = await ib.reqTickersAsync(call())
        assert ticker.bid == -1

    at_desk(act, faults=faults)


def test_control_reads_text_and_names_what_was_meant(at_desk):
    async def act(desk):
        ib, ticker = await streaming(desk)
        assert await control(desk.port, "silent", symbol="SPY", duration="0.2") == "silent for 0.2 s"
        assert "faults silent" in await control(desk.port, "status")
        await desk.until(lambda: not desk.gateway.faults.active)
        assert "lines 1/100" in await control(desk.port, "status")
        await control(desk.port, "set", con_id=CALL, bid="3.5")
        await desk.until(lambda: ticker.bid == 3.5)
        option = {"symbol": "SPY", "expiry": "2026-12-18", "strike": 520, "right": "C", "bid": 1, "con_id": 7}
        text = await control(desk.port, "add", **option)
        assert text == "7: SPY   261218C00520000"
        [found] = await ib.reqContractDetailsAsync(Option("SPY", "20261218", 520, "C", "SMART"))
        assert found.contract.conId == 7
        await control(desk.port, "advance", seconds=60)
        assert (await ib.reqCurrentTimeAsync()).minute == 1
        for wrong, nearest in (("silnt", "silent"), ("connectivity", "connectivity-lost")):
            with pytest.raises(ControlError, match=nearest):
                await control(desk.port, wrong)
        with pytest.raises(ControlError, match="symbol"):
            await control(desk.port, "silent", symbl="SPY")

    at_desk(act)


def test_names_and_numbers_of_faults_are_checked():
    faults = Faults()
    with pytest.raises(UnknownNameError) as unknown:
        faults.inject("stail")
    assert unknown.value.nearest == "stale"
    with pytest.raises(InputError) as wrong:
        faults.inject("stale", share="much")
    assert wrong.value.name == "share"


def test_control_without_a_gateway_is_one_clear_line(capsys):
    with pytest.raises(SourceUnavailable):
        asyncio.run(control(1, "status"))
    assert main(["--port", "1", "status"]) == 1
    assert main(["--port", "1", "dropp"]) == 1
    assert main(["--port", "1", "drop", "client"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert "did you mean 'drop'" in lines[1]
    assert main(["--port", "1", "list"]) == 0
    assert "nightly-reset" in capsys.readouterr().out
