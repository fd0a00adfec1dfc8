"""The head of a page: what it shows, whether that is real, and how old it is, told again while the page stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

import ipywidgets as widgets

from bifrost_lib.views.badges import freshness, freshness_badge, source_label
from bifrost_lib.views.following import follows, symbol_query
from bifrost_lib.views.formats import plain
from bifrost_lib.views.inputs import Shown

TELL_AGE_EVERY_S = 5.0


class Header:
    """One row: title, underlying, source, age, what the page puts beside, and the switch between light and dark.

    `pages` are title and address of all that the reader may open; among them, `name` stands for this one and its title
    is not needed. `on_age` is called with ``fresh``, ``ageing`` or ``stale`` whenever that changes.
    """

    def __init__(
        self,
        title: str,
        *,
        now: Callable[[], datetime],
        on_theme: Callable[[], None],
        name: str = "",
        pages: Sequence[tuple[str, str]] = (),
        on_age: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._now, self._on_age = now, on_age
        self._shown: Shown | None = None
        self._at: datetime | None = None
        self._state = ""
        self._what, self._age, self._aside = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._theme = widgets.Button(tooltip="switch between light and dark", layout={"width": "64px"})
        self._theme.add_class("bf-theme")
        self._theme.on_click(lambda _: on_theme())
        self._pages, self._name = pages, name
        self._heading = widgets.HTML(_links(pages, name) if pages else f"<h1>{escape(title)}</h1>")
        room = widgets.Box(layout={"flex": "1 1 auto"})
        self.row = widgets.HBox([self._heading, self._what, self._age, self._aside, room, self._theme])
        self.row.add_class("bf-header")
        self._ticking: asyncio.Task[None] | None = None

    def name_theme(self, theme: str) -> None:
        """Offer the theme that is not shown."""
        self._theme.description = "Light" if theme == "dark" else "Dark"

    def show(self, shown: Shown, *, at: datetime | None) -> None:
        """Describe what is shown; `at` is the moment that the reader has travelled to, None for the present."""
        self._shown, self._at = shown, at
        if self._pages:
            self._heading.value = _links(self._pages, self._name, symbol_query(shown.symbol))
        self._what.value = (
            f"<span class='bf-spot'>{escape(shown.symbol)} <b>{plain(shown.spot)}</b></span> "
            f"{source_label(shown.source)}"
        )
        self._tell_age()
        self._keep_telling()

    def put_aside(self, html: str) -> None:
        """Show `html` behind the age: links, downloads, counts."""
        self._aside.value = html

    def clear(self) -> None:
        """Say nothing about data, because there is none."""
        self._shown, self._state = None, ""
        for part in (self._what, self._age, self._aside):
            part.value = ""

    def _tell_age(self) -> None:
        if self._shown is None:
            return
        now = self._at or self._now()
        self._age.value = freshness_badge(self._shown.as_of, now)
        state = freshness(self._shown.as_of, now)
        if state != self._state:
            self._state = state
            self._on_age(state)

    def _keep_telling(self) -> None:
        # Outside a kernel, for example in a test or a report, there is no loop and the age is told once.
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._ticking is None or self._ticking.done():
            self._ticking = loop.create_task(self._tick())

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TELL_AGE_EVERY_S)
            self._tell_age()


def _links(pages: Sequence[tuple[str, str]], name: str, query: str = "") -> str:
    links = (
        f"<a href='{escape(f'{href}?{query}' if query and follows(href) else href)}'"
        f"{' aria-current=page' if title == name else ''}>{escape(title)}</a>"
        for title, href in pages
    )
    return f"<nav class='bf-pages' aria-label='Pages'>{''.join(links)}</nav>"
