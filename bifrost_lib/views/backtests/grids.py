"""A grid of parameter sets in pictures: a map over two parameters, and all of them side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import FixedTicker, Text

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.palette import Palette, theme_palette

#: With more sets than these the lines of a picture are a single blot: the best, the worst, and some between are drawn.
MOST_LINES = 300
_ALONE = "alone"  # the column down the side of a map of one parameter


def grid_map(summary: pd.DataFrame, *, x: str, y: str, value: str, theme: str = "light") -> Drawn:
    """Map a figure over two parameters; over all others its mean is taken.

    Parameters
    ----------
    summary : DataFrame
        One row a parameter set, with columns `x`, `y` and `value`.
    x, y : str
        Parameters across and down; the same one twice is a single row.

    Raises
    ------
    InputError
        If a column is missing, or `value` is known nowhere.
    """
    for name in (x, y, value):
        if name not in summary.columns:
            raise InputError(f"summary.{name}", list(summary.columns), "this column to be present")
    palette = theme_palette(theme)
    down = y if y != x else _ALONE
    of = summary if y != x else summary.assign(**{_ALONE: ""})
    means = of.groupby([x, down], observed=True)[value].agg(["mean", "size"]).reset_index()
    known = means[means["mean"].notna()]
    if known.empty:
        raise InputError(f"summary.{value}", f"{len(summary)} rows", "at least one that is known")
    reach = max(float(known["mean"].abs().max()), 1e-9)
    cells = pd.DataFrame(
        {"across": known[x].map(_words), "down": known[down].map(_words), "value": known["mean"], "sets": known["size"]}
    )
    axes = [hv.Dimension(place, values=[_words(one) for one in _ordered(of[name])])
            for place, name in (("across", x), ("down", down))]  # fmt: skip
    tips = [
        (parameter_words(x), "@across"),
        *([(parameter_words(y), "@down")] if y != x else []),
        (parameter_words(value), "@value{0,0.00}"),
        ("sets", "@sets"),
    ]
    drawn = opts(
        hv.HeatMap(cells, axes, ["value", "sets"]), cmap=_colours(palette.loss, palette.panel, palette.profit),
        clim=(-reach, reach), colorbar=True, tools=["hover"], hover_tooltips=tips, colorbar_opts=_bar(palette),
        clabel="", xrotation=0,
    )  # fmt: skip
    if len(cells) > 120:
        return drawn
    worded = cells.assign(
        text=[f"{one:,.0f}" if reach >= 100 else f"{one:.2f}" for one in cells["value"]],
        ink=[palette.panel if abs(one) > 0.6 * reach else palette.text for one in cells["value"]],
    )
    ink = opts(hv.Labels(worded, axes, ["text", "ink"]), text_color="ink", text_font_size="11px")
    return overlay(drawn, ink, legend=False)


def parallel_chart(summary: pd.DataFrame, *, parameters: Sequence[str], value: str, theme: str = "light") -> Drawn:
    """Draw each parameter set as a line across its parameters to the figure it reached, the higher the stronger.

    Every axis runs from its lowest to its highest value; the numbers that were tried stand beside it.

    Raises
    ------
    InputError
        If no set has the figure.
    """
    palette = theme_palette(theme)
    known = summary[summary[value].notna()].sort_values(value, kind="stable")
    if known.empty:
        raise InputError(f"summary.{value}", f"{len(summary)} rows", "at least one that is known")
    if len(known) > MOST_LINES:
        known = known.iloc[np.unique(np.linspace(0, len(known) - 1, MOST_LINES).round().astype(int))]
    varied = [name for name in parameters if summary[name].nunique() > 1] or list(parameters)[:1]
    axes = [*varied, value]
    places = {name: _places(summary[name]) for name in varied}
    heights = [*(known[name].map(places[name]).to_numpy(dtype=float) for name in varied), _scaled(known[value])]
    lines = [
        {"axis": np.arange(len(axes)), "height": np.array(one), "value": float(figure)}
        for one, figure in zip(zip(*heights, strict=True), known[value], strict=True)
    ]
    low, high = float(known[value].min()), float(known[value].max())
    paths = opts(
        hv.Contours(lines, ["axis", "height"], "value"), color="value", cmap=_colours(palette.line, palette.accent),
        clim=(low, high if high > low else low + 1.0), line_width=1.5, line_alpha=0.8, tools=["hover"],
        hover_tooltips=[(parameter_words(value), "@value{0,0.00}")], show_legend=False,
    )  # fmt: skip
    spans = [opts(hv.VLine(place), color=palette.muted, line_width=1) for place in range(len(axes))]
    texts = [(place, height, word) for place, name in enumerate(varied) for word, height in _ticks(places[name])]
    texts += [(len(axes) - 1, height, f"{one:,.2f}") for height, one in ((0.0, low), (1.0, high))]
    words = opts(
        hv.Labels(texts, ["axis", "height"], "text"), text_color=palette.text, text_font_size="11px", text_align="left",
        xoffset=0.03,
    )  # fmt: skip
    ticks = [(place, parameter_words(name)) for place, name in enumerate(axes)]
    drawn = overlay(paths, *spans, words, legend=False, y_range=(-0.08, 1.08))
    return drawn.opts(xticks=ticks, yticks=0, xlim=(-0.15, len(axes) - 0.55), hooks=[_bare(palette)], clone=True)


def _bare(palette: Palette) -> Callable[[Any, Any], None]:
    """Return what takes away the numbers of the first axis, and keeps those beside the others apart from the lines."""

    def hook(plot: Any, _: Any) -> None:
        figure = plot.state
        figure.yaxis.ticker = FixedTicker(ticks=[])
        figure.grid.visible = False
        for one in figure.renderers:
            if isinstance(getattr(one, "glyph", None), Text):
                one.glyph.update(background_fill_color=palette.panel, background_fill_alpha=0.8, padding=2)

    return hook


def _ordered(column: pd.Series) -> list[Any]:
    return sorted(column.dropna().unique(), key=lambda one: (isinstance(one, str), one))


def _places(column: pd.Series) -> dict[Any, float]:
    values = _ordered(column)
    if all(isinstance(one, str) for one in values) or len(values) == 1:
        return {one: place / max(len(values) - 1, 1) for place, one in enumerate(values)}
    low, high = float(values[0]), float(values[-1])
    return {one: (float(one) - low) / (high - low) for one in values}


def _ticks(places: dict[Any, float]) -> list[tuple[str, float]]:
    every = max(1, len(places) // 8)
    return [(_words(one), height) for one, height in list(places.items())[::every]]


def _scaled(column: pd.Series) -> np.ndarray:
    span = float(column.max() - column.min()) or 1.0
    scaled: np.ndarray = ((column - column.min()) / span).to_numpy(dtype=float)
    return scaled


def _words(value: Any) -> str:
    if isinstance(value, str):
        return value.replace("_", " ")
    number = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return number.replace("-", "\N{MINUS SIGN}")


def parameter_words(name: str) -> str:
    """Return the last parts of a parameter's path: ``legs.short_put.rule.target`` is ``short put target``."""
    parts = [part for part in str(name).split(".") if part not in ("legs", "rule", "exits")]
    return " ".join(parts).replace("_", " ")


def _colours(*knots: str, steps: int = 33) -> list[str]:
    """Return colours on the way through some of them."""
    channels = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in knots])
    way, stops = np.linspace(0, len(knots) - 1, steps), range(len(knots))
    mixed = np.stack([np.interp(way, stops, channels[:, part]) for part in range(3)], axis=1)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.round(mixed).astype(int).tolist()]


def _bar(palette: Palette) -> dict[str, Any]:
    return {
        "background_fill_color": palette.panel, "major_label_text_color": palette.muted, "width": 10,
        "bar_line_color": None, "major_tick_line_color": None, "major_label_text_font_size": "11px",
    }  # fmt: skip
