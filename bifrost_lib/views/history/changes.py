"""What moved between two moments: a map over expiry and moneyness, and the contracts that moved most."""

from __future__ import annotations

from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.views.formats import day, percent, plain, signed, strike_text
from bifrost_lib.views.history.drawing import Drawn, opts
from bifrost_lib.views.live.tables import column
from bifrost_lib.views.palette import theme_palette

#: What can be mapped: title, unit, factor, and how its cells are joined.
MAPPED: dict[str, tuple[str, str, float, str]] = {
    "iv": ("implied volatility", "volatility points", 100.0, "mean"),
    "open_interest": ("open interest", "contracts", 1.0, "sum"),
}
#: Strikes are gathered in steps of this share of spot.
STEP = 0.025
#: Nearer to 0 or 1 the quotes say more about the tick than about volatility.
LEAST_DELTA = 0.05
_REACH = 0.20


def changes_chart(changes: pd.DataFrame, *, measure: str = "iv", theme: str = "light") -> Drawn:
    """Map the change of a measure over expiry and strike, calls and puts together.

    Parameters
    ----------
    changes : DataFrame
        As `workflows.history.changes_between` returns it.
    measure : {"iv", "open_interest"}
    """
    palette, cells = theme_palette(theme), changed_cells(changes, measure)
    if cells.empty:
        raise InputError("changes", f"{len(changes)} rows", f"at least one near the money with a change of {measure}")
    title, unit, _, _ = MAPPED[measure]
    largest = max(float(cells["change"].abs().quantile(0.98)), 1e-9)
    tips = [("expiry", "@expiry"), ("strike", "@strike of spot"), (title, "@change{+0,0.0} " + unit)]
    bar = {
        "background_fill_color": palette.panel, "major_label_text_color": palette.muted, "width": 10,
        "bar_line_color": None, "major_tick_line_color": None, "title_text_color": palette.muted,
        "title_text_font_size": "11px", "title_text_font_style": "normal", "major_label_text_font_size": "11px",
    }  # fmt: skip
    axes = [hv.Dimension(name, values=cells.attrs[name]) for name in ("strike", "expiry")]
    return opts(
        hv.HeatMap(cells, axes, "change"),
        cmap=_between([palette.loss, palette.panel, palette.profit]), clim=(-largest, largest), colorbar=True,
        clabel=unit, colorbar_opts=bar, tools=["hover"], hover_tooltips=tips, invert_yaxis=True, xrotation=45,
    )  # fmt: skip


def changed_cells(changes: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the mean (volatility) or total (open interest) change of each expiry and step of strikes.

    Returns
    -------
    DataFrame
        `strike` (share of spot), `expiry`, `change`; ``attrs`` hold the values of both axes in their order.
    """
    if measure not in MAPPED:
        raise UnknownNameError("measure", measure, MAPPED)
    _, _, factor, join = MAPPED[measure]
    share = changes["strike"] / changes["spot"] - 1
    kept = changes[(share.abs() <= _REACH + STEP / 2).to_numpy() & changes[f"{measure}_change"].notna().to_numpy()]
    place = np.round((kept["strike"] / kept["spot"] - 1) / STEP).astype(int)
    cells = kept.assign(place=place, change=kept[f"{measure}_change"] * factor)
    joined = cells.groupby(["place", "expiry"])["change"].agg(join).reset_index()
    places, expiries = sorted(set(joined["place"])), sorted(set(joined["expiry"]))
    named = joined.assign(strike=joined["place"].map(_share), expiry=joined["expiry"].map(day))
    found: pd.DataFrame = named[["strike", "expiry", "change"]]
    found.attrs |= {"strike": [_share(one) for one in places], "expiry": [day(one) for one in expiries]}
    return found


def _share(place: int) -> str:
    return f"{(1 + place * STEP) * 100:.1f} %"


def changes_grid(changes: pd.DataFrame, *, measure: str = "iv", most: int = 40) -> dict[str, Any]:
    """Return the contracts whose measure moved most, the largest first."""
    if measure not in MAPPED:
        raise UnknownNameError("measure", measure, MAPPED)
    columns = [
        column("Expiry", text=True), column("Strike", "$"), column("", text=True), column("Δ", help="delta now"),
        column("IV", "%"), column("Chg", "pts", help="change of IV"),
        column("OI"), column("Chg", help="change of open interest"),
        column("Mid", "$"), column("Chg", "$", help="change of the mid"),
    ]  # fmt: skip
    told = changes[
        changes["delta"].abs().between(LEAST_DELTA, 1 - LEAST_DELTA).to_numpy() & changes[f"{measure}_change"].notna()
    ]
    ranked = told.loc[told[f"{measure}_change"].abs().sort_values(ascending=False).index[:most]]
    rows = []
    for row in ranked.to_dict("records"):
        vol, held = row["iv_change"] * 100, row["open_interest_change"]
        rows.append(
            {
                "cells": [
                    day(row["expiry"]), strike_text(row["strike"]), str(row["right"]), plain(row["delta"]),
                    percent(row["iv"]), _coloured(vol), plain(row["open_interest"], decimals=0), _coloured(held, 0),
                    plain(row["mid"]), signed(row["mid_change"], decimals=2),
                ]
            }
        )  # fmt: skip
    table: dict[str, Any] = {"columns": columns, "rows": rows, "caption": f"Largest changes of {MAPPED[measure][0]}"}
    return table if rows else table | {"notice": {"kind": "empty", "text": "Nothing moved between these moments."}}


def _coloured(value: float, decimals: int = 1) -> dict[str, str]:
    return {
        "text": signed(value, decimals=decimals),
        "kind": "" if not abs(value) > 0 else "up" if value > 0 else "down",
    }


def _between(colours: list[str], steps: int = 33) -> list[str]:
    """Return colours on the way through three of them."""
    knots = np.array([[int(colour[place : place + 2], 16) for place in (1, 3, 5)] for colour in colours])
    mixed = np.stack([np.interp(np.linspace(0, 2, steps), (0, 1, 2), knots[:, part]) for part in range(3)], axis=1)
    return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in np.round(mixed).astype(int).tolist()]
