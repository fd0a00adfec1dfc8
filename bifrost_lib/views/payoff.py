"""The payoff chart: profit over spot, at expiry and today."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter, Range1d
from bokeh.models.annotations import BoxAnnotation, Label, Span
from bokeh.plotting import figure

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.charts import blank_chart, style_legend
from bifrost_lib.views.formats import MINUS, SIGMA, plain
from bifrost_lib.views.palette import Palette, theme_palette

Align = Literal["left", "right", "center"]

PROFILE_COLUMNS = ("spot", "pnl_at_expiry", "pnl_now")


def payoff_chart(
    profile: pd.DataFrame,
    *,
    spot: float,
    breakevens: Sequence[float] = (),
    band: tuple[float, float] | None = None,
    expiry_label: str = "at expiry",
    theme: str = "light",
    height: int = 330,
) -> figure:
    """Draw profit and loss of a structure over the price of its underlying.

    Parameters
    ----------
    profile : DataFrame
        ``spot`` (ascending, currency per share), ``pnl_at_expiry`` and ``pnl_now`` (currency for one unit of the
        structure; NaN where the model has no value). Kinks are exact if `profile` has a row at each strike.
    spot : float
        Price of the underlying now.
    breakevens : sequence of float
        Prices at which profit at expiry is zero.
    band : (float, float), optional
        One standard deviation down and up at expiry.
    expiry_label : str
        What the line at expiry is called.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If `profile` has no rows or lacks a column.
    """
    for column in PROFILE_COLUMNS:
        if column not in profile.columns or profile.empty:
            raise InputError(f"profile.{column}", list(profile.columns), "a frame with rows and this column")
    palette = theme_palette(theme)
    chart = blank_chart(
        palette,
        height=height,
        x_label="spot",
        y_label="profit or loss, $",
        x_range=Range1d(start=float(profile["spot"].iloc[0]), end=float(profile["spot"].iloc[-1])),
        y_range=_money_range(profile),
    )
    chart.yaxis[0].formatter = NumeralTickFormatter(format="$0,0")
    _draw_band(chart, band, palette)
    _draw_marks(chart, spot, breakevens, palette)
    _draw_profit(chart, profile, spot, expiry_label, palette)
    style_legend(chart, palette)
    return chart


def _draw_profit(chart: figure, profile: pd.DataFrame, spot: float, expiry_label: str, palette: Palette) -> None:
    pnl = profile["pnl_at_expiry"]
    source = ColumnDataSource(
        {
            **{column: profile[column] for column in PROFILE_COLUMNS},
            "gain": pnl.clip(lower=0.0),
            "loss": pnl.clip(upper=0.0),
            "move": (profile["spot"] / spot - 1) * 100,
        }
    )
    chart.varea(x="spot", y1=0, y2="gain", source=source, fill_color=palette.profit, fill_alpha=0.22)
    chart.varea(x="spot", y1=0, y2="loss", source=source, fill_color=palette.loss, fill_alpha=0.18)
    line = chart.line(
        "spot", "pnl_at_expiry", source=source, line_width=2.2, line_color=palette.text, legend_label=expiry_label
    )
    if profile["pnl_now"].notna().any():
        chart.line(
            "spot", "pnl_now", source=source, line_width=2, line_dash=[6, 3], line_color=palette.now,
            legend_label="today, model value",
        )  # fmt: skip
    tips = [
        ("spot", "@spot{0,0.00} (@move{+0.0}%)"),
        (expiry_label, "@pnl_at_expiry{$0,0}"),
        ("today", "@pnl_now{$0,0}"),
    ]
    chart.add_tools(HoverTool(renderers=[line], tooltips=tips, mode="vline"))


def _draw_band(chart: figure, band: tuple[float, float] | None, palette: Palette) -> None:
    if band is None:
        return
    low, high = band
    chart.add_layout(BoxAnnotation(left=low, right=high, fill_color=palette.accent, fill_alpha=0.07, line_color=None))
    chart.add_layout(_note(low, f"{MINUS}1{SIGMA}", palette.muted, align="left", offset=4))
    chart.add_layout(_note(high, f"+1{SIGMA}", palette.muted, align="right", offset=-4))


def _draw_marks(chart: figure, spot: float, breakevens: Sequence[float], palette: Palette) -> None:
    chart.add_layout(Span(location=0, dimension="width", line_color=palette.muted, line_width=1))
    chart.add_layout(Span(location=spot, dimension="height", line_color=palette.muted, line_dash="dotted"))
    chart.add_layout(_note(spot, f"spot {plain(spot)}", palette.muted, align="center", row=1))
    if not breakevens:
        return
    points = ColumnDataSource({"spot": list(breakevens), "pnl": [0.0] * len(breakevens)})
    chart.scatter(
        "spot", "pnl", source=points, size=8, fill_color=palette.panel, line_color=palette.text, line_width=1.6
    )
    for price in breakevens:
        chart.add_layout(
            Label(
                x=price,
                y=0,
                text=plain(price),
                x_offset=0,
                y_offset=8,
                text_align="center",
                text_font_size="11px",
                text_color=palette.text,
                background_fill_color=palette.panel,
                background_fill_alpha=0.75,
            )
        )


def _note(price: float, text: str, colour: str, *, align: Align, offset: int = 0, row: int = 0) -> Label:
    return Label(
        x=price, y=2 + 13 * row, y_units="screen", text=text, x_offset=offset, text_align=align,
        text_font_size="11px", text_color=colour,
    )  # fmt: skip


def _money_range(profile: pd.DataFrame) -> Range1d:
    # Room below for the labels of spot and deviations, above for those of breakevens.
    values = profile[["pnl_at_expiry", "pnl_now"]].to_numpy().ravel()
    values = values[~np.isnan(values)]
    low, high = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    span = (high - low) or 1.0
    return Range1d(start=low - 0.14 * span, end=high + 0.12 * span)
