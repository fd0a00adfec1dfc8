"""A backtest on one page that stands alone: ``python -m bifrost_lib.views.backtests.sheet``.

A process of its own where a service asks for it, because drawing needs more memory than that may keep. It reads a job
as JSON from its standard input: `sheet`, as `Sheet.write` wrote it, and `page`, the file to write.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from html import escape
from importlib.resources import files
from io import StringIO
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.backtests.monthly import monthly_grid, monthly_returns
from bifrost_lib.views.backtests.statistics import statistics_grid, warnings_of
from bifrost_lib.views.backtests.tables import grid_html
from bifrost_lib.views.backtests.trade_tables import trades_grid
from bifrost_lib.views.badges import SIMULATED_SOURCE, source_label
from bifrost_lib.views.formats import money, percent, plain, usd
from bifrost_lib.views.html import notice
from bifrost_lib.views.palette import THEMES
from bifrost_lib.views.report_style import report_style

if TYPE_CHECKING:
    from bokeh.plotting import figure

_MOMENTS = ("ts", "opened", "closed", "expiry")
_WORST = 10


@dataclass(frozen=True, eq=False)
class Sheet:
    """What a tear sheet is drawn from.

    Parameters
    ----------
    title, about : str
        What was tested, and on which symbols, sessions and fills.
    capital : float
    trades, legs, equity : DataFrame
        As a backtest's result has them.
    statistics : mapping
    bands : DataFrame, optional
    attribution : mapping of str to float
        Parts of the profit, by greek; empty where they are not known.
    assumptions : sequence of (topic, text)
        The document in words, fills, costs and window.
    warnings : sequence of str
        What a reader must know before the figures, besides what these say themselves.
    skipped : mapping of str to int
        Sessions on which nothing was opened, by reason.
    sources : sequence of str
        Where the quotes come from; simulated ones are labelled.
    foot : sequence of str
        What makes the run repeatable.
    """

    title: str
    about: str
    capital: float
    trades: pd.DataFrame
    legs: pd.DataFrame
    equity: pd.DataFrame
    statistics: Mapping[str, Any]
    bands: pd.DataFrame | None = None
    attribution: Mapping[str, float] = field(default_factory=dict)
    assumptions: Sequence[tuple[str, str]] = ()
    warnings: Sequence[str] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    sources: Sequence[str] = ()
    foot: Sequence[str] = ()

    @classmethod
    def read(cls, job: Mapping[str, Any]) -> Sheet:
        """Return a sheet from plain values: frames are texts of columns (see `frame_text`)."""
        frames = ("trades", "legs", "equity", "bands")
        values = {one.name: job[one.name] for one in fields(cls) if one.name in job}
        return cls(**values | {name: _frame(values[name]) for name in frames if values.get(name) is not None})


def sheet_page(sheet: Sheet) -> str:
    """Return a backtest as an HTML page with everything that it needs inside; it follows the reader's theme.

    Raises
    ------
    InputError
        If there is no session in it.
    """
    if sheet.equity.empty:
        raise InputError("equity", "0 rows", "at least one session")
    charts = {name: {theme: _item(draw, theme) for theme in THEMES} for name, draw in _charts(sheet).items()}
    style = report_style() + files("bifrost_lib.views.backtests").joinpath("sheet.css").read_text(encoding="utf-8")
    page = files("bifrost_lib.views.backtests").joinpath("sheet.html").read_text(encoding="utf-8")
    parts = {
        "title": escape(sheet.title), "style": style, "body": _body(sheet, charts), "bokeh": _bokeh(),
        "charts": json.dumps(charts, separators=(",", ":"), allow_nan=False).replace("</", "<\\/"),
        "foot": "".join(f"<span>{escape(one)}</span>" for one in sheet.foot),
    }  # fmt: skip
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page


def _body(sheet: Sheet, charts: Mapping[str, Any]) -> str:
    labels = "".join(source_label(one) for one in _sources(sheet.sources))
    monthly = monthly_grid(monthly_returns(sheet.equity, capital=sheet.capital))
    worst = sheet.trades[sheet.trades["pnl"] < 0].nsmallest(_WORST, "pnl").iloc[::-1]  # a grid shows the last row first
    said = [*sheet.warnings, *warnings_of(sheet.statistics, sheet.skipped)]
    warned = "".join(f"<li>{escape(one)}</li>" for one in dict.fromkeys(said))
    warning = (
        f"<div class='bf-notice bf-notice-error' role='alert'><strong>Read this first</strong><ul>{warned}</ul></div>"
        if warned else ""
    )  # fmt: skip
    assumed = "".join(f"<dt>{escape(topic)}</dt><dd>{escape(text)}</dd>" for topic, text in sheet.assumptions)
    worst_table = grid_html(trades_grid(worst, sheet.legs) | {"caption": "Worst trades"}).body if len(worst) else ""
    places = {name: f"<div class='bf-chart bf-{name}' id='{name}'></div>" for name in charts}
    told = places.get("attribution") or notice("empty", "Attribution", "The greeks at entry and exit are not known.")
    figures = grid_html(statistics_grid(sheet.statistics, caption="")).body
    pairs = "".join(places.get(name, "") for name in ("trades", "excursions", "exits"))
    return (
        f"<h1>{escape(sheet.title)}</h1><div class='bf-head'>{labels}"
        f"<span class='bf-words'>{escape(sheet.about)}</span></div>"
        f"{warning}{_cards(sheet.statistics)}<h2>Account</h2>{places['equity']}{places['drawdown']}{places['margin']}"
        f"<h2>Months</h2>{grid_html(monthly | {'caption': ''}).body}"
        f"<h2>Trades</h2><div class='bf-pairs'>{pairs}{told}</div>{worst_table}"
        f"<div class='bf-halves'><section><h2>Statistics</h2>{figures}"
        f"</section><section><h2>Assumptions</h2><dl class='bf-assumed'>{assumed}</dl></section></div>"
    )


def _cards(statistics: Mapping[str, Any]) -> str:
    def number(name: str) -> float:
        value = statistics.get(name)
        return float("nan") if value is None else float(value)

    def span(name: str, write: Callable[[float], str]) -> str:
        low, high = number(f"{name}_low"), number(f"{name}_high")
        return "" if isnan(low) or isnan(high) else f"{write(low)} to {write(high)}"

    cards = (
        ("Profit", usd(number("pnl")), "net of commissions"),
        ("Return a year", f"{percent(number('annual_return'))} %", span("annual_return", percent)),
        ("Sharpe", plain(number("sharpe")), span("sharpe", plain)),
        ("Max drawdown", f"{percent(number('max_drawdown'))} %", f"{money(number('max_drawdown_days'))} days"),
        ("Win rate", f"{percent(number('win_rate'))} %", span("win_rate", percent)),
        ("Trades", money(number("trades")), f"{plain(number('mean_days'), decimals=1)} days each"),
    )
    drawn = "".join(
        f"<div><span>{escape(title)}</span><b>{escape(text)}</b><small>{escape(note)}</small></div>"
        for title, text, note in cards
    )
    return f"<div class='bf-cards'>{drawn}</div>"


def _charts(sheet: Sheet) -> dict[str, Callable[[str], figure]]:
    """Return what draws each picture in a theme; those without anything to draw are left out."""
    from bifrost_lib.views.backtests import attribution, equity, trades
    from bifrost_lib.views.history.drawing import chart_figure

    def made(draw: Callable[..., Any], *given: Any, title: str, height: int, **labels: str) -> Callable[[str], figure]:
        def drawn(theme: str) -> figure:
            chart = chart_figure(draw(*given, theme=theme), theme=theme, title=title, height=height, **labels)
            chart.min_border_left = 64  # the same for all, so that days stand under days
            return chart

        return drawn

    found = {
        "equity": made(equity.equity_chart, sheet.equity, sheet.bands, title="Equity, $", height=290, form="0,0"),
        "drawdown": made(equity.drawdown_chart, sheet.equity, title="Drawdown, %", height=140, form="0.0"),
        "margin": made(equity.margin_chart, sheet.equity, title="Margin in use, % of equity", height=130, form="0.0"),
    }
    if sheet.trades["pnl"].notna().any():
        days = {"x_label": "days in trade", "form": "0,0"}
        behind = {"x_label": "furthest behind, $", "form": "0,0"}
        found |= {
            "trades": made(trades.trade_chart, sheet.trades, title="Profit of each trade, $", height=250, **days),
            "excursions": made(trades.excursion_chart, sheet.trades, title="Furthest ahead, $", height=250, **behind),
            "exits": made(trades.exits_chart, sheet.trades, title="Profit by end, $", height=250, form="0,0"),
        }
    if sheet.attribution:
        title = "What earned it, $"
        found["attribution"] = made(
            attribution.attribution_chart, sheet.attribution, title=title, height=250, form="0,0"
        )
    return found


def _item(draw: Callable[[str], figure], theme: str) -> Any:
    from bifrost_lib.views.history.drawing import chart_text

    return json.loads(chart_text(draw(theme)))


@cache
def _bokeh() -> str:
    from bokeh.resources import Resources

    scripts = Resources(mode="inline", components=["bokeh"]).js_raw
    return "\n".join(f"<script>{text}</script>" for text in scripts)


def _sources(sources: Sequence[str]) -> list[str]:
    made_up = [SIMULATED_SOURCE] if any(SIMULATED_SOURCE in one for one in sources) else []
    return [*made_up, *(one for one in sources if SIMULATED_SOURCE not in one)]


def _frame(text: str) -> pd.DataFrame:
    frame = pd.read_json(StringIO(text), orient="split", convert_dates=False, dtype=False)
    for name in _MOMENTS:
        if name in frame:
            frame[name] = pd.to_datetime(frame[name], utc=name != "expiry", format="ISO8601")
    return frame


def main() -> None:
    """Draw the page that the job asks for."""
    job = json.loads(sys.stdin.read())
    page = sheet_page(Sheet.read(job["sheet"]))
    draft = Path(job["page"]).with_suffix(".new")
    draft.write_text(page, encoding="utf-8")
    draft.replace(job["page"])


if __name__ == "__main__":
    main()
