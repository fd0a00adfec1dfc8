"""The smiles of all expirations in one chart that is filled anew as quotes move, for all viewers at once."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from bokeh.models import BoxZoomTool, ColumnDataSource, HoverTool, NumeralTickFormatter, SaveTool
from bokeh.models.annotations import Span
from bokeh.plotting import figure

from bifrost_lib.views.charts import blank_chart
from bifrost_lib.views.formats import day
from bifrost_lib.views.palette import theme_palette
from bifrost_lib.views.smile import _shades, smile_points

#: Deltas nearer to 0 or 1 than this belong to wings whose volatility is mostly tick size.
LEAST_DELTA = 0.03
QUOTE_COLUMNS = ("strike", "iv", "delta", "mid", "right")


def smile_figure(*, theme: str = "light") -> figure:
    """Return the chart without its numbers: every expiration as a line, the chosen one with its quotes.

    What is filled anew has names: the sources ``lines`` and ``quotes``, and the line ``spot`` (see `smile_data`).
    """
    palette = theme_palette(theme)
    chart: figure = blank_chart(palette, height=300, x_label="strike, $", y_label="implied volatility, %")
    chart.sizing_mode, chart.height, chart.min_height = "stretch_both", None, 120
    chart.yaxis[0].formatter = NumeralTickFormatter(format="0.[0]")
    chart.xaxis[0].formatter = NumeralTickFormatter(format="0,0.[0]")
    lines_of = ColumnDataSource({name: [] for name in ("xs", "ys", "colour", "label")}, name="lines")
    quotes_of = ColumnDataSource({name: [] for name in QUOTE_COLUMNS}, name="quotes")
    lines = chart.multi_line("xs", "ys", source=lines_of, line_color="colour", line_width=1.4, line_alpha=0.8)
    chart.line("strike", "iv", source=quotes_of, line_color=palette.text, line_width=2.2)
    dots = chart.scatter("strike", "iv", source=quotes_of, size=5, color=palette.text)
    chart.tools = [tool for tool in chart.tools if not isinstance(tool, BoxZoomTool | SaveTool)]
    spot = Span(location=None, dimension="height", line_color=palette.accent, line_dash="dotted", name="spot")
    chart.add_layout(spot)
    tips = [("strike", "@strike{0,0.##} @right"), ("IV", "@iv{0.0} %"), ("delta", "@delta{0.00}")]
    chart.add_tools(
        HoverTool(renderers=[dots], tooltips=[*tips, ("mid", "@mid{0,0.00} $")]),
        HoverTool(renderers=[lines], tooltips=[("expiry", "@label")], line_policy="nearest"),
    )
    return chart


def smile_data(chain: pd.DataFrame, *, chosen: date, spot: float, theme: str = "light") -> str:
    """Return the numbers of `smile_figure` as text, for all viewers: those of a chain (CHAIN_COLUMNS).

    The chosen expiration stands out. Nothing is drawn where nothing is known.
    """
    points = smile_points(chain)
    delta = chain.loc[points.index, "delta"]
    points = points.assign(delta=delta)[(delta.abs() >= LEAST_DELTA) & (delta.abs() <= 1 - LEAST_DELTA)]
    lines: dict[str, list[Any]] = {"xs": [], "ys": [], "colour": [], "label": []}
    expiries = list(points["expiry"].drop_duplicates())
    for expiry, colour in zip(expiries, _shades(len(expiries), theme), strict=True):
        rows = points[points["expiry"] == expiry]
        lines["xs"].append(rows["strike"].tolist())
        lines["ys"].append(_percent(rows))
        lines["colour"].append(colour)
        lines["label"].append(f"{day(expiry)} · {int(rows['dte'].iloc[0])} d")
    mine = points[points["expiry"] == pd.Timestamp(chosen)]
    quotes = {name: mine[name].astype(object).where(mine[name].notna(), None).tolist() for name in QUOTE_COLUMNS}
    quotes["iv"] = _percent(mine)
    data = {
        "lines": {"data": lines},
        "quotes": {"data": quotes},
        "spot": {"location": spot if np.isfinite(spot) else None},
    }
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def _percent(rows: pd.DataFrame) -> list[float]:
    return [round(100 * float(iv), 3) for iv in rows["iv"]]
