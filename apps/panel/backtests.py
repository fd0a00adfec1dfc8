"""The backtests page: run a strategy here, and read saved runs, their trades, searched grids, and studies."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from functools import partial
from io import StringIO
from typing import Any

import panel

from apps.panel.backtest_boards import AGAINST, FIGURES, TABS, Asked, BacktestBoards, Board
from apps.panel.backtest_runs import BacktestRuns, RunCancelledError
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.strategies import CATALOG
from bifrost_lib.views import backtests as views
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live

EVERY_S = 30.0
FILLS = {"realistic": "realistic", "mid": "mid", "worst": "worst"}
#: The pictures of each tab.
PLACES = dict(zip(TABS, ("abc", "abcd", "abc", ""), strict=True))

pn: Any = panel
log = logging.getLogger(__name__)


class BacktestsPage:
    """One viewer's page.

    Parameters
    ----------
    boards : BacktestBoards
    runs : BacktestRuns
    theme : {"light", "dark"}
    links : sequence of (title, address)
        The other pages.
    """

    def __init__(
        self,
        boards: BacktestBoards,
        runs: BacktestRuns,
        *,
        theme: str = "light",
        links: Sequence[tuple[str, str]] = (),
    ) -> None:
        self._boards, self._runs, self._theme = boards, runs, theme
        self._document: Any = None
        self._shown: tuple[Asked, Board] | None = None
        self._cancelled = threading.Event()
        self._running: asyncio.Task[None] | None = None
        self._tabs: dict[str, tuple[dict[str, Any], dict[str, Any], Any]] = {}
        self._symbols: dict[str, Any] = {}
        select = pn.widgets.Select
        self.head = live.Head(pages=live.links(links, current="Backtests"), sizing_mode="stretch_width", height=34)
        self.form = views.RunForm(sizing_mode="stretch_width", height=46, margin=0)
        self.saved = live.Grid(width=372, sizing_mode="stretch_height", min_height=120, margin=0)
        self.tab = pictures.Choice(options=list(TABS), value=TABS[0], label="View", width=300, height=28)
        self.run = live.field(select(label="Run", options=[], width=270))
        self.against = live.field(select(label="Against", options=AGAINST, width=130))
        self.study = live.field(select(label="Study", options=[], width=150))
        self.across = live.field(select(label="Across", options=[], width=150))
        self.down = live.field(select(label="Down", options=[], width=150))
        self.value = live.field(select(label="Figure", options=FIGURES, width=120))
        self.controls = live.row(sizing_mode="stretch_width", gap_px=10)
        self.body = live.column(sizing_mode="stretch_both", gap_px=0)
        download = pn.widgets.FileDownload
        self.download = live.field(
            download(callback=self._csv, filename="backtest.csv", label="CSV", width=64, height=28)
        )
        self.sheet = live.field(
            download(callback=self._sheet, filename="tear_sheet.html", label="Tear sheet", width=104)
        )
        self.refresh()
        for chosen in (self.tab, self.against, self.study, self.across, self.down, self.value):
            chosen.param.watch(self._chosen, "value")
        self.saved.param.watch(self._chosen, "chosen")
        self.run.param.watch(lambda event: self._choose(event.new), "value")
        self.form.param.watch(self._ask, "asked")
        self.form.param.watch(lambda _: self._cancelled.set(), "cancelled")

    @property
    def content(self) -> Any:
        """The page's layout."""
        right = _stack(self.controls, self.body)
        lower = live.row(self.saved, right, sizing_mode="stretch_both")
        return live.column(self.head, self.form, lower, sizing_mode="stretch_both")

    @property
    def asked(self) -> Asked:
        """What the viewer wants to see; what another tab asks for does not matter to this one."""
        tab, own = self.tab.value, {}
        if tab in TABS[:2]:
            own = {"run": self.saved.chosen}
        if tab == TABS[1]:
            own |= {"against": self.against.value, "trade": self._tabs[tab][1]["a"].chosen if tab in self._tabs else ""}
        elif tab == TABS[2]:
            own = {"study": self.study.value or "", "value": self.value.value}
            own |= {"x": self.across.value or "", "y": self.down.value or ""}
        elif tab == TABS[3]:
            own = {"study": self._tabs[tab][1]["a"].chosen if tab in self._tabs else ""}
        return Asked(tab=tab, theme=self._theme, **own)

    def start(self, document: Any) -> None:
        """Take the viewer's document, in whose turns components are touched."""
        self._document = document

    def refresh(self) -> None:
        """Read what is stored, and show what was chosen."""
        self._arrange()
        try:
            self._offer()
        except BifrostError as problem:
            self._refuse("error", str(problem))
            return
        self._settle(self.asked, self._made(self.asked))

    async def follow(self) -> None:
        """Look for new runs and studies, while someone looks."""
        if not live.is_seen(self._document):
            return
        try:
            runs = await asyncio.to_thread(self._boards.source.runs)
        except BifrostError as problem:
            self._turn(partial(self._note, str(problem), "error"))
            return
        self._turn(partial(self._list, runs))

    def _offer(self) -> None:
        stored = self._boards.source.symbols()
        self._symbols = {str(row["symbol"]): row for row in stored.to_dict("records")}
        first = next(iter(self._symbols), "")
        values = {"strategy": "iron_condor", "symbol": first, "fills": "realistic", "capital": "100000"}
        if first:
            ends = [self._symbols[first][name] for name in ("first_ts", "last_ts")]
            values |= {name: f"{moment:%Y-%m-%d}" for name, moment in zip(("start", "end"), ends, strict=True)}
        self.form.offer(
            {"strategies": sorted(CATALOG), "symbols": list(self._symbols), "fills": FILLS, "values": values}
        )
        if not first:
            text = "Nothing is stored yet: `bifrost up` loads a simulated year, `bifrost ingest PATH` brings your own."
            raise NoDataError("option chains", hint=text)
        self._list(self._boards.source.runs())
        names = [str(name) for name in self._boards.source.studies()["name"]]
        if self.study.options != names:
            self.study.param.update(options=names, value=names[0] if names else None)

    def _list(self, runs: Any, choose: str = "") -> None:
        self.saved.draw(views.runs_grid(runs, now=self._boards.source.desk.clock.now()))
        known = {views.run_words(row): str(row["run_id"]) for row in runs.to_dict("records")}
        chosen = choose or (
            self.saved.chosen if self.saved.chosen in known.values() else next(iter(known.values()), "")
        )
        self.run.param.update(options=known, value=chosen or None)
        self._choose(chosen)

    def _choose(self, run: str | None) -> None:
        if run and self.saved.chosen != run:
            self.saved.chosen = run

    async def _ask(self, _: Any) -> None:
        if self._running is not None and not self._running.done():
            return
        self._cancelled = threading.Event()
        self._running = asyncio.current_task()
        asked = dict(self.form.values)
        self.form.state = {"running": True, "share": None, "text": "starting"}
        try:
            run = await asyncio.to_thread(partial(self._runs.run, asked, tell=self._tell, cancelled=self._cancelled))
            runs = await asyncio.to_thread(self._boards.source.runs)
        except RunCancelledError:
            self._turn(partial(self._ended, "Cancelled; nothing was saved."))
        except BifrostError as problem:
            self._turn(partial(self._ended, str(problem), "error"))
        else:
            self._turn(partial(self._arrived, runs, run, asked))

    def _tell(self, share: float | None, text: str) -> None:
        self._turn(partial(self._progress, share, text))

    def _progress(self, share: float | None, text: str) -> None:
        if self.form.state.get("running"):
            self.form.state = {"running": True, "share": share, "text": text}

    def _ended(self, text: str, kind: str = "") -> None:
        self.form.state = {"running": False, "text": text, "kind": kind}

    def _arrived(self, runs: Any, run: str, asked: dict[str, Any]) -> None:
        name = str(asked["strategy"]).replace("_", " ")
        self._ended(f"{name} on {asked['symbol']} is saved as run {run}.", "good")
        if self.tab.value in TABS[2:]:
            self.tab.value = TABS[0]
        self._list(runs, choose=run)

    def _turn(self, act: Any) -> None:
        """Touch components in the document's own turn; without a server at once."""
        if self._document is None:
            act()
        else:
            self._document.add_next_tick_callback(act)

    async def _chosen(self, event: Any) -> None:
        if event.obj is self.saved and self.run.value != event.new:
            self.run.value = event.new
        self._arrange()
        asked = self.asked
        self.head.state = dict(self.head.state) | {"note": "loading", "note_kind": ""}
        if "a" in (charts := self._tabs[asked.tab][0]) and not charts["a"].item:
            charts["a"].item = pictures.empty_text("loading", "Reading and drawing.")
        made = await asyncio.to_thread(partial(self._made, asked))
        self._turn(partial(self._settle, asked, made))

    def _made(self, asked: Asked) -> Board | str:
        """Return a board, or the words of what is in its way; reads, so outside of the server's loop."""
        if asked.tab in TABS[:2] and not asked.run:
            return ""
        if asked.tab == TABS[2] and not asked.study:
            return ""
        try:
            return self._boards.board(asked)
        except BifrostError as problem:
            return str(problem)

    def _settle(self, asked: Asked, made: Board | str) -> None:
        if asked != self.asked:
            return
        if isinstance(made, str):
            self._refuse("error" if made else "empty", made or _NOTHING[asked.tab])
            return
        self._shown = asked, made
        charts, grids, _ = self._tabs[asked.tab]
        for place, chart in charts.items():
            chart.item = made.charts.get(place, "")
        for place, grid in grids.items():
            grid.draw(made.grids.get(place, _BLANK))
        if asked.tab == TABS[2]:
            self._offer_axes(made)
        self._head(made)

    def _offer_axes(self, made: Board) -> None:
        names = [name for name in made.frame.columns if "." in str(name)]
        options = {views.parameter_words(name): name for name in names}
        for widget, place in ((self.across, 0), (self.down, min(1, len(names) - 1))):
            if widget.options != options:
                widget.param.update(options=options, value=names[place])

    def _arrange(self) -> None:
        """Put the parts of the chosen tab on the page, made when they are wanted first."""
        tab = self.tab.value
        if tab not in self._tabs:
            self._tabs[tab] = self._parts(tab)
        self.body[:] = [self._tabs[tab][2]]
        self.saved.visible = tab == TABS[0]
        own = {TABS[1]: (self.run, self.against), TABS[2]: (self.study, self.across, self.down, self.value)}
        files = (self.download, self.sheet) if tab in TABS[:2] else (self.download,)
        choice, *saved = (live.column(part, gap_px=0, styles={"padding-top": "15px"}) for part in (self.tab, *files))
        # Those of other tabs are left out, not hidden: their widths would still keep the page from shrinking.
        self.controls[:] = [choice, *own.get(tab, ()), pn.Spacer(sizing_mode="stretch_width", height=1), *saved]

    def _parts(self, tab: str) -> tuple[dict[str, Any], dict[str, Any], Any]:
        wide = {"sizing_mode": "stretch_both", "min_height": 110, "margin": 0}
        charts = {place: pictures.Chart(**wide) for place in PLACES[tab]}
        grids = {place: live.Grid(**wide) for place in ("a", "b") if not (tab == TABS[2] and place == "b")}
        return charts, grids, _LAYOUTS[tab](charts, grids, self._chosen)

    def _refuse(self, kind: str, text: str) -> None:
        self._shown = None
        charts, grids, _ = self._tabs[self.tab.value]
        for place, chart in charts.items():
            chart.item = pictures.empty_text(kind, text) if place == "a" else ""
        for place, grid in grids.items():
            said = {"notice": {"kind": kind, "text": text}} if place == "a" and not charts else {}
            grid.draw(_BLANK | said)
        self.head.state = {"note": "", "what": ""}

    def _note(self, text: str, kind: str) -> None:
        self.head.state = dict(self.head.state) | {"note": text, "note_kind": kind}

    def _head(self, made: Board) -> None:
        saved, now = made.saved, self._boards.source.desk.clock.now()
        state: dict[str, Any] = {"note": made.note, "now_ms": now.timestamp() * 1000, "at_ms": None}
        if saved is not None:
            newest = saved.result.equity["ts"].iloc[-1]
            state |= {"simulated": saved.simulated, "as_of_ms": newest.timestamp() * 1000}
        self.head.state = state

    def _csv(self) -> StringIO:
        if self._shown is None:
            return StringIO("")
        asked, board = self._shown
        self.download.filename = f"backtest_{asked.run or 'all'}_{board.name}.csv"
        return StringIO(board.frame.to_csv(index=False))

    def _sheet(self) -> StringIO:
        if self._shown is None or self._shown[1].saved is None:
            return StringIO("")
        saved = self._shown[1].saved
        self.sheet.filename = f"tear_sheet_{saved.run}.html"
        return StringIO(self._boards.source.sheet(saved))


_BLANK: dict[str, Any] = {"columns": [], "rows": []}
_NOTHING = {
    TABS[0]: "No run is saved yet: choose a strategy above and press Run.",
    TABS[1]: "No run is saved yet: choose a strategy above and press Run.",
    TABS[2]: "No grid was searched yet: a study does, for example `bifrost backtest DOC --symbol SPY --grid FILE`.",
    TABS[3]: "No study is begun yet.",
}


def _stack(*parts: Any) -> Any:
    """Return parts one under the other, down to the end: Panel's column leaves a gap under its last part."""
    room = [pn.Spacer(height=6, sizing_mode="stretch_width", margin=0) for _ in parts[1:]]
    mixed = [one for pair in zip(parts, [*room, None], strict=True) for one in pair if one is not None]
    return live.column(*mixed, sizing_mode="stretch_both", gap_px=0)


def _account(charts: dict[str, Any], grids: dict[str, Any], _: Any) -> Any:
    grids["b"].param.update(sizing_mode="stretch_width", height=104, min_height=104)
    lower = live.row(charts["b"], charts["c"], sizing_mode="stretch_width", height=170)
    left = _stack(charts["a"], lower, grids["b"])
    grids["a"].param.update(sizing_mode="stretch_height", width=344)
    return live.row(left, grids["a"], sizing_mode="stretch_both")


def _trades(charts: dict[str, Any], grids: dict[str, Any], chosen: Any) -> Any:
    grids["a"].param.watch(chosen, "chosen")
    grids["b"].param.update(sizing_mode="stretch_width", height=132, min_height=132)
    return _stack(live.row(*charts.values(), sizing_mode="stretch_both"), grids["a"], grids["b"])


def _grid(charts: dict[str, Any], grids: dict[str, Any], _: Any) -> Any:
    upper = live.row(charts["a"], grids["a"], sizing_mode="stretch_both")
    lower = live.row(charts["b"], charts["c"], sizing_mode="stretch_both")
    return _stack(upper, lower)


def _studies(_: dict[str, Any], grids: dict[str, Any], chosen: Any) -> Any:
    grids["a"].param.watch(chosen, "chosen")
    return _stack(grids["a"], grids["b"])


_LAYOUTS = dict(zip(TABS, (_account, _trades, _grid, _studies), strict=True))


def backtests_page(boards: BacktestBoards, runs: BacktestRuns, *, links: Sequence[tuple[str, str]] = ()) -> Any:
    """Return one viewer's backtests page; within a server's session it looks for new runs.

    A run goes on when its viewer leaves: he finds it saved.
    """
    theme = live.theme_of(pn.state.cookies)
    page = BacktestsPage(boards, runs, theme=theme, links=links)
    if (document := pn.state.curdoc) is not None:
        page.start(document)
        pn.state.add_periodic_callback(page.follow, period=int(EVERY_S * 1000))
    return live.live_page(page.content, theme=theme)
