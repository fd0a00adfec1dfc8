"""What positions are called, and into which strategies a portfolio falls."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import CATALOG, example_legs, name_of, split_portfolio


def call(strike, qty, expiry="2026-12-18", **more):
    return {"right": "C", "strike": float(strike), "qty": qty, "expiry": expiry, **more}


def put(strike, qty, expiry="2026-12-18", **more):
    return {"right": "P", "strike": float(strike), "qty": qty, "expiry": expiry, **more}


def stock(qty):
    return {"right": "S", "qty": qty}


@pytest.mark.parametrize("name", sorted(CATALOG))
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_every_structure_of_the_catalogue_is_known_in_any_order_and_number(name, data):
    document = CATALOG[name]
    units = data.draw(st.integers(1, 9))
    legs = [{**leg, "qty": leg["qty"] * units} for leg in example_legs(document, step=0.5)]
    found = name_of(data.draw(st.permutations(legs)))
    assert (found.name, found.units, found.is_exact) == (document.variant_of or name, units, True)
    assert found.ratio == tuple(leg.qty for leg in CATALOG[found.name].legs)


@pytest.mark.parametrize(
    ("legs", "name", "exact"),
    [
        ([put(90, -1), put(85, 1), call(110, -1), call(120, 1)], "iron_condor", True),
        ([call(100, -2), call(90, 1), call(110, 1)], "call_butterfly", True),
        ([call(100, -2), call(90, 1), call(120, 1)], "skip_strike_call_butterfly", True),
        ([call(100, -2), call(90, 1), call(115, 1)], "broken_wing_call_butterfly", True),
        ([put(100, -1), call(100, -1), put(95, 1), call(110, 1)], "broken_wing_iron_butterfly", True),
        ([put(100, 2), put(90, -1), put(115, -1)], "short_put_butterfly", False),
        ([call(100, 1), call(110, -3)], "call_ratio_spread", False),
        ([call(100, -2), call(110, 3)], "call_backspread", False),
        ([call(90, -1), call(100, 1, "2027-01-15")], "call_diagonal", False),
        ([call(100, -1), call(100, 1, "2027-01-15")], "call_calendar", True),
        ([stock(3), call(110, -3)], "covered_call", True),
        ([stock(3), call(110, -1)], "custom", True),
        ([call(100, 1), put(80, 3), put(75, -7)], "custom", True),
        ([call(100, 2), call(100, -1), call(110, -1)], "bull_call_spread", True),
        ([stock(-2)], "short_stock", True),
        ([call(100, 1), call(100, -1)], "custom", True),
    ],
)
def test_names(legs, name, exact):
    found = name_of(legs)
    assert (found.name, found.is_exact) == (name, exact)


def test_parameters_are_told_by_the_names_of_the_legs():
    found = name_of([put(85, 4), put(90, -4), call(110, -4), call(115, 4)])
    assert found.units == 4
    assert found.as_dict()["strikes"] == {"short_put": 90, "long_put": 85, "short_call": 110, "long_call": 115}
    assert set(found.as_dict()["expiries"].values()) == {"2026-12-18"}


@pytest.mark.parametrize(
    ("leg", "name"),
    [
        ({"right": "X", "qty": 1}, "legs[0].right"),
        (call(100, 0.5), "legs[0].qty"),
        (call(100, True), "legs[0].qty"),
        (call(float("nan"), 1), "legs[0].strike"),
        ({"right": "C", "qty": 1}, "legs[0].strike"),
    ],
)
def test_what_is_no_leg_is_named(leg, name):
    with pytest.raises(InputError) as caught:
        name_of([leg])
    assert caught.value.name == name


def split(legs, spot=100.0):
    found = split_portfolio(legs, spot=spot)
    total = {}
    for group in found.groups:
        for leg in group.legs:
            key = (leg["right"], leg.get("strike"), leg.get("expiry"))
            total[key] = total.get(key, 0) + leg["qty"]
    held = {}
    for leg in legs:
        key = (leg["right"], leg.get("strike"), leg.get("expiry"))
        held[key] = held.get(key, 0) + leg["qty"]
    assert total == {key: qty for key, qty in held.items() if qty}
    assert found.margin == pytest.approx(sum(group.margin for group in found.groups))
    return found


def names(found):
    return sorted((group.match.name, group.match.units) for group in found.groups)


def test_a_portfolio_falls_into_what_a_trader_would_call_it():
    condor = [put(90, -2), put(85, 2), call(110, -2), call(115, 2)]
    assert names(split(condor)) == [("iron_condor", 2)]
    # One wing of 5 per share, because only one side can lose (FINRA 4210(f)(2)(H)(v)).
    assert split(condor).margin == pytest.approx(1000.0)
    assert names(split([stock(2), call(110, -2)])) == [("covered_call", 2)]
    assert split([stock(2), call(110, -2)]).margin == pytest.approx(10_000.0)
    together = [*condor, stock(1), call(120, -1), put(70, 1, "2027-01-15")]
    assert ("iron_condor", 2) in names(split(together))


def brute_force(legs, spot):
    """The least sum of margins over all partitions of single contracts into structures that have a name."""

    def partitions(items):
        if not items:
            yield []
            return
        first, rest = items[0], items[1:]
        for size in range(len(rest) + 1):
            for chosen in itertools.combinations(range(len(rest)), size):
                group = [first, *(rest[i] for i in chosen)]
                for others in partitions([item for i, item in enumerate(rest) if i not in chosen]):
                    yield [group, *others]

    contracts = [{**leg, "qty": 1 if leg["qty"] > 0 else -1} for leg in legs for _ in range(abs(leg["qty"]))]
    cost = {}

    def margin(group):
        key = tuple(sorted(str(leg) for leg in group))
        if key not in cost:
            named = name_of(group).name != "custom"
            cost[key] = split_portfolio(group, spot=spot).margin_together if named else float("inf")
        return cost[key]

    return min(sum(map(margin, groups)) for groups in partitions(contracts))


LEG = st.builds(
    lambda make, strike, qty: make(strike, qty),
    st.sampled_from([call, put]), st.sampled_from([80, 90, 95, 105, 110, 120]), st.sampled_from([-1, 1, -1, 2]),
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(legs=st.lists(LEG, min_size=1, max_size=4, unique_by=lambda leg: (leg["right"], leg["strike"])))
def test_no_grouping_needs_less(legs):
    found = split(legs)
    assert found.margin_together <= found.margin + 1e-6
    assert found.margin == pytest.approx(brute_force(legs, 100.0), abs=1e-6)


def test_what_cannot_be_split_is_said():
    with pytest.raises(InputError) as caught:
        split_portfolio([call(50 + strike, 1) for strike in range(17)], spot=100.0)
    assert (caught.value.name, caught.value.value) == ("legs", "17 contracts")
    for legs, spot, name in (
        ([call(100, 1)], 0.0, "spot"),
        ([], 100.0, "legs"),
        ([call(9, 1, price=-1)], 9.0, "legs[0].price"),
    ):
        with pytest.raises(InputError) as caught:
            split_portfolio(legs, spot=spot)
        assert caught.value.name == name
