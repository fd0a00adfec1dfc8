"""The greeting, the synchronisation that follows it, client ids, and what a client can ask of the session."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime

import pytest


def test_a_client_gets_its_version_accounts_and_order_id(ib, version):
    assert ib.isConnected()
    assert ib.client.serverVersion() == version
    assert ib.managedAccounts()[0].startswith("DU")
    assert ib.client.getReqId() >= 1


def test_synchronising_leaves_nothing_to_wait_for(connect, gateway):
    took = []
    for _ in range(5):
        began = time.perf_counter()
        ib = connect(gateway)
        took.append(time.perf_counter() - began)
        assert ib.accountValues()
    assert statistics.median(took) < 0.5  # one end marker that is missing costs 4 s


def test_farms_are_told(ib, watch, until):
    until(lambda: {code for _, code, _ in watch.errors} >= {2104, 2106, 2158})
    assert all(req_id == -1 for req_id, code, _ in watch.errors if code in (2104, 2106, 2158))


def test_two_clients_are_served_at_once(connect, gateway, stock):
    first, second = connect(gateway), connect(gateway)
    assert first.client.clientId != second.client.clientId
    for ib in (first, second):
        assert len(ib.reqContractDetails(stock("SPY"))) == 1


def test_a_taken_client_id_is_refused(connect, gateway, watch):
    ib = connect(gateway)
    watch.expect(326)
    watch.allow("Peer closed connection|API connection failed|clientId|Disconnected")
    with pytest.raises((TimeoutError, ConnectionError)):
        connect(gateway, ib.client.clientId, timeout=0.7)
    assert watch.codes == [326]
    assert ib.isConnected()


def test_a_client_id_is_free_again_after_its_client_left(connect, gateway, api):
    ib = connect(gateway)
    client_id = ib.client.clientId
    for _ in range(3):
        ib.disconnect()
        api.util.sleep(0.05)
        ib = connect(gateway, client_id)
    assert ib.isConnected()


def test_client_0_binds_orders_of_others(connect, simulator):
    ib = connect(simulator, 0)
    ib.reqAutoOpenOrders(True)
    assert ib.reqCurrentTime()


def test_a_read_only_client_connects(connect, gateway):
    assert connect(gateway, readonly=True).managedAccounts()


def test_the_gateway_tells_the_time(ib):
    told = ib.reqCurrentTime()
    assert abs((told - datetime.now(UTC)).total_seconds()) < 5
    assert told.tzinfo is not None


def test_the_user_is_told(ib):
    if not hasattr(ib, "reqUserInfo"):
        pytest.skip("this client cannot ask")
    assert not ib.reqUserInfo()  # IB's own customers have no other brand


def test_order_ids_can_be_asked_for_again(ib, until):
    seen = []
    original = ib.wrapper.nextValidId if hasattr(ib.wrapper, "nextValidId") else None
    ib.wrapper.nextValidId = seen.append
    ib.client.reqIds(1)
    until(lambda: seen)
    if original is not None:
        ib.wrapper.nextValidId = original
    assert int(seen[0]) >= 1


def test_what_nobody_knows_is_refused_and_the_session_lives(ib, watch, until):
    watch.expect(321, 320, 505, 506)
    ib.client.send(59999, 1, 2)
    ib.client.send(1, 11)
    until(lambda: len(watch.codes) >= 2)
    assert ib.reqCurrentTime()
