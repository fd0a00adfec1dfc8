"""The builder's pictures, drawn once and then only given new numbers, so that a slider moves them at once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    HoverTool,
    LinearColorMapper,
    NumeralTickFormatter,
    Range1d,
)
from bokeh.models.annotations import BoxAnnotation, ColorBar, LabelSet, Span
from bokeh.palettes import interp_palette

from bifrost_lib.views.charts import blank_chart, style_legend
from bifrost_lib.views.formats import day, plain
from bifrost_lib.views.inputs import Curves, Floats, Surface
from bifrost_lib.views.palette import theme_palette

#: Quantity: title, factor from the library's unit to the one that is shown, axis format.
SHOWN: dict[str, tuple[str, float, str]] = {
    "profit": ("Profit or loss, $", 1.0, "$0,0"),
    "delta": ("Delta, $ per 1.00", 1.0, "0,0.0"),
    "gamma": ("Gamma, delta per 1.00", 1.0, "0,0.00"),
    "theta": ("Theta, $ per day", 1 / 365.0, "0,0.0"),
    "vega": ("Vega, $ per volatility point", 0.01, "0,0.0"),
}
LEAST_HEIGHT = 240
PRICE = "price of the underlying"


class CurveBoard:
    """A quantity over the price of the underlying: at expiry, at the slider's moment, and now."""

    def __init__(self, theme: str) -> None:
        self._palette = palette = theme_palette(theme)
        blank: dict[str, Any] = {name: [] for name in ("spot", "expiry", "then", "now", "gain", "loss", "move")}
        self._lines, self._marks = ColumnDataSource(blank), ColumnDataSource({"spot": [], "zero": [], "text": []})
        self._x, self._y = Range1d(start=0, end=1), Range1d(start=0, end=1)
        self.chart = blank_chart(
            palette,
            height=LEAST_HEIGHT,
            x_label="price of the underlying",
            y_label="",
            x_range=self._x,
            y_range=self._y,
        )
        self.chart.sizing_mode, self.chart.min_height = "stretch_both", LEAST_HEIGHT
        self._band = BoxAnnotation(fill_color=palette.accent, fill_alpha=0.07, line_color=None)
        self._here = Span(dimension="height", line_color=palette.muted, line_dash="dotted")
        for part in (self._band, self._here, Span(location=0, dimension="width", line_color=palette.muted)):
            self.chart.add_layout(part)
        self._draw()

    def _draw(self) -> None:
        palette, source, chart = self._palette, self._lines, self.chart
        chart.varea(x="spot", y1=0, y2="gain", source=source, fill_color=palette.profit, fill_alpha=0.2)
        chart.varea(x="spot", y1=0, y2="loss", source=source, fill_color=palette.loss, fill_alpha=0.16)
        styles: dict[str, dict[str, Any]] = {
            "expiry": {"line_width": 2.2, "line_color": palette.text},
            "now": {"line_width": 1.4, "line_color": palette.muted, "line_dash": [2, 3]},
            "then": {"line_width": 2.2, "line_color": palette.now},
        }
        drawn = {
            name: chart.line("spot", name, source=source, legend_label=name, **style) for name, style in styles.items()
        }
        style_legend(chart, palette)
        items: list[Any] = list(chart.legend[0].items)
        self._names = {item.renderers[0]: item for item in items}
        self._drawn = drawn
        tips = [("price", "@spot{0,0.00} (@move{+0.0}%)"), *((name, f"@{name}{{0,0.00}}") for name in styles)]
        chart.add_tools(HoverTool(renderers=[drawn["then"]], tooltips=tips, mode="vline"))
        chart.scatter(
            "spot", "zero", source=self._marks, size=8, fill_color=palette.panel, line_color=palette.text,
            line_width=1.6,
        )  # fmt: skip
        chart.add_layout(
            LabelSet(
                x="spot", y="zero", text="text", source=self._marks, y_offset=8, text_align="center",
                text_font_size="11px", text_color=palette.text, background_fill_color=palette.panel,
                background_fill_alpha=0.75,
            )
        )  # fmt: skip

    def show(self, curves: Curves, *, spot: float, breakevens: list[float], names: dict[str, str]) -> None:
        """Draw new curves; `names` are what the lines ``expiry``, ``then`` and ``now`` are called."""
        title, scale, pattern = SHOWN[curves.quantity]
        is_profit, frame = curves.quantity == "profit", curves.frame
        then = frame["pnl_then" if is_profit else "then"].to_numpy() * scale
        now = frame["pnl_now" if is_profit else "now"].to_numpy() * scale
        expiry = frame["pnl_at_expiry"].to_numpy() if is_profit else np.full(len(frame), np.nan)
        prices = frame["spot"].to_numpy()
        self._lines.data = {
            "spot": prices, "expiry": expiry, "then": then, "now": now, "gain": np.clip(expiry, 0, None),
            "loss": np.clip(expiry, None, 0), "move": (prices / spot - 1) * 100,
        }  # fmt: skip
        marks = [price for price in breakevens if prices[0] < price < prices[-1]] if is_profit else []
        self._marks.data = {"spot": marks, "zero": [0.0] * len(marks), "text": [plain(price) for price in marks]}
        self._band.left, self._band.right = curves.band
        self._here.location = spot
        self._x.update(start=float(prices[0]), end=float(prices[-1]))
        low, high = _reach(np.concatenate([expiry, then, now]))
        self._y.update(start=low, end=high)
        self.chart.yaxis[0].update(axis_label=title, formatter=NumeralTickFormatter(format=pattern))
        for name, line in self._drawn.items():
            line.visible = is_profit or name != "expiry"
            self._names[line].update(label={"value": names[name]}, visible=line.visible)


class MapBoard:
    """A quantity as colours over the price of the underlying and a second axis; zero is a line."""

    def __init__(self, theme: str) -> None:
        palette = theme_palette(theme)
        self._image = ColumnDataSource({name: [] for name in ("image", "x", "y", "dw", "dh")})
        self._zero = ColumnDataSource({"x": [], "y": []})
        self._x, self._y = Range1d(start=0, end=1), Range1d(start=0, end=1)
        colours = interp_palette((palette.loss, palette.panel, palette.profit), 255)
        self._mapper = LinearColorMapper(palette=colours, low=-1, high=1, nan_color=palette.raised)
        self.chart = chart = blank_chart(
            palette,
            height=LEAST_HEIGHT,
            x_label="price of the underlying",
            y_label="",
            x_range=self._x,
            y_range=self._y,
        )
        chart.sizing_mode, chart.min_height = "stretch_both", LEAST_HEIGHT
        chart.grid.visible = False
        options: Any = {"source": self._image, "color_mapper": self._mapper}  # unknown to the library's own types
        drawn = chart.image(image="image", x="x", y="y", dw="dw", dh="dh", **options)
        chart.scatter("x", "y", source=self._zero, size=2.5, color=palette.text)
        self._here = Span(dimension="height", line_color=palette.text, line_dash="dotted")
        self._then = Span(dimension="width", line_color=palette.now, line_width=2)
        chart.add_layout(self._here)
        chart.add_layout(self._then)
        self._hover = HoverTool(renderers=[drawn], tooltips=[])
        chart.add_tools(self._hover)
        self._bar = ColorBar(
            color_mapper=self._mapper, ticker=BasicTicker(desired_num_ticks=5), width=10, label_standoff=6, padding=4,
            background_fill_color=palette.panel, major_label_text_color=palette.muted,
            major_label_text_font_size="11px",
            bar_line_color=palette.line, major_tick_line_color=palette.line,
        )  # fmt: skip
        chart.add_layout(self._bar, "right")

    def show(self, surface: Surface, *, spot: float, then: float, at: date) -> None:
        """Draw a new map; `then` is where the slider of the second axis stands, `at` the day that days count from."""
        title, scale, pattern = SHOWN[surface.quantity]
        factor = 1.0 if surface.axis == "days" else 100.0
        other, values = surface.other * factor, surface.values * scale
        step_x, step_y = surface.spot[1] - surface.spot[0], other[1] - other[0]
        self._image.data = {
            "image": [values], "x": [surface.spot[0] - step_x / 2], "y": [other[0] - step_y / 2],
            "dw": [step_x * len(surface.spot)], "dh": [step_y * len(other)],
        }  # fmt: skip
        self._zero.data = {"x": surface.zero[0], "y": surface.zero[1] * factor}
        size = float(np.nanmax(np.abs(values))) or 1.0
        self._mapper.update(low=-size, high=size)
        self._x.update(start=float(surface.spot[0]), end=float(surface.spot[-1]))
        self._y.update(start=float(other[0] - step_y / 2), end=float(other[-1] + step_y / 2))
        last = day(at + timedelta(days=round(float(other[-1]))))
        axis = f"days from now; the last is {last}" if surface.axis == "days" else "change of volatility, points"
        self.chart.yaxis[0].axis_label = axis
        self._here.location, self._then.location = spot, then
        self._hover.tooltips = [
            ("price", "$x{0,0.00}"),
            ("in days" if surface.axis == "days" else "IV change, points", "$y{+0.0}"),
            (title.split(",")[0], "@image{0,0.00}"),
        ]
        self._bar.update(formatter=NumeralTickFormatter(format=pattern))


def _reach(values: Floats) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    low, high = min(float(known.min()), 0.0), max(float(known.max()), 0.0)
    span = (high - low) or 1.0
    return low - 0.06 * span, high + 0.14 * span
