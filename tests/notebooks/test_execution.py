"""Notebooks run from the first cell to the last, as papermill runs them, against a simulated history."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import ROOT, Run

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own, in its own modules
]

#: Those that need more than two sessions or a platform have tests of their own.
ALONE = [
    path for path in sorted((ROOT / "notebooks").rglob("*.ipynb")) if path.parts[-2] not in ("templates", "health")
]


@pytest.fixture(scope="module")
def home(database_settings: Settings) -> Settings:
    """A home whose store holds the last month of a simulated history, each session described."""
    from bifrost_lib.workflows import open_desk, seed_simulated_history

    with open_desk(settings=database_settings) as desk:
        seed_simulated_history(desk, first=date(2026, 9, 1), last=date(2026, 9, 30), whole_from=date(2026, 9, 29))
    return database_settings


@pytest.mark.parametrize("path", ALONE, ids=lambda path: path.name)
def test_notebooks_run(run: Run, path: Path) -> None:
    run(path)


def test_the_first_scan_shows_a_chain_a_ranking_and_a_reason(run: Run) -> None:
    shown = run(ROOT / "notebooks" / "tutorials" / "01_first_scan.ipynb")
    assert "simulated" in shown
    assert shown.count("<tr title=") == 15  # ten iron condors and five put spreads
    assert "bf-at-spot" in shown
    assert "Max loss" in shown
    assert "application/vnd.bokehjs_exec.v0+json" in shown or "BokehJS" in shown


def test_a_page_runs_as_a_report_too(run: Run) -> None:
    shown = run(ROOT / "apps" / "voila" / "strategy_finder.ipynb", symbol="SIMX", strategy="bull_put_spread")
    assert "VBox" in shown


def test_pricing_and_surfaces_end_in_an_index_and_odds(run: Run) -> None:
    shown = run(ROOT / "notebooks" / "tutorials" / "08_pricing_and_surfaces.ipynb")
    assert "ABOVE_MAXIMUM" in shown
    explained = re.search(r"within_spread +([\d.]+)", shown)
    assert explained is not None
    assert float(explained[1]) > 0.5
    index = re.search(r"'volatility': ([\d.]+), 'skew': ([\d.]+)", shown)
    assert index is not None
    assert 5 < float(index[1]) < 100 < float(index[2]) < 200
    odds = [float(one) for one in re.findall(r"(?:one volatility|the surface|own view) +([\d.]+)", shown)]
    assert len(odds) == 3
    assert all(0.68 < one < 1 for one in odds)
