"""The smiles of all expirations in one chart that is filled anew as quotes move."""

from __future__ import annotations

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


class SmileBoard:
    """Implied volatility over strikes: every expiration as a line, the chosen one with its quotes.

    Attributes
    ----------
    chart : figure
    """

    def __init__(self, *, theme: str = "light", height: int = 300) -> None:
        self._theme = theme
        palette = theme_palette(theme)
        self.chart: figure = blank_chart(palette, height=height, x_label="strike, $", y_label="implied volatility, %")
        self.chart.sizing_mode = "stretch_both"
        self.chart.yaxis[0].formatter = NumeralTickFormatter(format="0")
        self.chart.xaxis[0].formatter = NumeralTickFormatter(format="0,0")
        self._lines = ColumnDataSource({"xs": [], "ys": [], "colour": [], "label": []})
        self._quotes = ColumnDataSource({name: [] for name in ("strike", "iv", "delta", "mid", "right")})
        lines = self.chart.multi_line(
            "xs", "ys", source=self._lines, line_color="colour", line_width=1.4, line_alpha=0.8
        )
        self.chart.line("strike", "iv", source=self._quotes, line_color=palette.text, line_width=2.2)
        dots = self.chart.scatter("strike", "iv", source=self._quotes, size=5, color=palette.text)
        self.chart.tools = [tool for tool in self.chart.tools if not isinstance(tool, BoxZoomTool | SaveTool)]
        renderers: list[Any] = self.chart.renderers
        for renderer in renderers:  # every model counts once for each viewer
            renderer.nonselection_glyph = renderer.muted_glyph = None
        self._spot = Span(location=float("nan"), dimension="height", line_color=palette.accent, line_dash="dotted")
        self.chart.add_layout(self._spot)
        tips = [("strike", "@strike{0,0.##} @right"), ("IV", "@iv{0.0} %"), ("delta", "@delta{0.00}")]
        self.chart.add_tools(
            HoverTool(renderers=[dots], tooltips=[*tips, ("mid", "@mid{0,0.00} $")]),
            HoverTool(renderers=[lines], tooltips=[("expiry", "@label")], line_policy="nearest"),
        )

    def show(self, chain: pd.DataFrame, *, chosen: date, spot: float) -> None:
        """Draw a chain (CHAIN_COLUMNS); the chosen expiration stands out. Nothing is drawn where nothing is known."""
        points = smile_points(chain)
        delta = chain.loc[points.index, "delta"].abs()
        points = points[(delta >= LEAST_DELTA) & (delta <= 1 - LEAST_DELTA)]
        lines: dict[str, list[Any]] = {"xs": [], "ys": [], "colour": [], "label": []}
        expiries = list(points["expiry"].drop_duplicates())
        for expiry, colour in zip(expiries, _shades(len(expiries), self._theme), strict=True):
            rows = points[points["expiry"] == expiry]
            lines["xs"].append(rows["strike"].to_numpy())
            lines["ys"].append(rows["iv"].to_numpy() * 100)
            lines["colour"].append(colour)
            lines["label"].append(f"{day(expiry)} · {int(rows['dte'].iloc[0])} d")
        self._lines.data = dict(lines)
        mine = points[points["expiry"] == pd.Timestamp(chosen)]
        self._quotes.data = {
            "strike": mine["strike"].to_numpy(),
            "iv": mine["iv"].to_numpy() * 100,
            "delta": chain.loc[mine.index, "delta"].to_numpy(),
            "mid": mine["mid"].to_numpy(),
            "right": mine["right"].astype(str).to_numpy(dtype=object),
        }
        self._spot.location = spot if np.isfinite(spot) else None
