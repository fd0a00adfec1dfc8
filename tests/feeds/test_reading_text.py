"""Numbers, moments and words as the kernels read them, against Python's own reading."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.feeds.moment_formats import compile_formats
from bifrost_lib.feeds.moments import BAD, BLANK, DATE_ONLY, LOCAL, parse_moment_text
from bifrost_lib.feeds.moments import UTC as IS_UTC
from bifrost_lib.feeds.number_text import plain_number, read_number

WORDS = np.frombuffer(b"nan\nn/a\n--\n", dtype=np.uint8)


def number(text: str, *, percent: bool = False, decimal: str = ".", thousands: str = ",") -> tuple[float, bool]:
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    return read_number(data, 0, len(data), ord(decimal), ord(thousands), WORDS, percent)


@given(st.floats(min_value=-1e15, max_value=1e15, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6))
@settings(max_examples=300, deadline=None)
def test_a_number_is_read_exactly_as_python_reads_it(value: float) -> None:
    assert number(repr(value)) == (value, True)


@given(st.decimals(min_value=0, max_value=100_000, places=4))
@settings(max_examples=200, deadline=None)
def test_the_short_way_agrees_with_the_long_one(value: object) -> None:
    text = str(value)
    data = np.frombuffer(text.encode(), dtype=np.uint8)
    assert plain_number(data, 0, len(data), ord(".")) == number(text)[0] == float(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$5", 5.0),
        ("-$5.25", -5.25),
        ("+2.45", 2.45),
        ("1,234.50", 1234.5),
        ("12,345,678", 12345678.0),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e-5", 1e-5),
        ("1.5E+2", 150.0),
    ],
)
def test_decorations_are_understood(text: str, value: float) -> None:
    assert number(text) == (value, True)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1,23",
        "1234,567",
        "1,234,56",
        "0.1.2",
        "--5",
        "-",
        "inf",
        "-inf",
        "1e400",
        "12%",
        "5 6",
        "$",
        "1e",
        "0x10",
    ],
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    value, good = number(text)
    assert np.isnan(value)
    assert not good


def test_blank_words_are_missing_and_not_wrong() -> None:
    for text in ("", "NaN", "n/a", "--"):
        value, good = number(text)
        assert np.isnan(value)
        assert good


def test_percent_divides_by_100_where_it_is_allowed() -> None:
    assert number("+89.07%", percent=True) == (0.8907, True)


def test_a_decimal_comma_is_read_where_the_mapping_says_so() -> None:
    assert number("1.234,5", decimal=",", thousands=".") == (1234.5, True)


FORMATS = ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M", "%m/%d/%y %I:%M %p", "%b %d %Y %H:%M", "%Y%m%d%H%M%S"]


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2060, 1, 1)),  # noqa: DTZ001
    st.sampled_from(FORMATS),
)
@settings(max_examples=200, deadline=None)
def test_a_moment_is_read_as_strptime_reads_it(moment: datetime, pattern: str) -> None:
    text = moment.strftime(pattern)
    expected = datetime.strptime(text, pattern).replace(tzinfo=UTC)
    value, flag = parse_moment_text(text, [pattern])
    assert flag == LOCAL
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value) == expected


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2060, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
@settings(max_examples=100, deadline=None)
def test_iso_and_unix_moments_with_an_offset_are_utc(moment: datetime) -> None:
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    us = since // timedelta(microseconds=1)
    assert parse_moment_text(moment.isoformat(), ["iso"]) == (us, IS_UTC)
    assert parse_moment_text(str(us // 1_000_000), ["unix_s"]) == (us // 1_000_000 * 1_000_000, IS_UTC)
    assert parse_moment_text(str(us // 1_000), ["unix_ms"]) == (us // 1_000 * 1_000, IS_UTC)


@pytest.mark.parametrize(
    ("text", "formats"),
    [
        ("2023-02-29", ["iso"]),
        ("2023-13-01", ["iso"]),
        ("2023-1-3", ["iso"]),
        ("01/03/2023", ["iso"]),
        ("13/01/2023", ["%m/%d/%Y"]),
        ("2023-01-03 25:00", ["iso"]),
        ("2023-01-03 12:60", ["iso"]),
        ("2023-01-03x", ["iso"]),
        ("13:30 PM", ["%I:%M %p"]),
        ("yesterday", ["iso", "unix_s"]),
        ("99999999999999", ["unix_s"]),
    ],
)
def test_a_date_in_another_format_is_refused_and_never_guessed(text: str, formats: list[str]) -> None:
    assert parse_moment_text(text, formats)[1] == BAD


def test_a_bare_date_and_nothing_are_told_apart() -> None:
    assert parse_moment_text("20140606", ["iso"])[1] == DATE_ONLY
    assert parse_moment_text("  ", ["iso"])[1] == BLANK


def test_an_unknown_directive_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="%Y") as caught:
        compile_formats(["%Y-%j"], name="time.formats")
    assert caught.value.name == "time.formats"
