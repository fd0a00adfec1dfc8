"""The smile chart: implied volatility over strikes, one line per expiry."""

from __future__ import annotations

import pandas as pd
from bokeh.models import ColumnDataSource, HoverTool, NumeralTickFormatter
from bokeh.models.annotations import Span
from bokeh.palettes import Blues9, YlGnBu9
from bokeh.plotting import figure

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.charts import blank_chart, style_legend
from bifrost_lib.views.formats import day
from bifrost_lib.views.palette import theme_palette

SMILE_COLUMNS = ("expiry", "strike", "right", "iv", "mid", "dte", "spot", "quality")


def smile_points(chain: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a chain that belong on a smile: good quotes, out of the money, with a volatility.

    Raises
    ------
    InputError
        If `chain` lacks one of ``SMILE_COLUMNS``.
    """
    for column in SMILE_COLUMNS:
        if column not in chain.columns:
            raise InputError(f"chain.{column}", list(chain.columns), "this column to be present")
    outside = (chain["right"] == "C") == (chain["strike"] >= chain["spot"])
    kept = chain[outside & (chain["quality"] == "ok") & chain["iv"].notna()]
    return kept[list(SMILE_COLUMNS)].sort_values(["expiry", "strike"])


def smile_chart(chain: pd.DataFrame, *, most: int = 6, theme: str = "light", height: int = 330) -> figure:
    """Draw implied volatility over strikes for the chain's first expiries.

    Parameters
    ----------
    chain : DataFrame
        ``CHAIN_COLUMNS``; only good out-of-the-money quotes are drawn (`smile_points`).
    most : int
        How many expiries to draw, evenly chosen from those that have points.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If no quote of the chain has a volatility.
    """
    points = smile_points(chain)
    if points.empty:
        raise InputError("chain", f"{len(chain)} rows", "at least one good out-of-the-money quote with a volatility")
    palette = theme_palette(theme)
    chart = blank_chart(palette, height=height, x_label="strike", y_label="implied volatility, %")
    chart.yaxis[0].formatter = NumeralTickFormatter(format="0.0")
    expiries = list(points["expiry"].drop_duplicates())
    chosen = expiries[:: -(-len(expiries) // most)]
    colours = _shades(len(chosen), theme)
    for expiry, colour in zip(chosen, colours, strict=True):
        rows = points[points["expiry"] == expiry]
        source = ColumnDataSource(
            {**rows[["strike", "mid", "dte"]], "iv": rows["iv"] * 100, "right": rows["right"].astype(str)}
        )
        label = f"{day(expiry)} · {int(rows['dte'].iloc[0])} d"
        chart.line("strike", "iv", source=source, line_color=colour, line_width=1.6, legend_label=label)
        dots = chart.scatter("strike", "iv", source=source, size=4, color=colour, legend_label=label)
        tips = [("expiry", label), ("strike", "@strike{0,0.##} @right"), ("IV", "@iv{0.0}%"), ("mid", "@mid{0,0.00}")]
        chart.add_tools(HoverTool(renderers=[dots], tooltips=tips))
    spot = float(points["spot"].iloc[0])
    chart.add_layout(Span(location=spot, dimension="height", line_color=palette.muted, line_dash="dotted"))
    style_legend(chart, palette)
    return chart


def _shades(count: int, theme: str) -> list[str]:
    # The nearest expiry stands out most, on either background.
    ramp = list(Blues9[:6]) if theme == "light" else list(reversed(YlGnBu9[2:8]))
    return [ramp[round(index * (len(ramp) - 1) / max(count - 1, 1))] for index in range(count)]
