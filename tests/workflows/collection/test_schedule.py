"""When a sweep is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.workflows.collection.schedule import Hours, Slot, is_reset_window

SESSIONS, ALWAYS = Hours(), Hours(always=True)
SATURDAY = datetime(2026, 11, 21, 15, tzinfo=UTC)
BLACK_FRIDAY = datetime(2026, 11, 27, tzinfo=UTC)  # closes at 13:00 New York


def at(hour: int, minute: int = 0, *, day: int = 25) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def test_slots_begin_with_the_session() -> None:
    assert SESSIONS.slot_at(at(14, 40), 900) == Slot(at(14, 30), at(14, 45))
    assert SESSIONS.slot_at(at(14, 45), 900) == Slot(at(14, 45), at(15))
    assert SESSIONS.slot_at(at(14, 29), 900) is None
    assert SESSIONS.slot_at(at(21), 900) is None


@pytest.mark.parametrize("moment", [SATURDAY, at(15, day=26)])  # Thanksgiving
def test_there_is_none_without_a_session(moment: datetime) -> None:
    assert SESSIONS.slot_at(moment, 900) is None
    assert ALWAYS.slot_at(moment, 900) is not None


def test_an_early_close_ends_the_last_slot() -> None:
    assert SESSIONS.slot_at(at(17, 50, day=27), 3600) == Slot(at(17, 30, day=27), at(18, day=27))
    assert SESSIONS.slot_at(at(18, day=27), 3600) is None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(12), at(14, 30)),
        (at(14, 30), at(14, 45)),
        (at(20, 50), at(14, 30, day=27)),  # over Thanksgiving
        (at(17, 50, day=27), at(14, 30, day=30)),  # after an early close, over the weekend
        (SATURDAY, at(14, 30, day=23)),
    ],
)
def test_the_next_slot(moment: datetime, expected: datetime) -> None:
    assert SESSIONS.next_start(moment, 900) == expected


def test_what_was_missed_lies_within_sessions() -> None:
    missed = list(SESSIONS.missed(at(20, 10), at(15, 10, day=27), 1800))
    assert [slot.start for slot in missed] == [at(20, 30), at(14, 30, day=27)]


@given(minutes=st.integers(0, 60 * 24 * 14), cadence_s=st.sampled_from([60.0, 300.0, 1000.0, 7200.0, 1e6]))
def test_every_slot_contains_its_moment_and_is_followed_by_a_later_one(minutes: int, cadence_s: float) -> None:
    moment = at(0, day=16) + timedelta(minutes=minutes)
    for hours in (SESSIONS, ALWAYS):
        slot = hours.slot_at(moment, cadence_s)
        following = hours.next_start(moment, cadence_s)
        assert following > moment
        if slot is not None:
            assert slot.start <= moment < slot.end <= following
        later = hours.slot_at(following, cadence_s)
        assert later is not None
        assert later.start == following


def test_the_reset_window_is_in_new_york_time() -> None:
    assert is_reset_window(at(5, 15))
    assert is_reset_window(at(6, 44))
    assert not is_reset_window(at(6, 45))
    assert not is_reset_window(at(14, 30))
