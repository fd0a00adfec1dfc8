"""A strategy's best candidate through time: what it paid, and how likely that was kept."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import MINUS, day, percent, plain, usd
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.live.tables import column
from bifrost_lib.views.palette import theme_palette


def strategy_charts(found: pd.DataFrame, *, theme: str = "light") -> dict[str, Drawn]:
    """Draw premium per unit ($), probability of profit (%) and return on risk (%) through time, by name.

    Parameters
    ----------
    found : DataFrame
        As `workflows.history.strategy_history` returns it.
    """
    palette = theme_palette(theme)
    shown = found.assign(
        day=found["ts"].dt.tz_convert(EXCHANGE_TZ).dt.tz_localize(None).dt.normalize(),
        pop=found["pop"] * 100, return_on_risk=found["return_on_risk"] * 100,
    )  # fmt: skip
    lines = {"premium": ("0,0", "$"), "pop": ("0.0", "%"), "return_on_risk": ("0.0", "%"), "ev": ("0,0", "$")}
    drawn = {}
    for name, (form, unit) in lines.items():
        rows = shown[["day", name, "legs"]]
        tips = [("", "@day{%d %b %Y}"), (name.replace("_", " "), f"@{name}{{{form}}} {unit}"), ("", "@legs")]
        line = opts(hv.Curve(rows, "day", [name, "legs"]), color=palette.accent, line_width=1.8)
        dots = opts(
            hv.Scatter(rows, "day", [name, "legs"]), color=palette.accent, size=6, tools=["hover"], hover_tooltips=tips,
            hover_formatters={"@day": "datetime"},
        )  # fmt: skip
        drawn[name] = overlay(line, dots, legend=False)
    return drawn


def strategy_grid(found: pd.DataFrame) -> dict[str, Any]:
    """Return the candidates as a grid, the newest first."""
    columns = [
        column("Session", text=True), column("Best candidate", text=True), column("Expiry", text=True), column("Days"),
        column("Premium", "$", help="for one unit; positive is a credit"), column("Max loss", "$"),
        column("RoR", "%", help="return on risk"), column("POP", "%", help="probability of profit"),
        column("EV", "$"), column("Score"),
    ]  # fmt: skip
    rows = []
    for row in found.iloc[::-1].to_dict("records"):
        numbers = [usd(row["premium"]), usd(row["max_loss"]), percent(row["return_on_risk"]), percent(row["pop"])]
        cells = [
            day(row["ts"].astimezone(EXCHANGE_TZ)),
            row["legs"].replace("-", MINUS),
            day(row["expiry"]),
            f"{row['dte']:.0f}",
            *numbers,
        ]
        rows.append({"cells": [*cells, usd(row["ev"]), plain(row["score"], decimals=0)]})
    return {"columns": columns, "rows": rows, "caption": "Best candidate of each session"}
