"""The strategy finder: controls, ranked candidates, and one candidate in detail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import ipywidgets as widgets
import pandas as pd
from jupyter_bokeh.widgets import BokehModel

from bifrost_lib.core.errors import BifrostError
from bifrost_lib.views.badges import freshness_badge, source_label
from bifrost_lib.views.candidates import candidates_grid
from bifrost_lib.views.chain import chain_table
from bifrost_lib.views.charts import load_bokeh
from bifrost_lib.views.columns import expiries_text, legs_text
from bifrost_lib.views.controls import Controls, Request
from bifrost_lib.views.details import legs_table, measures_table, score_table
from bifrost_lib.views.downloads import csv_link
from bifrost_lib.views.formats import plain
from bifrost_lib.views.html import notice
from bifrost_lib.views.inputs import Found, ProfileOf, Scan
from bifrost_lib.views.palette import style_sheet, theme_palette
from bifrost_lib.views.payoff import payoff_chart
from bifrost_lib.views.smile import smile_chart

log = logging.getLogger(__name__)

CHART_HEIGHT = 288
PANES = ("Payoff", "Smile", "Chain")


def finder_page(
    scan: Scan,
    *,
    profile: ProfileOf,
    now: Callable[[], datetime],
    symbols: pd.DataFrame,
    strategies: Sequence[str],
    symbol: str | None = None,
    strategy: str = "iron_condor",
    dte: tuple[int, int] = (20, 60),
    top: int = 10,
    at: datetime | None = None,
    theme: str = "light",
) -> widgets.Widget:
    """Compose the page on which a trader finds strategies.

    Parameters
    ----------
    scan : callable
        ``scan(symbol, strategy, dte=, top=, at=)`` returns a scan (``workflows.find_strategies`` bound to a desk).
    profile : callable
        ``profile(found, rank)`` returns the payoff profile of one of its candidates.
    now : callable
        The clock; ages are told against it.
    symbols : DataFrame
        ``symbol``, ``source``, ``first_ts``, ``last_ts`` of each stored underlying.
    strategies : sequence of str
        Names that `scan` understands.
    symbol, strategy, dte, top, at, theme
        What the page shows first; `at` None is the newest stored moment.

    Returns
    -------
    ipywidgets.Widget
        Displays itself in JupyterLab and Voilà. Problems show on the page and are not raised.

    Raises
    ------
    InputError
        If `theme` is unknown.
    """
    theme_palette(theme)
    load_bokeh()
    if symbols.empty:
        return _page(
            [widgets.HTML(notice("empty", "No chains are stored yet", "Load some: bifrost ingest PATH"))], theme
        )
    asked = Request(symbol or str(symbols["symbol"].iloc[0]), strategy, dte, top, at)
    finder = _Finder(scan, profile, now, Controls(symbols, strategies, asked), theme)
    finder.refresh()
    return finder.page


class _Finder:
    """Keeps what is shown in step with what is asked for."""

    def __init__(
        self, scan: Scan, profile: ProfileOf, now: Callable[[], datetime], controls: Controls, theme: str
    ) -> None:
        self._scan, self._profile, self._now, self._controls, self._theme = scan, profile, now, controls, theme
        self._found: Found | None = None
        self._records: list[dict[str, Any]] = []
        self._selected = 0
        self._header, self._status = widgets.HTML(), widgets.HTML()
        self._dark = widgets.Button(
            description="Dark", tooltip="switch between light and dark", layout={"width": "64px"}
        )
        self._grid, self._chart, self._detail, self._reason = (widgets.VBox() for _ in range(4))
        self._panes = widgets.ToggleButtons(options=PANES, style={"button_width": "72px"})
        self._chart_column = widgets.VBox([self._panes, self._chart])
        top = widgets.HBox([self._header, self._dark], layout={"justify_content": "space-between"})
        lower = widgets.HBox([self._chart_column, self._detail, self._reason])
        self.page = _page([top, controls.row, self._status, self._grid, lower], theme)
        self._arrange(lower)
        controls.on_change(self.refresh)
        self._dark.on_click(self._switch_theme)
        self._panes.observe(lambda _: self._draw_chart(), names="value")

    def _arrange(self, lower: widgets.HBox) -> None:
        lower.add_class("bf-lower")
        for box, share in ((self._chart_column, 50), (self._detail, 28), (self._reason, 22)):
            box.add_class("bf-panel")
            box.layout.flex, box.layout.min_width = f"1 1 {share}%", "0"
        self._status.add_class("bf-status")
        self._chart.add_class("bf-pane")
        self._dark.description = "Light" if self._theme == "dark" else "Dark"

    def refresh(self) -> None:
        """Scan again for what the controls ask, and show the result or the problem."""
        asked = self._controls.request()
        self._status.value = "<div class='bf-progress bf-on' role='progressbar' aria-label='scanning'></div>"
        try:
            found = self._scan(asked.symbol, asked.strategy, dte=asked.dte, top=asked.top, at=asked.at)
            self._found, self._records, self._selected = found, found.candidates.records(), 0
            self._show()
        except BifrostError as problem:
            self._show_problem("This scan has no result", str(problem))
        except Exception as problem:
            log.exception("the scan of %s failed", asked)
            self._show_problem("The scan failed unexpectedly", f"{type(problem).__name__}: {problem}")
        self._status.value = "<div class='bf-progress'></div>"

    def _show(self) -> None:
        self._draw_header()
        if not self._records:
            self._show_empty()
            return
        grid = candidates_grid(self._records, theme=self._theme, rows=10, selected=self._selected)
        grid.source.selected.on_change("indices", self._select)
        self._replace(self._grid, [BokehModel(grid)])
        self._draw_chart()
        self._draw_detail()

    def _select(self, _attribute: str, _old: list[int], chosen: list[int]) -> None:
        if chosen and chosen[0] != self._selected:
            self._selected = chosen[0]
            self._draw_chart()
            self._draw_detail()

    def _draw_header(self) -> None:
        found, asked = self._found, self._controls.request()
        if found is None:
            return
        now = self._now() if asked.at is None else asked.at
        link = csv_link(self._records, symbol=found.symbol, strategy=asked.strategy, as_of=found.as_of)
        self._header.value = (
            f"<div class='bf-header'><h1>Strategy finder</h1><span class='bf-spot'>{found.symbol} "
            f"<b>{plain(found.spot)}</b></span>{source_label(found.source)}{freshness_badge(found.as_of, now)}"
            f"<span class='bf-foot'>{found.candidates.considered:,} candidates considered</span>{link}</div>"
        )

    def _draw_chart(self) -> None:
        if self._found is None or not self._records:
            return
        try:
            self._replace(self._chart, [self._pane(self._panes.value, self._found, self._records[self._selected])])
        except BifrostError as problem:
            self._replace(self._chart, [widgets.HTML(notice("error", "This picture cannot be drawn", str(problem)))])

    def _pane(self, name: str, found: Found, record: Mapping[str, Any]) -> widgets.Widget:
        if name == "Chain":
            expiry = pd.Timestamp(min(str(leg["expiry"])[:10] for leg in record["legs"] if leg["expiry"])).date()
            return widgets.HTML(chain_table(found.chain, expiry=expiry, around=8, theme=self._theme).body)
        if name == "Smile":
            return BokehModel(smile_chart(found.chain, theme=self._theme, height=CHART_HEIGHT))
        drawn = self._profile(found, int(record["rank"]))
        chart = payoff_chart(
            drawn.frame,
            spot=found.spot,
            breakevens=record["breakevens"],
            band=drawn.band,
            expiry_label=f"at expiry, {expiries_text(record).split(' / ')[0]}",
            theme=self._theme,
            height=CHART_HEIGHT,
        )
        return BokehModel(chart)

    def _draw_detail(self) -> None:
        record = self._records[self._selected]
        parts = [
            f"<h2>#{record['rank']} · {legs_text(record)}</h2>",
            legs_table(record, theme=self._theme).body,
            measures_table(record, theme=self._theme).body,
        ]
        self._replace(self._detail, [widgets.HTML("".join(parts))])
        reason = f"<h2>Why this rank</h2>{score_table(record, theme=self._theme).body}"
        self._replace(self._reason, [widgets.HTML(reason)])

    def _show_empty(self) -> None:
        asked = self._controls.request()
        span = f"{asked.dte[0]} to {asked.dte[1]} days"
        text = f"No candidate of {asked.strategy} expires in {span}. Widen the range of days."
        self._replace(self._grid, [widgets.HTML(notice("empty", "No candidates", text))])
        self._clear_detail()

    def _clear_detail(self) -> None:
        for box in (self._chart, self._detail, self._reason):
            self._replace(box, [])

    def _show_problem(self, title: str, text: str) -> None:
        self._records = []
        self._header.value = "<div class='bf-header'><h1>Strategy finder</h1></div>"
        self._replace(self._grid, [widgets.HTML(notice("error", title, text))])
        self._clear_detail()

    def _switch_theme(self, _button: widgets.Button) -> None:
        self.page.remove_class(f"bf-{self._theme}")
        self._theme = "light" if self._theme == "dark" else "dark"
        self.page.add_class(f"bf-{self._theme}")
        self._dark.description = "Light" if self._theme == "dark" else "Dark"
        if self._records:
            self._show()

    def _replace(self, box: widgets.Box, children: list[widgets.Widget]) -> None:
        # Widgets that left the page would otherwise live in the browser until it is closed.
        old, box.children = box.children, tuple(children)
        for widget in old:
            widget.close()


def _page(children: list[widgets.Widget], theme: str) -> widgets.VBox:
    page = widgets.VBox([widgets.HTML(f"<style>{style_sheet()}</style>"), *children])
    for name in ("bf-root", "bf-page", f"bf-{theme}"):
        page.add_class(name)
    return page
