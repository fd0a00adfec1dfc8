"""Sessions and expiries against the exchange's published calendar."""

from datetime import UTC, date, datetime, timedelta

import exchange_calendars
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.core import calendar as cal
from bifrost_lib.core import sessions
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.kernels import has_kernels

DAYS = st.dates(date(1995, 1, 1), date(2055, 12, 31))


def test_the_day_after_thanksgiving_closes_at_one():
    assert cal.session_close(date(2025, 11, 28)) == datetime(2025, 11, 28, 18, 0, tzinfo=UTC)
    assert cal.is_early_close(date(2025, 11, 28))
    assert not cal.is_early_close(date(2025, 11, 26))


@pytest.mark.parametrize("holiday", [date(2025, 4, 18), date(2025, 6, 19), date(2012, 10, 29), date(2026, 11, 26)])
def test_holidays_are_no_sessions(holiday):
    assert not cal.is_session(holiday)
    with pytest.raises(InputError) as caught:
        cal.session_close(holiday)
    assert caught.value.name == "day"


def test_sessions_of_thanksgiving_week():
    found = cal.sessions(date(2026, 11, 23), date(2026, 11, 29))
    assert [day.day for day in found] == [23, 24, 25, 27]


def test_the_third_friday_moves_before_juneteenth():
    assert cal.third_friday(2026, 6) == date(2026, 6, 18)
    assert cal.third_friday(2014, 6) == date(2014, 6, 20)


def test_a_saturday_expiry_ends_with_friday():
    assert cal.expiry_moment(date(2014, 6, 21)) == cal.session_close(date(2014, 6, 20))


def test_am_settlement_ends_at_the_open():
    assert cal.expiry_moment(date(2021, 1, 15), "AM") == datetime(2021, 1, 15, 14, 30, tzinfo=UTC)
    with pytest.raises(InputError, match="settlement"):
        cal.expiry_moment(date(2021, 1, 15), "NOON")


def test_dte_counts_exchange_days_not_utc_days():
    late_evening_in_new_york = datetime(2026, 3, 3, 2, 0, tzinfo=UTC)
    assert cal.exchange_date(late_evening_in_new_york) == date(2026, 3, 2)
    assert cal.dte(late_evening_in_new_york, date(2026, 3, 20)) == 18


def test_year_fraction_across_the_change_to_summer_time():
    close = cal.session_close(date(2026, 3, 6))
    assert cal.year_fraction(close, date(2026, 3, 13)) == pytest.approx((7 - 1 / 24) / 365, abs=1e-15)


@given(DAYS)
def test_previous_and_next_session_enclose_the_day(day):
    before, after = cal.previous_session(day), cal.next_session(day)
    assert before < day < after
    assert all(cal.is_session(neighbour) for neighbour in (before, after))
    assert cal.sessions(before, after) == ([before, day, after] if cal.is_session(day) else [before, after])


@given(st.lists(st.tuples(DAYS, DAYS, st.booleans()), min_size=1, max_size=20))
def test_arrays_agree_with_scalars(rows):
    moments = [datetime(d.year, d.month, d.day, 15, 0, tzinfo=UTC) for d, _, _ in rows]
    ts = np.array([m.replace(tzinfo=None) for m in moments], dtype="datetime64[us]")
    expiry = np.array([e for _, e, _ in rows], dtype="datetime64[s]")
    am = np.array([a for _, _, a in rows])
    expected = [cal.year_fraction(m, e, "AM" if a else "PM") for m, (_, e, a) in zip(moments, rows, strict=True)]
    np.testing.assert_allclose(cal.year_fractions(ts, expiry, am), expected, rtol=1e-14)


@given(DAYS.filter(cal.is_session))
def test_sessions_open_in_the_morning_and_last_hours(day):
    opening, close = cal.session_open(day), cal.session_close(day)
    assert cal.exchange_date(opening) == cal.exchange_date(close) == day
    assert timedelta(hours=3) < close - opening <= timedelta(hours=6.5)


@pytest.mark.parametrize("day", [date(1980, 1, 2), date(2061, 1, 3)])
def test_days_beyond_the_calendar_are_refused(day):
    with pytest.raises(InputError) as caught:
        cal.is_session(day)
    assert caught.value.value == day


def test_all_sessions_are_those_of_the_library():
    """The file that is kept says what `exchange_calendars` says, minute by minute."""
    told = exchange_calendars.get_calendar("XNYS", start="1990-01-02", end="2060-12-31")
    days = [day.date() for day in told.sessions]
    assert cal.sessions(days[0], days[-1]) == days
    assert [cal.session_open(day) for day in days] == list(told.opens.dt.to_pydatetime())
    assert [cal.session_close(day) for day in days] == list(told.closes.dt.to_pydatetime())


def test_there_is_no_session_beyond_the_first_and_the_last():
    for beyond, edge in ((cal.previous_session, date(1990, 1, 2)), (cal.next_session, date(2060, 12, 31))):
        with pytest.raises(InputError) as caught:
            beyond(edge)
        assert caught.value.name == "day"


def test_a_calendar_that_was_cut_short_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    sessions.all_sessions.cache_clear()
    whole = sessions.all_sessions()
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    sessions.all_sessions.cache_clear()
    assert all(np.array_equal(one, other) for one, other in zip(whole, sessions.all_sessions(), strict=True))
    assert len(np.load(kept)[0]) == len(whole.days)
    assert not has_kernels()
