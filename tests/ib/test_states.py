"""The session's states as a table, and what IB's notices mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.ib.records import SessionState as State
from bifrost_lib.ib.states import TRANSITIONS, Event, Health, after

JOURNEYS = {
    "first connection": ([Event.CONNECT, Event.OPENED, Event.SYNCED], State.READY),
    "refused": ([Event.CONNECT, Event.FAILED], State.DISCONNECTED),
    "reconnected with leases": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED_WITH_INTENTS, Event.RESTORED],
        State.READY,
    ),
    "1100 then 1102": ([Event.CONNECT, Event.OPENED, Event.SYNCED, Event.TROUBLE, Event.HEALED], State.READY),
    "1100 then 1101": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.TROUBLE, Event.DATA_LOST],
        State.RESUBSCRIBING,
    ),
    "1101 alone": ([Event.CONNECT, Event.OPENED, Event.SYNCED, Event.DATA_LOST], State.RESUBSCRIBING),
    "2103 then 2104": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.TROUBLE, Event.FARM_BACK, Event.RESTORED],
        State.READY,
    ),
    "cut": ([Event.CONNECT, Event.OPENED, Event.SYNCED, Event.SOCKET_LOST], State.DISCONNECTED),
    "cut at night, attempts fail": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.SOCKET_LOST, Event.RESET_TROUBLE, Event.CONNECT],
        State.RESET_WINDOW,
    ),
    "back after the night": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.RESET_TROUBLE, Event.HEALED],
        State.READY,
    ),
    "still away after the night": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.RESET_TROUBLE, Event.RESET_OVER],
        State.DEGRADED,
    ),
    "login lapsed and renewed": (
        [Event.CONNECT, Event.OPENED, Event.SYNCED, Event.SOCKET_LOST, Event.LOGIN_LAPSED, Event.CONNECT,
         Event.OPENED, Event.SYNCED],
        State.READY,
    ),
}  # fmt: skip


@pytest.mark.parametrize("journey", JOURNEYS, ids=str)
def test_journeys(journey):
    events, expected = JOURNEYS[journey]
    state = State.DISCONNECTED
    for event in events:
        state = after(state, event)
    assert state is expected


@given(st.lists(st.sampled_from(list(Event)), max_size=30))
def test_nothing_follows_a_halt_and_a_stop_always_halts(events):
    state = State.DISCONNECTED
    for event in events:
        state = after(state, event)
    halted = after(state, Event.STOP)
    assert halted is State.HALTED
    assert all(after(halted, event) is State.HALTED for event in Event)


def test_every_state_can_be_left_and_reached():
    assert {state for state, _ in TRANSITIONS} == set(State)
    assert set(TRANSITIONS.values()) == set(State)


def test_every_state_returns_to_ready():
    """No sequence of trouble ends in a state from which nothing leads back, a stop excepted."""
    for state in set(State) - {State.HALTED}:
        known, border = {state}, [state]
        while border:
            here = border.pop()
            for (origin, _), target in TRANSITIONS.items():
                if origin is here and target not in known:
                    known.add(target)
                    border.append(target)
        assert State.READY in known


def test_repeated_notices_mean_nothing_new():
    """1100 comes again and again during the nightly reset."""
    health = Health()
    text = "Connectivity between IB and Trader Workstation has been lost."
    assert [health.heard(1100, text) for _ in range(3)] == [Event.TROUBLE, None, None]
    assert not health.quotes_flow
    assert [health.heard(1102, "restored") for _ in range(2)] == [Event.HEALED, None]
    assert health.well


def test_lost_data_are_always_news():
    health = Health()
    assert health.heard(1101, "restored, data lost") is Event.DATA_LOST
    assert health.heard(1101, "restored, data lost") is Event.DATA_LOST


def test_a_farm_of_quotes_and_a_farm_of_history():
    health = Health()
    assert health.heard(2105, "HMDS data farm connection is broken:ushmds") is Event.TROUBLE
    assert health.quotes_flow and not health.well
    assert health.heard(2103, "Market data farm connection is broken:usopt") is None  # it was troubled already
    assert not health.quotes_flow and "usopt" in health.trouble
    assert health.heard(2104, "Market data farm connection is OK:usopt") is Event.FARM_BACK
    assert health.heard(2106, "HMDS data farm connection is OK:ushmds") is Event.HEALED


def test_two_farms_heal_when_both_are_back():
    health = Health()
    health.heard(2103, "Market data farm connection is broken:usfarm")
    health.heard(2103, "Market data farm connection is broken:usopt")
    assert health.heard(2104, "Market data farm connection is OK:usfarm") is None
    assert health.heard(2104, "Market data farm connection is OK:usopt") is Event.FARM_BACK


def test_1102_heals_the_farms_that_it_calls_connected():
    """A client that connects while IB is away hears of broken farms, and of their return from nothing else."""
    text = "Connectivity between IB and TWS has been restored - data maintained. All data farms are connected: usopt."
    health = Health()
    for code, farm in ((2103, "usopt"), (2105, "ushmds"), (2157, "secdefil")):
        health.heard(code, f"data farm connection is broken:{farm}")
    assert health.heard(1102, "restored - data maintained. The following farms are not connected: usopt.") is None
    assert health.heard(1102, text) is Event.FARM_BACK
    assert health.well
    health.heard(2105, "HMDS data farm connection is broken:ushmds")
    assert health.heard(1102, text) is Event.HEALED


def test_inactive_farms_are_no_trouble():
    health = Health()
    notices = (2107, 2108, 2119, 2159, 399)
    assert all(health.heard(code, "Market data farm connection is inactive:x") is None for code in notices)
    assert health.well


def test_a_simulated_gateway_names_its_farm_so():
    health = Health()
    health.heard(2104, "Market data farm connection is OK:usfarm")
    assert not health.simulated
    health.heard(2104, "Market data farm connection is OK:simulated")
    assert health.simulated
