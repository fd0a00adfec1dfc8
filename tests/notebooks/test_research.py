"""A study from design to decision, as a quant works through it: begun by its name, its notebooks in their order."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import pytest

from .conftest import Run

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own, in its own modules
]

FIRST, LAST, HOLDOUT = date(2026, 7, 13), date(2026, 8, 21), "2026-08-10"


@pytest.fixture(scope="module")
def home(database_settings: Settings) -> Settings:
    """Six weeks of simulated closes of one symbol."""
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import open_desk, with_analytics

    with open_desk(settings=database_settings) as desk:
        key = FileKey(path="six weeks", sha256="0", size=0, format=SOURCE)
        with ingestion(desk.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(symbols=["SIM"], start=FIRST, end=LAST, whole_from=LAST):
                writer.append(with_analytics(quotes))
    return database_settings


def test_a_study_leads_from_a_document_to_a_decision(run: Run, home: Settings, tmp_path: Path) -> None:
    from bifrost_lib import store, workflows
    from bifrost_lib.store import list_recommendations, saved_documents
    from bifrost_lib.strategies import ByDelta, read_file
    from bifrost_lib.workflows import new_study, open_desk, study_entries

    design, backtest, optimise, decide = new_study("calm-puts", tmp_path).notebooks
    files = run.folder
    assert "score" in run(design, dte=[4, 7, 12])
    document = read_file(files / "calm-puts.yaml")
    assert (document.name, document.dte.target) == ("calm_puts", 7)

    shown = run(backtest, holdout_from=HOLDOUT)
    assert "independent" in shown and "drawdown" in shown

    shown = run(optimise, holdout_from=HOLDOUT, deltas=[0.2, 0.3], days=[[4, 7, 12]], take_profits=[0.5])
    trials = pd.read_csv(files / "calm-puts_trials.csv")
    assert len(trials) == 2 and "'tried': 2" in shown and "'luck': 0.56" in shown
    chosen = read_file(files / "calm-puts_chosen.yaml")
    best = trials.sort_values("t").iloc[-1]
    assert isinstance(chosen.legs[0].rule, ByDelta) and -chosen.legs[0].rule.target == best["delta"]

    shown = run(decide, holdout_from=HOLDOUT)
    assert "**Do not trade it.** Because this does not hold:" in shown  # two weeks are no evidence
    assert "independent entries: at least 8" in shown and "nothing was saved" in shown

    with open_desk(settings=home) as desk:
        assert saved_documents(desk.store) == [] and len(list_recommendations(desk.store)) == 0
        until = study_entries(desk, "SIM", chosen, until=date.fromisoformat(HOLDOUT))
        after = study_entries(desk, "SIM", chosen, first=date.fromisoformat(HOLDOUT))
    assert max(until["session"]) == date(2026, 8, 6)  # the 7th is the newest session then: nothing followed
    assert min(after["session"]) == date(2026, 8, 10)
    assert (until["ended"].dropna() < pd.Timestamp(HOLDOUT, tz="America/New_York")).all()
    assert until["pnl"].notna().any() and after["pnl"].notna().any()

    *_, saving = nbformat.read(decide, as_version=4).cells  # reached only if all conditions hold, so run by itself
    with open_desk(settings=home) as desk:
        names = {"desk": desk, "symbol": "SIM", "document": chosen, "store": store, "workflows": workflows}
        exec(saving.source, names | {"failed": [], "save": True})  # noqa: S102
        (kept,) = saved_documents(desk.store)
        assert (kept.name, kept.monitored, kept.document_hash) == ("calm_puts", True, chosen.sha256)
        assert list(list_recommendations(desk.store)["strategy"]) == ["calm_puts"]
