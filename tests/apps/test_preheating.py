"""Kernels that wait for viewers: only they hear who came, and those that ended early are replaced."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config
from voila.request_info_handler import RequestInfoSocketHandler

from apps.preheating import Refused, Viewers, page_handlers, preheat, replace_ended
from apps.serve import page_config
from bifrost_lib.workflows.hub import read_registry

KERNELSPEC = {"name": "python3", "display_name": "Python 3", "language": "python"}
KERNEL = r"(?P<kernel_id>\w+-\w+-\w+-\w+-\w+)"


def configured() -> Config:
    config = Config()
    config.Voila.base_url = "/services/finder/"
    preheat(config, kernels=2)
    return config


def served(config: Config) -> dict[str, Any]:
    plain = [
        ("/services/finder/voila/static/(.*)", object),
        (f"/services/finder/voila/query/{KERNEL}", RequestInfoSocketHandler),
    ]
    server: Any = SimpleNamespace(config=config, init_handlers=lambda: plain)
    return {pattern: handler for pattern, handler, *_ in page_handlers(server)}


def test_the_address_of_waiting_kernels_begins_with_a_word_that_is_new_each_time():
    first, second = served(configured()), served(configured())
    (own,) = (pattern for pattern, handler in first.items() if handler is Viewers)
    assert own not in second
    assert len(own.removeprefix("/services/finder/").partition("/voila/query/")[0]) >= 32


def test_the_plain_address_is_refused_to_everybody_and_voilas_own_handler_is_gone():
    handlers = served(configured())
    assert handlers["/services/finder/voila/query/.*"] is Refused
    assert RequestInfoSocketHandler not in handlers.values()
    assert handlers["/services/finder/voila/static/(.*)"] is object


def test_an_address_chooses_neither_template_nor_theme_and_kernels_hear_of_the_viewer_alone():
    page = next(page for page in read_registry() if page.kind == "voila")
    config = page_config(page, port=8000, secret="00" * 32).VoilaConfiguration
    assert (config.allow_template_override, config.allow_theme_override) == ("NO", "NO")
    assert config.http_header_envs == ["X-Bifrost-User", "X-Bifrost-Role", "X-Bifrost-Theme"]


@pytest.mark.slow
def test_what_a_busy_kernel_shows_late_is_on_the_page():
    from voila.execute import VoilaExecutor

    page = next(page for page in read_registry() if page.kind == "voila")
    late = "import time\nget_ipython().kernel.iopub_thread.schedule(lambda: time.sleep(6))\n'late, but there'"
    notebook = new_notebook(cells=[new_code_cell(late)], metadata={"kernelspec": KERNELSPEC})
    VoilaExecutor(notebook, config=page_config(page, port=8000, secret="00" * 32)).execute(notebook, {})
    (shown,) = notebook.cells[0].outputs
    assert shown.data["text/plain"] == "'late, but there'"


def test_kernels_learn_their_own_address_and_no_other():
    config = configured()
    given = config.VoilaKernelManager.kernel_pools_config["default"]
    assert given["pool_size"] == 2
    (own,) = (pattern for pattern, handler in served(config).items() if handler is Viewers)
    assert own == f"{given['kernel_env_variables']['VOILA_WS_BASE_URL']}voila/query/{KERNEL}"


class Pool:
    """A kernel manager with one notebook, of whose two kernels one has ended its notebook and one still waits."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.filled: list[str] = []
        loop = asyncio.get_running_loop()
        over, waits = loop.create_future(), loop.create_future()
        over.set_result(None)
        self._pools = {"finder.ipynb": [self.started("over", over), self.started("waits", waits), loop.create_future()]}

    def started(self, name: str, task: asyncio.Future[None]) -> asyncio.Future[dict[str, Any]]:
        future = asyncio.get_running_loop().create_future()
        future.set_result({"kernel_id": name, "task": task})
        return future

    async def shutdown_kernel(self, kernel_id: str, *, now: bool) -> None:
        self.ended.append(kernel_id)

    def fill_if_needed(self, *, notebook_name: str) -> None:
        self.filled.append(notebook_name)


def test_a_kernel_that_ended_before_its_viewer_came_is_replaced():
    async def look() -> Pool:
        pool = Pool()
        await replace_ended(pool)
        return pool

    pool = asyncio.run(look())
    assert (pool.ended, pool.filled) == (["over"], ["finder.ipynb"])
