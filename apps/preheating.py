"""Kernels that wait for a viewer: who he is they are told by their server, and nobody else may ask.

Voilà starts them beforehand and lets each wait at ``/voila/query/<kernel>`` of its own server for what the viewer's
browser asked. Voilà itself answers there to whoever knows a kernel's id. Here the address begins with a word that only
this process and its kernels know.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError, RequestHandler
from voila.request_info_handler import RequestInfoSocketHandler
from voila.utils import ENV_VARIABLE

if TYPE_CHECKING:
    from voila.app import Voila

#: Voilà's own address for kernels that wait.
ASKED_AT = "/voila/query/"
#: Waiting kernels are looked after this often.
LOOK_EVERY_MS = 15_000


class Viewers(RequestInfoSocketHandler):  # type: ignore[misc]
    """Tells a kernel that waits who its viewer is and what he asked, once."""

    def open(self, kernel_id: str) -> None:
        """Take a kernel in, or answer one that comes after its viewer."""
        super().open(kernel_id)
        self._cache.pop(kernel_id, None)  # it would be kept for as long as the server lives


class Refused(RequestHandler):
    """What strangers get."""

    def prepare(self) -> None:
        """Refuse."""
        raise HTTPError(403)


def preheat(config: Any, *, kernels: int) -> None:
    """Let a page's server keep so many kernels waiting, at an address that begins with a new secret word."""
    own = f"{config.Voila.base_url}{secrets.token_urlsafe(24)}/"
    config.VoilaConfiguration.preheat_kernel = True
    config.VoilaKernelManager.kernel_pools_config = {
        "default": {"pool_size": kernels, "kernel_env_variables": {ENV_VARIABLE.VOILA_WS_BASE_URL.value: own}}
    }


def page_handlers(server: Voila) -> list[tuple[Any, ...]]:
    """Return the handlers of a page's server, of which the one for kernels that wait answers to its kernels alone."""
    pools = server.config.VoilaKernelManager.kernel_pools_config
    own = pools["default"]["kernel_env_variables"][ENV_VARIABLE.VOILA_WS_BASE_URL]
    handlers: list[tuple[Any, ...]] = []
    for pattern, handler, *rest in server.init_handlers():
        if handler is RequestInfoSocketHandler:
            before, _, kernel = pattern.partition(ASKED_AT)
            handlers += [(f"{own.rstrip('/')}{ASKED_AT}{kernel}", Viewers), (f"{before}{ASKED_AT}.*", Refused)]
        else:
            handlers.append((pattern, handler, *rest))
    return handlers


def keep_pool_healthy(manager: Any) -> None:
    """Look after the kernels that wait, for as long as the loop runs."""
    PeriodicCallback(lambda: replace_ended(manager), LOOK_EVERY_MS).start()


def waiting_kernels(manager: Any) -> set[str]:
    """Return the kernels that have started and wait for a viewer."""
    return {one["kernel_id"] for pool in manager._pools.values() for one in _started(pool)}


async def replace_ended(manager: Any) -> None:
    """Replace kernels that ended their notebook before a viewer came, as they do where the database did not answer."""
    for notebook, pool in list(manager._pools.items()):
        ended = [one["kernel_id"] for one in _started(pool) if one["task"].done()]
        for kernel_id in ended:
            await manager.shutdown_kernel(kernel_id, now=True)
        if ended:
            manager.fill_if_needed(notebook_name=notebook)


def _started(pool: list[Any]) -> list[Any]:
    return [one.result() for one in pool if one.done() and not one.cancelled() and one.exception() is None]
