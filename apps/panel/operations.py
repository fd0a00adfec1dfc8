"""The operations page: what collectors and reports did, what is missing, what runs, and how old data are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

import panel

from apps.panel.visit import Visit
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.views import live as views
from bifrost_lib.workflows import Desk, live, report_files

EVERY_S = 2.0

pn: Any = panel


class DeskWatch:
    """Looks at the desk at most once in `EVERY_S`, however many viewers ask."""

    def __init__(self, desk: Desk, *, watchers: Callable[[], int] = lambda: 0) -> None:
        self.desk, self.watchers = desk, watchers
        self._seen: live.OperationsPicture | None = None
        self._seen_s = float("-inf")

    def look(self) -> live.OperationsPicture:
        """Return the newest picture.

        Raises
        ------
        SourceUnavailable, StoreError
            If the database does not answer.
        """
        if self._seen is None or time.monotonic() - self._seen_s >= EVERY_S / 2:
            self._seen, self._seen_s = live.operations_picture(self.desk), time.monotonic()
        return self._seen


class OperationsPage:
    """One viewer's page."""

    def __init__(self, watch: DeskWatch, *, links: Sequence[tuple[str, str]] = ()) -> None:
        self._watch = watch
        wide = {"sizing_mode": "stretch_both", "min_height": 80}
        self.head = views.Head(pages=views.links(links, current="Operations"), sizing_mode="stretch_width", height=34)
        self.runs, self.gaps = views.Grid(**wide), views.Grid(**wide)
        self.services, self.sessions, self.watches, self.tables = (views.Grid(**wide) for _ in range(4))
        self.reports, self.kernels = views.Grid(**wide), views.Grid(**wide)
        self._problem = ""
        self.refresh()

    @property
    def content(self) -> Any:
        """The page's layout."""
        upper = views.row(self.watches, self.services, sizing_mode="stretch_width", height=176)
        kernels = views.row(self.kernels, sizing_mode="stretch_width", height=124)
        side = views.column(self.gaps, kernels, self.tables, width=400, sizing_mode="stretch_height")
        sessions = views.row(self.sessions, sizing_mode="stretch_width", height=104)
        main = views.column(sessions, self.runs, self.reports, sizing_mode="stretch_both")
        lower = views.row(main, side, sizing_mode="stretch_both")
        return views.column(self.head, upper, lower, sizing_mode="stretch_both", gap_px=8)

    def refresh(self) -> None:
        """Look at the desk and show what is new."""
        try:
            self._show(self._watch.look())
        except BifrostError as problem:
            self._refuse(str(problem))

    async def follow(self) -> None:
        """Refresh outside of the server's loop, while someone looks."""
        if not views.is_seen(pn.state.curdoc):
            return
        try:
            picture = await asyncio.to_thread(self._watch.look)
        except BifrostError as problem:
            self._refuse(str(problem))
            return
        self._show(picture)

    def _show(self, picture: live.OperationsPicture) -> None:
        now = picture.at
        shown = {
            self.runs: views.runs_grid(picture.runs, now=now),
            self.gaps: views.gaps_grid(picture.gaps, now=now),
            self.services: views.services_grid(picture.services, now=now),
            self.sessions: views.sessions_grid(picture.sessions, now=now),
            self.watches: views.watches_grid(picture.watches, now=now),
            self.tables: views.tables_grid(
                picture.rows, size_bytes=picture.size_bytes, backlog=picture.machine.backlog, now=now
            ),
            self.reports: views.reports_grid(picture.reports, now=now, files=report_files),
            self.kernels: views.kernels_grid(picture.machine),
        }
        for grid, table in shown.items():
            grid.draw(table)
        self.head.state = {
            "what": "",
            "spot": "",
            "as_of_ms": now.timestamp() * 1000,
            "now_ms": self._watch.desk.clock.now().timestamp() * 1000,
            "note": views.desk_line(picture.completeness, len(picture.gaps), self._watch.watchers(), picture.place),
        }

    def _refuse(self, problem: str) -> None:
        # What was seen last stays, growing older in the head.
        state = dict(self.head.state) | {"note": problem, "note_kind": "error"}
        state["now_ms"] = self._watch.desk.clock.now().timestamp() * 1000
        self.head.state = state


def operations_page(watch: DeskWatch, visit: Visit) -> Any:
    """Return the layout of one viewer's operations page; within a server's session it refreshes itself."""
    page = OperationsPage(watch, links=visit.links)
    if visit.document is not None:
        pn.state.add_periodic_callback(page.follow, period=int(EVERY_S * 1000))
    return page.content
