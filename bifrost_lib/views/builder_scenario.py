"""The part of the builder that looks ahead: one picture at a time, and what the sliders ask of it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import ipywidgets as widgets

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.views.builder_charts import SHOWN, CurveBoard, MapBoard
from bifrost_lib.views.builder_controls import MAPS, PANES, ScenarioControls
from bifrost_lib.views.builder_legs import legs_detail
from bifrost_lib.views.builder_state import BuilderState
from bifrost_lib.views.formats import day, plain, usd
from bifrost_lib.views.html import notice
from bifrost_lib.views.inputs import Bench, Structure
from bifrost_lib.views.picture import LivingPicture

_AXES = {title: axis for axis, title in MAPS.items()}


class ScenarioPanel:
    """Keeps the picture in step with the structure and the sliders; `on_move` is called after a slider moved."""

    def __init__(self, bench: Bench, first: BuilderState, theme: str, on_move: Callable[[], None]) -> None:
        self._bench, self._on_move = bench, on_move
        self._structure: Structure | None = None
        self._controls = ScenarioControls(days=first.days, vol_points=first.vol_points)
        self._hang(theme)
        self._text = widgets.HTML()
        self._stage = widgets.Box()
        self._stage.add_class("bf-stage")
        self.box = widgets.VBox([*self._controls.parts, self._controls.told, self._stage])
        self._controls.on_change(self._moved)

    @property
    def days(self) -> int:
        """Where the date stands, in days from now."""
        return int(self._controls.days.value)

    @property
    def vol_points(self) -> int:
        """How far all volatilities are moved."""
        return int(self._controls.vol_points.value)

    def show(self, structure: Structure | None) -> None:
        """Show another structure, or none."""
        self._structure = structure
        if structure is None:
            self.clear()
            return
        self._controls.offer_days(structure.measures["dte"])
        self._draw()

    def clear(self) -> None:
        """Show that there is nothing to look at."""
        self._structure = None
        self._controls.told.value = ""
        self._text.value = notice("empty", "No picture yet", "It appears with the first leg that can be priced.")
        self._stage.children = [self._text]

    def paint(self, theme: str) -> None:
        """Draw in the colours of another theme."""
        for picture in (self._curves, self._map):
            picture.close()
        self._hang(theme)
        if self._structure is not None:
            self._draw()

    def _hang(self, theme: str) -> None:
        self._curves, self._map = LivingPicture(partial(CurveBoard, theme)), LivingPicture(partial(MapBoard, theme))

    def _moved(self) -> None:
        if self._structure is not None:
            self._draw()
            self._on_move()

    def _draw(self) -> None:
        structure, controls = self._structure, self._controls
        assert structure is not None  # noqa: S101 - both callers have looked
        controls.tell(structure.market.at, structure.measures["dte"])
        try:
            drawn = self._drawn(structure, controls.pane.value)
        except BifrostError as problem:
            self._text.value = notice("error", "This picture cannot be drawn", str(problem))
            drawn = self._text
        if list(self._stage.children) != [drawn]:
            self._stage.children = [drawn]

    def _drawn(self, structure: Structure, pane: str) -> widgets.Widget:
        options = {"quantity": self._controls.quantity.value, "days": self.days, "vol_shift": self.vol_points / 100}
        spot, record = structure.market.spot, structure.record
        curves = self._bench.scenario_curves(structure, **options)
        self._tell(curves.quantity, curves.at_spot, spot)
        if pane == PANES[-1]:
            self._text.value = legs_detail(self._bench.leg_details(structure), structure.measures)
            return self._text
        if pane in _AXES:
            axis = _AXES[pane]
            surface = self._bench.scenario_map(structure, axis=axis, **options)
            then = min(self.days, structure.measures["dte"]) if axis == "days" else self.vol_points
            today = exchange_date(structure.market.at)
            return self._map.redraw(lambda board: board.show(surface, spot=spot, then=then, at=today))
        first = min((str(leg["expiry"]) for leg in record["legs"] if leg["expiry"]), default="")
        names = {"expiry": f"at expiry, {day(first)}" if first else "at expiry", "then": "then", "now": "now"}
        return self._curves.redraw(
            lambda board: board.show(curves, spot=spot, breakevens=record["breakevens"], names=names)
        )

    def _tell(self, quantity: str, value: float, spot: float) -> None:
        title, scale, _ = SHOWN[quantity]
        text = usd(round(value) or 0.0, signed=True) if quantity == "profit" else plain(value * scale)
        name, _, unit = title.partition(", ")
        when = "Then" if self.days or self.vol_points else "Now"
        unit = "" if quantity == "profit" else f" {unit}"
        self._controls.told.value = (
            f"<span class='bf-foot'>{when}, at {plain(spot)}: {name.lower()} <b>{text}</b>{unit}</span>"
        )
