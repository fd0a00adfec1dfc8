"""Backtests over the store: run, kept, repeated, searched, and shown on one page.

with open_desk() as desk:
    found = run_backtest(desk, resolve_strategy("iron_condor"), "SIM", bands=True)
    found.result.trades, found.result.statistics
    repeat_backtest(desk, found.run_id).is_same
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifrost_lib.core.front_doors import front_door

if TYPE_CHECKING:
    from bifrost_lib.workflows.backtests.first_findings import seed_findings
    from bifrost_lib.workflows.backtests.judging import Judgement, judge
    from bifrost_lib.workflows.backtests.library import LibraryReport, build_library
    from bifrost_lib.workflows.backtests.library_answers import LibraryAnswer, what_worked
    from bifrost_lib.workflows.backtests.proposing import METHODS, Method
    from bifrost_lib.workflows.backtests.reading import Terms
    from bifrost_lib.workflows.backtests.running import Backtest, run_backtest
    from bifrost_lib.workflows.backtests.saving import Repeated, list_backtests, read_backtest, repeat_backtest
    from bifrost_lib.workflows.backtests.searching import Search, search
    from bifrost_lib.workflows.backtests.shelves import Shelf, read_shelves
    from bifrost_lib.workflows.backtests.sweeping import GridRun, run_grid
    from bifrost_lib.workflows.backtests.tear_sheet import sheet_facts, write_tear_sheet
    from bifrost_lib.workflows.backtests.tuning import Tuning, tune, tune_walking_forward
    from bifrost_lib.workflows.backtests.walking import WalkForward, search_walking_forward

_HOMES = {
    "Backtest": "running",
    "GridRun": "sweeping",
    "Judgement": "judging",
    "LibraryAnswer": "library_answers",
    "LibraryReport": "library",
    "METHODS": "proposing",
    "Method": "proposing",
    "Repeated": "saving",
    "Search": "searching",
    "Shelf": "shelves",
    "Terms": "reading",
    "Tuning": "tuning",
    "WalkForward": "walking",
    "build_library": "library",
    "judge": "judging",
    "list_backtests": "saving",
    "read_backtest": "saving",
    "read_shelves": "shelves",
    "repeat_backtest": "saving",
    "run_backtest": "running",
    "run_grid": "sweeping",
    "search": "searching",
    "search_walking_forward": "walking",
    "seed_findings": "first_findings",
    "sheet_facts": "tear_sheet",
    "tune": "tuning",
    "tune_walking_forward": "tuning",
    "what_worked": "library_answers",
    "write_tear_sheet": "tear_sheet",
}

__all__ = [
    "METHODS",
    "Backtest",
    "GridRun",
    "Judgement",
    "LibraryAnswer",
    "LibraryReport",
    "Method",
    "Repeated",
    "Search",
    "Shelf",
    "Terms",
    "Tuning",
    "WalkForward",
    "build_library",
    "judge",
    "list_backtests",
    "read_backtest",
    "read_shelves",
    "repeat_backtest",
    "run_backtest",
    "run_grid",
    "search",
    "search_walking_forward",
    "seed_findings",
    "sheet_facts",
    "tune",
    "tune_walking_forward",
    "what_worked",
    "write_tear_sheet",
]

__getattr__, __dir__ = front_door(__name__, _HOMES)
