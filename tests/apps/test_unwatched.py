"""Kernels whose viewer is gone for good are ended; those that wait, and those that somebody looks at, are not."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from apps.unwatched import Unwatched

AFTER_S, UNMET_S = 600.0, 120.0


class Manager:
    """Kernels by the number of those who are connected, and those that wait in a pool."""

    def __init__(self, connections: dict[str, int], waiting: str = "") -> None:
        self.connections = connections
        self._pools: dict[str, list[Any]] = {"page.ipynb": []}
        self._waiting = waiting

    def list_kernel_ids(self) -> list[str]:
        return list(self.connections)

    def kernel_model(self, kernel_id: str) -> dict[str, Any]:
        return {"connections": self.connections[kernel_id], "execution_state": "busy"}

    async def shutdown_kernel(self, kernel_id: str, *, now: bool) -> None:
        assert now
        del self.connections[kernel_id]

    async def fill_pool(self) -> None:
        started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        started.set_result({"kernel_id": self._waiting, "task": SimpleNamespace(done=lambda: False)})
        self._pools["page.ipynb"] = [started, asyncio.get_running_loop().create_future()]


def left_after(manager: Manager, *moments_s: float, then: dict[float, dict[str, int]] | None = None) -> list[str]:
    """The kernels that are left when they were looked at at these moments; `then` is what changes before one."""

    async def looked() -> list[str]:
        await manager.fill_pool()
        now_s = 0.0
        unwatched = Unwatched(manager, after_s=AFTER_S, unmet_s=UNMET_S, clock_s=lambda: now_s)
        for now_s in moments_s:
            manager.connections |= (then or {}).get(now_s, {})
            await unwatched.look()
        return sorted(manager.connections)

    return asyncio.run(looked())


def test_only_those_that_nobody_is_connected_to_end_however_busy_they_are() -> None:
    manager = Manager({"watched": 1, "left": 1, "waiting": 0}, waiting="waiting")
    leaves = {1.0: {"left": 0}}
    assert left_after(manager, 0.0, 1.0, AFTER_S, then=leaves) == ["left", "waiting", "watched"]
    manager.connections["left"] = 1
    assert left_after(manager, 0.0, 1.0, AFTER_S + 1, then=leaves) == ["waiting", "watched"]


def test_one_to_which_nobody_ever_came_ends_soon() -> None:
    assert left_after(Manager({"late": 0}), 0.0, UNMET_S - 1) == ["late"]
    assert left_after(Manager({"late": 0}), 0.0, UNMET_S) == []


def test_a_viewer_who_comes_back_in_time_finds_his_page() -> None:
    back = {100.0: {"page": 1}, 400.0: {"page": 0}}
    assert left_after(Manager({"page": 0}), 0.0, 100.0, 400.0, AFTER_S + 100, then=back) == ["page"]
    assert left_after(Manager({"page": 0}), 0.0, 100.0, 400.0, AFTER_S + 400, then=back) == []
