"""An account through a backtest: equity with its band, drawdown, and the margin in use."""

from __future__ import annotations

from datetime import date

import holoviews as hv
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.palette import theme_palette

#: The columns of a band that differ by fills alone; all others change costs or the day of entry.
FILLS = ("mid", "realistic", "worst")


def equity_chart(
    equity: pd.DataFrame, bands: pd.DataFrame | None = None, *, hold_out: date | None = None, theme: str = "light"
) -> Drawn:
    """Draw an account's equity ($) inside the band of what other fills, costs and days of entry would have left.

    Parameters
    ----------
    equity : DataFrame
        `ts` (aware, ascending) and `equity`.
    bands : DataFrame, optional
        `ts`, and the equity of each variant: `mid`, `realistic`, `worst`, and any others.
    hold_out : date, optional
        The first day of the hold-out; a line marks it.

    Raises
    ------
    InputError
        If `equity` has no rows.
    """
    palette, shown = theme_palette(theme), _by_day(equity)
    tips = [("", "@day{%d %b %Y}"), ("equity", "@equity{0,0} $")]
    parts: list[Drawn] = []
    if bands is not None and len(bands):
        around = _by_day(bands)
        variants = [name for name in around.columns if name not in ("ts", "day")]
        fills = [name for name in FILLS if name in variants]
        parts = [
            opts(_area(around, names, label), fill_color=palette.accent, fill_alpha=alpha, line_alpha=0.0)
            for names, label, alpha in (
                (variants, "costs and day of entry too", 0.10), (fills, "fills: mid to worst", 0.20),
            )
            if len(names) > 1 and (label.startswith("fills") or set(variants) - set(fills))
        ]  # fmt: skip
    line = opts(
        hv.Curve(shown[["day", "equity"]], "day", "equity", label="equity"), color=palette.accent, line_width=1.8,
        tools=["hover"], hover_tooltips=tips, hover_formatters={"@day": "datetime"}, hover_mode="vline",
    )  # fmt: skip
    if hold_out is not None:
        parts.append(opts(hv.VLine(pd.Timestamp(hold_out)), color=palette.warn, line_width=1.2, line_dash="dashed"))
    start = opts(hv.HLine(float(shown["equity"].iloc[0])), color=palette.muted, line_width=1, line_dash="dotted")
    return overlay(*parts, start, line)


def drawdown_chart(equity: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw how far an account stood below its highest equity so far (%, at most 0)."""
    palette, shown = theme_palette(theme), _by_day(equity)
    below = shown.assign(drawdown=100 * (shown["equity"] / shown["equity"].cummax() - 1))[["day", "drawdown"]]
    tips = [("", "@day{%d %b %Y}"), ("drawdown", "@drawdown{0.0} %")]
    area = opts(hv.Area(below, "day", "drawdown"), fill_color=palette.loss, fill_alpha=0.22, line_alpha=0.0)
    line = opts(
        hv.Curve(below, "day", "drawdown"), color=palette.loss, line_width=1.4, tools=["hover"], hover_tooltips=tips,
        hover_formatters={"@day": "datetime"}, hover_mode="vline",
    )  # fmt: skip
    return overlay(area, line, legend=False)


def margin_chart(equity: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw the margin in use as a share of equity (%), and how many trades were open."""
    palette, shown = theme_palette(theme), _by_day(equity)
    used = shown.assign(used=100 * shown["margin"] / shown["equity"])[["day", "used", "margin", "active"]]
    tips = [("", "@day{%d %b %Y}"), ("margin", "@margin{0,0} $, @used{0.0} % of equity"), ("open trades", "@active")]
    area = opts(hv.Area(used, "day", "used"), fill_color=palette.muted, fill_alpha=0.18, line_alpha=0.0)
    line = opts(
        hv.Curve(used, "day", ["used", "margin", "active"]), color=palette.muted, line_width=1.4,
        interpolation="steps-post", tools=["hover"], hover_tooltips=tips, hover_formatters={"@day": "datetime"},
        hover_mode="vline",
    )  # fmt: skip
    return overlay(area, line, legend=False)


def _by_day(frame: pd.DataFrame) -> pd.DataFrame:
    if frame.empty:
        raise InputError("equity", "0 rows", "at least one session")
    return frame.assign(day=frame["ts"].dt.tz_convert(EXCHANGE_TZ).dt.tz_localize(None).dt.normalize())


def _area(around: pd.DataFrame, names: list[str], label: str) -> Drawn:
    ends = around[["day"]].assign(low=around[names].min(axis=1), high=around[names].max(axis=1))
    return hv.Area(ends, "day", ["low", "high"], label=label)
