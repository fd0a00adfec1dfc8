"""Kernels whose viewer is gone: a page ends its own as it is closed, and those that were cut off are ended here.

So are those of whoever asked for a page and never connected: a script, or somebody who left before it came alive.

Jupyter ends kernels that have been silent for long, and those of our pages never are: they tell what is new, to nobody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tornado.ioloop import PeriodicCallback

from apps.preheating import LOOK_EVERY_MS, waiting_kernels


class Unwatched:
    """Ends kernels of one server to which nobody has been connected for a while.

    Parameters
    ----------
    manager : VoilaKernelManager
    after_s : float
        A viewer whose connection breaks for less finds his page as he left it.
    unmet_s : float
        A browser that has not connected for the first time by then is not coming.
    clock_s : callable, optional
        Seconds that only grow.
    """

    def __init__(
        self, manager: Any, *, after_s: float, unmet_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._manager, self._after_s, self._unmet_s, self._clock_s = manager, after_s, unmet_s, clock_s
        self._alone_since_s: dict[str, float] = {}
        self._met: set[str] = set()

    async def look(self) -> None:
        """End those that have been alone for long enough."""
        now_s, waiting = self._clock_s(), waiting_kernels(self._manager)
        known = [one for one in self._manager.list_kernel_ids() if one not in waiting]
        alone = [one for one in known if not self._manager.kernel_model(one)["connections"]]
        self._met = (self._met | set(known).difference(alone)).intersection(known)
        self._alone_since_s = {one: self._alone_since_s.get(one, now_s) for one in alone}
        for kernel_id, since_s in list(self._alone_since_s.items()):
            patience_s = self._after_s if kernel_id in self._met else self._unmet_s
            if now_s - since_s >= patience_s and kernel_id in self._manager.list_kernel_ids():  # nobody was faster
                await self._manager.shutdown_kernel(kernel_id, now=True)


def end_unwatched(manager: Any, *, after_s: float, unmet_s: float) -> None:
    """Look after a server's kernels for as long as the loop runs."""
    PeriodicCallback(Unwatched(manager, after_s=after_s, unmet_s=unmet_s).look, LOOK_EVERY_MS).start()
