"""The head of a page: what it shows, whether that is real, and how old it is, told again while the page stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape

import ipywidgets as widgets

from bifrost_lib.views.badges import freshness_badge, source_label
from bifrost_lib.views.columns import Record
from bifrost_lib.views.downloads import csv_link
from bifrost_lib.views.formats import plain
from bifrost_lib.views.inputs import Found

TELL_AGE_EVERY_S = 5.0


class Header:
    """One row: title, underlying, source, age, download, and the switch between light and dark."""

    def __init__(self, title: str, *, now: Callable[[], datetime], on_theme: Callable[[], None]) -> None:
        self._now = now
        self._found: Found | None = None
        self._at: datetime | None = None
        self._what, self._age, self._link = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._theme = widgets.Button(tooltip="switch between light and dark", layout={"width": "64px"})
        self._theme.on_click(lambda _: on_theme())
        heading = widgets.HTML(f"<h1>{escape(title)}</h1>")
        room = widgets.Box(layout={"flex": "1 1 auto"})
        self.row = widgets.HBox([heading, self._what, self._age, self._link, room, self._theme])
        self.row.add_class("bf-header")
        self._ticking: asyncio.Task[None] | None = None

    def name_theme(self, theme: str) -> None:
        """Offer the theme that is not shown."""
        self._theme.description = "Light" if theme == "dark" else "Dark"

    def show(self, found: Found, records: Sequence[Record], *, strategy: str, at: datetime | None) -> None:
        """Describe a scan; `at` is the moment that the reader has travelled to, None for the present."""
        self._found, self._at = found, at
        considered = f"<span class='bf-foot'>{found.candidates.considered:,} candidates considered</span>"
        self._what.value = (
            f"<span class='bf-spot'>{escape(found.symbol)} <b>{plain(found.spot)}</b></span> "
            f"{source_label(found.source)}"
        )
        self._link.value = considered + (
            csv_link(records, symbol=found.symbol, strategy=strategy, as_of=found.as_of) if records else ""
        )
        self._tell_age()
        self._keep_telling()

    def clear(self) -> None:
        """Say nothing about data, because there is none."""
        self._found = None
        for part in (self._what, self._age, self._link):
            part.value = ""

    def _tell_age(self) -> None:
        if self._found is not None:
            self._age.value = freshness_badge(self._found.as_of, self._at or self._now())

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
