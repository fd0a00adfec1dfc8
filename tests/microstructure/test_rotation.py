"""Whose turn it is on the lines that rotate."""

from __future__ import annotations

import numpy as np
import pytest

from bifrost_lib.core.errors import InputError
from bifrost_lib.microstructure import choose_lines, rotation_order


@pytest.fixture
def choice(chain_of, model):
    return choose_lines(chain_of(), 20, model=model)


def test_everything_that_is_not_held_takes_its_turn_once(choice):
    order = rotation_order(choice, np.ones(250))
    assert sorted([*order, *choice.held]) == list(range(250))


def test_what_is_older_comes_earlier_among_equals(choice):
    # Call and put of a strike are equally uncertain and equally heavy.
    free = [row for row in range(25) if not {row, row + 25} & set(choice.held)]
    age = np.ones(250)
    age[[row + 25 for row in free]] = 2.0
    order = rotation_order(choice, age).tolist()
    assert all(order.index(row + 25) < order.index(row) for row in free)


def test_uncertainty_weighs_as_much_as_age(choice):
    order = rotation_order(choice, np.full(250, 60.0))
    missed = choice.weight * choice.sd**2
    assert (np.diff(missed[order]) <= 0).all()
    assert rotation_order(choice, np.full(250, 5.0)).tolist() == order.tolist()


def test_what_was_never_seen_comes_first_and_what_has_no_place_last(chain_of, model):
    chain = chain_of()
    chain.loc[[100, 101], "forward"] = np.nan
    choice = choose_lines(chain, 20, model=model)
    age = np.full(250, 30.0)
    never = [int(row) for row in range(110, 120) if row not in choice.held]
    age[never], age[101] = np.nan, 90.0
    order = rotation_order(choice, age)
    assert set(order[: len(never)]) == set(never)
    assert order[-2:].tolist() == [101, 100]


def test_refusals(choice):
    for age in (np.ones(3), -np.ones(250)):
        with pytest.raises(InputError) as caught:
            rotation_order(choice, age)
        assert caught.value.name == "age_s"
