"""A first day has a run and a library to read, simulated and labelled so; a desk with findings of its own has none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from bifrost_lib.core.clock import SteppedClock
from bifrost_lib.store import libraries, open_store
from bifrost_lib.workflows import seed_simulated_history
from bifrost_lib.workflows.backtests import list_backtests, seed_findings, what_worked
from bifrost_lib.workflows.desk import Desk

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

LAST = date(2026, 11, 6)


@pytest.mark.slow
def test_a_first_day_has_something_to_read(database_settings: Settings) -> None:
    clock = SteppedClock(datetime(2026, 11, 7, 12, tzinfo=UTC))
    with Desk(settings=database_settings, clock=clock, store=open_store(database_settings, clock)) as desk:
        assert not seed_findings(desk, symbols=["SIM"])  # nothing is simulated here
        seed_simulated_history(desk, symbols=("SIM",), first=date(2026, 8, 3), last=LAST, whole_from=LAST)
        assert seed_findings(desk, symbols=["SIM"], split=date(2026, 9, 15))
        (run,) = list_backtests(desk).to_dict("records")
        assert (run["strategy"], run["simulated"]) == ("iron_condor", True)
        assert len(what_worked(desk, "simulated", sample="in", least_trades=1).table) > 1
        assert not seed_findings(desk, symbols=["SIM"])
        assert len(list_backtests(desk)) == len(libraries(desk.store)) == 1
