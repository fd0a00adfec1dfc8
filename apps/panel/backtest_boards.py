"""What all viewers of the backtests page share: saved runs, studies, and the pictures drawn of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pandas as pd

from apps.panel.backtest_desk import BacktestDesk, Grid, Saved
from apps.panel.backtest_questions import ORDERS, Question
from apps.panel.kept import Kept
from bifrost_lib.core.errors import BifrostError
from bifrost_lib.views import backtests as views
from bifrost_lib.views import history as drawing

KEPT_BOARDS = 48
TABS = ("Account", "Trades", "Grid", "Studies", "What worked")
#: The figures of a grid that can be mapped: how they are called, and how they are written on an axis.
FIGURES = {
    "Sharpe": "sharpe",
    "P&L, $": "pnl",
    "win rate": "win_rate",
    "max drawdown": "max_drawdown",
    "trades": "trades",
}
AGAINST = {"days in trade": "days", "IV at entry": "open_iv"}


@dataclass(frozen=True)
class Asked:
    """What a viewer wants to see; two who want the same see the same board."""

    tab: str = TABS[0]
    run: str = ""
    trade: str = ""
    against: str = "days"
    study: str = ""
    x: str = ""
    y: str = ""
    value: str = "sharpe"
    question: Question = field(default_factory=Question)
    theme: str = "light"


@dataclass(frozen=True)
class Board:
    """One tab as it is shown: pictures and grids by their places, the frame behind them, and a line of words.

    `name` is that of the frame's file, `as_of` the newest that any of it rests on.
    """

    charts: dict[str, str] = field(default_factory=dict)
    grids: dict[str, dict[str, Any]] = field(default_factory=dict)
    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    name: str = ""
    note: str = ""
    as_of: datetime | None = None
    simulated: bool = False
    saved: Saved | None = None


class BacktestBoards:
    """Boards by what is asked for, each made once for all viewers.

    Parameters
    ----------
    source : BacktestDesk
    """

    def __init__(self, source: BacktestDesk) -> None:
        self.source = source
        self._boards = Kept(KEPT_BOARDS)

    def board(self, asked: Asked) -> Board:
        """Return what is shown for `asked`.

        Raises
        ------
        BifrostError
            If the run or the study cannot be read.
        """
        if asked.tab == TABS[4]:
            return _worked(self.source, asked)
        if asked.tab == TABS[3]:
            return _studies(self.source, asked)
        if asked.tab == TABS[2]:
            grid = self.source.grid(asked.study)
            first, second = grid.parameters[0], grid.parameters[min(1, len(grid.parameters) - 1)]
            whole = replace(asked, x=asked.x or first, y=asked.y or second)
            return self._boards.once((whole, grid.made), lambda: _grid(grid, whole))
        saved = self.source.saved(asked.run)
        if asked.tab == TABS[0]:
            return self._boards.once(asked, lambda: _account(saved, asked))
        drawn = self._boards.once(replace(asked, trade=""), lambda: _trades(saved, asked))
        return replace(drawn, grids=drawn.grids | {"b": _legs(saved, asked.trade)})


def _account(saved: Saved, asked: Asked) -> Board:
    found, theme = saved.result, asked.theme
    title = f"Equity of {saved.strategy.replace('_', ' ')} on {views.symbols_text(found.symbols)}, $"
    charts = {
        "a": _drawn(lambda: views.equity_chart(found.equity, found.bands, theme=theme), theme, title, form="0,0"),
        "b": _drawn(lambda: views.drawdown_chart(found.equity, theme=theme), theme, "Drawdown, %", form="0.0", ticks=4),
        "c": _drawn(
            lambda: views.margin_chart(found.equity, theme=theme), theme, "Margin, % of equity", form="0.0", ticks=4
        ),
    }
    monthly = views.monthly_grid(views.monthly_returns(found.equity, capital=found.capital))
    grids = {"a": views.statistics_grid(found.statistics), "b": monthly}
    note = " ".join(views.warnings_of(found.statistics, found.skipped)[:1])
    return _of_run(saved, charts, grids, found.equity, "equity", note)


def _trades(saved: Saved, asked: Asked) -> Board:
    found, theme = saved.result, asked.theme
    label = {one: words for words, one in AGAINST.items()}[asked.against]
    usd: dict[str, Any] = {"form": "0,0"}
    under = usd | {"x_label": label}
    draw = {
        "a": (
            lambda: views.trade_chart(found.trades, against=asked.against, theme=theme),
            "Profit of each trade, $",
            under,
        ),
        "b": (lambda: views.excursion_chart(found.trades, theme=theme), "Furthest ahead against behind, $", usd),
        "c": (lambda: views.exits_chart(found.trades, theme=theme), "Profit by end, $", usd),
        "d": (lambda: views.attribution_chart(saved.attribution, theme=theme), "What earned it, $", usd),
    }
    charts = {place: _drawn(make, theme, title, **labels) for place, (make, title, labels) in draw.items()}
    grids = {"a": views.trades_grid(found.trades, found.legs)}
    return _of_run(saved, charts, grids, found.trades, "trades", f"{len(found.trades):,} trades")


def _of_run(
    saved: Saved, charts: dict[str, str], grids: dict[str, Any], frame: pd.DataFrame, name: str, note: str
) -> Board:
    as_of = saved.result.equity["ts"].iloc[-1].to_pydatetime()
    file = f"backtest_{saved.run}_{name}"
    return Board(charts, grids, frame, file, note, as_of, saved.simulated, saved)


def _legs(saved: Saved, trade: str) -> dict[str, Any]:
    legs = saved.result.legs
    table: dict[str, Any] = views.legs_grid(legs[legs["trade"].astype(str) == trade], caption="Legs of the trade")
    return table


def _grid(grid: Grid, asked: Asked) -> Board:
    theme, value, x, y = asked.theme, asked.value, asked.x, asked.y
    form = "0,0" if value in ("pnl", "trades") else "0.00"
    words = next(words for words, one in FIGURES.items() if one == value)
    label = views.parameter_words(x)
    against = f": {views.parameter_words(y)} against {label}" if y != x else f" by {label}"
    drawn = {
        "a": (lambda: views.grid_map(grid.summary, x=x, y=y, value=value, theme=theme),
              f"{words}{against}", {"x_label": label}),
        "b": (lambda: views.parallel_chart(grid.summary, parameters=grid.parameters, value=value, theme=theme),
              f"All sets: {words}", {}),
        "c": (lambda: views.degradation_chart(grid.splits, theme=theme),
              "Sharpe of the chosen set: in sample, and out of it", {"x_label": "in sample", "form": "0.0"}),
    }  # fmt: skip
    charts = {place: _drawn(make, theme, title, **{"form": form} | labels)
              for place, (make, title, labels) in drawn.items()}  # fmt: skip
    note = f"{len(grid.summary):,} parameter sets on the visible part"
    return Board(charts, {"a": views.overfitting_grid(grid.figures)}, grid.summary, f"study_{asked.study}_grid", note)


def _studies(source: BacktestDesk, asked: Asked) -> Board:
    studies, now = source.studies(), source.desk.clock.now()
    looks = source.looks(asked.study) if asked.study else pd.DataFrame()
    grids = {"a": views.studies_grid(studies, now=now), "b": views.looks_grid(looks, now=now, study=asked.study)}
    return Board({}, grids, studies, "studies", f"{len(studies):,} studies")


def _worked(source: BacktestDesk, asked: Asked) -> Board:
    question, theme = asked.question, asked.theme
    answer = source.answer(question)
    words = next(words for words, one in ORDERS.items() if one == question.order)
    caption = f"{question.library}: what worked {question.words}, after fills and commission · best by {words}"
    grids = {
        "a": views.worked_grid(answer.table, sample=question.sample, thin=answer.thin, caption=caption),
        "b": views.likeness_grid(answer.symbols),
    }
    title = "Mean return of a trade with its interval, % of margin, by place"
    charts = {"a": _drawn(lambda: views.worked_chart(answer.table, theme=theme), theme, title, form="0.0")}
    note = f"{len(answer.table):,} documents" + (f", {answer.thin:,} more with too few trades" if answer.thin else "")
    frame = answer.table.assign(parameters=[json.dumps(one) for one in answer.table["parameters"]])
    simulated = source.is_simulated(list(answer.symbols["symbol"]))
    return Board(charts, grids, frame, f"what_worked_{question.library}", note, answer.computed, simulated)


def _drawn(make: Callable[[], Any], theme: str, title: str, *, ticks: int = 0, **labels: Any) -> str:
    """Return a picture as text, or the words of what is in its way."""
    try:
        figure = drawing.chart_figure(make(), theme=theme, title=title, **labels)
    except BifrostError as problem:
        return str(drawing.empty_text("empty", f"{title.split(',', maxsplit=1)[0]}: {problem}"))
    if ticks:  # a small picture has room for few days
        figure.xaxis[0].ticker.desired_num_ticks = ticks
    return str(drawing.chart_text(figure))
