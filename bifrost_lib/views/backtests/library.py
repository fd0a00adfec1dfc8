"""What a library of backtests answers: documents with how sure their figures are, and the symbols that it rests on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import holoviews as hv
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.backtests.grids import parameter_words
from bifrost_lib.views.backtests.overfitting import chance_kind
from bifrost_lib.views.formats import MISSING, money, percent, plain
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.live.tables import GridTable, column
from bifrost_lib.views.palette import theme_palette

#: With more documents than these a picture's lines touch.
MOST_DRAWN = 20


def worked_grid(table: pd.DataFrame, *, sample: str = "out", thin: int = 0, caption: str = "") -> GridTable:
    """Return what did best as a grid, its place in the answer first; all figures are after fills and commission.

    Parameters
    ----------
    table : DataFrame
        Best first: `strategy`, `parameters` (mapping), `symbols`, `priced`, `win_rate`, `return_mean` (of margin, a
        trade), `pnl_mean`, `pnl_worst`, `days_mean`, `deflated_sharpe`, `overfitting`, `return_mean_in` (of the other
        sample); ``_low`` and ``_high`` are the ends of an interval of 95 %.
    sample : {"out", "in"}
        Of the figures.
    thin : int
        Documents that had too few trades to be in it.
    """
    other = "in sample" if sample == "out" else "out of sample"
    columns = [
        column("#"), column("Strategy", text=True), column("With", text=True),
        column("Symbols", help="on which it traded"), column("Trades", help="that ended at a price"),
        column("Won", "%"), column("95 %", text=True, help="interval of the share won"),
        column("Return", "% of margin", help="mean of a trade, after fills and commission"),
        column("95 %", text=True, help="interval of the mean return"),
        column("Other sample", "%", help=f"mean return {other}"), column("P&L", "$", help="mean of a trade"),
        column("Worst", "$"), column("Held", "days"),
        column("Not luck", "%", help="probability that it beats the best of as many without skill"),
        column("Overfit", "%", help="chance that the best of all in one half is below the median in the other"),
    ]  # fmt: skip
    rows = [{"cells": _worked(place + 1, row)} for place, row in enumerate(table.to_dict("records"))]
    grid: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    if rows:
        return grid
    few = f"All {thin:,} documents have too few trades here: ask for fewer, for any regime, or for more symbols."
    return grid | {"notice": {"kind": "empty", "text": few}}


def likeness_grid(symbols: pd.DataFrame) -> GridTable:
    """Return the symbols that answered, the most alike first, with what they are compared by.

    Parameters
    ----------
    symbols : DataFrame
        `symbol`, `distance` (NaN where nobody asked for likeness), `iv`, `realized_vol`, `skew`, `term_slope`,
        `vol_of_iv`, `spread`.
    """
    columns = [
        column("Symbol", text=True), column("Distance", help="0 is the same; in units of how symbols differ"),
        column("IV", "%"), column("Realised", "%"), column("Skew", "pts"), column("Term", "pts", help="slope of IV"),
        column("Vol of IV", "%"), column("Spread", "%", help="of the mid price"),
    ]  # fmt: skip
    rows = [
        {"cells": [
            str(row["symbol"]), plain(row["distance"]),
            *(percent(row[name]) for name in ("iv", "realized_vol", "skew", "term_slope", "vol_of_iv", "spread")),
        ]}
        for row in symbols.to_dict("records")
    ]  # fmt: skip
    return {"columns": columns, "rows": rows, "caption": f"Symbols that answer · {len(symbols)}"}


def worked_chart(table: pd.DataFrame, *, theme: str = "light") -> Drawn:
    """Draw the mean return of a trade (% of margin) of the best documents with its interval, by their places.

    A ring is the mean of the other sample: where it lies far away, the choice did not hold.

    Raises
    ------
    InputError
        If no document has an interval.
    """
    palette = theme_palette(theme)
    shown = table.head(MOST_DRAWN)
    rows = pd.DataFrame({
        "place": range(1, len(shown) + 1), "name": [document_words(row) for row in shown.to_dict("records")],
        **{name: 100 * shown[name].to_numpy(dtype=float)
           for name in ("return_mean", "return_low", "return_high", "return_mean_in")},
    })  # fmt: skip
    known = rows.dropna(subset=["return_mean", "return_low", "return_high"])
    if known.empty:
        raise InputError("table", f"{len(table)} documents", "at least one with an interval")
    tips = [("", "@name"), ("return", "@return_mean{0.0} % (@return_low{0.0} to @return_high{0.0})")]
    tips.append(("other sample", "@return_mean_in{0.0} %"))
    ends = known.assign(
        low=known["return_mean"] - known["return_low"], high=known["return_high"] - known["return_mean"]
    )
    bars = opts(
        hv.ErrorBars(ends[["place", "return_mean", "low", "high"]], "place", ["return_mean", "low", "high"]),
        line_color=palette.muted, line_width=1.4, upper_head=None, lower_head=None,
    )  # fmt: skip
    facts = ["return_mean", "name", "return_low", "return_high", "return_mean_in"]
    points = [
        opts(hv.Scatter(part, "place", facts, label=label), color=colour, size=8, tools=["hover"], hover_tooltips=tips)
        for label, colour, part in (
            ("above zero", palette.profit, known[known["return_low"] > 0]),
            ("zero lies inside", palette.warn, known[(known["return_low"] <= 0) & (known["return_high"] >= 0)]),
            ("below zero", palette.loss, known[known["return_high"] < 0]),
        )
        if len(part)
    ]  # fmt: skip
    rings = opts(
        hv.Scatter(known.dropna(subset="return_mean_in"), "place", "return_mean_in", label="other sample"),
        fill_alpha=0.0, line_color=palette.accent, line_width=1.5, size=8,
    )  # fmt: skip
    zero = opts(hv.HLine(0.0), color=palette.muted, line_width=1, line_dash="dotted")
    ticks = [(place, str(place)) for place in known["place"]]
    drawn = overlay(zero, bars, rings, *points)
    return drawn.opts(xticks=ticks, xlim=(0.4, len(shown) + 0.6), clone=True)


def document_words(row: Mapping[Any, Any]) -> str:
    """Return a document of a library in words: its strategy, and what was varied of it."""
    varied = varied_words(row["parameters"])
    name = str(row["strategy"]).replace("_", " ")
    return f"{name} with {varied}" if varied else name


def varied_words(parameters: Mapping[str, Any] | None) -> str:
    """Return what was varied of a document: ``dte target 30, take profit share 0.5``."""
    return ", ".join(f"{parameter_words(path)} {_value(value)}" for path, value in (parameters or {}).items())


def _worked(place: int, row: Mapping[Any, Any]) -> list[Any]:
    low, high = row["return_low"], row["return_high"]
    kind = "" if math.isnan(low) else "good" if low > 0 else "bad" if high < 0 else ""
    inside = "" if math.isnan(low) or not low <= 0 <= high else "zero lies inside: luck alone explains it"
    varied = varied_words(row["parameters"])
    return [
        str(place), str(row["strategy"]).replace("_", " "), {"text": varied or MISSING, "title": varied},
        f"{int(row['symbols'])}", f"{int(row['priced']):,}",
        percent(row["win_rate"], decimals=0), _span(row["win_rate_low"], row["win_rate_high"], decimals=0),
        {"text": percent(row["return_mean"]), "kind": kind},
        {"text": _span(low, high), "kind": "warn" if inside else "muted", "title": inside},
        {"text": percent(row["return_mean_in"]), "kind": "muted"},
        money(row["pnl_mean"]), money(row["pnl_worst"]), plain(row["days_mean"], decimals=0),
        _chance("deflated_sharpe", row["deflated_sharpe"]), _chance("pbo", row["overfitting"]),
    ]  # fmt: skip


def _chance(figure: str, value: float) -> Any:
    text = percent(value, decimals=0)
    return {"text": text, "kind": "muted" if text == MISSING else chance_kind(figure, float(value))}


def _span(low: float, high: float, *, decimals: int = 1) -> str:
    known = not (math.isnan(low) or math.isnan(high))
    return f"{percent(low, decimals=decimals)} to {percent(high, decimals=decimals)}" if known else MISSING


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "\N{MINUS SIGN}")
    return str(value) if isinstance(value, str | int) else json.dumps(value)
