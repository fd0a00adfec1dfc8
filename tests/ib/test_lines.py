"""The budget of market-data lines."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifrost_lib.core.errors import InputError
from bifrost_lib.ib.lines import Holder, LineBudget, Priority


def _holder(budget: LineBudget, name: str, priority: Priority, revoke: Callable[[int], None] | None = None) -> Holder:
    offered: list[str] = []
    return budget.join(Holder(name, priority, revoke=revoke or (lambda _: None), offer=lambda: offered.append(name)))


@given(st.lists(st.tuples(st.sampled_from(list(Priority)), st.sampled_from(["take", "release", "want"])), max_size=80))
@settings(max_examples=80)
def test_never_more_lines_than_there_are(steps):
    budget = LineBudget(7)
    holders = {priority: _holder(budget, priority.name, priority) for priority in Priority}
    for priority, step in steps:
        holder = holders[priority]
        if step == "take":
            budget.take(holder)
        elif step == "want":
            budget.want(holder, 2)
        elif holder.used:
            budget.release(holder)
        assert 0 <= budget.used <= 7 and all(one.used >= 0 for one in holders.values())
    assert budget.gauge().used == sum(budget.gauge().holders.values())


def test_who_waits_with_higher_priority_goes_first():
    budget = LineBudget(2)
    sweep, held = _holder(budget, "sweep", Priority.SWEEP), _holder(budget, "held", Priority.HELD)
    assert budget.take(sweep) and budget.take(sweep)
    budget.want(held, 1)
    budget.release(sweep)
    assert not budget.take(sweep)
    assert budget.take(held)
    budget.release(held)
    assert budget.take(sweep)


def test_lines_are_taken_back_from_the_lowest_priority():
    budget, revoked = LineBudget(10), []
    sweep = _holder(budget, "sweep", Priority.SWEEP, lambda count: revoked.append(("sweep", count)))
    page = _holder(budget, "page", Priority.DASHBOARD, lambda count: revoked.append(("page", count)))
    for _ in range(4):
        budget.take(sweep)
    for _ in range(6):
        budget.take(page)
    budget.want(_holder(budget, "orders", Priority.ORDERS), 7)
    assert revoked == [("sweep", 4), ("page", 3)]
    assert page.used == 6  # they are given back when their cancellations are sent


def test_equals_do_not_rob_each_other():
    budget, revoked = LineBudget(1), []
    first = _holder(budget, "first", Priority.HELD, revoked.append)
    assert budget.take(first)
    budget.want(_holder(budget, "second", Priority.HELD), 1)
    assert revoked == []


def test_error_101_shrinks_the_budget_and_time_lets_it_grow_again():
    budget = LineBudget(100)
    sweep = _holder(budget, "sweep", Priority.SWEEP)
    while budget.take(sweep):
        pass
    for _ in range(3):
        budget.refused(sweep)
    assert (budget.total, budget.used) == (97, 97)
    assert not budget.take(sweep)
    budget.regrow()
    assert budget.take(sweep) and budget.total == 100
    budget.reset(60)
    assert budget.total == 60, "a new connection has the lines that it says"


def test_a_budget_never_shrinks_to_nothing():
    budget = LineBudget(1)
    sweep = _holder(budget, "sweep", Priority.SWEEP)
    assert budget.take(sweep)
    budget.refused(sweep)
    assert budget.total == 1 and budget.free == 1


def test_the_gauge_names_holders_and_remembers_the_peak():
    budget = LineBudget(10)
    sweep, page = _holder(budget, "sweep", Priority.SWEEP), _holder(budget, "page", Priority.DASHBOARD)
    budget.take(sweep)
    budget.take(sweep)
    budget.take(page)
    budget.release(sweep, 2)
    gauge = budget.gauge()
    assert (gauge.used, gauge.total, gauge.peak, dict(gauge.holders)) == (1, 10, 3, {"page": 1})
    budget.reset_peak()
    assert budget.gauge().peak == 1
    budget.leave(page)
    assert budget.used == 0


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(InputError) as error:
        LineBudget(0)
    assert error.value.name == "total"
