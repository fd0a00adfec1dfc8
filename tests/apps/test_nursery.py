"""Kernels that are copies of one process: what it has loaded they have, the rest is theirs, and they end with it."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import re
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from traitlets.config import Config

from apps.forked_kernels import Copy, Nursery, take_kernels_from
from apps.nursery import drawn
from bifrost_lib.core.errors import SourceUnavailable

ANSWER_WITHIN_S = 180
CELLS = [
    "import os, wave",
    "import time\nfrom io import StringIO\nfrom ipywidgets import HTML\ndesk = StringIO(str(time.monotonic_ns()))",
    "who = os.environ.get('HTTP_X_BIFROST_USER', 'nobody')\nHTML(f'<b>{desk.getvalue()} shown to {who}</b>')",
]
ASK = (
    "import json, os, random, sys\n"
    "loaded = ['wave' in sys.modules, 'pydevd' in sys.modules]  # a page is not debugged\n"
    "print(json.dumps([loaded, os.environ.get('MINE'), os.getppid(), random.random(), os.getcwd()]))"
)


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "source": ["# A page"]}]
    cells += [{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in CELLS]
    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_a_notebook_is_drawn_to_its_last_line(notebook):
    page, names = drawn(notebook)
    assert page.value == f"<b>{names['desk'].getvalue()} shown to nobody</b>"


async def told_by(manager: AsyncKernelManager, folder: Path) -> list[Any]:
    """Return what a new kernel says about itself."""
    await manager.start_kernel(env={**os.environ, "MINE": folder.name}, cwd=str(folder))
    client = manager.client()
    client.start_channels()
    await client.wait_for_ready(timeout=ANSWER_WITHIN_S)
    said: list[str] = []
    await client.execute_interactive(
        ASK, timeout=ANSWER_WITHIN_S, output_hook=lambda message: said.append(message["content"].get("text", ""))
    )
    client.stop_channels()
    told: list[Any] = json.loads("".join(said))
    return told


def test_kernels_share_what_was_loaded_and_nothing_else(notebook, tmp_path, monkeypatch):
    runtime = Path(tempfile.mkdtemp(prefix="bf-"))  # paths of sockets are short
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))

    async def both() -> tuple[list[list[Any]], Nursery]:
        nursery, config = Nursery([notebook]), Config()
        take_kernels_from(nursery, config)
        KernelProvisionerFactory.clear_instance()
        KernelProvisionerFactory.instance(config=config)
        managers: list[AsyncKernelManager] = []
        told = []
        for name in ("ann", "bob"):
            (tmp_path / name).mkdir()
            file = str(runtime / f"kernel-{name}.json")
            managers.append(AsyncKernelManager(config=config, transport="ipc", connection_file=file))
            told.append(await told_by(managers[-1], tmp_path / name))
        await managers[0].shutdown_kernel(now=True)
        left: Any = vars(managers[1].provisioner)["process"]
        assert left.poll() is None
        nursery.close()
        left.wait(timeout=ANSWER_WITHIN_S)
        for manager in managers:
            await manager.cleanup_resources()
            manager.context.destroy(linger=0)
        return told, nursery

    ((loaded, mine, parent, drawn, folder), other), nursery = asyncio.run(both())
    assert (loaded, mine, folder) == ([True, False], "ann", str(tmp_path / "ann"))
    assert (other[1], other[2], other[4]) == ("bob", parent, str(tmp_path / "bob"))
    assert parent != os.getpid() and drawn != other[3]
    assert not nursery.is_alive()
    KernelProvisionerFactory.clear_instance()
    shutil.rmtree(runtime)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the client leaves its sockets to the collector
        gc.collect()


def test_pictures_are_of_one_desk_each_for_its_viewer_and_a_painter_that_ends_is_replaced(notebook, tmp_path):
    (bad := tmp_path / "bad.ipynb").write_text("{}", encoding="utf-8")
    env = dict(os.environ)

    async def pictures() -> list[str]:
        nursery = Nursery([notebook])
        shown = [await nursery.picture(notebook, env | {"HTTP_X_BIFROST_USER": "ann"})]
        with pytest.raises(SourceUnavailable, match=r"the first picture of bad.*KeyError"):
            await nursery.picture(bad, env)
        shown.append(await nursery.picture(notebook, env))
        assert nursery._painter is not None
        nursery._painter._end()
        with pytest.raises(SourceUnavailable, match="the first picture of page"):
            await nursery.picture(notebook, env)
        shown.append(await nursery.picture(notebook, env))
        nursery.close()
        return shown

    opened, viewers = zip(
        *(re.findall(r"<b>(\d+) shown to (\w+)</b>", one)[0] for one in asyncio.run(pictures())), strict=True
    )
    assert viewers == ("ann", "nobody", "nobody")
    assert opened[0] == opened[1] != opened[2]


def test_a_process_that_has_ended_counts_as_ended():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    assert Copy(pid).poll() == 1
    Copy(pid).kill()
