"""A chain's expiration as a ladder: what each cell says, and which cells differ from the last picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.core.errors import InputError
from bifrost_lib.views.formats import MINUS, MISSING, money, percent, plain, strike_text


@dataclass(frozen=True)
class LadderColumn:
    """One column of either side, from the outside inward."""

    name: str
    title: str
    unit: str
    help: str


LADDER_COLUMNS: tuple[LadderColumn, ...] = (
    LadderColumn("open_interest", "OI", "", "open contracts after the previous session"),
    LadderColumn("volume", "Vol", "", "contracts traded in the session so far"),
    LadderColumn("mid_change", "Chg", "$", "change of the mid since the chosen time"),
    LadderColumn("iv", "IV", "%", "implied volatility of the mid, annual"),
    LadderColumn("delta", "\N{GREEK CAPITAL LETTER DELTA}", "", "change of the price per 1.00 of spot"),
    LadderColumn("bid", "Bid", "$", "best bid, per share"),
    LadderColumn("mid", "Mid", "$", "halfway between bid and ask"),
    LadderColumn("ask", "Ask", "$", "best ask, per share"),
)
_NAMES = [column.name for column in LADDER_COLUMNS]
_WORDS = {
    "no_quote": "neither bid nor ask",
    "one_sided": "one side is not quoted",
    "crossed": "bid above ask",
    "stale": "older than the rest of the chain",
    "below_intrinsic": "mid below intrinsic value",
    "above_maximum": "mid above the most it can be worth",
    "no_iv": "the price tells nothing about volatility",
    "no_forward": "no forward is implied",
    "no_spot": "price of the underlying unknown",
}
_COLUMNS = [{"name": one.name, "title": one.title, "unit": one.unit, "help": one.help} for one in LADDER_COLUMNS]


def ladder_table(rows: pd.DataFrame, *, spot: float, key: str) -> dict[str, Any]:
    """Return what the `Ladder` component draws.

    Parameters
    ----------
    rows : DataFrame
        One expiration: CHAIN_COLUMNS and `mid_change`.
    spot : float
        The row at which the underlying stands is marked; NaN marks none.
    key : str
        What is shown; a ladder with the key of the one before keeps its place.

    Raises
    ------
    InputError
        If a column is missing, or the rows are of several expirations.
    """
    _check(rows)
    classes = rows["trading_class"].astype(str).unique()
    wide = _wide(rows)
    lines = [_line(row, spot=spot, several=len(classes) > 1) for row in wide.to_dict("records")]
    return {"key": key, "columns": _COLUMNS, "rows": lines, "spot_row": spot_row(wide, spot)}


def ladder_notice(kind: str, title: str, text: str) -> dict[str, Any]:
    """Return what the component shows where no chain can be: `kind` is empty, loading or error."""
    return {"key": "", "columns": [], "rows": [], "notice": {"kind": kind, "title": title, "text": text}}


def ladder_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    """Return the cells of `new` that differ from `old`; None where the ladders do not have the same rows.

    Returns
    -------
    dict
        `cells`: lists of row, column (calls from the outside inward, then puts from the inside outward) and text;
        `spot_row` where that moved.
    """
    if [old["key"], len(old["rows"])] != [new["key"], len(new["rows"])] or old.get("notice"):
        return None
    cells = []
    for place, (before, after) in enumerate(zip(old["rows"], new["rows"], strict=True)):
        if any(before[name] != after[name] for name in ("strike", "inside", "dim", "why")):
            return None
        if before["cells"] != after["cells"]:
            both = enumerate(zip(before["cells"], after["cells"], strict=True))
            cells += [[place, column, text] for column, (was, text) in both if was != text]
    found: dict[str, Any] = {"cells": cells}
    if old["spot_row"] != new["spot_row"]:
        found["spot_row"] = new["spot_row"]
    return found


def spot_row(wide: pd.DataFrame, spot: float) -> int:
    """Return the first row whose strike is not below `spot`; one past the last where all are, -1 without a spot."""
    return -1 if np.isnan(spot) else int(np.searchsorted(wide["strike"].to_numpy(), spot))


def _check(rows: pd.DataFrame) -> None:
    for name in (*_NAMES, "strike", "right", "trading_class", "expiry", "quality"):
        if name not in rows.columns:
            raise InputError(f"rows.{name}", list(rows.columns), "this column to be present")
    if rows["expiry"].nunique() > 1:
        raise InputError("rows.expiry", rows["expiry"].nunique(), "the rows of one expiration")


def _wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a strike and class, with the columns of the call prefixed C and those of the put P."""
    sides = []
    for right in ("C", "P"):
        side = rows.loc[(rows["right"] == right).to_numpy(), ["strike", "trading_class", *_NAMES, "quality"]]
        side = side.assign(trading_class=side["trading_class"].astype(str), quality=side["quality"].astype(str))
        sides.append(side.rename(columns={name: f"{right} {name}" for name in (*_NAMES, "quality")}))
    wide: pd.DataFrame = sides[0].merge(sides[1], on=["strike", "trading_class"], how="outer")
    return wide.sort_values(["strike", "trading_class"], ignore_index=True)


def _line(row: dict[Any, Any], *, spot: float, several: bool) -> dict[str, Any]:
    strike = row["strike"]
    return {
        "strike": f"{strike_text(strike)} {row['trading_class']}" if several else strike_text(strike),
        "cells": [
            *(cell_text(name, row[f"C {name}"]) for name in _NAMES),
            *(cell_text(name, row[f"P {name}"]) for name in reversed(_NAMES)),
        ],
        "inside": [bool(strike < spot), bool(strike > spot)],
        "dim": [isinstance(row[f"{right} quality"], str) and row[f"{right} quality"] != "ok" for right in ("C", "P")],
        "why": [_why(row[f"{right} quality"]) for right in ("C", "P")],
    }


def _why(quality: Any) -> str:
    if not isinstance(quality, str):
        return "not listed"
    return "" if quality == "ok" else _WORDS.get(quality, quality)


def cell_text(name: str, value: float) -> str:
    """Return the text of one cell."""
    if name in ("open_interest", "volume"):
        return money(value)
    if name == "iv":
        return percent(value)
    if name != "mid_change":
        return plain(value)
    if np.isnan(value):
        return MISSING
    text = f"{value:+,.2f}".replace("-", MINUS)
    return "0.00" if text[1:] == "0.00" else text


def csv_text(rows: pd.DataFrame, columns: Sequence[str]) -> str:
    """Return rows as CSV: full precision, missing numbers empty, times with their offset at the exchange."""
    shown = rows[list(columns)].copy()
    if "ts" in shown:
        shown["ts"] = shown["ts"].dt.tz_convert(EXCHANGE_TZ).map(lambda moment: moment.isoformat())
    if "expiry" in shown:
        shown["expiry"] = shown["expiry"].dt.strftime("%Y-%m-%d")
    return str(shown.to_csv(index=False))
