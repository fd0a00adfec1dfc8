"""A notebook's page shows data before its kernel has drawn it: one picture for all who may see the same.

Whoever opens the page gets the picture at once, with everything that is on the page, and the time that its data are of.
Scripts and a kernel of his own come behind it, and then the same page, alive, takes its place. Of many who come at the
same moment all see data first, and then one after the other gets the rest.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.web import authenticated
from voila.tornado.handler import TornadoVoilaHandler

from apps.access import ROLE_HEADER, USER_HEADER
from apps.turns import Turns
from bifrost_lib.views import theme_of

#: Viewers who come within this time are shown the same first picture; the age of its data is on it.
FRESH_S = 2.0
#: Pictures of so many addresses, roles and themes are kept.
KEPT = 32
#: A viewer who has waited so long for a picture waits for the page itself.
PATIENCE_S = 10.0
#: How a page's notebook learns in which theme its viewer reads; whatever a browser sends under this name is replaced.
THEME_HEADER = "X-Bifrost-Theme"
#: Where the template has room for the picture.
PLACE = "<!-- still -->"

log = logging.getLogger(__name__)

#: Returns a picture for what a page's notebook finds in its environment.
Draw = Callable[[dict[str, str]], Awaitable[str]]


class Stills:
    """First pictures of one page by what they depend on, each drawn at most once in `FRESH_S`, however many ask.

    Parameters
    ----------
    draw : callable
    clock_s : callable
    """

    def __init__(self, draw: Draw, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._draw, self._clock_s = draw, clock_s
        self._drawn: OrderedDict[tuple[str, ...], tuple[float, asyncio.Task[str]]] = OrderedDict()

    async def still(self, *, query: str, user: str | None, role: str | None, theme: str) -> str:
        """Return what somebody of `role` sees first, or nothing if that cannot be drawn in time."""
        key = (query, role or "", theme)
        born_s, task = self._drawn.get(key, (float("-inf"), None))
        if task is None or (task.done() and self._clock_s() - born_s >= FRESH_S):
            task = asyncio.get_running_loop().create_task(self._picture(query, user, role, theme))
            self._drawn[key] = self._clock_s(), task
            self._drawn.move_to_end(key)
            while len(self._drawn) > KEPT:
                self._drawn.popitem(last=False)
        try:
            return await asyncio.wait_for(asyncio.shield(task), PATIENCE_S)
        except TimeoutError:
            return ""

    async def _picture(self, query: str, user: str | None, role: str | None, theme: str) -> str:
        told = {"QUERY_STRING": query, "HTTP_X_BIFROST_USER": user, "HTTP_X_BIFROST_ROLE": role}
        told["HTTP_X_BIFROST_THEME"] = theme
        env = {**os.environ, "VOILA_KERNEL_ID": "picture"} | {name: text for name, text in told.items() if text}
        try:
            return await self._draw(env)
        except Exception:
            log.exception("there is no first picture; the page itself will tell why")
            return ""


class StillFirst(TornadoVoilaHandler):  # type: ignore[misc]  # Voilà has no types
    """Answers with the first picture, then with the page as its kernel draws it."""

    def initialize(self, *, stills: Stills, turns: Turns, title: str, script: str, **given: Any) -> None:
        self._stills, self._turns, self._title, self._script = stills, turns, title, script
        super().initialize(**given)

    @authenticated
    async def get(self, path: str | None = None) -> None:
        """Show the page."""
        if path:
            await super().get(path)
            return
        headers, theme = self.request.headers, theme_of({name: one.value for name, one in self.cookies.items()})
        headers[THEME_HEADER] = theme
        user, role = headers.get(USER_HEADER), headers.get(ROLE_HEADER)
        told = {"script": self._script, "title": self._title, "theme": theme, "is_next": self._turns.is_free}
        page = self.get_template("opening.html").render(base_url=self.base_url, **told)
        before, after = page.split(PLACE)
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.set_header("Cache-Control", "no-store")  # it is this viewer's, and of this moment
        self.write(before)
        await self.flush()
        with self._turns.picture():
            still = await self._stills.still(query=str(self.request.query), user=user, role=role, theme=theme)
        self.write(still + after)
        await self.flush()
        await self._turns.session(self._come_alive)

    async def _come_alive(self) -> None:
        if self.request.connection.stream.closed():  # nobody is there any more whom a kernel could serve
            return
        self.write(f'<script>bifrost.load("{self.base_url}{self._script}")</script>')
        await self.flush()  # the browser reads scripts while the kernel draws
        try:
            await super().get()
        except Exception:
            self.log.exception("%s has no kernel", self._title)
            self.write("<script>bifrost.fail()</script>")


def with_stills(handlers: list[tuple[Any, ...]], draw: Draw, **given: Any) -> list[tuple[Any, ...]]:
    """Return a page's handlers, of which the one for the page itself shows the picture that `draw` returns first.

    `given` are `title` and `script` of the page, and the `turns` of all viewers of this process.
    """
    stills = Stills(draw)
    return [
        (pattern, StillFirst, {**rest[0], **given, "stills": stills}) if handler is TornadoVoilaHandler
        else (pattern, handler, *rest)
        for pattern, handler, *rest in handlers
    ]  # fmt: skip
