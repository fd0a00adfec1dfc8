"""Many symbols and strategies: the same on one process as on two, and what a stop leaves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bifrost_lib.core.errors import InputError, NoDataError, UnknownNameError
from bifrost_lib.store import FileKey, ingestion
from bifrost_lib.workflows import open_desk, scan_symbols, scan_universe, with_analytics
from bifrost_lib.workflows.benchmarks.chains import moments, quotes_at

SYMBOLS = ["UNA", "UNB", "UNC"]
STRATEGIES = ["bull_put_spread", "call_calendar"]
ANY_TIME = (0, 3650)


@pytest.fixture(scope="module")
def desk(database_settings):
    with open_desk(settings=database_settings) as opened:
        snapshots = with_analytics(quotes_at(moments(1)[0], contracts=400))
        whose = pd.Categorical(np.repeat(SYMBOLS, len(snapshots)), categories=SYMBOLS)
        with ingestion(opened.store, FileKey("made up", "0", 0, "test"), source="simulated") as writer:
            writer.append(pd.concat([snapshots] * len(SYMBOLS), ignore_index=True).assign(symbol=whose))
        yield opened


def _scores(found):
    return {
        (each.strategy.name, scan.symbol): [record["score"] for record in scan.candidates.records()]
        for each in found
        for scan in each.scans
    }


def test_two_processes_find_what_one_does(desk):
    asked = [*SYMBOLS, "una", "GONE"]
    told = []
    alone = scan_universe(desk, asked, STRATEGIES, dte=ANY_TIME, top=3)
    both = scan_universe(
        desk, asked, STRATEGIES, processes=2, dte=ANY_TIME, top=3, on_progress=lambda *facts: told.append(facts)
    )
    assert _scores(both) == _scores(alone)
    assert set(_scores(both)) == {(name, symbol) for name in STRATEGIES for symbol in SYMBOLS}
    assert all(len(scores) == 3 for scores in _scores(both).values())
    for each in (*alone, *both):
        assert [scan.symbol for scan in each.scans] == SYMBOLS
        assert list(each.failed) == ["GONE"]
    assert {symbol for symbol, progress in told if progress.considered} == set(SYMBOLS)
    # What came from another process is whole: its chain, its front, its records.
    scan = both[0].scans[0]
    assert len(scan.chain) == 400
    assert scan.candidates.front() == alone[0].scans[0].candidates.front()


def test_a_stop_keeps_what_was_found(desk):
    found = scan_symbols(desk, SYMBOLS, "bull_put_spread", dte=ANY_TIME, on_progress=lambda symbol, _: symbol == "UNB")
    assert [scan.symbol for scan in found.scans] == ["UNA", "UNC"]
    assert found.failed == {"UNB": "stopped before it began"}


def test_what_cannot_be_scanned_is_said(desk):
    with pytest.raises(NoDataError, match="GONE"):
        scan_symbols(desk, ["GONE"], "bull_put_spread")
    for name, (symbols, strategies, processes) in {
        "symbols": ([], STRATEGIES, None),
        "strategies": (SYMBOLS, [], None),
        "processes": (SYMBOLS, STRATEGIES, 0),
    }.items():
        with pytest.raises(InputError) as refused:
            scan_universe(desk, symbols, strategies, processes=processes)
        assert refused.value.name == name
    with pytest.raises(UnknownNameError, match="bull_put_spread"):
        scan_universe(desk, SYMBOLS, ["bull_put_spreed"])
