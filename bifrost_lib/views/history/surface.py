"""A fitted volatility surface as a map: strikes across, time to expiry down."""

from __future__ import annotations

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.palettes import Viridis256

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.palette import theme_palette


def surface_chart(grid: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Map the volatility (%) of a surface over moneyness (%) and the square root of time to expiry.

    Parameters
    ----------
    grid : DataFrame
        As `workflows.surface_grid` returns it.
    theme : {"light", "dark"}

    Notes
    -----
    Time is drawn by its square root, in which a smile keeps its shape. The dotted line is the forward.

    Raises
    ------
    InputError
        If no volatility is known.
    """
    palette = theme_palette(theme)
    table = grid.pivot(index="days", columns="moneyness", values="iv") * 100
    values = table.to_numpy()
    if not np.isfinite(values).any():
        raise InputError("grid", f"{len(grid)} rows", "at least one known volatility")
    bar = {
        "background_fill_color": palette.panel, "major_label_text_color": palette.muted, "width": 10,
        "bar_line_color": None, "major_tick_line_color": None, "major_label_text_font_size": "11px",
        "title_text_color": palette.muted, "title_text_font_size": "11px", "title_text_font_style": "normal",
    }  # fmt: skip
    days = table.index.to_numpy(dtype=np.float64)
    mesh = hv.QuadMesh((table.columns.to_numpy() * 100, np.sqrt(days), values), ["moneyness", "root_days"], "iv")
    ticks = [
        (float(np.sqrt(day)), f"{day} d") for day in (1, 7, 14, 30, 60, 90, 180, 365) if days[0] <= day <= days[-1]
    ]
    tips = [("strike", "@moneyness{0.0} % of the forward"), ("IV", "@iv{0.0} %")]
    coloured = opts(
        mesh, cmap=list(Viridis256), colorbar=True, clabel="IV, %", colorbar_opts=bar, tools=["hover"],
        hover_tooltips=tips, invert_yaxis=True, yticks=ticks,
    )  # fmt: skip
    return overlay(coloured, opts(hv.VLine(100.0), color=palette.text, line_width=1, line_dash="dotted"), legend=False)
