"""Which contracts are observed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifrost_lib.core.contracts import OptionContract, class_convention
from bifrost_lib.core.errors import InputError
from bifrost_lib.ib import ListedOption, OptionClass
from bifrost_lib.workflows.collection.universe import (
    Selection,
    expiries_to_observe,
    nearest_the_money,
    options_to_observe,
)

FRIDAY = date(2026, 11, 20)  # a third Friday: SPX settles on its opening, SPXW on its close
WEEK_LATER = date(2026, 11, 27)
AT = datetime(2026, 11, 18, 15, tzinfo=UTC)


def listed(
    strikes: list[float], *, expiry: date = FRIDAY, trading_class: str = "SPY", start: int = 1
) -> list[ListedOption]:
    terms = class_convention(trading_class)
    return [
        ListedOption(
            start + 2 * number + (right == "C"),
            OptionContract(terms.symbol, expiry, strike, right, trading_class, terms.style, terms.settlement),
        )
        for number, strike in enumerate(strikes)
        for right in "CP"
    ]


def option_class(trading_class: str, *expiries: date) -> OptionClass:
    return OptionClass(trading_class, 100.0, expiries, (90.0, 100.0))


def test_the_nearest_expiries_are_those_of_all_classes_together() -> None:
    classes = [option_class("SPX", FRIDAY, date(2026, 12, 18)), option_class("SPXW", date(2026, 11, 18), WEEK_LATER)]
    assert expiries_to_observe(classes, Selection(expiries=3), at=AT) == [date(2026, 11, 18), FRIDAY, WEEK_LATER]
    assert len(expiries_to_observe(classes, Selection(expiries=0), at=AT)) == 4


def test_only_wanted_days_are_observed() -> None:
    classes = [option_class("SPY", date(2026, 11, 18), FRIDAY, WEEK_LATER)]
    assert expiries_to_observe(classes, Selection(min_dte=1, max_dte=5), at=AT) == [FRIDAY]
    wanted = Selection(days=(WEEK_LATER, date(2027, 1, 15)))
    assert expiries_to_observe(classes, wanted, at=AT) == [WEEK_LATER]


@pytest.mark.parametrize(
    ("at", "first"),
    [
        (datetime(2026, 11, 20, 14, 29, tzinfo=UTC), FRIDAY),  # a minute before the opening
        (datetime(2026, 11, 20, 14, 31, tzinfo=UTC), WEEK_LATER),  # SPX has settled
    ],
)
def test_a_class_that_settles_on_the_opening_is_gone_after_it(at: datetime, first: date) -> None:
    assert expiries_to_observe([option_class("SPX", FRIDAY, WEEK_LATER)], Selection(expiries=1), at=at) == [first]


def test_the_weekly_class_of_the_same_day_lives_until_the_close() -> None:
    at = datetime(2026, 11, 20, 14, 31, tzinfo=UTC)
    classes = [option_class("SPX", FRIDAY), option_class("SPXW", FRIDAY)]
    assert expiries_to_observe(classes, Selection(expiries=1), at=at) == [FRIDAY]
    options = listed([100.0], trading_class="SPX") + listed([100.0], trading_class="SPXW", start=50)
    kept = options_to_observe(options, spot=100.0, at=at, strikes=0)
    assert {option.contract.trading_class for option in kept} == {"SPXW"}


def test_strikes_are_counted_in_each_expiry_and_class() -> None:
    options = listed([90.0, 95.0, 100.0, 105.0, 110.0]) + listed([80.0, 99.0, 120.0], expiry=WEEK_LATER, start=100)
    kept = options_to_observe(options, spot=101.0, at=AT, strikes=2)
    assert [(o.contract.expiry, o.contract.strike, o.contract.right) for o in kept] == [
        (FRIDAY, 100.0, "P"), (FRIDAY, 100.0, "C"), (FRIDAY, 105.0, "P"), (FRIDAY, 105.0, "C"),
        (WEEK_LATER, 99.0, "P"), (WEEK_LATER, 99.0, "C"), (WEEK_LATER, 120.0, "P"), (WEEK_LATER, 120.0, "C"),
    ]  # fmt: skip


def test_without_a_spot_the_middle_of_the_ladder_stands_for_the_money() -> None:
    kept = options_to_observe(listed([80.0, 90.0, 100.0, 110.0, 300.0]), spot=nan, at=AT, strikes=1)
    assert {option.contract.strike for option in kept} == {100.0}


def test_the_hot_ones_are_nearest_the_money_and_nobody_knows_them_without_a_spot() -> None:
    options = listed([80.0, 100.0, 125.0]) + listed([100.0], expiry=WEEK_LATER, start=100)
    hot = nearest_the_money(options, spot=100.0, count=4)
    assert [(option.contract.expiry, option.contract.strike) for option in hot] == (
        [(FRIDAY, 100.0)] * 2 + [(WEEK_LATER, 100.0)] * 2
    )
    assert nearest_the_money(options, spot=nan, count=4) == []


@given(
    strikes=st.lists(st.floats(1, 1000), min_size=1, max_size=30, unique=True),
    spot=st.floats(1, 1000),
    count=st.integers(1, 10),
)
def test_no_strike_left_out_is_nearer_the_money_than_one_kept(strikes: list[float], spot: float, count: int) -> None:
    kept = {o.contract.strike for o in options_to_observe(listed(strikes), spot=spot, at=AT, strikes=count)}
    assert len(kept) == min(count, len(strikes))
    left_out = set(strikes) - kept
    if left_out:
        assert max(abs(s - spot) for s in kept) <= min(abs(s - spot) for s in left_out)


def test_counts_below_zero_are_refused() -> None:
    with pytest.raises(InputError) as refused:
        expiries_to_observe([], Selection(expiries=-1), at=AT)
    assert refused.value.name == "expiries"
    with pytest.raises(InputError) as refused:
        options_to_observe([], spot=1.0, at=AT, strikes=-1)
    assert refused.value.name == "strikes"
