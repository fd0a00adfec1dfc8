"""What a trader can ask of the strategy finder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from html import escape

import ipywidgets as widgets
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.finder_state import Request
from bifrost_lib.views.moments import reading_moments
from bifrost_lib.views.settling import once_at_rest
from bifrost_lib.views.strategy_picker import StrategyPicker

LATEST = "latest"
LONGEST_DAYS = 200


class Controls:
    """The row of controls. A change calls what `on_change` was given, once."""

    def __init__(
        self,
        symbols: pd.DataFrame,
        strategies: Mapping[str, str],
        first: Request,
        *,
        headings: Mapping[str, str] | None = None,
    ) -> None:
        self._symbols = symbols.set_index("symbol")
        names = [str(name) for name in self._symbols.index]
        known = [*names, *({first.symbol} - set(names))]
        self._symbol = widgets.Dropdown(options=known, value=first.symbol, layout={"width": "110px"})
        self._views = dict(strategies)
        self._belief = widgets.HTML()
        self._strategy = StrategyPicker(strategies, value=first.strategy, headings=headings)
        self._dte = widgets.IntRangeSlider(
            value=first.dte,
            min=0,
            max=max(LONGEST_DAYS, first.dte[1]),
            continuous_update=False,
            layout={"width": "260px"},
        )
        self._top = widgets.Dropdown(
            options=sorted({5, 10, 20, 50, first.top}), value=first.top, layout={"width": "70px"}
        )
        self._at = widgets.SelectionSlider(
            options=moment_options(self._symbols, first.symbol, first.at),
            continuous_update=False,
            layout={"width": "300px"},
        )
        self._at.value = first.at or LATEST
        self._again = widgets.Button(description="Scan", button_style="primary", layout={"width": "72px"})
        self.row = widgets.HBox(
            [
                field("Symbol", self._symbol),
                field("Strategy", self._strategy.box, self._belief),
                field("Days to expiry", self._dte),
                field("Show", self._top),
                field("As of, New York time", self._at),
                self._again,
            ]
        )
        self.row.add_class("bf-controls")
        self._tell_belief()
        self._strategy.on_change(self._tell_belief)

    def request(self) -> Request:
        """Return what is asked for now."""
        return Request(
            symbol=self._symbol.value,
            strategy=self._strategy.value,
            dte=tuple(self._dte.value),
            top=self._top.value,
            at=None if self._at.value == LATEST else self._at.value,
        )

    def on_change(self, then: Callable[[], None]) -> None:
        """Call `then` after each change and each click on Scan; a slider that moves is waited for."""
        at_rest = once_at_rest(then)

        def symbol_changed(_: object) -> None:
            at_before = self._at.value
            self._at.options = moment_options(self._symbols, self._symbol.value, None)
            self._at.value = LATEST
            if at_before == LATEST:  # otherwise the slider's own change has called already
                then()

        self._symbol.observe(symbol_changed, names="value")
        self._strategy.on_change(then)
        self._top.observe(lambda _: then(), names="value")
        for slider in (self._dte, self._at):
            slider.observe(lambda _: at_rest(), names="value")
        self._again.on_click(lambda _: then())

    def _tell_belief(self) -> None:
        belief = self._views.get(self._strategy.value, "")
        self._belief.value = f"<span class='bf-foot' style='margin-left: 6px'>{escape(belief)}</span>"


def moment_options(symbols: pd.DataFrame, symbol: str, at: datetime | None) -> list[tuple[str, datetime | str]]:
    """Return what a slider of moments offers for a symbol, oldest first, `LATEST` last.

    Parameters
    ----------
    symbols : DataFrame
        Indexed by symbol, with ``first_ts`` and ``last_ts``.
    symbol : str
    at : datetime, optional
        A moment that is offered in any case.
    """
    if symbol not in symbols.index:
        return [*([(_moment_text(at), at)] if at is not None else []), (LATEST, LATEST)]
    row = symbols.loc[symbol]
    moments = reading_moments(row["first_ts"].to_pydatetime(), row["last_ts"].to_pydatetime())
    offered = sorted({*moments[:-1], *([at] if at is not None else [])})
    return [*((_moment_text(moment), moment) for moment in offered), (LATEST, LATEST)]


def _moment_text(moment: datetime) -> str:
    local = moment.astimezone(EXCHANGE_TZ)
    return f"{local:%a} {local.day} {local:%b %y %H:%M}"


def field(label: str, control: widgets.Widget, *beside: widgets.Widget) -> widgets.VBox:
    """Return a control under its label."""
    title = widgets.HTML(f"<span class='bf-label'>{label}</span>")
    box = widgets.VBox([widgets.HBox([title, *beside]), control])
    box.add_class("bf-field")
    return box
