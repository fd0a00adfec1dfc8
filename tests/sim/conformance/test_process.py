"""The simulator as a process: its seed, its clock, its end, and clients that are none."""

from __future__ import annotations

import socket
import struct
import time
from contextlib import suppress

import pytest

# A simulator of its own, and waiting: tests/sim/gateway looks at the same in the same process.
pytestmark = pytest.mark.slow


def closes(ib, stock, symbol):
    [contract] = ib.qualifyContracts(stock(symbol))
    bars = ib.reqHistoricalData(contract, "", "5 D", "1 day", "TRADES", True)
    return [(bar.date, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]


def test_a_seed_makes_the_same_market(start, connect, stock, option):
    seen = []
    for seed in ("11", "11", "12"):
        with start("--seed", seed, "--no-limits", "--start", "2026-11-20T16:00Z", "--speed", "0.001") as simulator:
            ib = connect(simulator)
            [ticker] = ib.reqTickers(option(ib))
            seen.append((closes(ib, stock, "AAPL"), ticker.contract.conId, ticker.bid, ticker.ask, ticker.modelGreeks))
            ib.disconnect()
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[2][0]


def test_time_runs_faster(start, connect):
    with start("--seed", "7", "--speed", "60", "--start", "2026-11-20T16:00Z") as simulator:
        ib = connect(simulator)
        moments = [time.monotonic()]
        first = ib.reqCurrentTime()
        moments.append(time.monotonic())
        ib.sleep(2)
        moments.append(time.monotonic())
        passed = (ib.reqCurrentTime() - first).total_seconds()
        moments.append(time.monotonic())
        # Each answer was made between two looks at the machine's clock, and says whole seconds.
        assert 60 * (moments[2] - moments[1]) - 1 <= passed <= 60 * (moments[3] - moments[0]) + 1


def test_a_closed_market_keeps_its_last_quotes(start, connect, stock):
    with start("--seed", "7", "--hours", "exchange", "--start", "2026-11-21T16:00Z") as simulator:
        ib = connect(simulator)
        ib.reqMarketDataType(2)
        [spy] = ib.qualifyContracts(stock("SPY"))
        ticker = ib.reqMktData(spy)
        ib.sleep(0.7)
        assert ticker.marketDataType == 2
        assert ticker.last > 0
        assert ticker.close > 0


@pytest.fixture(scope="module")
def other(start):
    with start("--seed", "7", quiet=False) as simulator:
        yield simulator
        # Being turned away is worth a line, not a traceback.
        assert "Traceback" not in simulator.complaints()


GREETINGS = [b"GET / HTTP/1.1\r\n\r\n", b"API\0" + struct.pack(">I", 1 << 30), b"API\0\0\0\0\x04v1..", b"\0" * 99,
             b"API\0\0\0\0\x09v100..110"]  # fmt: skip


@pytest.mark.parametrize("greeting", GREETINGS)
def test_what_is_no_client_is_turned_away_and_does_no_harm(other, connect, stock, greeting):
    with socket.create_connection((other.host, other.port), timeout=3) as stranger:
        stranger.sendall(greeting)
        with suppress(ConnectionError):
            assert stranger.recv(100) == b""
    assert connect(other).qualifyContracts(stock("SPY"))
