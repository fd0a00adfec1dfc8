"""The backtests page: run a strategy here, and read saved runs, their trades, grids, studies, and what worked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from io import StringIO
from typing import Any

import panel

from apps.panel.backtest_asking import Asking
from apps.panel.backtest_boards import AGAINST, FIGURES, TABS, Asked, BacktestBoards, Board
from apps.panel.backtest_questions import Questions
from apps.panel.backtest_runs import BacktestRuns
from apps.panel.backtest_tabs import NOTHING, Tab, make_tab, stack
from apps.panel.visit import Visit
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.views import backtests as views
from bifrost_lib.views import history as pictures
from bifrost_lib.views import live

EVERY_S = 30.0
_BLANK: dict[str, Any] = {"columns": [], "rows": []}

pn: Any = panel


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
        self._boards, self._theme = boards, theme
        self._document: Any = None
        self._shown: tuple[Asked, Board] | None = None
        self._tabs: dict[str, Tab] = {}
        self._filled: Any = None
        select = pn.widgets.Select
        self.head = live.Head(pages=live.links(links, current="Backtests"), sizing_mode="stretch_width", height=34)
        self.asking = Asking(runs, turn=self._turn, arrived=self._arrived)
        self.questions = Questions()
        self.saved = live.Grid(width=372, sizing_mode="stretch_height", min_height=120, margin=0)
        self.tab = pictures.Choice(options=list(TABS), value=TABS[0], label="View", width=400, height=28)
        self.run = live.field(select(label="Run", options=[], width=270))
        self.against = live.field(select(label="Against", options=AGAINST, width=130))
        self.study = live.field(select(label="Study", options=[], width=150))
        self.across = live.field(select(label="Across", options=[], width=150))
        self.down = live.field(select(label="Down", options=[], width=150))
        self.value = live.field(select(label="Figure", options=FIGURES, width=120))
        self.controls = live.row(sizing_mode="stretch_width", gap_px=10)
        self.body = live.column(sizing_mode="stretch_both", gap_px=6)
        self.empty = views.Empty(sizing_mode="stretch_both", min_height=110, margin=0)
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
        self.questions.watch(self._chosen)
        self.saved.param.watch(self._chosen, "chosen")
        self.run.param.watch(lambda event: self._choose(event.new), "value")

    @property
    def content(self) -> Any:
        """The page's layout."""
        right = stack(self.controls, self.body)
        lower = live.row(self.saved, right, sizing_mode="stretch_both")
        return live.column(self.head, self.asking.form, lower, sizing_mode="stretch_both")

    @property
    def asked(self) -> Asked:
        """What the viewer wants to see; what another tab asks for does not matter to this one."""
        tab, own = self.tab.value, dict[str, Any]()
        row = self._tabs[tab].grids["a"].chosen if tab in self._tabs else ""
        if tab in TABS[:2]:
            own = {"run": self.saved.chosen}
        if tab == TABS[1]:
            own |= {"against": self.against.value, "trade": row}
        elif tab == TABS[2]:
            own = {"study": self.study.value or "", "value": self.value.value}
            own |= {"x": self.across.value or "", "y": self.down.value or ""}
        elif tab == TABS[3]:
            own = {"study": row}
        elif tab == TABS[4]:
            own = {"question": self.questions.question}
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
            self._refuse(problem)
            return
        self._settle(self.asked, self._made(self.asked))

    async def follow(self) -> None:
        """Look for new runs and libraries, while someone looks."""
        if not live.is_seen(self._document):
            return
        source = self._boards.source
        try:
            runs, libraries = await asyncio.to_thread(lambda: (source.runs(), source.libraries()))
        except BifrostError as problem:
            self._turn(partial(self._note, str(problem), "error"))
            return
        self._turn(partial(self._list, runs))
        self._turn(partial(self.questions.offer, libraries))

    def _offer(self) -> None:
        source = self._boards.source
        stored = {str(row["symbol"]): row for row in source.symbols().to_dict("records")}
        self.asking.offer(stored)
        if not stored:
            text = "Nothing is stored yet: `bifrost up` loads a simulated year, `bifrost ingest PATH` brings your own."
            raise NoDataError("option chains", hint=text)
        self._list(source.runs())
        self.questions.offer(source.libraries())
        names = [str(name) for name in source.studies()["name"]]
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

    def _arrived(self, run: str) -> None:
        runs = self._boards.source.runs()
        self._turn(partial(self._show_run, runs, run))

    def _show_run(self, runs: Any, run: str) -> None:
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
        made = await asyncio.to_thread(partial(self._made, asked))
        self._turn(partial(self._settle, asked, made))

    def _made(self, asked: Asked) -> Board | BifrostError | None:
        """Return a board, what is in its way, or None where there is nothing yet; reads, so outside of the loop."""
        lacking = {TABS[0]: not asked.run, TABS[1]: not asked.run, TABS[2]: not asked.study}
        if lacking.get(asked.tab, asked.tab == TABS[4] and not asked.question.library):
            return None
        try:
            board = self._boards.board(asked)
        except BifrostError as problem:
            return problem
        return None if asked.tab == TABS[3] and board.frame.empty else board

    def _settle(self, asked: Asked, made: Board | BifrostError | None) -> None:
        if asked != self.asked:
            return
        if not isinstance(made, Board):
            self._refuse(made)
            return
        self._shown = asked, made
        self.download.filename = f"{made.name}.csv"
        if made.saved is not None:
            self.sheet.filename = f"tear_sheet_{made.saved.run}.html"
        tab = self._tabs[asked.tab]
        for place, chart in tab.charts.items():
            chart.item = made.charts.get(place, "")
        for place, grid in tab.grids.items():
            grid.draw(made.grids.get(place, _BLANK))
        if asked.tab == TABS[2]:
            self._offer_axes(made)
        tab.is_drawn = True
        self._fill(tab.layout)
        now = self._boards.source.desk.clock.now()
        state = {"note": made.note, "simulated": made.simulated, "now_ms": now.timestamp() * 1000, "at_ms": None}
        self.head.state = state | ({"as_of_ms": made.as_of.timestamp() * 1000} if made.as_of else {})

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
            self._tabs[tab] = make_tab(tab, self._chosen)
        if self._tabs[tab].is_drawn:
            self._fill(self._tabs[tab].layout)
        else:
            self.empty.state = {"kind": "loading", "title": "Reading and drawing"}
            self._fill(self.empty)
        self.saved.visible = tab == TABS[0]
        own = {TABS[1]: (self.run, self.against), TABS[2]: (self.study, self.across, self.down, self.value)}
        files = (self.download, self.sheet) if tab in TABS[:2] else (self.download,)
        choice, *saved = (live.column(part, gap_px=0, styles={"padding-top": "15px"}) for part in (self.tab, *files))
        # Those of other tabs are left out, not hidden: their widths would still keep the page from shrinking.
        self.controls[:] = [choice, *own.get(tab, ()), pn.Spacer(sizing_mode="stretch_width", height=1), *saved]

    def _fill(self, shown: Any) -> None:
        """Show a tab's layout or the words in its place; what a library is asked stays above both."""
        asks = self.tab.value == TABS[4] and bool(self.questions.question.library)
        if self._filled != (shown, asks):
            self._filled = shown, asks
            self.body[:] = [self.questions.row, shown] if asks else [shown]

    def _refuse(self, problem: BifrostError | None) -> None:
        """Say what is in the way, or, without a problem, what to do where there is nothing yet."""
        self._shown, self._tabs[self.tab.value].is_drawn = None, False  # what was drawn before answers another question
        said = NOTHING[self.tab.value]
        if isinstance(problem, NoDataError):
            said = {"kind": "empty", "title": "Nothing to show", "text": str(problem)}
        elif problem is not None:
            said = {"kind": "error", "title": "This cannot be shown", "text": str(problem)}
        self.empty.state = said
        self._fill(self.empty)
        self.head.state = {"note": "", "what": ""}

    def _note(self, text: str, kind: str) -> None:
        self.head.state = dict(self.head.state) | {"note": text, "note_kind": kind}

    def _csv(self) -> StringIO:
        if self._shown is None:
            return StringIO("")
        return StringIO(live.csv_text(self._shown[1].frame))

    def _sheet(self) -> StringIO:
        if self._shown is None or self._shown[1].saved is None:
            return StringIO("")
        return StringIO(self._boards.source.sheet(self._shown[1].saved))


def backtests_page(boards: BacktestBoards, runs: BacktestRuns, visit: Visit) -> Any:
    """Return the layout of one viewer's backtests page; within a server's session it looks for new runs.

    A run goes on when its viewer leaves: he finds it saved.
    """
    page = BacktestsPage(boards, runs, theme=visit.theme, links=visit.links)
    if visit.document is not None:
        page.start(visit.document)
        pn.state.add_periodic_callback(page.follow, period=int(EVERY_S * 1000))
    return page.content
