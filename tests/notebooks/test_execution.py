"""Notebooks run from the first cell to the last, as papermill runs them, against a simulated history."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
import pytest
from traitlets.config import Config

from bifrost_lib.core.kernels import cache_folder

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # papermill's own, in its own modules
]

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., str]


@pytest.fixture(scope="module")
def simulated_home(database_settings: Settings) -> Iterator[Settings]:
    """A home whose store holds the last two simulated sessions, visible to kernels through the environment."""
    from bifrost_lib.sim import SOURCE, simulated_history
    from bifrost_lib.store import FileKey, ingestion
    from bifrost_lib.workflows import open_desk, with_analytics

    with open_desk(settings=database_settings) as desk:
        key = FileKey(path="two sessions", sha256="0", size=0, format=SOURCE)
        with ingestion(desk.store, key, source=SOURCE) as writer:
            for quotes in simulated_history(start=date(2026, 9, 29)):
                writer.append(with_analytics(quotes))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(cache_folder()))  # a home of its own would compile everything again
        patch.setenv("BIFROST_HOME", str(database_settings.home))
        patch.setenv("BIFROST_DATABASE_URL", database_settings.database_url.replace("+psycopg2", ""))
        yield database_settings


@pytest.fixture(scope="module")
def run(simulated_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run a notebook, once with the same parameters; returns all that its cells show, as one text."""
    folder = tmp_path_factory.mktemp("executed")
    config = Config()
    config.KernelManager.transport = "ipc"

    @cache
    def execute(path: Path, **parameters: Any) -> str:
        done = papermill.execute_notebook(
            path, folder / path.name, parameters=parameters, kernel_name="python3", progress_bar=False,
            execution_timeout=240, cwd=str(folder), config=config,
        )  # fmt: skip
        outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
        assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
        return "\n".join(str(shown) for output in outputs for shown in output.get("data", {}).values())

    return execute


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").rglob("*.ipynb")), ids=lambda path: path.name)
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
