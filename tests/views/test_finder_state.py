"""A link says what a scan was asked for; what it says wrongly is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.views.finder_state import MOST_CANDIDATES, Request, read_request

FIRST = Request("SIM", "iron_condor", (20, 60), 10, None)
STRATEGIES = ["iron_condor", "covered_call", "long_call"]

requests = st.builds(
    Request,
    st.from_regex(r"[A-Z0-9.^]{1,12}", fullmatch=True),
    st.sampled_from(STRATEGIES),
    st.tuples(st.integers(0, 999), st.integers(0, 999)).map(lambda days: (min(days), max(days))),
    st.integers(1, MOST_CANDIDATES),
    st.none() | st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1999),
)


@given(requests)
def test_a_link_asks_for_the_same_again(asked: Request) -> None:
    assert read_request(asked.query(), FIRST, strategies=STRATEGIES) == asked


def test_a_link_says_no_more_than_it_has_to() -> None:
    assert FIRST.query() == "symbol=SIM&strategy=iron_condor&dte=20-60&top=10"
    assert read_request("symbol=spx&token=abc", FIRST, strategies=STRATEGIES) == Request(
        "SPX", "iron_condor", (20, 60), 10, None
    )
    assert read_request("at=2026-09-30T20:00:00+00:00", FIRST, strategies=STRATEGIES).at == datetime(
        2026, 9, 30, 20, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("symbol=SIM'--", "symbol"),
        ("dte=60-20", "dte"),
        ("dte=20", "dte"),
        ("top=0", "top"),
        ("top=101", "top"),
        ("at=2026-09-30T20:00", "at"),
        ("strategy=<script>", "strategy"),
    ],
)
def test_a_link_that_says_nonsense_is_refused_by_name(query: str, name: str) -> None:
    with pytest.raises(InputError) as refused:
        read_request(query, FIRST, strategies=STRATEGIES)
    assert refused.value.name == name


def test_a_strategy_that_is_nearly_one_is_told() -> None:
    with pytest.raises(UnknownNameError) as refused:
        read_request("strategy=coverd_call", FIRST, strategies=STRATEGIES)
    assert refused.value.nearest == "covered_call"
