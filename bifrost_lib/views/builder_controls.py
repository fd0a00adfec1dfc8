"""What a trader can set in the builder, beside the legs themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import ipywidgets as widgets
import pandas as pd

from bifrost_lib.views.builder_chain import ALL
from bifrost_lib.views.controls import LATEST, field, moment_options
from bifrost_lib.views.formats import MINUS, TIMES, day
from bifrost_lib.views.strategy_picker import StrategyPicker

FILLS = {"Mid": 0.0, "A quarter of the way": 0.25, "Half of the way": 0.5, "Cross the spread": 1.0}
STRIKES = {"15 each side": 15, "30 each side": 30, "All": ALL}
MAPS = {"days": f"Spot {TIMES} date", "vol_shift": f"Spot {TIMES} volatility"}
PANES = ("Payoff", *MAPS.values(), "Greeks and odds")
QUANTITIES = {"Profit": "profit", "Delta": "delta", "Gamma": "gamma", "Theta": "theta", "Vega": "vega"}
MOST_POINTS = 20


class BuilderControls:
    """The row above the chain: symbol, structure to start from, prices, strikes, moment, and the edits of all legs."""

    def __init__(
        self,
        symbols: pd.DataFrame,
        strategies: Mapping[str, str],
        *,
        headings: Mapping[str, str] | None,
        symbol: str,
        at: datetime | None,
        fill: float,
    ) -> None:
        self._symbols = symbols.set_index("symbol")
        names = [str(name) for name in self._symbols.index]
        self.symbol = widgets.Dropdown(
            options=[*names, *({symbol} - set(names))], value=symbol, layout={"width": "96px"}
        )
        self.structure = StrategyPicker(
            strategies, value="", headings=headings, prompt="choose a structure", width="170px"
        )
        fills = FILLS if fill in FILLS.values() else FILLS | {f"{fill:.0%} of the way": fill}
        self.fill = widgets.Dropdown(options=list(fills.items()), value=fill, layout={"width": "140px"})
        self.strikes = widgets.Dropdown(options=list(STRIKES.items()), value=15, layout={"width": "126px"})
        self.moment = widgets.SelectionSlider(
            options=moment_options(self._symbols, symbol, at), continuous_update=False, layout={"width": "250px"}
        )
        self.moment.value = at or LATEST
        self.refresh, self.undo, self.flip, self.clear = (
            widgets.Button(description=name, tooltip=tip, layout={"width": "74px" if name == "Refresh" else "58px"})
            for name, tip in (
                ("Refresh", "read the newest quotes"),
                ("Undo", "take the last change of the legs back"),
                ("Flip", "buy what is sold and sell what is bought"),
                ("Clear", "remove all legs"),
            )
        )
        self.row = widgets.HBox(
            [
                field("Symbol", self.symbol),
                field("Start from", self.structure.box),
                field("Trade at", self.fill),
                field("Strikes", self.strikes),
                field("As of, New York time", self.moment),
                self.refresh,
                self.undo,
                self.flip,
                self.clear,
            ]
        )
        self.row.add_class("bf-controls")

    @property
    def at(self) -> datetime | None:
        """The moment that is asked for; None is the newest stored one."""
        return None if self.moment.value == LATEST else self.moment.value

    def offer_edits(self, *, undo: bool, others: bool) -> None:
        """Let the legs be edited as a whole, or not."""
        self.undo.disabled = not undo
        self.flip.disabled = self.clear.disabled = not others

    def on_market(self, then: Callable[[], None]) -> None:
        """Call `then` once after the symbol or the moment changed, or new quotes are asked for."""

        def symbol_changed(_: object) -> None:
            at_before = self.moment.value
            self.moment.options = moment_options(self._symbols, self.symbol.value, None)
            self.moment.value = LATEST
            if at_before == LATEST:  # otherwise the slider's own change has called already
                then()

        self.symbol.observe(symbol_changed, names="value")
        self.moment.observe(lambda _: then(), names="value")
        self.refresh.on_click(lambda _: then())


class ScenarioControls:
    """Which picture, of which quantity, on which day and at which volatility."""

    def __init__(self, *, days: int, vol_points: int) -> None:
        self.pane = widgets.ToggleButtons(options=list(PANES), style={"button_width": "auto"})
        self.quantity = widgets.Dropdown(options=list(QUANTITIES.items()), value="profit", layout={"width": "88px"})
        self.days = widgets.IntSlider(value=days, min=0, max=max(days, 1), readout=False, layout={"width": "100%"})
        self.vol_points = widgets.IntSlider(
            value=max(-MOST_POINTS, min(MOST_POINTS, vol_points)), min=-MOST_POINTS, max=MOST_POINTS, readout=False,
            layout={"width": "100%"},
        )  # fmt: skip
        self._day_text, self._vol_text, self.told = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.told.add_class("bf-told")
        day_field, vol_field = (
            field(name, slider, text)
            for name, slider, text in (
                ("Date", self.days, self._day_text),
                ("Volatility", self.vol_points, self._vol_text),
            )
        )
        for box in (day_field, vol_field):
            box.layout.flex, box.layout.min_width = "1 1 0", "0"
        top = widgets.HBox([self.pane, widgets.Box(layout={"flex": "1 1 auto"}), self.quantity])
        self.parts = [top, widgets.HBox([day_field, vol_field])]
        for part in self.parts:
            part.add_class("bf-scenario")

    def offer_days(self, most: int) -> None:
        """Let the date reach from now to the first expiry, in `most` days."""
        self.days.max = max(most, 1)

    def tell(self, at: datetime, dte: int) -> None:
        """Say what the sliders mean."""
        days, points = min(self.days.value, dte), self.vol_points.value
        when = "now" if days == 0 else "at expiry" if days >= dte else f"in {days} days"
        self._day_text.value = f"<span class='bf-readout'>{day(at + timedelta(days=days))}, {when}</span>"
        shift = f"{points:+d} points".replace("-", MINUS) if points else "as it is"
        self._vol_text.value = f"<span class='bf-readout'>{shift}</span>"

    def on_change(self, then: Callable[[], None]) -> None:
        """Call `then` after each change."""
        for control in (self.pane, self.quantity, self.days, self.vol_points):
            control.observe(lambda _: then(), names="value")
