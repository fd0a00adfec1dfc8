"""IB's limits: messages, lines, historical pacing; and none of them when they are switched off."""

from __future__ import annotations

import asyncio

import pytest
from ib_async import Option, Stock

from bifrost_lib.sim.gateway import Limits
from bifrost_lib.sim.gateway.limits import HistoricalGate, MessageGate

SPY, CALL = 756733, 1001


def test_a_burst_of_45_a_second_is_within_the_limit_and_the_51st_of_a_second_is_not():
    gate = MessageGate(Limits())
    # What ib_async's own throttle sends: 45 at one stroke, again a second later, some of them early.
    assert all(gate.admit(second + place * 1e-4) for second in range(5) for place in range(45))
    assert all(gate.admit(4.0 + place * 1e-4) for place in range(45, 50))
    assert not gate.admit(4.01)
    assert gate.violations == 1


def test_whoever_wrote_while_the_gateway_was_busy_pays_nothing():
    gate = MessageGate(Limits())
    assert all(gate.admit(0.0) for _ in range(45))
    # Two bursts, sent at 1.0 and 2.0, are read at one stroke at 2.4; the next comes in time.
    assert all(gate.admit(2.4, since=0.5) for _ in range(90))
    assert all(gate.admit(3.0) for _ in range(45))
    assert not all(gate.admit(3.0) for _ in range(10))


def test_whoever_goes_on_is_disconnected():
    gate = MessageGate(Limits(messages_per_s=2))
    refused = [gate.admit(place * 0.15) for place in range(6)]
    assert refused[:2] == [True, True]
    assert gate.exhausted
    flood = MessageGate(Limits())
    assert sum(flood.admit(0.0) for _ in range(101)) == 50
    assert flood.exhausted


def test_historical_pacing_counts_what_ib_counts():
    gate = HistoricalGate(Limits())
    ask = {"bar_s": 5, "weight": 1}
    assert not gate.refuse("a", "SPY", at=0.0, **ask)
    assert "pacing" in gate.refuse("a", "SPY", at=14.0, **ask)  # identical within 15 s
    assert not gate.refuse("a", "SPY", at=16.0, **ask)
    for request in "bcdef":
        assert not gate.refuse(request, "QQQ", at=100.0, **ask)
    assert gate.refuse("g", "QQQ", at=101.0, **ask)  # the sixth within 2 s
    assert not gate.refuse("a", "SPY", bar_s=60, weight=1, at=16.0)  # minutes are not paced
    for number in range(53):
        assert not gate.refuse(number, number, at=110.0 + 3 * number, **ask)
    assert gate.refuse("last", "last", at=300.0, **ask)  # the 61st in 10 minutes
    assert not gate.refuse("last", "last", at=750.0, **ask)


def test_more_messages_than_ib_takes_are_refused_and_end_the_connection(at_desk):
    async def act(desk):
        ib = await desk.connect()
        ib.client.MaxRequests = 0
        await asyncio.sleep(1.0)  # the window of the connection itself
        for _ in range(60):
            ib.client.reqCurrentTime()
        await desk.until(lambda: 100 in desk.codes)
        assert "max=50" in desk.errors[-1][2]
        assert ib.isConnected()
        for _ in range(4):
            if ib.isConnected():
                ib.client.reqCurrentTime()
            await asyncio.sleep(0.12)
        assert not ib.isConnected()

    at_desk(act)


def test_the_throttle_of_ib_async_never_meets_the_limit(at_desk):
    async def act(desk):
        ib = await desk.connect()
        wanted = [Option("SPY", "20261218", 490, "C", "SMART")] * 120
        found = await ib.qualifyContractsAsync(*wanted)
        assert [one.conId for one in found] == [CALL] * 120
        assert not desk.codes

    at_desk(act)


def test_lines_are_shared_by_all_clients_and_come_back(at_desk):
    async def act(desk):
        first, second = await desk.connect(1), await desk.connect(2)
        for con_id in range(CALL, CALL + 3):
            first.reqMktData(Option(conId=con_id, exchange="SMART"))
        await desk.until(lambda: desk.gateway.lines_in_use() == 3)
        stock = Stock(conId=SPY, symbol="SPY", exchange="SMART")
        second.reqMktData(stock)
        await desk.until(lambda: desk.codes)
        assert desk.codes == [101]
        first.disconnect()
        await desk.until(lambda: desk.gateway.lines_in_use() == 0)
        ticker = second.reqMktData(stock)
        await desk.until(lambda: ticker.bid == 500.0)

    at_desk(act, limits=Limits(lines=3))


def test_books_and_tick_by_tick_feeds_are_counted(at_desk):
    async def act(desk):
        ib = await desk.connect()
        stock = Stock(conId=SPY, symbol="SPY", exchange="SMART")
        for number in range(2):
            ib.client.reqMktDepth(100 + number, stock, 3, False, [])
            ib.client.reqTickByTickData(200 + number, stock, "BidAsk", 0, False)
        await desk.until(lambda: len(desk.codes) == 2)
        assert desk.codes == [309, 10190]

    at_desk(act, limits=Limits(depth=1, tick_by_tick=1))


@pytest.mark.parametrize("enforced", [True, False])
def test_small_bars_are_paced_unless_limits_are_off(at_desk, enforced):
    async def act(desk):
        ib = await desk.connect()
        stock = Stock(conId=SPY, symbol="SPY", exchange="SMART")
        for _ in range(2):
            await ib.reqHistoricalDataAsync(stock, "", "60 S", "1 secs", "TRADES", False)
        texts = [text for _, code, text in desk.errors if code == 162]
        assert len(texts) == 2  # the script has no bars
        assert ("pacing violation" in texts[1]) == enforced

    at_desk(act, limits=Limits(enforced=enforced))


def test_a_client_that_does_not_read_costs_no_memory(at_desk):
    async def act(desk):
        reader, writer = await asyncio.open_connection("127.0.0.1", desk.port, limit=1024)
        writer.write(b"API\0\x00\x00\x00\x09v157..178")
        await reader.read(100)
        line = ("1", "11", "9", "1001", *[""] * 6, "SMART", *[""] * 4, "0", "", "0", "0", "")
        for fields in (("71", "2", "5", ""), line):
            body = ("\0".join(fields) + "\0").encode()
            writer.write(len(body).to_bytes(4, "big") + body)
        await desk.until(lambda: desk.gateway.lines_in_use() == 1)
        [session] = desk.gateway.sessions
        session.pause_writing()
        sent = len(session._out)
        for price in range(50):
            desk.market.set(CALL, bid=float(price))
            desk.gateway.beat(2)
        assert len(session._out) == sent
        session.resume_writing()
        desk.gateway.beat(2)
        assert sum(frame.count(b"1\x006\x009\x001\x00") for frame in session._out) == 1  # the latest bid, once
        writer.close()

    at_desk(act)
