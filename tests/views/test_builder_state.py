"""A link says what a builder shows, and nothing that somebody else wrote into it gets through unread."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.builder_state import (
    BuilderState,
    Pick,
    candidate_query,
    read_price,
    read_quantity,
    read_query,
    with_click,
)

PUT: Pick = {"right": "P", "qty": -1, "strike": 482.5, "expiry": "2026-10-16", "trading_class": "SPXW"}

contracts = st.integers(-9999, 9999).filter(bool)
options = st.fixed_dictionaries(
    {
        "right": st.sampled_from("CP"),
        "qty": contracts,
        "strike": st.integers(1, 79_999_999).map(lambda eighths: eighths / 8),
        "expiry": st.dates().filter(lambda day: day.year > 999).map(lambda day: day.isoformat()),
        "trading_class": st.from_regex(r"[A-Z0-9.]{1,6}", fullmatch=True),
    },
    optional={"price": st.integers(0, 10**8).map(lambda cents: cents / 100)},
)
stocks = st.fixed_dictionaries({"right": st.just("S"), "qty": contracts})


@settings(max_examples=60)
@given(
    st.lists(options | stocks, max_size=6).map(tuple),
    st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1999),
    st.sampled_from([0.0, 0.25, 1.0]),
    st.integers(0, 999),
    st.integers(-20, 20),
)
def test_a_link_reproduces_the_state(
    picks: tuple[Pick, ...], at: datetime | None, fill: float, days: int, points: int
) -> None:
    state = BuilderState("BRK.B", at, picks, fill, days, points)
    assert read_query(state.query(), BuilderState()) == state


def test_a_link_is_short_and_can_be_read() -> None:
    assert BuilderState("SPX", picks=(PUT, {"right": "S", "qty": 2})).query() == (
        "symbol=SPX&legs=-1P482.5@2026-10-16~SPXW,2S"
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("legs=0C480@2026-10-16", "legs"),
        ("legs=1C480", "legs"),
        ("legs=1S480@2026-10-16", "legs"),
        ("legs=1C480@2026-02-30", "legs"),
        ("legs=<script>", "legs"),
        ("symbol=SIM'--", "symbol"),
        ("fill=2", "fill"),
        ("iv=1e3", "iv"),
        ("days=-1", "days"),
    ],
)
def test_a_link_that_says_nonsense_is_refused_by_name(query: str, name: str) -> None:
    with pytest.raises(InputError) as refused:
        read_query(query, BuilderState())
    assert refused.value.name == name


def test_what_others_put_into_an_address_does_not_matter() -> None:
    first = BuilderState("SIM", days=3)
    assert read_query("token=abc&voila=1", first) == first


def test_clicks_add_up_and_cancel_out() -> None:
    one = with_click((), PUT)
    assert with_click(one, PUT)[0]["qty"] == -2
    assert with_click(one, PUT | {"qty": 1}) == ()
    assert with_click(one, PUT | {"expiry": "2026-10-23"}) == (PUT, PUT | {"expiry": "2026-10-23"})


def test_quantities_and_prices_are_read_as_people_write_them() -> None:
    assert [read_quantity(text) for text in ("2", "+3", " -1 ", "\N{MINUS SIGN}4", "0")] == [2, 3, -1, -4, 0]
    assert [read_price(text) for text in ("", " 1.25 ", "1,250")] == [None, 1.25, 1250.0]
    for typed in ("x", "1.5", "", "99999", "1e3"):
        with pytest.raises(InputError, match="whole number of contracts"):
            read_quantity(typed)
    with pytest.raises(InputError, match="price per share"):
        read_price("-1")


def test_a_candidate_becomes_a_link() -> None:
    record = {"legs": [PUT | {"price": 1.0, "iv": 0.2, "leg": "short_put"}, {"right": "S", "qty": 1, "strike": None}]}
    at = datetime(2026, 9, 30, 20, tzinfo=UTC)
    found = read_query(candidate_query(record, symbol="SPX", at=at), BuilderState())
    assert (found.symbol, found.at, found.picks) == ("SPX", at, (PUT, {"right": "S", "qty": 1}))
