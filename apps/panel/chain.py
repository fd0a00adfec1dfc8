"""The chain page: calls, strikes and puts as they are now or were at any stored moment, and the smiles beside them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import partial
from io import StringIO
from typing import Any

import panel

from apps.panel.boards import SLOW_S, Boards
from apps.panel.visit import Visit
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.core.vocabulary import CHAIN_COLUMNS
from bifrost_lib.views import BuilderState
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live as views
from bifrost_lib.workflows import list_symbols, live

pn: Any = panel
log = logging.getLogger(__name__)


class ChainPage:
    """One viewer's page.

    Parameters
    ----------
    boards : Boards
    theme : {"light", "dark"}
    links : sequence of (title, address)
        The other pages.
    symbol : str, optional
        Shown first; default: the first that is stored.
    """

    def __init__(
        self, boards: Boards, *, theme: str = "light", links: Sequence[tuple[str, str]] = (), symbol: str = ""
    ) -> None:
        self._boards, self._desk = boards, boards.desk
        self._shown: live.ChainPicture | None = None
        self._table: dict[str, Any] = {}
        self._slow_s = 0.0
        self._next: live.ChainPicture | None = None
        self._end_watch: Any = None
        self._document: Any = None
        symbols: list[str] = []
        problem = ""
        try:
            symbols = [str(name) for name in list_symbols(self._desk)["symbol"]]
        except BifrostError as refusal:
            problem = f"{refusal}; load the page again when that is mended"
        self._problem = problem
        first = symbol if symbol in symbols else next(iter(symbols), "")
        self.symbol = views.field(pn.widgets.Select(label="Symbol", options=symbols, value=first or None, width=96))
        self.expiry = views.field(pn.widgets.Select(label="Expiry", options={}, width=150))
        self.since = views.field(pn.widgets.Select(label="Change since", options=list(live.REFERENCES), width=130))
        self.beside = views.field(pn.widgets.Select(label="Columns", options=list(views.LADDERS), width=92))
        self.time = views.TimeBar(sizing_mode="stretch_width", height=28)
        self.head = views.Head(pages=views.links(links, current="Chain"), sizing_mode="stretch_width", height=34)
        self.ladder = views.Ladder(sizing_mode="stretch_both", min_height=200)
        self.expiries = views.Grid(sizing_mode="stretch_width", styles={"flex": "0 0 auto", "max-height": "46%"})
        self.smile = pictures.Chart(item=boards.blank_smile(theme), sizing_mode="stretch_both", min_height=240)
        self._theme = theme
        self.shape = pictures.Choice(options=["Smile", "Surface"], value="Smile", label="Picture", height=28)
        self.surface = pictures.Chart(sizing_mode="stretch_both", min_height=240, visible=False)
        self.download = views.field(
            pn.widgets.FileDownload(
                callback=self._csv, filename="chain.csv", label="CSV", embed=False, width=64, height=28
            )
        )
        self.fill()
        self._connect()

    @property
    def content(self) -> Any:
        """The page's layout."""
        time_field = views.column(self.time, gap_px=0, sizing_mode="stretch_width", styles={"padding-top": "15px"})
        download = views.column(self.download, gap_px=0, styles={"padding-top": "17px"})
        controls = views.row(
            self.symbol, self.expiry, self.since, self.beside, time_field, download, sizing_mode="stretch_width"
        )
        beside = views.column(
            self.shape, self.smile, self.surface, self.expiries, width=470, sizing_mode="stretch_height"
        )
        lower = views.row(self.ladder, beside, sizing_mode="stretch_both")
        return views.column(self.head, controls, lower, sizing_mode="stretch_both")

    def start(self, document: Any) -> None:
        """Follow the feed for as long as the viewer's document lives."""
        self._document = document
        self._watch()

    def stop(self) -> None:
        """Let go of the feed."""
        if self._end_watch is not None:
            self._end_watch()
            self._end_watch = None

    @property
    def at(self) -> datetime | None:
        """The moment that the viewer travelled to; None for the present."""
        return None if self.time.at_ms is None else datetime.fromtimestamp(self.time.at_ms / 1000, UTC)

    def _connect(self) -> None:
        for widget, name in ((self.symbol, "value"), (self.since, "value"), (self.time, "at_ms")):
            widget.param.watch(self._chosen, name)
        for widget in (self.expiry, self.beside):
            widget.param.watch(self._shown_otherwise, "value")
        self.shape.param.watch(self._shape_chosen, "value")
        self.expiries.param.watch(lambda event: setattr(self.expiry, "value", event.new), "chosen")

    async def _shape_chosen(self, event: Any) -> None:
        self.smile.visible, self.surface.visible = event.new == "Smile", event.new == "Surface"
        await self._fit()

    async def _fit(self) -> None:
        """Draw the surface of what is shown, if it is asked for; the fit runs outside of the server's loop."""
        picture = self._shown
        if picture is None or not self.surface.visible:
            return
        text = await asyncio.to_thread(self._boards.surface, picture, self._theme)
        if self._document is None:
            self.surface.item = text
        else:
            self._document.add_next_tick_callback(partial(setattr, self.surface, "item", text))

    def _watch(self) -> None:
        self.stop()
        if self._document is not None and self.symbol.value:
            self._end_watch = self._boards.feed.watch(self.symbol.value, self._arrived)

    def _arrived(self, picture: live.ChainPicture) -> None:
        """Take a picture from the feed's thread; the newest waits for the document's turn, older ones are skipped."""
        if not views.is_seen(self._document):
            return
        is_scheduled, self._next = self._next is not None, picture
        if not is_scheduled:
            self._document.add_next_tick_callback(self._next_tick)

    def _next_tick(self) -> None:
        picture, self._next = self._next, None
        if picture is not None and self.at is None and picture.symbol == self.symbol.value:
            self._show(picture)

    async def _chosen(self, event: Any) -> None:
        if event.obj is self.symbol:
            self._watch()
        symbol, at = self.symbol.value, self.at
        self._tell(note="loading")
        await asyncio.to_thread(partial(self._warm, symbol, at))
        if self._document is None:
            self.fill()
        else:  # charts may only be touched in the document's own turn
            self._document.add_next_tick_callback(partial(self._settle, symbol, at))

    def _settle(self, symbol: str, at: datetime | None) -> None:
        if (symbol, at) == (self.symbol.value, self.at):
            self.fill()

    def _warm(self, symbol: str, at: datetime | None) -> None:
        # Reads outside of the server's loop, so that one viewer's journey does not hold up the others.
        try:
            picture = self._boards.picture(symbol, at)
            self._boards.before(picture, self.since.value)
        except BifrostError as problem:
            log.debug("%s", problem)  # told on the page, where it is read again

    def _shown_otherwise(self, _: Any) -> None:
        if self._shown is not None and self.expiry.value:
            self._slow_s = 0.0
            self._show(self._shown)

    def fill(self) -> None:
        """Show what was chosen, or why it cannot be shown."""
        if self._problem:
            self._refuse("error", "The chains cannot be read", self._problem)
            return
        if not self.symbol.value:
            text = "`bifrost up` loads a simulated history, `bifrost ingest PATH` your own; collectors bring live data."
            self._refuse("empty", "No chain is stored yet", text)
            return
        try:
            picture = self._boards.picture(self.symbol.value, self.at)
        except BifrostError as problem:
            self._refuse("error", "This chain cannot be shown", str(problem))
            return
        self.time.offer(self._boards.moments_ms(picture.symbol))
        self._slow_s = 0.0
        self._show(picture)

    def _refuse(self, kind: str, title: str, text: str) -> None:
        self._shown, self._table = None, views.ladder_notice(kind, title, text)
        self.ladder.draw(self._table)
        self.expiries.draw({"columns": [], "rows": []})
        self.head.state = {"note": ""}

    def _show(self, picture: live.ChainPicture) -> None:
        expiry = self._offer_expiries(picture)
        try:
            before = self._boards.before(picture, self.since.value)
        except BifrostError as problem:
            log.debug("%s", problem)
            before = None
        self._shown = picture
        table = self._boards.ladder(picture, expiry, before, self.beside.value)
        patch = views.ladder_patch(self._table, table) if self._table else None
        if patch is None:
            self.ladder.draw(table)
        elif patch["cells"] or "spot_row" in patch:
            self.ladder.patch = patch | {"sent_ms": int(time.monotonic() * 1000)}
        self._table = table
        self._tell(before=before)
        if time.monotonic() - self._slow_s >= SLOW_S:
            self._slow_s = time.monotonic()
            if views.is_seen(self._document):  # in a turn of their own: the quotes are on their way first
                self._document.add_next_tick_callback(partial(self._show_slowly, picture, expiry, before))
            else:
                self._show_slowly(picture, expiry, before)

    def _show_slowly(self, picture: live.ChainPicture, expiry: date, before: live.ChainPicture | None) -> None:
        if picture.symbol != self.symbol.value or picture.at != self.at:
            return
        self.smile.data = self._boards.smile(picture, expiry, self._theme)
        self.expiries.draw(self._boards.expiries(picture, before))
        if self.surface.visible and self._document is not None:
            self._document.add_next_tick_callback(self._fit)
        if picture.at is None:
            self.time.offer(self._boards.moments_ms(picture.symbol))

    def _offer_expiries(self, picture: live.ChainPicture) -> date:
        options = {f"{day:%-d %b %Y}": day.isoformat() for day in picture.expiries}
        wanted = self.expiry.value
        chosen = wanted if wanted in options.values() else next(iter(options.values()))
        if self.expiry.options != options or chosen != wanted:
            self.expiry.param.update(options=options, value=chosen)
        if self.expiries.chosen != chosen:
            self.expiries.chosen = chosen
        return date.fromisoformat(chosen)

    def _tell(self, *, before: live.ChainPicture | None = None, note: str = "") -> None:
        picture = self._shown
        if picture is None:
            return
        mine = picture.of_expiry(date.fromisoformat(self.expiry.value))
        as_of = mine["ts"].max().to_pydatetime()
        change, direction = views.spot_change(picture.spot, before.spot if before else float("nan"))
        if before is not None and not note:
            note = f"against {views.clock_text(before.as_of, self._desk.clock.now())}"
        self.head.state = {
            "what": picture.symbol,
            "spot": views.cell_text("mid", picture.spot),
            "change": change,
            "direction": direction,
            "simulated": "simulated" in picture.source,
            "as_of_ms": as_of.timestamp() * 1000,
            "now_ms": self._desk.clock.now().timestamp() * 1000,
            "at_ms": None if picture.at is None else picture.at.timestamp() * 1000,
            "note": note,
            "query": BuilderState(symbol=picture.symbol, at=picture.at).query(),
        }

    def _csv(self) -> StringIO:
        picture = self._shown
        if picture is None:
            return StringIO("")
        self.download.filename = f"{picture.symbol}_chain_{picture.as_of:%Y-%m-%dT%H%M%SZ}.csv"
        return StringIO(views.csv_text(picture.chain, CHAIN_COLUMNS))


def chain_page(boards: Boards, visit: Visit) -> Any:
    """Return the layout of one viewer's chain page; within a server's session it follows the feed until that ends."""
    page = ChainPage(boards, theme=visit.theme, links=visit.links, symbol=visit.asked.get("symbol", "").upper())
    if visit.document is not None:
        page.start(visit.document)
        pn.state.on_session_destroyed(lambda _: page.stop())
    return page.content
