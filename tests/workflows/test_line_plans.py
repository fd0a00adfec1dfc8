"""A budget of lines is spent where it tells most, and what it leaves unknown is measured, not only estimated."""

from __future__ import annotations

import json

import pytest

from bifrost_lib.cli import run
from bifrost_lib.core.errors import InputError
from bifrost_lib.sim import SOURCE, simulated_history
from bifrost_lib.store import FileKey, ingestion
from bifrost_lib.workflows import Desk, open_desk, plan_lines, with_analytics


@pytest.fixture(scope="module")
def desk(database_settings):
    with open_desk(settings=database_settings) as opened:
        key = FileKey(path="simulated", sha256="lines", size=0, format=SOURCE)
        with ingestion(opened.store, key, source=SOURCE) as writer:
            for quotes in list(simulated_history(symbols=["SIM"]))[-1:]:
                writer.append(with_analytics(quotes))
        yield opened


def test_few_lines_tell_nearly_everything(desk: Desk):
    plan = plan_lines(desk, "sim", lines=20)
    assert len(plan.contracts) == 20
    assert plan.measured < 0.002  # a fifth of a volatility point, on hundreds of quotes that were not held
    assert plan.measured < 0.2 * plan.near_money
    assert plan.expected_after < 0.1 * plan.expected_before
    assert 0.3 < plan.measured / plan.expected_after < 1.6
    assert plan.strikes > 500
    assert plan.source == "simulated"


def test_more_lines_leave_less_unknown(desk: Desk):
    few, many = (plan_lines(desk, "SIM", lines=lines) for lines in (5, 40))
    assert many.expected_after < few.expected_after
    assert many.measured < few.measured


@pytest.mark.parametrize("lines", [0, 100_000])
def test_a_budget_that_makes_no_sense_is_refused(desk: Desk, lines: int):
    with pytest.raises(InputError) as caught:
        plan_lines(desk, "SIM", lines=lines)
    assert caught.value.name == "lines"


def test_the_command_prints_the_plan(desk: Desk, monkeypatch, capsys):
    monkeypatch.setenv("BIFROST_HOME", str(desk.settings.home))
    monkeypatch.setenv("BIFROST_DATABASE_URL", desk.settings.database_url)
    assert run(["lines", "SIM", "--lines", "8", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lines"] == 8
    assert {"expiry", "strike", "right", "bid", "ask", "iv"} == set(found["contracts"][0])
    assert run(["lines", "SIM", "--lines", "8"]) == 0
    assert "are left to estimate" in capsys.readouterr().out
