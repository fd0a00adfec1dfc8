"""Grids make the documents that one would write by hand, count before they make, and say plainly what is wrong."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.backtest.grids.documents import (
    assignments,
    draws,
    expand,
    grid_size,
    parameter,
    random,
    read_grid,
    with_parameters,
)
from bifrost_lib.backtest.grids.paths import content_of, parameter_paths
from bifrost_lib.core.errors import DocumentError, InputError
from bifrost_lib.strategies import (
    CATALOG,
    ByDelta,
    DteRange,
    Exits,
    Leg,
    StrategyDocument,
    Target,
    read_document,
    write_document,
)

SPREAD = StrategyDocument(
    name="spread",
    view="up",
    legs=(Leg("short_put", "P", -1, ByDelta(-0.30)), Leg("long_put", "P", 1, ByDelta(-0.10))),
    exits=Exits(take_profit=Target(0.5, "credit")),
)
GRID = """
legs.short_put.rule.target: [-0.16, -0.30]
exits.take_profit.share: {low: 0.25, high: 0.75, step: 0.25}
exits.stop.share: [2.0]
dte.target: [30, 45]
"""


def test_a_grid_makes_what_one_would_write():
    grid = read_grid(GRID)
    assert grid_size(grid) == 12
    made = expand(SPREAD, grid)
    assert len({one.sha256 for one in made}) == 12
    by_hand = SPREAD.with_(
        legs=(Leg("short_put", "P", -1, ByDelta(-0.30)), SPREAD.legs[1]),
        exits=Exits(take_profit=Target(0.75, "credit"), stop=Target(2.0)),
        dte=DteRange(20, 30, 60),
    )
    values = list(assignments(grid))
    wanted = dict(zip(grid, (-0.30, 0.75, 2.0, 30), strict=True))
    assert made[values.index(wanted)].sha256 == by_hand.sha256
    for one, chosen in zip(made, values, strict=True):
        assert {path: parameter(one, path) for path in grid} == chosen
    assert SPREAD.exits.stop is None


def test_a_range_that_was_filled_in_follows_its_target_also_from_a_file():
    for document in (SPREAD, read_document(write_document(SPREAD, full=True))):
        moved = with_parameters(document, {"legs.short_put.rule.target": -0.70})
        assert moved.legs[0].rule == ByDelta(-0.70)
    chosen = SPREAD.with_(legs=(Leg("short_put", "P", -1, ByDelta(-0.30, low=-0.4)), SPREAD.legs[1]))
    with pytest.raises(DocumentError) as caught:
        expand(chosen, {"legs.short_put.rule.target": [-0.70]})
    assert caught.value.name == "legs[0].rule.target"
    assert "legs.short_put.rule.target -0.7" in str(caught.value)


def test_whole_parts_are_values():
    found = expand(SPREAD, {"exits.take_profit": [None, {"share": 0.8}], "legs.long_put.rule": [{"by": "at_money"}]})
    assert [one.exits.take_profit for one in found] == [None, Target(0.8)]
    assert parameter(found[0], "exits.take_profit.share") is None
    assert found[0].legs[1].rule.by == "at_money"


def test_the_catalogue_is_made_from_its_own_contents():
    for document in CATALOG.values():
        assert read_document(content_of(document)).sha256 == document.sha256
        paths = parameter_paths(document)
        assert len(paths) == len(set(paths))
        for path in paths:
            parameter(document, path)


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("exits.take_proft.share", "exits.take_profit.share"),
        ("legs.short_putt.rule.target", "legs.short_put.rule.target"),
        ("dte.traget", "dte.target"),
        ("costs.comission", "costs.commission"),
    ],
)
def test_an_unknown_path_names_the_nearest(path, nearest):
    with pytest.raises(DocumentError) as caught:
        expand(SPREAD, {path: [1]})
    assert (caught.value.name, caught.value.value, caught.value.nearest) == ("grid", path, nearest)
    assert nearest in str(caught.value)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{}", "grid"),
        ("- 1", "grid"),
        ("a: *b", "grid"),
        ("dte.target: []", "dte.target"),
        ("dte.target: {low: 40, high: 30}", "dte.target.high"),
        ("dte.target: {low: 1, hihg: 30}", "dte.target"),
        ("dte.target: {low: 1, high: 30, step: 0}", "dte.target.step"),
        ("dte.target: {low: x, high: 30}", "dte.target.low"),
        ("dte.target: {low: 0, high: 30, log: true}", "dte.target.low"),
    ],
)
def test_a_mistake_in_a_grid_is_named(source, name):
    with pytest.raises(DocumentError) as caught:
        read_grid(source)
    assert caught.value.name == name


def test_a_whole_and_its_part_do_not_go_together():
    with pytest.raises(DocumentError, match="one of both") as caught:
        expand(SPREAD, {"dte": [{"low": 1, "target": 2, "high": 3}], "dte.target": [2]})
    assert caught.value.value == "dte.target"


def test_a_grid_is_counted_before_it_is_made():
    grid = {f"exits.{name}": list(range(1, 1001)) for name in ("dte", "days_in_trade")} | {"dte.target": [30, 31]}
    assert grid_size(grid) == 2_000_000
    with pytest.raises(InputError) as caught:
        expand(SPREAD, grid)
    assert (caught.value.name, caught.value.value) == ("grid", "2,000,000 documents")
    with pytest.raises(DocumentError, match="a step"):
        grid_size({"dte.target": {"low": 20, "high": 60}})


def test_random_draws_repeat_differ_and_stay_inside():
    space = {
        "dte.target": {"low": 25, "high": 55},
        "exits.take_profit.share": {"low": 0.1, "high": 0.9},
        "costs.commission": {"low": 0.01, "high": 1.0, "log": True},
        "exits.dte": [None, 7, 21],
    }
    found = draws(SPREAD, space, 300, seed=4)
    assert found == draws(SPREAD, space, 300, seed=4) != draws(SPREAD, space, 300, seed=5)
    assert {type(one["dte.target"]) for one in found} == {int}
    assert {one["dte.target"] for one in found} == set(range(25, 56))
    assert all(0.1 <= one["exits.take_profit.share"] <= 0.9 for one in found)
    low = sum(one["costs.commission"] < 0.1 for one in found) / 300
    assert low == pytest.approx(0.5, abs=0.1)  # half of the decades
    assert [one.sha256 for one in random(SPREAD, space, 5, seed=4)] == [
        with_parameters(SPREAD, values).sha256 for values in found[:5]
    ]
    assert len(draws(SPREAD, {"exits.dte": [1, 2, 3]}, 3)) == 3
    with pytest.raises(InputError) as caught:
        draws(SPREAD, {"exits.dte": [1, 2, 3]}, 4)
    assert caught.value.name == "n"


@settings(max_examples=40, deadline=None)
@given(st.integers(-50, 50), st.integers(1, 60), st.integers(1, 40))
def test_spans_meet_their_ends(low, width, parts):
    tenths = read_grid({"dte.target": {"low": low / 10, "high": (low + width * parts) / 10, "step": width / 10}})
    values = tenths["dte.target"].values
    assert values is not None
    assert len(values) == parts + 1
    assert values[0] == low / 10
    assert math.isclose(values[-1], (low + width * parts) / 10, abs_tol=1e-9)
