"""The calibration page: did our 70 % trades win 70 %, by strategy and symbol, and what was recommended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import panel

from apps.panel.visit import Visit
from bifrost_lib import views as charts
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.store import list_recommendations
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live as views
from bifrost_lib.workflows import CalibrationReport, Desk, calibration_report

EVERY_S = 60.0
ALL = "all"
MEASURES = {"lognormal": "pop", "surface": "pop_surface", "real world": "pop_real_world"}

pn: Any = panel


class CalibrationPage:
    """One viewer's page."""

    def __init__(self, desk: Desk, *, links: Sequence[tuple[str, str]] = (), theme: str = "light") -> None:
        self._desk = desk
        self.head = views.Head(pages=views.links(links, current="Calibration"), sizing_mode="stretch_width", height=34)
        self.measure = views.field(pn.widgets.Select(label="Probability", options=MEASURES, width=130))
        self.strategy = views.field(pn.widgets.Select(label="Strategy", options=[ALL], width=190))
        self.symbol = views.field(pn.widgets.Select(label="Symbol", options=[ALL], width=96))
        self.curve = pictures.Chart(width=480, height=390)
        self._theme = theme
        wide = {"sizing_mode": "stretch_both", "min_height": 120}
        self.scores, self.recommended = views.Grid(**wide), views.Grid(**wide)
        for chosen in (self.measure, self.strategy, self.symbol):
            chosen.param.watch(lambda _: self.refresh(), "value")
        self.refresh()

    @property
    def content(self) -> Any:
        """The page's layout."""
        asked = views.row(self.measure, self.strategy, self.symbol, sizing_mode="stretch_width", height=52)
        upper = views.row(self.curve, self.scores, sizing_mode="stretch_width", height=390)
        return views.column(self.head, asked, upper, self.recommended, sizing_mode="stretch_both", gap_px=8)

    def refresh(self) -> None:
        """Look at the desk and show what is new."""
        try:
            self._show(*self._look())
        except BifrostError as problem:
            self._refuse(str(problem))

    async def follow(self) -> None:
        """Refresh outside of the server's loop, while someone looks."""
        if not views.is_seen(pn.state.curdoc):
            return
        try:
            seen = await asyncio.to_thread(self._look)
        except BifrostError as problem:
            self._refuse(str(problem))
            return
        self._show(*seen)

    def _look(self) -> tuple[CalibrationReport, Any]:
        strategy, symbol = (None if one.value == ALL else one.value for one in (self.strategy, self.symbol))
        found = calibration_report(self._desk, strategy=strategy, symbol=symbol, measure=self.measure.value)
        return found, list_recommendations(self._desk.store, at=found.at)

    def _show(self, found: CalibrationReport, everything: Any) -> None:
        for chosen, name in ((self.strategy, "strategy"), (self.symbol, "symbol")):
            options = [ALL, *sorted(set(everything[name]))]
            if chosen.options != options:
                chosen.options = options
        drawn = charts.reliability_chart(found.curve, theme=self._theme)
        drawn.sizing_mode = "stretch_both"
        self.curve.item = pictures.chart_text(drawn)
        groups = {"all": found.scores, **found.by_strategy, **found.by_symbol} if found.scores else {}
        named = {name.replace("_", " "): asdict(one) for name, one in groups.items() if one is not None}
        self.scores.draw(charts.scores_grid(named, caption="Promised and kept"))
        shown = everything
        for name in ("strategy", "symbol"):
            wanted = getattr(found, name)
            shown = shown if wanted is None else shown[shown[name] == wanted]
        self.recommended.draw(charts.recommendations_grid(shown.tail(200), now=found.at))
        moment = found.at.timestamp() * 1000
        simulated = " · simulated" if len(everything) and everything["simulated"].all() else ""
        note = f"{found.recommended} recommended · {found.open} open · {found.scored} scored{simulated}"
        self.head.state = {"what": "", "spot": "", "as_of_ms": moment, "now_ms": moment, "note": note}

    def _refuse(self, problem: str) -> None:
        # What was seen last stays, growing older in the head.
        state = dict(self.head.state) | {"note": problem, "note_kind": "error"}
        state["now_ms"] = self._desk.clock.now().timestamp() * 1000
        self.head.state = state


def calibration_page(desk: Desk, visit: Visit) -> Any:
    """Return the layout of one viewer's calibration page; within a server's session it refreshes itself."""
    page = CalibrationPage(desk, links=visit.links, theme=visit.theme)
    if visit.document is not None:
        pn.state.add_periodic_callback(page.follow, period=int(EVERY_S * 1000))
    return page.content
