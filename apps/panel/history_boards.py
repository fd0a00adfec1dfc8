"""What all viewers of the history page share: frames, and the pictures drawn of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from apps.panel.kept import Kept
from bifrost_lib.core.errors import BifrostError, NoDataError
from bifrost_lib.views import history as views
from bifrost_lib.workflows import Desk, history, list_symbols

log = logging.getLogger(__name__)

KEPT_FRAMES, KEPT_BOARDS = 96, 64
#: A history that grows is read again this often.
FRESH_S = 20
#: What was opened this lately is drawn anew before the next viewer comes.
LATELY = timedelta(minutes=15)

POINTS = "volatility points"
TABS = ("Volatility", "Smile", "Term structure", "Changes", "Strategies")


@dataclass(frozen=True)
class Asked:
    """What a viewer wants to see; two who want the same see the same board."""

    symbol: str
    window: str = "1y"
    tab: str = TABS[0]
    tenor_days: int = 30
    chosen: str = ""
    since: str = "1 week before"
    measure: str = "iv"
    strategy: str = "iron_condor"
    theme: str = "light"
    at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Board:
    """One tab as it is shown: pictures and grids by their places, and the frame behind them; equal to itself alone."""

    history: pd.DataFrame
    charts: dict[str, str] = field(default_factory=dict)
    grids: dict[str, dict[str, Any]] = field(default_factory=dict)
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)


class HistoryBoards:
    """Boards by what is asked for, each made once for all viewers.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._frames, self._boards = Kept(KEPT_FRAMES), Kept(KEPT_BOARDS)
        self._newest: dict[Asked, Board] = {}
        self._opened: dict[Asked, datetime] = {}

    def board(self, asked: Asked, tell: Callable[[int, int], None] = lambda done, of: None) -> Board:
        """Return what is shown for `asked`; trouble with the data is on it in words.

        Raises
        ------
        BifrostError
            If the history of the symbol cannot be read at all.
        """
        past = self.volatility(asked.symbol, asked.window, asked.at)
        key = (asked, past["ts"].iloc[-1])
        made = self._boards.once(key, lambda: _MAKERS[asked.tab](self, asked, past, tell))
        self._newest[asked] = made
        if len(self._newest) > KEPT_BOARDS:
            self._newest.pop(next(iter(self._newest)), None)
        return made

    def drawn_before(self, asked: Asked) -> Board | None:
        """Return what was shown for `asked` last, if it is still there: a viewer sees it at once, and what is new soon.

        While a session trades, its history has a new end every few minutes, and a board takes a second to draw.
        """
        if asked.at is None and asked.tab == TABS[0]:
            self._opened[asked] = self.desk.clock.now()
        return self._newest.get(asked)

    def keep_ahead(self, stop: threading.Event) -> None:
        """Draw what the next viewers will ask for, before they do, until `stop` is set.

        That is the first symbol's volatility in both themes, and what others opened lately.
        """
        while True:
            for asked in self._expected():
                try:
                    self.board(asked)
                except BifrostError as problem:
                    log.info("%s is not drawn beforehand: %s", asked.symbol, problem)
            if stop.wait(FRESH_S):
                return

    def _expected(self) -> list[Asked]:
        first: list[Asked] = []
        try:
            symbol = str(list_symbols(self.desk)["symbol"].iloc[0])
            first = [Asked(symbol=symbol, theme=theme) for theme in ("light", "dark")]
        except (BifrostError, IndexError) as problem:
            log.info("nothing to draw beforehand: %s", problem)
        now = self.desk.clock.now()
        self._opened = {asked: at for asked, at in self._opened.copy().items() if now - at <= LATELY}
        return [*first, *(asked for asked in self._opened if asked not in first)]

    def volatility(self, symbol: str, window: str, at: datetime | None = None) -> pd.DataFrame:
        """Return the history of volatility in a window as it was known at `at`; now's is read again every `FRESH_S`."""
        beat = int(self.desk.clock.now().timestamp() // FRESH_S) if at is None else at
        days = history.WINDOWS[window]
        key = ("volatility", symbol, window, beat)
        return self.frame(key, lambda: history.volatility_history(self.desk, symbol, at=at, days=days))

    def moments_ms(self, symbol: str) -> list[int]:
        """Return the sessions of the last year that a viewer can travel to, in milliseconds since 1970."""
        try:
            known = self.volatility(symbol, "1y")
        except NoDataError:
            return []
        # Up to the next millisecond: a read at the rounded moment must see what was stored in it.
        return [-int(-moment.timestamp() * 1000 // 1) for moment in known["ts"].iloc[1:]]

    def since_choices(self, past: pd.DataFrame) -> dict[str, datetime]:
        """Return the sessions that changes can be told against."""
        earlier = {"1 day before": past["ts"].iloc[-2].to_pydatetime()} if len(past) > 1 else {}
        named = {name: at for name, at in history.telling_sessions(past).items() if name.endswith("before")}
        return earlier | named

    def frame(self, key: tuple[Any, ...], read: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return a frame that was read before, or is read now."""
        return self._frames.once(key, read)


def _volatility(boards: HistoryBoards, asked: Asked, past: pd.DataFrame, tell: Any) -> Board:
    theme = asked.theme
    drawn = {
        "a": (views.iv_range_chart(past, theme=theme), "Implied volatility in its year", "%", "0"),
        "b": (views.rank_chart(past, theme=theme), "Rank and percentile in the year before", "%", "0"),
        "c": (views.premium_chart(past, theme=theme), "Implied against realised: the premium", "%", "0"),
        "d": (views.skew_chart(past, theme=theme), "Skew of 30 days", POINTS, "0.0"),
        "e": (views.slope_chart(past, theme=theme), "Slope of the term structure", POINTS, "0.0"),
        "f": (views.put_call_chart(past, theme=theme), "Puts over calls", "ratio", "0.00"),
    }
    charts = {
        place: views.chart_text(views.chart_figure(one, theme=theme, title=title, y_label=label, form=form))
        for place, (one, title, label, form) in drawn.items()
    }
    return Board(past, charts, {}, past)


def _smile(boards: HistoryBoards, asked: Asked, past: pd.DataFrame, tell: Any) -> Board:
    smiles = _smiles(boards, asked, past)
    drawn = views.smiles_chart(smiles, chosen=asked.chosen, theme=asked.theme)
    title = f"Smile of the expiration nearest to {asked.tenor_days} days"
    figure = views.chart_figure(
        drawn, theme=asked.theme, title=title, x_label="strike, % of the forward", y_label="implied volatility, %"
    )
    skew = views.chart_figure(
        views.skew_chart(past, theme=asked.theme),
        theme=asked.theme,
        title="Skew through time",
        y_label=POINTS,
        form="0.0",
    )
    charts = {"a": views.chart_text(figure), "b": views.chart_text(skew)}
    return Board(past, charts, {"a": views.smiles_grid(history.smile_summary(smiles))}, smiles)


def _terms(boards: HistoryBoards, asked: Asked, past: pd.DataFrame, tell: Any) -> Board:
    moments = history.telling_sessions(past)
    key = ("terms", asked.symbol, tuple(moments.items()))
    terms = boards.frame(key, lambda: history.terms_through_time(boards.desk, asked.symbol, moments))
    drawn = {
        "a": views.chart_figure(
            views.terms_chart(terms, chosen=asked.chosen, theme=asked.theme), theme=asked.theme,
            title="Volatility at the money", x_label="calendar days to expiry", y_label="implied volatility, %",
        ),
        "b": views.chart_figure(
            views.slope_chart(past, theme=asked.theme), theme=asked.theme, title="Slope through time",
            y_label=POINTS, form="0.0",
        ),
    }  # fmt: skip
    charts = {place: views.chart_text(figure) for place, figure in drawn.items()}
    grid = views.smiles_grid(history.smile_summary(_smiles(boards, asked, past)))
    return Board(past, charts, {"a": grid}, terms)


def _changes(boards: HistoryBoards, asked: Asked, past: pd.DataFrame, tell: Any) -> Board:
    choices = boards.since_choices(past)
    if not choices:
        raise NoDataError("changes", symbol=asked.symbol, hint="a single session is stored")
    since = choices.get(asked.since, next(iter(choices.values())))
    at = past["ts"].iloc[-1].to_pydatetime()
    key = ("changes", asked.symbol, since, at)
    changes = boards.frame(key, lambda: history.changes_between(boards.desk, asked.symbol, since=since, at=at))
    titles = {"iv": "Change of implied volatility", "open_interest": "Change of open interest"}
    figure = views.chart_figure(
        views.changes_chart(changes, measure=asked.measure, theme=asked.theme), theme=asked.theme,
        title=f"{titles[asked.measure]} since {since:%-d %b %Y}", x_label="strike, % of spot",
    )  # fmt: skip
    return Board(
        past, {"a": views.chart_text(figure)}, {"a": views.changes_grid(changes, measure=asked.measure)}, changes
    )


def _strategies(boards: HistoryBoards, asked: Asked, past: pd.DataFrame, tell: Any) -> Board:
    moments = history.sampled_moments(past)
    key = ("strategy", asked.symbol, asked.strategy, tuple(moments))
    found = boards.frame(
        key, lambda: history.strategy_history(boards.desk, asked.symbol, asked.strategy, moments, tell=tell)
    )
    drawn = views.strategy_charts(found, theme=asked.theme)
    titles = {
        "premium": ("Premium for one unit, a credit above zero", "$", "0,0"),
        "pop": ("Probability of profit", "%", "0"),
        "return_on_risk": ("Return on risk", "%", "0"),
        "ev": ("Expected value for one unit", "$", "0,0"),
    }
    charts = {}
    for place, (name, (title, label, form)) in zip("abcd", titles.items(), strict=True):
        figure = views.chart_figure(drawn[name], theme=asked.theme, title=title, y_label=label, form=form)
        charts[place] = views.chart_text(figure)
    return Board(past, charts, {"a": views.strategy_grid(found)}, found)


def _smiles(boards: HistoryBoards, asked: Asked, past: pd.DataFrame) -> pd.DataFrame:
    moments = history.telling_sessions(past)
    key = ("smiles", asked.symbol, asked.tenor_days, tuple(moments.items()))
    tenor = asked.tenor_days
    return boards.frame(key, lambda: history.smiles_through_time(boards.desk, asked.symbol, moments, tenor_days=tenor))


_MAKERS: dict[str, Callable[[HistoryBoards, Asked, pd.DataFrame, Any], Board]] = {
    "Volatility": _volatility,
    "Smile": _smile,
    "Term structure": _terms,
    "Changes": _changes,
    "Strategies": _strategies,
}
