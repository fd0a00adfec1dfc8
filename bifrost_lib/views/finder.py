"""The strategy finder: controls, ranked candidates, and one candidate in detail."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd
from bokeh.models.widgets.tables import DataTable

from bifrost_lib.core.clock import parse_moment
from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.views.builder_state import candidate_query
from bifrost_lib.views.candidates import candidates_grid, candidates_still
from bifrost_lib.views.charts import load_bokeh
from bifrost_lib.views.columns import legs_text
from bifrost_lib.views.controls import Controls
from bifrost_lib.views.details import legs_table, measures_table, score_table
from bifrost_lib.views.downloads import csv_link
from bifrost_lib.views.empty_page import empty_page
from bifrost_lib.views.finder_state import Request, read_request
from bifrost_lib.views.header import Header
from bifrost_lib.views.html import notice
from bifrost_lib.views.inputs import Found, ProfileOf, Recommend, Scan
from bifrost_lib.views.page import page_box
from bifrost_lib.views.palette import theme_palette
from bifrost_lib.views.panes import PANES
from bifrost_lib.views.picture import picture

log = logging.getLogger(__name__)

ROWS = 10
#: A scan as old as this is no base for a decision of now.
STALE = "as old as these quotes are, nothing is recommended: scan again"
RECOMMEND = "remember this candidate as a recommendation: it is marked daily, and calibration scores it"
#: Where the builder stands, seen from the finder.
BUILDER = "../strategy_builder/"


def finder_page(
    scan: Scan,
    *,
    profile: ProfileOf,
    now: Callable[[], datetime],
    symbols: pd.DataFrame,
    strategies: Mapping[str, str],
    headings: Mapping[str, str] | None = None,
    symbol: str | None = None,
    strategy: str = "iron_condor",
    dte: Sequence[int] = (20, 60),
    top: int = 10,
    at: datetime | str | None = None,
    query: str = "",
    theme: str = "light",
    pages: Sequence[tuple[str, str]] = (),
    recommend: Recommend | None = None,
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
    strategies : mapping of str to str
        Names that `scan` understands, and what one must believe about the market to want each.
    headings : mapping of str to str, optional
        Under which heading each name is offered.
    symbol, strategy, dte, top, at, theme
        What the page shows first; `at` is an aware moment or its ISO 8601 text, None the newest stored moment.
    query : str
        A link's query string, which goes before them (see `read_request`).
    pages : sequence of (title, address)
        The links of the head.
    recommend : callable, optional
        ``recommend(found, rank)`` remembers a candidate and returns what to tell; without it there is no button.

    Returns
    -------
    ipywidgets.Widget
        Displays itself in JupyterLab and Voilà. Problems show on the page and are not raised.

    Raises
    ------
    InputError
        If `theme` is unknown, or `at` is no aware moment.
    """
    theme_palette(theme)
    load_bokeh()
    if symbols.empty:
        return empty_page("Strategy finder", name="Finder", now=now, theme=theme, pages=pages)
    moment = parse_moment(at) if isinstance(at, str) else at
    asked = Request(symbol or str(symbols["symbol"].iloc[0]), strategy, (dte[0], dte[1]), top, moment)
    problem: BifrostError | None = None
    try:
        asked = read_request(query, asked, strategies=strategies)
    except InputError as refusal:
        problem = refusal
    finder = _Finder(
        scan, profile, now, Controls(symbols, strategies, asked, headings=headings), theme, pages, recommend
    )
    finder.open(problem)
    return finder.page


class _Finder:
    """Keeps what is shown in step with what is asked for."""

    def __init__(
        self,
        scan: Scan,
        profile: ProfileOf,
        now: Callable[[], datetime],
        controls: Controls,
        theme: str,
        pages: Sequence[tuple[str, str]],
        recommend: Recommend | None,
    ) -> None:
        self._scan, self._profile, self._controls, self._theme = scan, profile, controls, theme
        self._recommend = recommend
        self._found: Found | None = None
        self._records: list[dict[str, Any]] = []
        self._selected = 0
        self._header = Header(
            "Strategy finder", now=now, on_theme=self._switch_theme, name="Finder", pages=pages, on_age=self._on_age
        )
        self._keep = widgets.Button(description="Recommend", tooltip=RECOMMEND, layout={"width": "104px"})
        self._kept = widgets.HTML()
        self._keep.on_click(lambda _: self._remember())
        self._status = widgets.HTML()
        self._grid, self._chart, self._detail, self._reason = (widgets.VBox() for _ in range(4))
        self._detail_text = widgets.HTML()
        self._panes = widgets.ToggleButtons(options=list(PANES), style={"button_width": "72px"})
        self._lower = self._arrange_lower()
        self.page = page_box([self._header.row, controls.row, self._status, self._grid, self._lower], theme)
        self._header.name_theme(theme)
        self._status.add_class("bf-status")
        controls.on_change(self.refresh)
        self._panes.observe(lambda _: self._draw_chart(), names="value")

    def _arrange_lower(self) -> widgets.HBox:
        pictures = widgets.VBox([self._panes, self._chart])
        self._chart.add_class("bf-pane")
        for box, share in ((pictures, 50), (self._detail, 28), (self._reason, 22)):
            box.add_class("bf-panel")
            box.layout.flex, box.layout.min_width = f"1 1 {share}%", "0"
        lower = widgets.HBox([pictures, self._detail, self._reason])
        lower.add_class("bf-lower")
        return lower

    def open(self, problem: BifrostError | None) -> None:
        """Show the first scan, or what is wrong with the link that asked for one."""
        if problem is None:
            self.refresh()
        else:
            self._show_problem("This link cannot be opened as it is", str(problem))

    def refresh(self) -> None:
        """Scan again for what the controls ask, and show the result or the problem."""
        asked = self._controls.request()
        self._tell_waiting(asked)
        try:
            found = self._scan(asked.symbol, asked.strategy, dte=asked.dte, top=asked.top, at=asked.at)
            self._found, self._records, self._selected = found, found.candidates.records(), 0
            self._header.show(found, at=asked.at)
            self._header.put_aside(self._aside(found, asked))
            self._show(asked)
        except BifrostError as problem:
            self._show_problem("This scan has no result", str(problem))
        except Exception as problem:
            log.exception("the scan of %s failed", asked)
            self._show_problem("The scan failed unexpectedly", f"{type(problem).__name__}: {problem}")
        self._status.value = "<div class='bf-progress'></div>"
        for box in (self._grid, self._lower):
            box.remove_class("bf-waiting")

    def _tell_waiting(self, asked: Request) -> None:
        # What is on the page answers an older question: it stays to be read, dimmed, until the new answer is there.
        self._status.value = "<div class='bf-progress bf-on' role='progressbar' aria-label='scanning'></div>"
        told = f"{asked.symbol}, {asked.strategy.replace('_', ' ')}, {asked.dte[0]} to {asked.dte[1]} days"
        self._header.put_aside(f"<span class='bf-scanning' role='status'>Scanning {escape(told)}</span>")
        for box in (self._grid, self._lower):
            box.add_class("bf-waiting")

    def _aside(self, found: Found, asked: Request) -> str:
        again = f"<a class='bf-link' title='a link that asks for this again' href='?{escape(asked.query())}'>Link</a>"
        considered = f"<span class='bf-foot'>{found.candidates.considered:,} candidates</span>{again}"
        if not self._records:
            return considered
        return considered + csv_link(self._records, symbol=found.symbol, strategy=asked.strategy, as_of=found.as_of)

    def _show(self, asked: Request) -> None:
        if not self._records:
            span = f"{asked.dte[0]} to {asked.dte[1]} days"
            text = f"No candidate of {asked.strategy} expires in {span}. Widen the range of days."
            self._show_instead(notice("empty", "No candidates", text))
            return
        still = candidates_still(self._records, rows=ROWS, selected=self._selected)
        _replace(self._grid, picture(self._drawn_grid, still=still))
        self._lower.layout.display = "flex"
        self._draw_chart()
        self._draw_detail()

    def _drawn_grid(self) -> DataTable:
        grid = candidates_grid(self._records, theme=self._theme, rows=ROWS, selected=self._selected)
        grid.source.selected.on_change("indices", self._select)
        return grid

    def _select(self, _attribute: str, _old: list[int], chosen: list[int]) -> None:
        if chosen and chosen[0] != self._selected:
            self._selected = chosen[0]
            self._draw_chart()
            self._draw_detail()

    def _draw_chart(self) -> None:
        if self._found is None or not self._records:
            return
        draw = PANES[self._panes.value]
        try:
            drawn = draw(self._found, self._records[self._selected], self._profile, self._theme)
        except BifrostError as problem:
            drawn = widgets.HTML(notice("error", "This picture cannot be drawn", str(problem)))
        _replace(self._chart, drawn)

    def _draw_detail(self) -> None:
        record, theme = self._records[self._selected], self._theme
        title = f"<h2>#{record['rank']} · {legs_text(record)}{self._builder_link(record)}</h2>"
        tables = title + legs_table(record, theme=theme).body + measures_table(record, theme=theme).body
        self._detail_text.value, self._kept.value = tables, ""
        shown = [self._detail_text, widgets.HBox([self._keep, self._kept])] if self._recommend else [self._detail_text]
        if len(self._detail.children) != len(shown):
            self._detail.children = shown
        _replace(self._reason, widgets.HTML(f"<h2>Why this rank</h2>{score_table(record, theme=theme).body}"))

    def _remember(self) -> None:
        if self._recommend is None or self._found is None:
            return
        try:
            told = self._recommend(self._found, int(self._records[self._selected]["rank"]))
            self._kept.value = f"<span class='bf-foot'>{escape(told)}</span>"
        except BifrostError as problem:
            self._kept.value = f"<span class='bf-foot bf-stale'>{escape(str(problem))}</span>"

    def _on_age(self, state: str) -> None:
        self._keep.disabled = state == "stale"
        self._keep.tooltip = STALE if self._keep.disabled else RECOMMEND

    def _builder_link(self, record: dict[str, Any]) -> str:
        asked = self._controls.request()
        query = escape(candidate_query(record, symbol=asked.symbol, at=asked.at), quote=True)
        title = "change its legs, and look at it on other days and at other volatilities"
        return f"<a class='bf-open' href='{BUILDER}?{query}' title='{title}'>Open in builder</a>"

    def _show_problem(self, title: str, text: str) -> None:
        self._found, self._records = None, []
        self._header.clear()
        self._show_instead(notice("error", title, text))

    def _show_instead(self, block: str) -> None:
        _replace(self._grid, widgets.HTML(block))
        self._lower.layout.display = "none"
        for box in (self._chart, self._reason):
            _replace(box)

    def _switch_theme(self) -> None:
        self.page.remove_class(f"bf-{self._theme}")
        self._theme = "light" if self._theme == "dark" else "dark"
        self.page.add_class(f"bf-{self._theme}")
        self._header.name_theme(self._theme)
        if self._records:
            self._show(self._controls.request())


def _replace(box: widgets.Box, *children: widgets.Widget) -> None:
    # Widgets that left the page would otherwise live in the browser until it is closed.
    old, box.children = box.children, children
    for widget in old:
        widget.close()
