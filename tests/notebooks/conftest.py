"""How notebooks are run in tests: as papermill runs them, in a kernel that finds the home of the test module."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
import pytest
from traitlets.config import Config

from bifrost_lib.core.kernels import cache_folder

if TYPE_CHECKING:
    from bifrost_lib.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Run:
    """Runs a notebook in `folder`, once with the same parameters; returns all that its cells show, as one text."""

    folder: Path
    execute: Callable[[Path, str], str]

    def __call__(self, path: Path, **parameters: Any) -> str:
        return self.execute(path, json.dumps(parameters))


@pytest.fixture(scope="module")
def run(home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Run notebooks in a folder of the module's own.

    `home` is a fixture of the module: settings that the kernels see through the environment.
    """
    folder = tmp_path_factory.mktemp("executed")
    config = Config()
    config.KernelManager.transport = "ipc"

    @cache
    def execute(path: Path, parameters: str) -> str:
        done = papermill.execute_notebook(
            path, folder / path.name, parameters=json.loads(parameters), kernel_name="python3", progress_bar=False,
            execution_timeout=240, cwd=str(folder), config=config,
        )  # fmt: skip
        outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
        assert [output.text for output in outputs if output.output_type == "stream" and output.name == "stderr"] == []
        return "\n".join(str(shown) for output in outputs for shown in output.get("data", {}).values())

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", str(cache_folder()))  # a home of its own would compile everything again
        patch.setenv("BIFROST_HOME", str(home.home))
        patch.setenv("BIFROST_DATABASE_URL", home.database_url.replace("+psycopg2", ""))
        yield Run(folder, execute)
