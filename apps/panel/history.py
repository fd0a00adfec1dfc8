"""The history page: volatility and where it stood, smiles and terms through time, what changed, past candidates."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from io import StringIO
from typing import Any

import panel

from apps.panel.history_boards import TABS, Asked, Board, HistoryBoards
from apps.panel.visit import Visit
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.strategies import CATALOG
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live as views
from bifrost_lib.views import symbol_query
from bifrost_lib.workflows import history, list_symbols

EVERY_S = 20.0
SOON_MS = 1500
#: The pictures of each tab; of two the second stands beside, under the grid.
PLACES: dict[str, str] = dict(zip(TABS, ("abcdef", "ab", "ab", "a", "abcd"), strict=True))
MEASURES = {"IV": "iv", "open interest": "open_interest"}

pn: Any = panel
log = logging.getLogger(__name__)


class HistoryPage:
    """One viewer's page.

    Parameters
    ----------
    boards : HistoryBoards
    theme : {"light", "dark"}
    links : sequence of (title, address)
        The other pages.
    symbol, tab : str, optional
        Shown first; default: the first symbol that is stored, and the first tab.
    """

    def __init__(
        self,
        boards: HistoryBoards,
        *,
        theme: str = "light",
        links: Sequence[tuple[str, str]] = (),
        symbol: str = "",
        tab: str = "",
    ) -> None:
        self._boards, self._theme = boards, theme
        self._document: Any = None
        self._shown: tuple[Asked, Board] | None = None
        self._tabs: dict[str, tuple[dict[str, Any], Any, Any]] = {}
        symbols, self._problem = _symbols(boards)
        first = symbol if symbol in symbols else next(iter(symbols), "")
        select = pn.widgets.Select
        self.symbol = views.field(select(label="Symbol", options=symbols, value=first or None, width=96))
        self.window = pictures.Choice(options=list(history.WINDOWS), value="1y", label="Window", width=186, height=28)
        self.tab = pictures.Choice(
            options=list(TABS), value=tab if tab in TABS else TABS[0], label="View", width=436, height=28
        )
        tenors = {f"{days} days": days for days in history.TENORS_DAYS}
        self.tenor = views.field(select(label="Smile of", options=tenors, value=30, width=96))
        self.since = views.field(select(label="Since", options=["1 week before"], value="1 week before", width=140))
        self.measure = views.field(select(label="Change of", options=MEASURES, value="iv", width=130))
        self.strategy = views.field(
            select(
                label="Strategy",
                options={name.replace("_", " "): name for name in sorted(CATALOG)},
                value="iron_condor",
                width=190,
            )
        )
        self.time = views.TimeBar(sizing_mode="stretch_width", height=28)
        self.head = views.Head(pages=views.links(links, current="History"), sizing_mode="stretch_width", height=34)
        self.body = views.column(sizing_mode="stretch_both")
        self.download = views.field(
            pn.widgets.FileDownload(
                callback=self._csv, filename="history.csv", label="CSV", embed=False, width=64, height=28
            )
        )
        self.fill()
        for widget in (self.symbol, self.window, self.tab, self.tenor, self.since, self.measure, self.strategy):
            widget.param.watch(self._chosen, "value")
        self.time.param.watch(self._chosen, "at_ms")

    @property
    def content(self) -> Any:
        """The page's layout."""
        under_label = {"padding-top": "17px"}
        tabs, window, download = (
            views.column(part, gap_px=0, styles=under_label) for part in (self.tab, self.window, self.download)
        )
        own = (self.tenor, self.since, self.measure, self.strategy)
        room = pn.Spacer(sizing_mode="stretch_width", height=1)
        wide = {"sizing_mode": "stretch_width"}
        controls = views.row(self.symbol, tabs, window, *own, room, download, gap_px=12, **wide)
        return views.column(self.head, controls, self.time, self.body, sizing_mode="stretch_both")

    @property
    def asked(self) -> Asked:
        """What the viewer wants to see; what another tab asks for does not matter to this one."""
        tab, chosen = self.tab.value, ""
        if tab in self._tabs and tab in TABS[1:3]:
            chosen = self._tabs[tab][1].chosen
        own: dict[str, Any] = {}
        if tab in TABS[1:3]:
            own = {"tenor_days": self.tenor.value, "chosen": chosen}
        elif tab == TABS[3]:
            own = {"since": self.since.value, "measure": self.measure.value}
        elif tab == TABS[4]:
            own = {"strategy": self.strategy.value}
        at = None if self.time.at_ms is None else datetime.fromtimestamp(self.time.at_ms / 1000, UTC)
        return Asked(symbol=self.symbol.value, window=self.window.value, tab=tab, theme=self._theme, at=at, **own)

    def start(self, document: Any) -> None:
        """Take the viewer's document, in whose turns charts are touched."""
        self._document = document

    async def follow(self) -> None:
        """Show what is new, while someone looks."""
        if views.is_seen(self._document) and self._shown is not None:
            await self._load(self.asked)

    def fill(self) -> None:
        """Show what was chosen, or why it cannot be shown."""
        self._arrange()
        if self._problem:
            self._refuse("error", self._problem)
        elif not self.symbol.value:
            self._refuse(
                "empty",
                "Nothing is stored yet: `bifrost up` loads a simulated year, `bifrost ingest PATH` brings your own.",
            )
        else:
            self._settle(self.asked, self._boards.drawn_before(self.asked) or self._made(self.asked))

    async def _chosen(self, _: Any) -> None:
        self._arrange()
        if self.symbol.value:
            await self._load(self.asked)

    async def _load(self, asked: Asked) -> None:
        self.head.state = dict(self.head.state) | {"note": "loading"}
        if asked.tab == TABS[4] and (self._shown is None or self._shown[0] != asked):
            self._notice("loading", f"Ranking {asked.strategy.replace('_', ' ')} at past closes of {asked.symbol}.")
        made = await asyncio.to_thread(partial(self._made, asked))
        if self._document is None:
            self._settle(asked, made)
        else:  # components may only be touched in the document's own turn
            self._document.add_next_tick_callback(partial(self._settle, asked, made))

    def _made(self, asked: Asked) -> Board | str:
        """Return a board, or the words of what is in its way; reads, so outside of the server's loop."""
        try:
            return self._boards.board(asked, self._told(asked))
        except BifrostError as problem:
            return str(problem)

    def _told(self, asked: Asked) -> Callable[[int, int], None]:
        def tell(done: int, of: int) -> None:
            if self._document is not None and views.is_seen(self._document):
                self._document.add_next_tick_callback(partial(self._progress, asked, f"{done} of {of} sessions ranked"))

        return tell

    def _progress(self, asked: Asked, note: str) -> None:
        if asked == self.asked:
            self.head.state = dict(self.head.state) | {"note": note}

    def _settle(self, asked: Asked, made: Board | str) -> None:
        if asked != self.asked:
            return
        if isinstance(made, str):
            self._refuse("error", made)
            return
        if self._shown is not None and self._shown == (asked, made):
            self._tell(made)
            return
        self._shown = asked, made
        self.time.offer(self._boards.moments_ms(asked.symbol))
        charts, grid, _ = self._tabs[asked.tab]
        for place, chart in charts.items():
            chart.item = made.charts.get(place, "")
        table = made.grids.get("a")
        grid.draw(table if table is not None else pictures.conditions_strip(made.history))
        if asked.tab == TABS[3]:
            self._offer_since(made)
        self._tell(made)

    def _offer_since(self, made: Board) -> None:
        choices = list(self._boards.since_choices(made.history))
        if self.since.options != choices:
            chosen = self.since.value if self.since.value in choices else choices[0]
            self.since.param.update(options=choices, value=chosen)

    def _arrange(self) -> None:
        """Put the parts of the chosen tab on the page, made when they are wanted first."""
        tab = self.tab.value
        if tab not in self._tabs:
            self._tabs[tab] = self._parts(tab)
        self.body[:] = [self._tabs[tab][2]]
        self.tenor.visible = tab == TABS[1]
        self.since.visible = self.measure.visible = tab == TABS[3]
        self.strategy.visible = tab == TABS[4]

    def _parts(self, tab: str) -> tuple[dict[str, Any], Any, Any]:
        wide = {"sizing_mode": "stretch_both", "min_height": 120}
        charts = {place: pictures.Chart(**wide) for place in PLACES[tab]}
        rows = [views.row(*part, sizing_mode="stretch_both") for part in _shelves(list(charts.values()))]
        if tab == TABS[0]:
            grid = views.Grid(sizing_mode="stretch_width", height=50)
            return charts, grid, views.column(grid, *rows, sizing_mode="stretch_both")
        grid = views.Grid(sizing_mode="stretch_both", min_height=120)
        if tab in TABS[1:3]:
            grid.param.watch(self._chosen, "chosen")
        if tab == TABS[4]:
            return charts, grid, views.column(*rows, grid, sizing_mode="stretch_both")
        beside = views.column(grid, *rows[1:], width=560, sizing_mode="stretch_height")
        return charts, grid, views.row(*rows[:1], beside, sizing_mode="stretch_both")

    def _refuse(self, kind: str, text: str) -> None:
        self._shown = None
        self._notice(kind, text)
        self.head.state = {"note": "", "what": self.symbol.value or ""}

    def _notice(self, kind: str, text: str) -> None:
        charts, grid, _ = self._tabs[self.tab.value]
        for place, chart in charts.items():
            chart.item = pictures.empty_text(kind, text) if place == "a" else ""
        grid.draw({"columns": [], "rows": []})

    def _tell(self, made: Board) -> None:
        past = made.history
        newest = past.iloc[-1]
        before = float(past["spot"].iloc[-2]) if len(past) > 1 else float("nan")
        change, direction = views.spot_change(float(newest["spot"]), before)
        self.head.state = {
            "what": self.symbol.value,
            "spot": views.cell_text("mid", float(newest["spot"])),
            "change": change,
            "direction": direction,
            "simulated": "simulated" in str(newest["source"]),
            "as_of_ms": newest["ts"].timestamp() * 1000,
            "now_ms": self._boards.desk.clock.now().timestamp() * 1000,
            "at_ms": self.time.at_ms,
            "note": f"{len(past):,} sessions",
            "query": symbol_query(self.symbol.value),
        }

    def _csv(self) -> StringIO:
        if self._shown is None:
            return StringIO("")
        asked, board = self._shown
        self.download.filename = f"{asked.symbol}_{asked.tab.lower().replace(' ', '_')}_{asked.window}.csv"
        return StringIO(views.csv_text(board.frame))


def _symbols(boards: HistoryBoards) -> tuple[list[str], str]:
    try:
        return [str(name) for name in list_symbols(boards.desk)["symbol"]], ""
    except BifrostError as refusal:
        return [], f"{refusal}; load the page again when that is mended"


def _shelves(charts: list[Any]) -> list[list[Any]]:
    """Return pictures in rows: three beside each other, or two where there are four, or one."""
    across = {6: 3, 4: 2}.get(len(charts), 1)
    return [charts[first : first + across] for first in range(0, len(charts), across)]


def history_page(boards: HistoryBoards, visit: Visit) -> Any:
    """Return the layout of one viewer's history page; within a server's session it looks for news."""
    symbol, tab = (visit.asked.get(name, "") for name in ("symbol", "tab"))
    page = HistoryPage(boards, theme=visit.theme, links=visit.links, symbol=symbol.upper(), tab=tab)
    if visit.document is not None:
        page.start(visit.document)
        pn.state.add_periodic_callback(page.follow, period=SOON_MS, count=1)  # what was shown first may be old
        pn.state.add_periodic_callback(page.follow, period=int(EVERY_S * 1000))
    return page.content
