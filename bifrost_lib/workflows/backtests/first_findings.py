"""Something to read on a first day: one kept run and a small library of the simulated year, labelled as simulated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from bifrost_lib.store import libraries, list_backtests, simulated_symbols
from bifrost_lib.strategies import strategy_named
from bifrost_lib.workflows.backtests.library import build_library
from bifrost_lib.workflows.backtests.running import run_backtest
from bifrost_lib.workflows.backtests.shelves import read_shelves

if TYPE_CHECKING:
    from bifrost_lib.workflows.desk import Desk

LIBRARY = "simulated"
SYMBOLS = ("SIM", "SIMX")
#: The last third of the simulated year is out of sample.
SPLIT = date(2026, 7, 20)
_SHELVES = {
    "iron_condor": {"dte.target": [30, 45]},
    "bull_put_spread": {"dte.target": [30, 45]},
    "covered_call": None,
}


def seed_findings(desk: Desk, *, symbols: Sequence[str] = SYMBOLS, split: date = SPLIT) -> bool:
    """Keep a run and build a library where there are none of either, and the symbols are simulated; tell whether.

    Parameters
    ----------
    desk : Desk
    symbols : sequence of str
        The run is on the first.
    split : date
        First day out of sample.

    Raises
    ------
    NoDataError
        If nothing is stored of the first symbol in these days.
    """
    if set(symbols) - set(simulated_symbols(desk.store, list(symbols))):
        return False
    if len(list_backtests(desk.store)) or len(libraries(desk.store)):
        return False
    run_backtest(desk, strategy_named("iron_condor"), symbols[0], bands=True)
    built = build_library(desk, LIBRARY, read_shelves(_SHELVES), symbols, split=split, workers=0)
    if built.stopped:
        raise KeyboardInterrupt  # whoever waits for Ctrl-C has to hear of it
    return True
