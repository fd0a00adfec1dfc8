"""A chain's expiration as a ladder: what each cell says, and which cells differ from the last picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

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
#: Puts read from the strike outward, but a bid stands left of its ask on either side.
_PUT_NAMES = ["bid", "mid", "ask", *reversed(_NAMES[:-3])]
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
_HEADS = {one.name: asdict(one) for one in LADDER_COLUMNS}
_COLUMNS = [_HEADS[name] for name in (*_NAMES, *_PUT_NAMES)]


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
    columns = {name: rows[name].tolist() for name in _NAMES} | {"quality": rows["quality"].astype(str).tolist()}
    pairs = _pairs(rows)
    several = rows["trading_class"].nunique() > 1
    lines = [
        _line(
            strike, trading_class if several else "", [_record(columns, pair.get(right)) for right in ("C", "P")], spot
        )
        for (strike, trading_class), pair in pairs
    ]
    marked = spot_row([strike for (strike, _), _ in pairs], spot)
    return {"key": key, "columns": _COLUMNS, "rows": lines, "spot_row": marked}


def ladder_notice(kind: str, title: str, text: str) -> dict[str, Any]:
    """Return what the component shows where no chain can be: `kind` is empty, loading or error."""
    return {"key": "", "columns": [], "rows": [], "notice": {"kind": kind, "title": title, "text": text}}


def ladder_patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any] | None:
    """Return the cells of `new` that differ from `old`; None where the ladders do not have the same rows.

    Returns
    -------
    dict
        `cells`: lists of row, column (of the calls, then of the puts, left to right) and text; `spot_row` where that
        moved.
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


def spot_row(strikes: Sequence[float], spot: float) -> int:
    """Return the first row whose strike is not below `spot`; one past the last where all are, -1 without a spot."""
    return -1 if np.isnan(spot) else int(np.searchsorted(strikes, spot))


def _check(rows: pd.DataFrame) -> None:
    for name in (*_NAMES, "strike", "right", "trading_class", "expiry", "quality"):
        if name not in rows.columns:
            raise InputError(f"rows.{name}", list(rows.columns), "this column to be present")
    if rows["expiry"].nunique() > 1:
        raise InputError("rows.expiry", rows["expiry"].nunique(), "the rows of one expiration")


def _pairs(rows: pd.DataFrame) -> list[tuple[tuple[float, str], dict[str, int]]]:
    """Return strike and class, ascending, and where the call and the put stand; faster than joining frames."""
    named = zip(
        rows["strike"].tolist(), rows["trading_class"].astype(str).tolist(), rows["right"].tolist(), strict=True
    )
    pairs: dict[tuple[float, str], dict[str, int]] = {}
    for place, (strike, trading_class, right) in enumerate(named):
        pairs.setdefault((strike, trading_class), {})[right] = place
    return sorted(pairs.items())


def _record(columns: dict[str, list[Any]], place: int | None) -> dict[str, Any]:
    if place is None:
        return dict.fromkeys(_NAMES, float("nan")) | {"quality": None}
    return {name: values[place] for name, values in columns.items()}


def _line(strike: float, trading_class: str, sides: list[dict[str, Any]], spot: float) -> dict[str, Any]:
    call, put = sides
    return {
        "strike": f"{strike_text(strike)} {trading_class}".strip(),
        "cells": [
            *(cell_text(name, call[name]) for name in _NAMES),
            *(cell_text(name, put[name]) for name in _PUT_NAMES),
        ],
        "inside": [bool(strike < spot), bool(strike > spot)],
        "dim": [side["quality"] not in (None, "ok") for side in sides],
        "why": [_why(side["quality"]) for side in sides],
    }


def _why(quality: str | None) -> str:
    if quality is None:
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
