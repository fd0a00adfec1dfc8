"""Trades as points and bars: what they made, how long it took, how far they went, and why they ended."""

from __future__ import annotations

import holoviews as hv
import pandas as pd

from bifrost_lib.core.errors import UnknownNameError
from bifrost_lib.views.formats import usd
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.palette import theme_palette

#: What profit can be drawn against: the label of the axis.
AGAINST = {"days": "days in trade", "open_iv": "implied volatility at entry, %"}
_DAY_S = 86_400
#: The names of more bars than these would run into each other.
_UPRIGHT = 3


def trade_chart(trades: pd.DataFrame, *, against: str = "days", theme: str = "light") -> Drawn:
    """Draw each trade's net profit ($) against the days it was held or the volatility at its entry (%).

    Parameters
    ----------
    trades : DataFrame
        `opened`, `closed` (aware), `pnl`, `reason`, and `open_iv` where that is asked for. Trades without a result are
        left out.
    against : {"days", "open_iv"}
    """
    if against not in AGAINST:
        raise UnknownNameError("against", against, AGAINST)
    shown = ended(trades)
    over = 100 * shown["open_iv"] if against == "open_iv" else shown["days"]
    points = shown.assign(over=over)[["over", "pnl", "when", "days", "reason"]].dropna()
    tips = [("", "@when"), ("profit", "@pnl{0,0.00} $"), ("ended", "@reason, @days{0} d")]
    return _won_and_lost(points, "over", "pnl", tips, theme)


def excursion_chart(trades: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw how far each trade was ahead (MFE, $) against how far it was behind (MAE, $) on its way."""
    points = ended(trades)[["mae", "mfe", "pnl", "when", "reason"]].dropna()
    tips = [("", "@when"), ("worst", "@mae{0,0} $"), ("best", "@mfe{0,0} $"), ("profit", "@pnl{0,0} $, @reason")]
    return _won_and_lost(points, "mae", "mfe", tips, theme)


def exits_chart(trades: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw the sum of profits ($) by the reason for which trades ended."""
    palette, shown = theme_palette(theme), ended(trades)
    sums = shown.groupby("reason")["pnl"].agg(["sum", "size", "mean"]).sort_values("size", ascending=False)
    rows = sums.reset_index().assign(
        named=[f"{reason} · {size}" for reason, size in zip(sums.index, sums["size"], strict=True)],
        colour=[palette.profit if total >= 0 else palette.loss for total in sums["sum"]],
        each=[usd(mean, signed=True) for mean in sums["mean"]],
    )
    tips = [("", "@reason"), ("trades", "@size"), ("sum", "@sum{0,0} $"), ("mean", "@each")]
    return bars(rows, "named", "sum", ["size", "each", "reason"], tips, theme)


def bars(rows: pd.DataFrame, over: str, value: str, told: list[str], tips: list[tuple[str, str]], theme: str) -> Drawn:
    """Draw one bar a row in the row's `colour`, with a line at zero."""
    palette = theme_palette(theme)
    drawn = opts(
        hv.Bars(rows[[over, value, *told, "colour"]], over, [value, *told, "colour"]), color="colour", line_color=None,
        bar_width=0.62, xrotation=30 if len(rows) > _UPRIGHT else 0, tools=["hover"], hover_tooltips=tips,
        fill_alpha=0.85, show_legend=False,
    )  # fmt: skip
    return overlay(drawn, opts(hv.HLine(0.0), color=palette.muted, line_width=1, line_dash="dotted"), legend=False)


def ended(trades: pd.DataFrame) -> pd.DataFrame:
    """Return the trades that have a result, with `days` held, `when` they were opened and `reason` in words."""
    known = trades[trades["pnl"].notna()]
    seconds = (known["closed"] - known["opened"]).dt.total_seconds()
    return known.assign(
        days=seconds / _DAY_S, when=known["opened"].dt.strftime("%-d %b %Y"),
        reason=known["reason"].astype(str).str.replace("_", " "),
    )  # fmt: skip


def _won_and_lost(points: pd.DataFrame, over: str, value: str, tips: list[tuple[str, str]], theme: str) -> Drawn:
    palette = theme_palette(theme)
    rest = [name for name in points.columns if name not in (over, value)]
    parts = [
        opts(
            hv.Scatter(rows, over, [value, *rest], label=label),
            color=colour,
            marker=marker,
            size=6,
            alpha=0.75,
            tools=["hover"],
            hover_tooltips=tips,
        )
        for label, colour, marker, rows in (
            ("won", palette.profit, "circle", points[points["pnl"] > 0]),
            ("lost", palette.loss, "triangle", points[points["pnl"] <= 0]),
        )
    ]
    return overlay(opts(hv.HLine(0.0), color=palette.muted, line_width=1, line_dash="dotted"), *parts)
