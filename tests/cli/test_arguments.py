"""How texts on the command line are read, and what is refused."""

from datetime import UTC, date, datetime

import pytest

from bifrost_lib.cli.arguments import read_at, read_date, read_range
from bifrost_lib.core.errors import InputError


@pytest.mark.parametrize("text", ["2026-08-12T20:00Z", "2026-08-12T16:00-04:00", "2026-08-12T20:00:00+00:00"])
def test_moments_with_an_offset(text):
    assert read_at(text) == datetime(2026, 8, 12, 20, tzinfo=UTC)


def test_a_date_means_its_end_at_the_exchange():
    assert read_at("2026-08-12") == datetime(2026, 8, 13, 3, 59, 59, 999999, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-08-12T20:00", "yesterday", "2026-02-30", "2026-13-01T00:00Z", ""])
def test_moments_without_an_offset_or_meaning_are_refused(text):
    with pytest.raises(InputError) as caught:
        read_at(text)
    assert caught.value.name == "--at"


@pytest.mark.parametrize(("text", "expected"), [("20:60", (20, 60)), ("45", (45, 45)), ("0:0", (0, 0)), (None, None)])
def test_ranges(text, expected):
    assert read_range(text, name="--dte") == expected


@pytest.mark.parametrize("text", ["60:20", "a:b", "1:2:3", "-5:10", ":", ""])
def test_ranges_that_are_none(text):
    with pytest.raises(InputError) as caught:
        read_range(text, name="--dte")
    assert caught.value.name == "--dte"


def test_dates():
    assert read_date("2026-09-18", name="--expiry") == date(2026, 9, 18)
    with pytest.raises(InputError, match="2026-9-18"):
        read_date("2026-9-18", name="--expiry")
