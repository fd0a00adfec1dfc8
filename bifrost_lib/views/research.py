"""Charts of a study: profit as it came in, and one figure over a grid of trials."""

from __future__ import annotations

import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, LinearColorMapper, NumeralTickFormatter
from bokeh.models.annotations import BoxAnnotation, ColorBar, Span
from bokeh.palettes import PRGn11
from bokeh.plotting import figure
from bokeh.transform import transform

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.charts import blank_chart, style_legend
from bifrost_lib.views.formats import MISSING
from bifrost_lib.views.palette import theme_palette

EQUITY_COLUMNS = ("ended", "session", "pnl", "equity", "drawdown")


def equity_chart(
    profits: pd.DataFrame, *, split: pd.Timestamp | None = None, theme: str = "light", height: int = 300
) -> figure:
    """Draw the running sum of profits with its drawdown below.

    Parameters
    ----------
    profits : DataFrame
        `ended` (aware, ascending), `session`, `pnl`, `equity`, `drawdown` (<= 0), in currency.
    split : Timestamp, aware, optional
        Where the hold-out begins; it is shaded.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If `profits` has no rows or lacks a column.
    """
    for column in EQUITY_COLUMNS:
        if column not in profits.columns or profits.empty:
            raise InputError(f"profits.{column}", list(profits.columns), "a frame with rows and this column")
    palette = theme_palette(theme)
    chart = blank_chart(palette, height=height, x_label="ended", y_label="profit, $", x_axis_type="datetime")
    chart.yaxis[0].formatter = NumeralTickFormatter(format="0,0")
    source = ColumnDataSource(
        {
            **{name: profits[name].to_numpy() for name in ("pnl", "equity", "drawdown")},
            "ended": profits["ended"].dt.tz_localize(None).to_numpy(),
            "entered": [f"{day:%-d %b %Y}" for day in profits["session"]],
        }
    )
    if split is not None:
        box = BoxAnnotation(left=split.tz_localize(None), fill_color=palette.accent, fill_alpha=0.08, line_color=None)
        chart.add_layout(box)
    chart.varea("ended", 0, "drawdown", source=source, color=palette.loss, alpha=0.3, legend_label="drawdown")
    line = chart.line("ended", "equity", source=source, line_color=palette.accent, line_width=2, legend_label="sum")
    chart.add_layout(Span(location=0, dimension="width", line_color=palette.muted, line_dash="dotted"))
    tips = [("entered", "@entered"), ("ended", "@ended{%e %b %Y}"), ("profit", "@pnl{0,0.00} $"),
            ("sum", "@equity{0,0} $"), ("drawdown", "@drawdown{0,0} $")]  # fmt: skip
    chart.add_tools(HoverTool(renderers=[line], tooltips=tips, formatters={"@ended": "datetime"}))
    style_legend(chart, palette)
    return chart


def heat_map(
    trials: pd.DataFrame, *, x: str, y: str, value: str, digits: int = 2, theme: str = "light", height: int = 260
) -> figure:
    """Draw one figure of each trial as a coloured cell: purple below zero, green above, empty where it is NaN.

    Parameters
    ----------
    trials : DataFrame
        Columns `x`, `y` (each combination once) and `value`.
    digits : int
        Decimals of the number in each cell.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If `trials` has no rows, lacks a column, or holds a combination twice.
    """
    for column in (x, y, value):
        if column not in trials.columns or trials.empty:
            raise InputError(f"trials.{column}", list(trials.columns), "a frame with rows and this column")
    if trials.duplicated([x, y]).any():
        raise InputError("trials", f"{len(trials)} rows", f"each combination of {x} and {y} once")
    palette = theme_palette(theme)
    columns, rows = (list(map(str, sorted(trials[name].unique()))) for name in (x, y))
    chart = blank_chart(palette, height=height, x_label=x, y_label=y, x_range=columns, y_range=rows)
    reach = float(trials[value].abs().max()) or 1.0
    mapper = LinearColorMapper(palette=PRGn11[::-1], low=-reach, high=reach, nan_color="rgba(0, 0, 0, 0)")
    known, size = trials[value].notna(), trials[value].abs()
    source = ColumnDataSource(
        {
            **{"x": trials[x].map(str), "y": trials[y].map(str), "value": trials[value]},
            "text": trials[value].map(f"{{:.{digits}f}}".format).where(known, MISSING),
            "ink": pd.Series("#17202c", trials.index).mask(size > 0.6 * reach, "#ffffff").where(known, palette.muted),
        }
    )
    chart.rect("x", "y", 0.98, 0.98, source=source, fill_color=transform("value", mapper), line_color=None)
    chart.text("x", "y", "text", source=source, text_color="ink", text_align="center", text_baseline="middle",
               text_font_size="12px")  # fmt: skip
    chart.grid.grid_line_color = None
    scale = ColorBar(color_mapper=mapper, background_fill_color=palette.panel)
    scale.major_label_text_color = palette.muted
    chart.add_layout(scale, "right")
    return chart
