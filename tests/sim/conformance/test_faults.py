"""What goes wrong on demand, asked for as a person does."""

from __future__ import annotations

import time
from math import isnan

import pytest

# A simulator of its own, and waiting: tests/sim/gateway looks at the same in the same process.
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faulty(start, newest):
    with start("--seed", "7", "--no-limits", "--max-version", str(newest)) as simulator:
        yield simulator


@pytest.fixture
def ib(connect, faulty):
    yield connect(faulty)
    faulty.control("clear")


@pytest.fixture
def spy(ib, stock):
    [found] = ib.qualifyContracts(stock("SPY"))
    return found


def moves(ib, ticker, seconds=0.9):
    updates = []
    ticker.updateEvent += updates.append
    ib.sleep(seconds)
    ticker.updateEvent -= updates.append
    return len(updates)


def test_every_fault_is_listed(faulty):
    listed = faulty.control("list")
    for name in ("connectivity-lost", "restored-lost", "restored-kept", "farm-broken", "drop", "half-open", "silent",
                 "stale", "crossed", "missing", "no-greeks", "order-preset", "hmds-error", "line-limit",
                 "competing-session", "nightly-reset", "relogin", "slow-snapshots"):  # fmt: skip
        assert name in listed


def test_connectivity_is_lost_and_restored_with_the_data(ib, faulty, spy, watch, until):
    watch.expect(1100, 1102)
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    faulty.control("connectivity-lost")
    until(lambda: watch.codes == [1100])
    assert moves(ib, ticker) == 0
    faulty.control("restored-kept")
    until(lambda: watch.codes == [1100, 1102])
    until(lambda: moves(ib, ticker, 0.3))
    assert ib.isConnected()


def test_connectivity_is_restored_without_the_data(ib, faulty, spy, watch, until):
    watch.expect(1100, 1101, 300)
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    faulty.control("connectivity-lost")
    faulty.control("restored-lost")
    until(lambda: watch.codes == [1100, 1101])
    assert moves(ib, ticker) == 0
    ib.cancelMktData(spy)
    until(lambda: watch.codes[-1] == 300)
    again = ib.reqMktData(spy)
    until(lambda: moves(ib, again, 0.3))


@pytest.mark.parametrize(
    ("farm", "broken", "well"), [("data", 2103, 2104), ("hmds", 2105, 2106), ("secdef", 2157, 2158)]
)
def test_farms_break(ib, faulty, watch, until, farm, broken, well):
    watch.expect(broken)
    faulty.control("farm-broken", f"farm={farm}")
    until(lambda: watch.codes == [broken])
    told = len(watch.errors)
    faulty.control("farm-ok", f"farm={farm}")
    until(lambda: [code for _, code, _ in watch.errors[told:]] == [well])


def test_connections_are_cut(ib, faulty, watch, gone):
    watch.allow("Peer closed connection|API connection")
    faulty.control("drop")
    gone(ib)


def test_a_half_open_socket_is_silent(ib, faulty, watch, connect):
    watch.allow("Peer closed connection|API connection|.*[Tt]imeout|Disconnected|clientId")
    faulty.control("half-open")
    with pytest.raises((TimeoutError, ConnectionError)):
        connect(faulty, timeout=0.5)
    assert ib.isConnected()


@pytest.mark.parametrize("fault", ["silent", "stale"])
def test_feeds_stop_without_a_word(ib, faulty, spy, until, fault):
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    faulty.control(fault)
    ib.sleep(0.3)
    assert moves(ib, ticker, 1.2) == 0
    faulty.control("clear", f"fault={fault}")
    until(lambda: moves(ib, ticker, 0.3))


def test_quotes_cross(ib, faulty, option, until):
    ticker = ib.reqMktData(option(ib))
    until(lambda: ticker.bid > 0)
    faulty.control("crossed", "symbol=SPY")
    until(lambda: ticker.bid > ticker.ask > 0)
    faulty.control("clear")
    until(lambda: ticker.bid < ticker.ask)


def test_quotes_go_missing(ib, faulty, option, until):
    ticker = ib.reqMktData(option(ib))
    until(lambda: ticker.bid > 0)
    faulty.control("missing")
    until(lambda: ticker.bid == -1 and ticker.ask == -1)
    faulty.control("clear")
    until(lambda: 0 < ticker.bid < ticker.ask)


@pytest.mark.parametrize("variant", ["minus", "nan", "absent"])
def test_greeks_go_missing(ib, faulty, option, until, variant):
    faulty.control("no-greeks", f"variant={variant}")
    ticker = ib.reqMktData(option(ib))
    until(lambda: ticker.bid > 0)
    ib.sleep(0.3)
    if variant == "absent":
        assert ticker.modelGreeks is None
    elif variant == "minus":
        assert ticker.modelGreeks.impliedVol is None
        assert ticker.modelGreeks.delta is None
    else:
        assert ticker.modelGreeks is None or ticker.modelGreeks.delta is None or isnan(ticker.modelGreeks.delta)


def test_history_fails(ib, faulty, spy, watch):
    watch.expect(162)
    faulty.control("hmds-error")
    assert not ib.reqHistoricalData(spy, "", "1 D", "1 hour", "TRADES", True)
    assert watch.codes == [162]


def test_lines_are_taken_away(ib, faulty, spy, watch, until):
    watch.expect(101)
    faulty.control("line-limit", "lines=0")
    ib.reqMktData(spy)
    until(lambda: watch.codes == [101])


def test_live_data_need_a_subscription(ib, faulty, spy, watch, until):
    watch.expect(354, 10167)
    faulty.control("not-subscribed", "code=354")
    ib.reqMktData(spy)
    until(lambda: watch.codes == [354])
    ib.cancelMktData(spy)
    watch.expect(300)
    ib.reqMarketDataType(3)
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    assert ticker.marketDataType == 3


def test_another_session_takes_the_data(ib, faulty, spy, watch, until):
    watch.expect(10197)
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    faulty.control("competing-session")
    until(lambda: watch.codes == [10197])
    ib.sleep(0.3)
    assert moves(ib, ticker) == 0
    faulty.control("clear")
    until(lambda: moves(ib, ticker, 0.3))


def test_an_order_preset_looks_like_a_cancellation(ib, faulty, api, spy, watch, until):
    watch.expect(10349, 202)
    faulty.control("order-preset")
    trade = ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.0))
    until(lambda: watch.codes == [10349])
    ib.sleep(0.2)
    live = connect_orders(ib)
    assert trade.order.permId in live or trade.order.orderId in live
    ib.reqGlobalCancel()
    ib.sleep(0.2)


def connect_orders(ib):
    seen = set()
    original = ib.wrapper.openOrder
    ib.wrapper.openOrder = lambda order_id, contract, order, state: (
        seen.update((order.permId, order_id)), original(order_id, contract, order, state)
    )  # fmt: skip
    ib.reqOpenOrders()
    ib.wrapper.openOrder = original
    return seen


def test_a_read_only_gateway_refuses_orders(ib, faulty, api, spy, watch, until):
    watch.expect(321)
    faulty.control("read-only")
    ib.placeOrder(spy, api.LimitOrder("BUY", 1, 100.0, tif="DAY"))
    until(lambda: watch.codes == [321])
    assert "read-only" in watch.errors[-1][2].lower()


def test_the_nightly_reset(ib, faulty, spy, watch, until):
    watch.expect(1100, 1102, 2103, 2105, 2157)
    ticker = ib.reqMktData(spy)
    until(lambda: ticker.bid > 0)
    faulty.control("nightly-reset", "duration=0.8")
    until(lambda: watch.codes[:1] == [1100] and 1102 in watch.codes)
    until(lambda: moves(ib, ticker, 0.3))


def test_the_weekly_login_lapses(ib, faulty, connect, watch, gone):
    watch.allow(
        "Peer closed connection|API connection|.*[Tt]imeout|Disconnected|clientId|.*refused|.*Connect call|Make sure"
    )
    faulty.control("relogin")
    gone(ib)
    with pytest.raises((TimeoutError, OSError)):
        connect(faulty, timeout=1)
    faulty.control("login")
    assert connect(faulty).isConnected()


def test_snapshots_are_slow(ib, faulty, spy):
    faulty.control("slow-snapshots", "delay=1.5")
    began = time.monotonic()
    ib.reqTickers(spy)
    assert time.monotonic() - began > 1.4


def test_an_unknown_fault_names_the_nearest(faulty):
    with pytest.raises(AssertionError, match="silent"):
        faulty.control("silnt")
