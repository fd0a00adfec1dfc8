"""Probabilities beside what happened: the reliability curve, and tables of scores and of recommendations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter
from bokeh.models.annotations import Whisker
from bokeh.plotting import figure

from bifrost_lib.views.charts import blank_chart
from bifrost_lib.views.formats import MISSING, day, money, percent, plain
from bifrost_lib.views.live.tables import GridTable, clock_text, column
from bifrost_lib.views.palette import Palette, theme_palette

_SHARES = ("forecast", "observed", "observed_low", "observed_high")


def reliability_chart(curve: pd.DataFrame, *, theme: str = "light", height: int = 380) -> figure:
    """Return how often forecasts came true over what they were, with 95 % intervals.

    Parameters
    ----------
    curve : DataFrame
        `forecast`, `observed`, `observed_low`, `observed_high`, `n`, `is_off`; one without rows leaves the chart empty.
    theme : {"light", "dark"}
    height : int
        Pixels.

    Notes
    -----
    On the dashed line promises are kept; bins that are off are red.
    """
    palette = theme_palette(theme)
    chart: figure = blank_chart(
        palette, height=height, x_label="promised, %", y_label="came true, %", x_range=(-2, 103), y_range=(-2, 103)
    )
    for axis in (chart.xaxis[0], chart.yaxis[0]):
        axis.formatter = NumeralTickFormatter(format="0")
    source = ColumnDataSource(_points(curve, palette))
    chart.line([0, 100], [0, 100], line_color=palette.muted, line_dash="dashed", line_width=1.2)
    whisker = Whisker(
        source=source, base="forecast", lower="observed_low", upper="observed_high", line_color="colour", line_width=1.6
    )
    heads: list[Any] = [whisker.upper_head, whisker.lower_head]
    for head in heads:
        head.size, head.line_color = 8, palette.muted
    chart.add_layout(whisker)
    dots = chart.scatter("forecast", "observed", source=source, size="size", color="colour", line_color=palette.panel)
    tips = [("promised", "@forecast{0.0} %"), ("came true", "@observed{0.0} %"), ("recommendations", "@n")]
    interval = ("95 % interval", "@observed_low{0.0} to @observed_high{0.0} %")
    chart.add_tools(HoverTool(renderers=[dots], tooltips=[*tips, interval]))
    return chart


def _points(curve: pd.DataFrame, palette: Palette) -> dict[str, Any]:
    if not len(curve):
        return {name: [] for name in (*_SHARES, "n", "size", "colour")}
    data: dict[str, Any] = {name: 100 * curve[name].to_numpy() for name in _SHARES}
    colours = [palette.loss if off else palette.accent for off in curve["is_off"]]
    sizes = [7.0 + 9.0 * (n / curve["n"].max()) ** 0.5 for n in curve["n"]]
    return {**data, "n": curve["n"].to_numpy(), "size": sizes, "colour": colours}


def scores_grid(scores: Mapping[str, Mapping[str, Any]], *, caption: str) -> GridTable:
    """Return scores by group as a grid: each value is one of `ForecastScores` as a mapping."""
    columns = [
        column("", text=True), column("Scored"), column("Promised", "%"), column("Won", "%"),
        column("Interval", "%", help="95 % interval of the share that won"),
        column("Bias", "pts", help="promised less won; coloured where luck does not explain it"),
        column("Brier", help="mean squared error, 0 is best"), column("Skill", "%", help="against the base rate"),
        column("Log loss"),
    ]  # fmt: skip
    rows = [{"cells": _scores(name, one)} for name, one in scores.items()]
    table: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    notice = {"kind": "empty", "text": "Nothing has expired yet: `bifrost recommend SYMBOL` marks a scan."}
    return table if rows else table | {"notice": notice}


def recommendations_grid(rows: pd.DataFrame, *, now: datetime) -> GridTable:
    """Return recommendations, the newest first, as a grid."""
    columns = [
        column("Scan", text=True), column("Symbol", text=True), column("Strategy", text=True),
        column("By", text=True), column("Expiry", text=True), column("Premium", "$"), column("POP", "%"),
        column("EV", "$"), column("State", text=True), column("P&L", "$", help="before commissions"),
        column("At expiry", "$", help="had it been held"),
    ]  # fmt: skip
    lines = [{"cells": _recommendation(row, now)} for row in rows.iloc[::-1].to_dict("records")]
    table: GridTable = {"columns": columns, "rows": lines, "caption": f"Recommendations · {len(rows)}"}
    notice = {"kind": "empty", "text": "Nothing was recommended yet: `bifrost recommend SYMBOL` marks a scan."}
    return table if lines else table | {"notice": notice}


def _scores(name: str, one: Mapping[str, Any]) -> list[Any]:
    bias = f"{100 * one['bias']:+.1f}".replace("-", "\N{MINUS SIGN}")
    return [
        name, f"{one['n']:,}", percent(one["forecast"]), percent(one["observed"]),
        f"{percent(one['observed_low'], decimals=0)} to {percent(one['observed_high'], decimals=0)}",
        {"text": bias, "kind": "bad" if one["is_biased"] else "good" if one["n"] >= 20 else "muted"},
        plain(one["brier"], decimals=4), percent(one["skill"]), plain(one["log_loss"], decimals=3),
    ]  # fmt: skip


def _recommendation(row: Mapping[Any, Any], now: datetime) -> list[Any]:
    is_open = row["state"] == "open"
    state = {"text": "open" if is_open else str(row["exit_reason"]), "kind": "warn" if is_open else "muted"}
    return [
        clock_text(row["at"], now), row["symbol"], str(row["strategy"]).replace("_", " "), row["recommended_by"],
        day(row["expires"]), money(row["premium"], decimals=2), percent(row["pop"]),
        money(row["ev"], decimals=2, signed=True), state, _profit(row["pnl"]), _profit(row["expiry_pnl"]),
    ]  # fmt: skip


def _profit(value: float) -> Any:
    text = money(value, decimals=2, signed=True)
    return text if text == MISSING else {"text": text, "kind": "good" if value > 0 else "bad"}
