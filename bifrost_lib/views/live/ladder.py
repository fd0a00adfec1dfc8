"""A chain's expiration as a ladder: what each cell says, and which cells differ from the last picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.details import DAYS_PER_YEAR
from bifrost_lib.views.formats import MINUS, MISSING, money, percent, plain, strike_text


@dataclass(frozen=True)
class LadderColumn:
    """One column of either side, from the outside inward."""

    name: str
    title: str
    unit: str
    help: str


_IV = LadderColumn("iv", "IV", "%", "implied volatility of the mid, annual")
_DELTA = LadderColumn("delta", "\N{GREEK CAPITAL LETTER DELTA}", "", "change of the price per 1.00 of spot")
_QUOTES = (
    LadderColumn("bid", "Bid", "$", "best bid, per share"),
    LadderColumn("mid", "Mid", "$", "halfway between bid and ask"),
    LadderColumn("ask", "Ask", "$", "best ask, per share"),
)
_MARKET = (
    LadderColumn("open_interest", "OI", "", "open contracts after the previous session"),
    LadderColumn("volume", "Vol", "", "contracts traded in the session so far"),
    LadderColumn("mid_change", "Chg", "$", "change of the mid since the chosen time"),
    _IV,
    _DELTA,
)
_GREEKS = (
    LadderColumn("vega", "Vega", "$", "change of the price per volatility point, per share"),
    LadderColumn("theta", "\N{GREEK CAPITAL LETTER THETA}", "$", "change of the price per calendar day, per share"),
    LadderColumn("gamma", "\N{GREEK CAPITAL LETTER GAMMA}", "", "change of delta per 1.00 of spot"),
    _DELTA,
    _IV,
)
#: What a ladder can show beside the quotes, from the outside inward.
LADDERS: dict[str, tuple[LadderColumn, ...]] = {"Market": _MARKET, "Greeks": _GREEKS}
#: From the frame's units to those of a cell, and how many decimals it has.
_SCALES = {"gamma": (1.0, 4), "theta": (1 / DAYS_PER_YEAR, 3), "vega": (0.01, 3)}
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


def ladder_table(rows: pd.DataFrame, *, spot: float, key: str, beside: str = "Market") -> dict[str, Any]:
    """Return what the `Ladder` component draws.

    Parameters
    ----------
    rows : DataFrame
        One expiration: CHAIN_COLUMNS and `mid_change`.
    spot : float
        The row at which the underlying stands is marked; NaN marks none.
    key : str
        What is shown; a ladder with the key of the one before keeps its place.
    beside : str
        Which of `LADDERS` stands beside the quotes.

    Raises
    ------
    InputError
        If a column is missing, or the rows are of several expirations.
    """
    # Puts read from the strike outward, but a bid stands left of its ask on either side.
    sides = (*LADDERS[beside], *_QUOTES), (*_QUOTES, *reversed(LADDERS[beside]))
    names = [column.name for column in sides[0]]
    _check(rows, names)
    columns = {name: rows[name].tolist() for name in names} | {"quality": rows["quality"].astype(str).tolist()}
    pairs = _pairs(rows)
    several = rows["trading_class"].nunique() > 1
    lines = []
    for (strike, trading_class), pair in pairs:
        options = [_record(columns, pair.get(right)) for right in "CP"]
        lines.append(_line(strike, trading_class if several else "", options, sides, spot))
    marked = spot_row([strike for (strike, _), _ in pairs], spot)
    return {"key": key, "columns": [asdict(one) for side in sides for one in side], "rows": lines, "spot_row": marked}


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
    same = all(old[name] == new[name] for name in ("key", "columns")) and len(old["rows"]) == len(new["rows"])
    if not same or old.get("notice"):
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


def _check(rows: pd.DataFrame, names: Sequence[str]) -> None:
    for name in (*names, "strike", "right", "trading_class", "expiry", "quality"):
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
        return dict.fromkeys(columns, float("nan")) | {"quality": None}
    return {name: values[place] for name, values in columns.items()}


def _line(
    strike: float,
    trading_class: str,
    options: list[dict[str, Any]],
    columns: tuple[tuple[LadderColumn, ...], tuple[LadderColumn, ...]],
    spot: float,
) -> dict[str, Any]:
    both = zip(options, columns, strict=True)
    return {
        "strike": f"{strike_text(strike)} {trading_class}".strip(),
        "cells": [cell_text(column.name, option[column.name]) for option, side in both for column in side],
        "inside": [bool(strike < spot), bool(strike > spot)],
        "dim": [side["quality"] not in (None, "ok") for side in options],
        "why": [_why(side["quality"]) for side in options],
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
    if name in _SCALES:
        scale, decimals = _SCALES[name]
        return plain(value * scale, decimals=decimals)
    if name != "mid_change":
        return plain(value)
    if np.isnan(value):
        return MISSING
    text = f"{value:+,.2f}".replace("-", MINUS)
    return "0.00" if text[1:] == "0.00" else text
