"""IB's limits, as a client meets them: messages, lines, history."""

from __future__ import annotations

from contextlib import suppress

import pytest

# A simulator of its own, and waiting: tests/sim/gateway looks at the same in the same process.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def limited(start, newest):
    with start("--seed", "7", "--max-version", str(newest)) as simulator:
        yield simulator


@pytest.fixture
def ib(connect, limited):
    return connect(limited)


def test_a_client_that_keeps_its_own_pace_is_never_refused(ib, api, near, watch):
    found = near(ib)
    wanted = [api.Option("SPY", found.expiry, strike, "C", "SMART") for strike in found.strikes[:80]]
    assert len([one for one in ib.qualifyContracts(*wanted) if one]) == 80  # its throttle lets 45 a second through
    assert not watch.codes


def test_too_many_messages_are_refused_and_then_end_the_session(ib, watch, until, gone):
    watch.expect(100)
    watch.allow("Peer closed connection|API connection|.*Connection reset")
    ib.client.setConnectOptions("")
    ib.client.MaxRequests = 0
    for _ in range(60):
        ib.client.reqCurrentTime()
    until(lambda: 100 in watch.codes)
    assert "Max rate of messages" in watch.errors[-1][2]
    assert ib.isConnected()
    for _ in range(4):
        with suppress(ConnectionError):
            for _ in range(60):
                ib.client.reqCurrentTime()
            ib.sleep(0.3)
    gone(ib)


def test_lines_are_limited_and_come_back(ib, api, near, watch, until):
    watch.expect(101)
    found = near(ib)
    chain = [one.contract for one in ib.reqContractDetails(api.Option("SPY", found.expiry, exchange="SMART"))][:102]
    lines = [ib.reqMktData(contract) for contract in chain]
    until(lambda: watch.codes == [101, 101])
    assert "Max number of tickers" in watch.errors[-1][2]
    ib.cancelMktData(lines[0].contract)
    again = ib.reqMktData(chain[-1])
    until(lambda: again.bid > 0 or again.ask > 0 or again.close > 0)
    assert watch.codes == [101, 101]


def test_snapshots_over_the_limit_end_at_once(ib, api, near, watch):
    watch.expect(101)
    found = near(ib)
    chain = [one.contract for one in ib.reqContractDetails(api.Option("SPY", found.expiry, exchange="SMART"))][:160]
    tickers = ib.reqTickers(*chain)
    assert len(tickers) == 160


def test_small_bars_are_paced(ib, stock, watch):
    watch.expect(162)
    [spy] = ib.qualifyContracts(stock("SPY"))
    assert ib.reqHistoricalData(spy, "", "600 S", "5 secs", "TRADES", False)
    assert not ib.reqHistoricalData(spy, "", "600 S", "5 secs", "TRADES", False)
    assert watch.codes == [162]
    assert "pacing violation" in watch.errors[-1][2]
    assert ib.reqHistoricalData(spy, "", "2 D", "1 hour", "TRADES", True)
    assert ib.reqHistoricalData(spy, "", "2 D", "1 hour", "TRADES", True)


def test_books_are_limited(ib, stock, watch, until):
    watch.expect(309)
    contracts = ib.qualifyContracts(*(stock(symbol) for symbol in ("SPY", "QQQ", "IWM", "AAPL")))
    for contract in contracts:
        ib.reqMktDepth(contract, 5, True)
    until(lambda: watch.codes == [309])
