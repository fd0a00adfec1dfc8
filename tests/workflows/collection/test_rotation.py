"""Whose turn it is, and what was left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bifrost_lib.store import Watch
from bifrost_lib.workflows.collection.rotation import Rotation, Turn
from bifrost_lib.workflows.collection.schedule import Hours

SPY, QQQ = Watch("SPY", cadence_s=1800.0), Watch("QQQ", cadence_s=1800.0, priority=1)


def at(hour: int, minute: int = 0, *, day: int = 25) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def take(rotation: Rotation, watches: list[Watch], moment: datetime) -> Turn:
    turn = rotation.next_turn(watches, moment)
    assert turn is not None
    rotation.done(turn)
    return turn


def test_each_slot_is_served_once_the_urgent_first() -> None:
    rotation = Rotation(Hours())
    assert rotation.next_turn([SPY, QQQ], at(12)) is None
    assert [take(rotation, [SPY, QQQ], at(15, 10)).watch.symbol for _ in range(2)] == ["QQQ", "SPY"]
    assert rotation.next_turn([SPY, QQQ], at(15, 29)) is None
    assert take(rotation, [SPY], at(15, 30)).slot.start == at(15, 30)


def test_of_equals_the_one_that_waited_longest_comes_first() -> None:
    rotation, iwm = Rotation(Hours()), Watch("IWM", cadence_s=1800.0)
    take(rotation, [SPY], at(14, 40))
    take(rotation, [iwm], at(15, 10))
    assert take(rotation, [iwm, SPY], at(16)).watch.symbol == "SPY"


def test_slots_that_a_long_sweep_ran_over_are_a_gap() -> None:
    rotation = Rotation(Hours())
    take(rotation, [SPY], at(14, 40))
    turn = rotation.next_turn([SPY], at(16, 5))
    assert turn is not None
    (gap,) = rotation.missed_before(turn)
    assert (gap.first_ts, gap.last_ts, gap.reason) == (at(15), at(16), "overrun")


def test_a_night_is_no_gap() -> None:
    rotation = Rotation(Hours())
    take(rotation, [SPY], at(20, 45))
    turn = rotation.next_turn([SPY], at(14, 35, day=27))
    assert turn is not None
    assert rotation.missed_before(turn) == ()


def test_why_nothing_was_collected_is_told() -> None:
    rotation = Rotation(Hours())
    take(rotation, [SPY], at(14, 40))
    rotation.blocked([SPY], "waiting_2fa")
    turn = rotation.next_turn([SPY], at(18, 10, day=27) - timedelta(minutes=30))
    assert turn is not None
    (gap,) = rotation.missed_before(turn)
    assert gap.reason == "waiting_2fa"
    assert gap.first_ts == at(15)
    assert gap.last_ts == at(17, 30, day=27)


def test_a_process_that_takes_over_serves_the_present_slot_again() -> None:
    rotation = Rotation(Hours())
    rotation.remember("SPY", at(15, 1))
    turn = take(rotation, [SPY], at(15, 10))
    assert turn.slot.start == at(15)
    assert rotation.next_turn([SPY], at(15, 20)) is None
