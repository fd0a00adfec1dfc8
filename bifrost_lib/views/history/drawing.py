"""From a HoloViews object to a Bokeh figure, and to the text from which a browser draws it.

The text is made once for all viewers: none of them has models of its own on the server.
"""

from __future__ import annotations

import json
import threading
from functools import cache
from math import nan
from typing import Any

import holoviews as hv
import holoviews.plotting.bokeh
from bokeh import __version__
from bokeh.document import Document
from bokeh.models import BoxZoomTool, CategoricalAxis, NumeralTickFormatter, SaveTool
from bokeh.models.annotations import Title
from bokeh.plotting import figure

from bifrost_lib.views.charts import dress_chart, dress_legend
from bifrost_lib.views.palette import FONT, theme_palette

hv.Store.set_current_backend("bokeh")

Drawn = Any  # a HoloViews element or overlay, which has no types
#: HoloViews keeps the options of all objects in one place, so threads draw one after the other.
_LOCK = threading.RLock()


def chart_figure(
    drawn: Drawn,
    *,
    theme: str,
    title: str,
    x_label: str = "",
    y_label: str = "",
    form: str = "0",
    height: int | None = None,
) -> figure:
    """Render what a function of this package drew, in the theme's colours.

    Parameters
    ----------
    drawn : HoloViews element or overlay
    theme : {"light", "dark"}
    title, x_label, y_label : str
        Units belong to the labels.
    form : str
        How numbers on the y axis are written, as Bokeh's numeral formats.
    height : int, optional
        Pixels. Without it the figure fills its place.
    """
    palette = theme_palette(theme)
    # Bokeh's current document is one for all threads, and may be that of a session about to end: never asked for.
    with _LOCK:
        chart: figure = _renderer().get_plot(drawn, doc=Document()).state
    dress_chart(chart, palette, x_label=x_label, y_label=y_label)
    chart.sizing_mode = "stretch_both" if height is None else "stretch_width"
    chart.min_height, chart.width, chart.height = 120, None, height
    chart.title = Title(
        text=title, text_color=palette.muted, text_font=FONT, text_font_size="12px", text_font_style="bold"
    )
    chart.min_border_left = 44
    if not isinstance(chart.yaxis[0], CategoricalAxis):
        chart.yaxis[0].formatter = NumeralTickFormatter(format=form)
    chart.tools = [tool for tool in chart.tools if not isinstance(tool, BoxZoomTool | SaveTool)]
    for legend in chart.legend:
        dress_legend(legend, palette)
    return chart


def chart_text(chart: figure) -> str:
    """Return a figure as the text that the component `Chart` draws."""
    own = Document()
    own.add_root(chart)
    drawn = {**own.to_json(deferred=False), "title": ""}
    drawn.pop("defs", None)  # classes of other components, which this process happens to know
    own.clear()
    item = {"target_id": None, "root_id": chart.id, "doc": drawn, "version": __version__}
    return json.dumps(item, separators=(",", ":"), allow_nan=False)


def empty_text(kind: str, text: str) -> str:
    """Return what `Chart` shows in place of a picture: `kind` is empty, loading or error."""
    return json.dumps({"notice": {"kind": kind, "text": text}})


def warm_up() -> None:
    """Draw a small picture, since the first one takes longer than all the others."""
    chart_text(chart_figure(hv.Curve([(0, 1), (1, 2)]), theme="light", title=""))


@cache
def _renderer() -> Any:
    return hv.renderer("bokeh").instance(mode="server")


def opts(drawn: Drawn, **options: Any) -> Drawn:
    """Set options of one element."""
    with _LOCK:
        return drawn.opts(backend="bokeh", clone=True, **options)


def overlay(*parts: Drawn, legend: bool = True, y_range: tuple[float, float] = (nan, nan)) -> Drawn:
    """Put elements on one another, their legend in a row above; without `y_range` all of them are in sight."""
    with _LOCK:
        return hv.Overlay(list(parts)).opts(
            backend="bokeh", show_legend=legend, legend_position="top", padding=(0.02, 0.08), ylim=y_range, clone=True
        )
