"""Live, frozen, delayed: the ladder of one connection."""

from __future__ import annotations

from bifrost_lib.ib.data_types import DELAYED, DELAYED_FROZEN, FROZEN, LIVE, DataTypes


def test_live_falls_to_delayed_while_the_market_is_open():
    types = DataTypes()
    assert types.lower(LIVE, is_open=True)
    assert types.number == DELAYED and types.delayed
    assert not types.lower(DELAYED, is_open=True)


def test_live_falls_to_frozen_and_to_delayed_frozen_when_it_is_closed():
    types = DataTypes()
    assert types.lower(LIVE, is_open=False) and types.number == FROZEN
    assert types.lower(FROZEN, is_open=False) and types.number == DELAYED_FROZEN
    assert not types.lower(DELAYED_FROZEN, is_open=False)


def test_a_hundred_refusals_of_one_rung_take_one_step():
    types = DataTypes()
    assert all(types.lower(LIVE, is_open=True) for _ in range(100))
    assert types.number == DELAYED


def test_a_competing_session_is_left_alone_for_longer_each_time():
    types, now, pauses = DataTypes(), 0.0, []
    for _ in range(8):
        assert types.retreat(LIVE, now, is_open=True) and types.number == DELAYED
        begun = now
        while not types.is_due(now):
            now += 1.0
        assert types.number == LIVE
        pauses.append(now - begun)
    assert pauses[:4] == [60.0, 120.0, 240.0, 480.0] and pauses[-1] == 3600.0
    types.retreat(LIVE, now + 10_000.0, is_open=True)  # long after the last one
    assert not types.is_due(now + 10_059.0) and types.is_due(now + 10_060.0)


def test_delayed_data_of_a_competing_session_are_all_there_is():
    types = DataTypes()
    types.retreat(LIVE, 0.0, is_open=True)
    assert not types.retreat(DELAYED, 1.0, is_open=True)


def test_a_new_connection_begins_with_live():
    types = DataTypes()
    types.lower(LIVE, is_open=True)
    types.connected()
    assert types.number == LIVE and not types.is_due(1e9)
