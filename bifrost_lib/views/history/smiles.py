"""Smiles and term structures of several sessions in one picture."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import day, percent
from bifrost_lib.views.history.drawing import Drawn, opts, overlay
from bifrost_lib.views.live.tables import column
from bifrost_lib.views.palette import theme_palette

#: One colour for each place in the list of sessions; the newest is drawn in the theme's accent.
_LIGHT = ("#5b6878", "#0d7f5f", "#9a6400", "#7a3fb5", "#c0342b", "#2a8fa8")
_DARK = ("#97a4b5", "#3fc79a", "#f0b64a", "#c79bff", "#ff7b6e", "#63c7de")


def smiles_chart(smiles: pd.DataFrame, *, chosen: str = "", theme: str = "light") -> Drawn:
    """Draw volatility (%) over strike as a share of the forward (%), one line a session.

    Parameters
    ----------
    smiles : DataFrame
        As `workflows.history.smiles_through_time` returns it.
    chosen : str
        The session that stands out, with its quotes; default: the first.
    """
    shown = smiles.assign(moneyness=smiles["moneyness"] * 100, iv=smiles["iv"] * 100)
    tips = [("", "@when"), ("strike", "@strike{0,0.##} @right, @moneyness{0.0} % of the forward"), ("IV", "@iv{0.0} %")]
    columns = ["iv", "when", "strike", "right"]
    return _session_lines(shown.astype({"right": str}), "moneyness", columns, tips, chosen, theme)


def terms_chart(terms: pd.DataFrame, *, chosen: str = "", theme: str = "light") -> Drawn:
    """Draw volatility at the money (%) over calendar days to expiry, one line a session."""
    shown = terms.assign(iv=terms["iv"] * 100, until=[day(expiry) for expiry in terms["expiry"]])
    tips = [("", "@when"), ("expiry", "@until, @dte d"), ("IV", "@iv{0.0} %")]
    return _session_lines(shown, "dte", ["iv", "when", "until"], tips, chosen, theme)


def _session_lines(
    shown: pd.DataFrame, over: str, columns: list[str], tips: list[Any], chosen: str, theme: str
) -> Drawn:
    names = list(dict.fromkeys(shown["when"]))
    parts: list[Drawn] = []
    last: list[Drawn] = []
    for name, colour in zip(names, session_colours(len(names), theme), strict=False):
        rows = shown[shown["when"] == name][[over, *columns]]
        stands_out = name == (chosen if chosen in names else names[0])
        width = 2.2 if stands_out else 1.3
        line = opts(hv.Curve(rows, over, columns, label=name), color=colour, line_width=width)
        dots = opts(
            hv.Scatter(rows, over, columns, label=name), color=colour, size=4 if stands_out else 3, tools=["hover"],
            hover_tooltips=tips,
        )  # fmt: skip
        (last if stands_out else parts).extend([line, dots])
    return overlay(*parts, *last)


def session_colours(count: int, theme: str) -> list[str]:
    """Return the colours of sessions in their order."""
    ramp = _DARK if theme == "dark" else _LIGHT
    return [theme_palette(theme).accent, *(ramp[place % len(ramp)] for place in range(max(count - 1, 0)))]


def smiles_grid(summary: pd.DataFrame) -> dict[str, Any]:
    """Return `workflows.history.smile_summary` as a grid; a row can be chosen."""
    columns = [
        column("Session", text=True), column("", text=True), column("Expiry", text=True), column("Days"),
        column("IV", "%", help="at the money"), column("25P", "%", help="25-delta put"),
        column("25C", "%", help="25-delta call"), column("Skew", "pts", help="25-delta put less call"),
    ]  # fmt: skip
    rows = []
    for row in summary.to_dict("records"):
        local = row["ts"].astimezone(EXCHANGE_TZ)
        numbers = [percent(row[name]) for name in ("iv", "put_25", "call_25", "skew")]
        cells = [row["when"], day(local), day(row["expiry"]), f"{row['dte']}", *numbers]
        rows.append({"key": row["when"], "cells": cells})
    return {"columns": columns, "rows": rows, "caption": "Sessions · choose one to bring it forward"}
