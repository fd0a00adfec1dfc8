"""The strategy builder: any legs by click from the chain, what they cost, and what they may come to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import ipywidgets as widgets
import pandas as pd

from bifrost_lib.core.errors import BifrostError, InputError
from bifrost_lib.views.builder_chain import Tab, chain_tabs, pick_table, tabs_strip
from bifrost_lib.views.builder_controls import BuilderControls
from bifrost_lib.views.builder_legs import legs_editor
from bifrost_lib.views.builder_links import builder_links
from bifrost_lib.views.builder_scenario import ScenarioPanel
from bifrost_lib.views.builder_state import (
    BuilderState,
    Pick,
    read_price,
    read_quantity,
    read_query,
    with_click,
)
from bifrost_lib.views.charts import load_bokeh
from bifrost_lib.views.clicks import Clicks
from bifrost_lib.views.details import measures_table
from bifrost_lib.views.empty_page import empty_page
from bifrost_lib.views.header import Header
from bifrost_lib.views.html import notice
from bifrost_lib.views.inputs import Bench, Market, Structure
from bifrost_lib.views.page import page_box
from bifrost_lib.views.palette import theme_palette

log = logging.getLogger(__name__)

NO_LEGS = "Click a bid to sell, an ask to buy, or start from a structure."


def builder_page(
    bench: Bench,
    *,
    now: Callable[[], datetime],
    symbols: pd.DataFrame,
    strategies: Mapping[str, str],
    headings: Mapping[str, str] | None = None,
    symbol: str | None = None,
    query: str = "",
    theme: str = "light",
    pages: Sequence[tuple[str, str]] = (),
) -> widgets.Widget:
    """Compose the page on which a trader builds a structure leg by leg.

    Parameters
    ----------
    bench : Bench
        What it calls; ``workflows.Workbench(desk)`` is one.
    now : callable
        The clock; ages are told against it.
    symbols : DataFrame
        ``symbol``, ``source``, ``first_ts``, ``last_ts`` of each stored underlying.
    strategies : mapping of str to str
        Structures to start from, and what one must believe about the market to want each.
    headings : mapping of str to str, optional
        Under which heading each structure is offered.
    symbol, theme
        What the page shows first.
    query : str
        A link's query string, which goes before them (see `BuilderState`).
    pages : sequence of (title, address)
        The links of the head.

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
        return empty_page("Strategy builder", name="Builder", now=now, theme=theme, pages=pages)
    first = BuilderState(symbol=symbol or str(symbols["symbol"].iloc[0]))
    problem: BifrostError | None = None
    try:
        first = read_query(query, first)
    except InputError as refusal:
        problem = refusal
    controls = BuilderControls(
        symbols, strategies, headings=headings, symbol=first.symbol, at=first.at, fill=first.fill
    )
    builder = _Builder(bench, now, controls, first, theme, pages)
    builder.open(problem)
    return builder.page


class _Builder:
    """Keeps chain, legs, measures, pictures and link in step."""

    def __init__(
        self,
        bench: Bench,
        now: Callable[[], datetime],
        controls: BuilderControls,
        first: BuilderState,
        theme: str,
        pages: Sequence[tuple[str, str]],
    ) -> None:
        self._bench, self._controls, self._theme = bench, controls, theme
        self._picks, self._before = first.picks, list[tuple[Pick, ...]]()
        self._market: Market | None = None
        self._structure: Structure | None = None
        self._tabs: list[Tab] = []
        self._tab: Tab | None = None
        self._age = ""
        self._header = Header(
            "Strategy builder", now=now, on_theme=self._switch_theme, name="Builder", pages=pages, on_age=self._on_age
        )
        self._status, self._strip, self._chain = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._legs, self._told, self._measures = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._scenario = ScenarioPanel(bench, first, theme, self._tell_links)
        clicks = Clicks(self._clicked)
        self.page = page_box([self._header.row, controls.row, self._status, self._arrange(), clicks.field], theme)
        self.page.add_class("bf-builder")
        self._status.add_class("bf-status")
        self._header.name_theme(theme)
        self._connect()

    def _arrange(self) -> widgets.HBox:
        scroll = widgets.Box([self._chain])
        scroll.add_class("bf-scroll")
        left = widgets.VBox([self._strip, scroll])
        legs = widgets.VBox([widgets.HTML("<h2>Legs</h2>"), self._told, self._legs])
        measures = widgets.VBox([widgets.HTML("<h2>Measures</h2>"), self._measures])
        scenario = self._scenario.box
        for box, name in ((left, "left"), (legs, "editor"), (measures, "sums"), (scenario, "scene")):
            box.add_class("bf-panel")
            box.add_class(f"bf-builder-{name}")
        top = widgets.HBox([legs, measures])
        top.add_class("bf-builder-top")
        right = widgets.VBox([top, scenario])
        right.add_class("bf-builder-right")
        whole = widgets.HBox([left, right])
        whole.add_class("bf-builder-main")
        return whole

    def _connect(self) -> None:
        controls = self._controls
        controls.on_market(self._read)
        controls.structure.on_change(self._start)
        controls.fill.observe(lambda _: self._rebuild(), names="value")
        controls.strikes.observe(lambda _: self._draw_chain(), names="value")
        controls.undo.on_click(lambda _: self._undo())
        controls.clear.on_click(lambda _: self._change(()))
        controls.flip.on_click(
            lambda _: self._change(tuple(pick | {"qty": -pick["qty"]} for pick in self._picks))
        )  # fmt: skip

    def open(self, problem: BifrostError | None) -> None:
        """Show the first state; `problem` is what was wrong with the link that asked for it."""
        self._read()
        if problem is not None:
            self._tell("error", "This link cannot be opened as it is", str(problem))

    def _read(self) -> None:
        self._status.value = "<div class='bf-progress bf-on' role='progressbar' aria-label='reading'></div>"
        try:
            self._market = self._bench.read_market(self._controls.symbol.value, at=self._controls.at)
            self._tabs = chain_tabs(self._market.chain)
            self._tab = self._held_tab() or self._tab_like(self._tab)
            self._header.show(self._market, at=self._controls.at)
            self._rebuild()
        except BifrostError as problem:
            self._lose("This chain cannot be read", str(problem))
        except Exception as problem:
            log.exception("reading the chain of %s failed", self._controls.symbol.value)
            self._lose("Reading the chain failed unexpectedly", f"{type(problem).__name__}: {problem}")
        self._status.value = "<div class='bf-progress'></div>"

    def _lose(self, title: str, text: str) -> None:
        self._market = self._structure = None
        self._controls.offer_edits(undo=False, others=False)
        self._header.clear()
        self._strip.value, self._chain.value = "", notice("error", title, text)
        self._legs.value = self._measures.value = self._told.value = ""
        self._scenario.clear()

    def _start(self) -> None:
        name = self._controls.structure.value
        self._controls.structure.reset()
        if not name or self._market is None:
            return
        try:
            picks = tuple(self._bench.start_legs(self._market, name))
        except BifrostError as problem:
            self._tell("error", f"No {name.replace('_', ' ')} can be made of this chain", str(problem))
            return
        self._change(picks)

    def _clicked(self, word: str, typed: str) -> None:
        kind, *rest = word.split("|")
        try:
            if kind == "tab":
                self._tab = next(tab for tab in self._tabs if tab.word == rest[0])
                self._draw_chain()
            elif kind == "pick":
                self._change(with_click(self._picks, _clicked_pick(rest)))
            else:
                self._edit(kind, int(rest[0]), typed)
        except InputError as problem:
            self._tell("error", "That cannot be done", str(problem))
        except (ValueError, IndexError, StopIteration):
            log.warning("a click on something that is no longer there: %r", word[:80])

    def _edit(self, kind: str, place: int, typed: str) -> None:
        pick = dict(self._picks[place])
        if kind == "qty":
            pick["qty"] = read_quantity(typed)
        elif kind == "price":
            pick["price"] = read_price(typed)
        else:
            pick["qty"] = 0
        picks = [*self._picks[:place], pick, *self._picks[place + 1 :]]
        self._change(tuple(one for one in picks if one["qty"]))

    def _change(self, picks: tuple[Pick, ...]) -> None:
        self._before.append(self._picks)
        self._picks = picks
        self._tab = self._held_tab() or self._tab
        self._rebuild()

    def _undo(self) -> None:
        if self._before:
            self._picks = self._before.pop()
            self._rebuild()

    def _rebuild(self) -> None:
        if self._market is None:
            return
        self._controls.offer_edits(undo=bool(self._before), others=bool(self._picks))
        self._structure = None
        self._told.value = ""
        if not self._picks:
            self._tell("empty", "No legs yet", NO_LEGS)
        else:
            try:
                self._structure = self._bench.build_structure(
                    self._market, self._picks, fill=self._controls.fill.value
                )  # fmt: skip
            except BifrostError as problem:
                self._tell("error", "These legs cannot be measured", str(problem))
        self._draw_chain()
        found = self._structure
        self._legs.value = legs_editor(self._picks, found.legs if found else None) if self._picks else ""
        self._measures.value = measures_table(found.record, theme=self._theme).body if found else ""
        self._scenario.show(found)
        self._tell_links()

    def _draw_chain(self) -> None:
        if self._market is None or self._tab is None:
            return
        self._strip.value = tabs_strip(self._tabs, self._tab, self._picks)
        self._chain.value = pick_table(
            self._market.chain, self._tab, spot=self._market.spot, picks=self._picks,
            around=self._controls.strikes.value,
        )  # fmt: skip

    def _tell(self, kind: str, title: str, text: str) -> None:
        self._told.value = notice(kind, title, text)

    def _tell_links(self) -> None:
        if self._market is None:
            return
        state = BuilderState(
            symbol=self._market.symbol, at=self._controls.at, picks=self._picks, fill=self._controls.fill.value,
            days=self._scenario.days, vol_points=self._scenario.vol_points,
        )  # fmt: skip
        export = self._bench.export_structure(self._structure) if self._structure else None
        self._header.put_aside(builder_links(state, export, is_stale=self._age == "stale"))

    def _on_age(self, state: str) -> None:
        self._age = state
        self._tell_links()

    def _held_tab(self) -> Tab | None:
        # The first expiry that holds a leg, unless the one that is shown holds one too.
        held = {(pick.get("expiry"), pick.get("trading_class")) for pick in self._picks}
        holding = [tab for tab in self._tabs if (tab.expiry, tab.trading_class) in held]
        return self._tab if self._tab in holding else next(iter(holding), None)

    def _tab_like(self, before: Tab | None) -> Tab:
        same = [tab for tab in self._tabs if before is not None and tab.expiry == before.expiry]
        return next(iter(same), min(self._tabs, key=lambda tab: abs(tab.dte - 30)))

    def _switch_theme(self) -> None:
        self.page.remove_class(f"bf-{self._theme}")
        self._theme = "light" if self._theme == "dark" else "dark"
        self.page.add_class(f"bf-{self._theme}")
        self._header.name_theme(self._theme)
        self._scenario.paint(self._theme)


def _clicked_pick(words: list[str]) -> Pick:
    step, right, strike, tab = words
    expiry, _, trading_class = tab.partition("~")
    return {"right": right, "qty": int(step), "strike": float(strike), "expiry": expiry, "trading_class": trading_class}
