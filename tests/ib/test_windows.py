"""IB's hours of silence, in New York's time whatever the season."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.ib.windows import in_reset_window, login_lapsed_at, needs_login


def _new_york(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=EXCHANGE_TZ)


# 18 November 2026 is a Wednesday.
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (_new_york(18, 0, 14), False),
        (_new_york(18, 0, 15), True),
        (_new_york(18, 1, 44), True),
        (_new_york(18, 1, 45), False),
        (_new_york(18, 12), False),
        (_new_york(20, 22, 59), False),
        (_new_york(20, 23), True),  # Friday night
        (_new_york(21, 2, 59), True),
        (_new_york(21, 3), False),
        (_new_york(22, 0, 30), True),  # Sunday
        (datetime(2026, 7, 15, 4, 30, tzinfo=UTC), True),  # 00:30 in summer
        (datetime(2026, 7, 15, 5, 50, tzinfo=UTC), False),
    ],
)
def test_reset_window(moment, expected):
    assert in_reset_window(moment) is expected


def test_naive_moments_are_refused():
    with pytest.raises(InputError) as error:
        in_reset_window(datetime(2026, 11, 18, 1))  # noqa: DTZ001
    assert error.value.name == "moment"


def test_the_login_runs_out_on_sunday_at_one():
    assert login_lapsed_at(_new_york(22, 0, 59)) == _new_york(15, 1)
    assert login_lapsed_at(_new_york(22, 1)) == _new_york(22, 1)
    assert login_lapsed_at(_new_york(27, 9)) == _new_york(22, 1)


def test_a_person_is_needed_only_when_the_connection_did_not_survive_the_sunday():
    sunday = _new_york(22, 1)
    assert needs_login(sunday - timedelta(minutes=30), sunday + timedelta(hours=1))
    assert needs_login(sunday + timedelta(minutes=1), sunday + timedelta(hours=1))  # it takes a while to notice
    assert not needs_login(sunday + timedelta(hours=8), sunday + timedelta(days=2))
    assert not needs_login(None, sunday + timedelta(hours=1))
