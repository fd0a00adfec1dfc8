"""Trades and their legs as grids."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from bifrost_lib.core.calendar import EXCHANGE_TZ
from bifrost_lib.views.formats import MINUS, MISSING, TIMES, day, money, plain, strike_text
from bifrost_lib.views.live.tables import GridTable, column

#: More rows than these are in the file only: a browser would grow slow.
MOST = 400
_WAYS = {"expired": "muted", "open": "warn"}


def trades_grid(trades: pd.DataFrame, legs: pd.DataFrame, *, most: int = MOST) -> GridTable:
    """Return trades as a grid, the newest first; a row's key is the trade's row.

    Parameters
    ----------
    trades, legs : DataFrame
        As a backtest's result has them.
    most : int
        Rows shown.
    """
    columns = [
        column("Opened", text=True), column("Closed", text=True), column("Symbol", text=True),
        column("Legs", text=True, help="per unit, as they were opened, after shares"), column("Units"), column("Days"),
        column("Premium", "$", help="received (+) or paid, rolls included"),
        column("P&L", "$", help="net of commissions"), column("Worst", "$", help="MAE: furthest behind on the way"),
        column("Best", "$", help="MFE: furthest ahead on the way"), column("Margin", "$"),
        column("Ended", text=True), column("Carried", help="moments without a price for a leg"),
    ]  # fmt: skip
    words = _legs_words(legs)
    shown = trades.iloc[::-1].head(most)
    rows = [
        {"key": str(place), "cells": _trade(row, " ".join(_shares_words(row) + words.get(place, [])) or MISSING)}
        for place, row in zip(shown.index, shown.to_dict("records"), strict=True)
    ]
    cut = f", the newest {most:,} shown" if len(trades) > most else ""
    table: GridTable = {"columns": columns, "rows": rows, "caption": f"Trades · {len(trades):,}{cut}"}
    text = "No trade was entered: the reasons of the skipped sessions say why."
    return table if rows else table | {"notice": {"kind": "empty", "text": text}}


def legs_grid(legs: pd.DataFrame, *, caption: str = "Legs") -> GridTable:
    """Return the legs of one trade as a grid, each with its fills."""
    columns = [
        column("Leg", text=True), column("", text=True), column("Qty", help="contracts of a unit"),
        column("Strike", "$"),
        column("Expiry", text=True), column("Class", text=True), column("Opened", text=True), column("at", "$"),
        column("Delta", help="at entry"), column("Closed", text=True), column("at", "$"),
    ]  # fmt: skip
    rows = [{"cells": _leg(row)} for row in legs.to_dict("records")]
    table: GridTable = {"columns": columns, "rows": rows, "caption": caption}
    return table if rows else table | {"notice": {"kind": "empty", "text": "Choose a trade to see its fills."}}


def _trade(row: Mapping[Any, Any], legs: str) -> list[Any]:
    held = (row["closed"] - row["opened"]).total_seconds() / 86_400
    reason = str(row["reason"]).replace("_", " ")
    ended = {
        "text": reason,
        "title": reason,
        "kind": "bad" if reason.startswith("unpriceable") else _WAYS.get(reason, ""),
    }
    carried = int(row.get("carried", 0))
    return [
        _session(row["opened"]), _session(row["closed"]), str(row["symbol"]), {"text": legs, "title": legs},
        f"{row['units']:,.0f}", plain(held, decimals=0), money(row["premium"], signed=True), profit(row["pnl"]),
        money(row["mae"]), money(row["mfe"]), money(row["margin"]), ended,
        {"text": f"{carried:,}", "kind": "warn" if carried else "muted"},
    ]  # fmt: skip


def _leg(row: Mapping[Any, Any]) -> list[Any]:
    is_stock = row["right"] == "S"
    return [
        str(row["leg"]).replace("_", " "), {"C": "call", "P": "put", "S": "stock"}[row["right"]],
        f"{row['qty']:+,.0f}".replace("-", MINUS), MISSING if is_stock else strike_text(float(row["strike"])),
        MISSING if is_stock else day(row["expiry"]), str(row["trading_class"]) or MISSING, _session(row["opened"]),
        plain(row["open_price"]), plain(row["open_delta"]), _session(row["closed"]), plain(row["close_price"]),
    ]  # fmt: skip


def profit(value: float) -> Any:
    """Return an amount ($) as a cell coloured by its sign."""
    text = money(value, decimals=0, signed=True)
    return text if text == MISSING else {"text": text, "kind": "good" if value > 0 else "bad" if value < 0 else "muted"}


def _session(moment: Any) -> str:
    return MISSING if pd.isna(moment) else day(moment.tz_convert(EXCHANGE_TZ))


def _shares_words(row: Mapping[Any, Any]) -> list[str]:
    shares = row.get("shares", 0.0)  # runs that were kept early do not say
    if not shares:
        return []
    return [f"{'+' if shares > 0 else MINUS}{abs(shares) / row['units']:,g} shares"]


def _legs_words(legs: pd.DataFrame) -> dict[Any, list[str]]:
    """Return the legs with which each trade began, in order of strike."""
    found: dict[Any, list[str]] = {}
    for place, rows in legs.sort_values(["trade", "opened", "strike"], kind="stable").groupby("trade", sort=False):
        first = rows[rows["opened"] == rows["opened"].iloc[0]]
        found[place] = [_word(row) for row in first.to_dict("records")]
    return found


def _word(row: Mapping[Any, Any]) -> str:
    sign, size = ("+" if row["qty"] > 0 else MINUS), abs(row["qty"])
    count = "" if size == 1 else f"{size:g}{TIMES}"
    return (
        f"{sign}{count}stock"
        if row["right"] == "S"
        else f"{sign}{count}{strike_text(float(row['strike']))}{row['right']}"
    )
