"""The documents: what the catalogue holds, and what mistakes say."""

from __future__ import annotations

import pytest

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.strategies import (
    CATALOG,
    AtMoney,
    ByDelta,
    DteRange,
    Leg,
    Mirror,
    PctOtm,
    SameAs,
    Strategy,
    Wing,
    evaluate,
    strategy_named,
)

WANTED = [
    "long_call", "long_put", "cash_secured_put", "covered_call", "protective_put", "collar", "bull_call_spread",
    "bear_put_spread", "bull_put_spread", "bear_call_spread", "long_straddle", "short_straddle", "long_strangle",
    "short_strangle", "iron_condor", "iron_butterfly", "call_butterfly", "put_butterfly", "jade_lizard",
    "call_ratio_spread", "put_ratio_spread", "broken_wing_put_butterfly", "call_calendar", "put_calendar",
]  # fmt: skip


def test_catalogue_holds_the_most_used_strategies_under_their_own_names():
    assert [name for name in WANTED if name not in CATALOG] == []
    assert all(name == strategy.name and strategy.view and strategy.risk for name, strategy in CATALOG.items())


def test_near_miss_suggests_the_name_that_was_meant():
    with pytest.raises(UnknownNameError) as caught:
        strategy_named("iron_condr")
    assert (caught.value.name, caught.value.nearest) == ("strategy", "iron_condor")


def test_documents_are_values():
    again = eval(repr(CATALOG["iron_condor"]))  # noqa: S307 - our own literal
    assert again == CATALOG["iron_condor"]
    assert hash(again) == hash(CATALOG["iron_condor"])


# What each structure is, by strikes from low to high, so that a wrong sign or right in a literal shows.
SHAPES = {
    "covered_call": (True, False), "protective_put": (False, True), "collar": (False, False),
    "cash_secured_put": (False, False), "long_call": (False, True), "short_straddle": (True, False),
    "long_strangle": (False, True), "iron_condor": (False, False), "call_butterfly": (False, False),
    "jade_lizard": (False, False), "call_ratio_spread": (True, False), "call_backspread": (False, True),
    "risk_reversal": (False, True),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(SHAPES) - {"covered_call"}))
def test_only_these_structures_lose_or_gain_without_bound(name):
    legs = [{"right": leg.right, "qty": leg.qty, "strike": 100} for leg in CATALOG[name].legs]
    found = evaluate(legs=legs, spot=100, vol=0.2, tau=0.1, premium=0.0)
    assert (found["max_loss_unbounded"], found["max_profit_unbounded"]) == SHAPES[name]


LEG = Leg("short_put", "P", -1, ByDelta(-0.16))


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: ByDelta(1.5), "target"),
        (lambda: ByDelta(-0.16, -0.10, -0.05), "target"),
        (lambda: PctOtm(0.05, 0.06, 0.10), "target"),
        (lambda: AtMoney(within=-0.1), "within"),
        (lambda: Wing("short_put", target=0, furthest=0.05), "target"),
        (lambda: Wing("short_put", target=-0.02, furthest=0.05), "furthest"),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.01), "furthest"),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.05, nearest=0.01), "nearest"),
        (lambda: Wing("short_put", target=-0.02, furthest=-0.05, nearest=-0.03), "nearest"),
        (lambda: Mirror("a", "b", ratio=1.0, low=-1.0, high=2.0), "low"),
        (lambda: Leg("leg", "X", 1, AtMoney()), "leg.right"),
        (lambda: Leg("leg", "C", 0, AtMoney()), "leg.qty"),
        (lambda: Leg("leg", "C", 1), "leg.rule"),
        (lambda: Leg("stock", "S", 1, AtMoney()), "stock.rule"),
        (lambda: Leg("leg", "C", 1, AtMoney(), expiry="later"), "leg.expiry"),
        (lambda: DteRange(30, 20, 60), "dte"),
        (lambda: Strategy(name="Iron Condor", view="", legs=(LEG,)), "name"),
        (lambda: Strategy(name="naked", view="", legs=(LEG,), cash="credits"), "naked.cash"),
        (lambda: Strategy(name="naked", view="", legs=()), "naked.legs"),
        (lambda: Strategy(name="twice", view="", legs=(LEG, LEG)), "twice.legs"),
        (
            lambda: Strategy(name="early", view="", legs=(Leg("call", "C", -1, SameAs("short_put")), LEG)),
            "early.call.rule",
        ),
    ],
)
def test_mistakes_name_the_field(make, name):
    with pytest.raises(InputError) as caught:
        make()
    assert caught.value.name == name


def test_delta_range_defaults_to_half_and_twice_the_target():
    assert ByDelta(-0.16).bounds == (-0.32, -0.08)
    assert ByDelta(0.60).bounds == (0.30, 0.95)
