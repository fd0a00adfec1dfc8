"""What all charts share: their theme, and how a notebook shows them."""

from __future__ import annotations

import os
from typing import Any

from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from bifrost_lib.views.palette import FONT, Palette


def blank_chart(palette: Palette, *, height: int, x_label: str, y_label: str, **options: Any) -> figure:
    """Return an empty figure in the palette's colours, as wide as its place, without a toolbar's clutter."""
    chart = figure(
        height=height,
        sizing_mode="stretch_width",
        toolbar_location="right",
        toolbar_inner=True,
        tools="pan,xwheel_zoom,box_zoom,reset,save",
        **options,
    )
    dress_chart(chart, palette, x_label=x_label, y_label=y_label)
    return chart


def dress_chart(chart: figure, palette: Palette, *, x_label: str, y_label: str) -> None:
    """Give a figure that is drawn already the palette's colours, and a toolbar that shows under the mouse."""
    chart.background_fill_color = chart.border_fill_color = palette.panel
    chart.outline_line_color = None
    chart.toolbar.logo = None
    chart.toolbar.autohide = True
    chart.min_border_right = 16
    for axis, label in ((chart.xaxis[0], x_label), (chart.yaxis[0], y_label)):
        axis.axis_label = label
        axis.axis_label_text_font = axis.major_label_text_font = FONT
        axis.axis_label_text_font_style = "normal"
        axis.axis_label_text_font_size = axis.major_label_text_font_size = "11px"
        axis.axis_label_text_color = axis.major_label_text_color = palette.muted
        axis.axis_line_color = axis.major_tick_line_color = palette.line
        axis.minor_tick_line_color = None
    chart.grid.grid_line_color = palette.line
    chart.grid.grid_line_alpha = 0.55


def style_legend(chart: figure, palette: Palette) -> None:
    """Give the legend the palette's colours and a row of its own above the picture."""
    legend: Any = chart.legend[0]
    chart.add_layout(legend, "above")
    dress_legend(legend, palette)


def dress_legend(legend: Any, palette: Palette) -> None:
    """Give a legend the palette's colours; a click hides what it names."""
    legend.orientation = "horizontal"
    legend.location = "left"
    legend.label_text_font = FONT
    legend.label_text_font_size = "11px"
    legend.label_text_color = palette.text
    legend.background_fill_color = palette.panel
    legend.background_fill_alpha = 0.85
    legend.border_line_color = None
    legend.padding, legend.spacing, legend.glyph_width, legend.margin = 2, 12, 18, 0
    legend.click_policy = "hide"


def load_bokeh() -> None:
    """Put BokehJS into the notebook from this machine, never from a content delivery network.

    Under Voilà a page brings it along itself.
    """
    from bokeh.io import output_notebook
    from bokeh.resources import INLINE

    if "VOILA_KERNEL_ID" not in os.environ:
        output_notebook(INLINE, hide_banner=True)


def show_chart(chart: UIElement) -> None:
    """Show a chart in a notebook; the output also survives an export to HTML."""
    from bokeh.io import show

    load_bokeh()
    show(chart)
