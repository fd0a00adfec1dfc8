"""The chain table: calls left, strikes in the middle, puts right."""

from __future__ import annotations

from datetime import date
from html import escape

import pandas as pd

from bifrost_lib.core.errors import InputError
from bifrost_lib.views.formats import day, money, percent, plain, strike_text
from bifrost_lib.views.html import Html, page_html

_SIDE = ("open_interest", "volume", "iv", "delta", "bid", "ask")
_HEADERS = {"open_interest": "OI", "volume": "Vol", "iv": "IV %", "delta": "Δ", "bid": "Bid", "ask": "Ask"}


def chain_table(chain: pd.DataFrame, *, expiry: date | None = None, around: int = 12, theme: str = "light") -> Html:
    """Show one expiry of a chain around the money, calls left and puts right.

    Parameters
    ----------
    chain : DataFrame
        ``CHAIN_COLUMNS``.
    expiry : date, optional
        Default: the chain's first.
    around : int
        How many strikes to show on either side of spot.
    theme : {"light", "dark"}

    Raises
    ------
    InputError
        If the chain has no such expiry.
    """
    wanted = pd.Timestamp(expiry) if expiry is not None else chain["expiry"].min()
    rows = chain[chain["expiry"] == wanted]
    if rows.empty:
        known = ", ".join(f"{moment:%Y-%m-%d}" for moment in chain["expiry"].drop_duplicates())
        raise InputError("expiry", expiry, f"one of {known}" if known else "a chain that has rows")
    return page_html(_table(rows, around), theme=theme)


def _table(rows: pd.DataFrame, around: int) -> str:
    spot = float(rows["spot"].to_numpy()[0])
    strikes = sorted(rows["strike"].unique())
    middle = sum(strike < spot for strike in strikes)
    shown = strikes[max(middle - around, 0) : middle + around]
    sides = {right: rows[rows["right"] == right].drop_duplicates("strike").set_index("strike") for right in ("C", "P")}
    heads = "".join(f"<th>{_HEADERS[name]}</th>" for name in _SIDE)
    back = "".join(f"<th>{_HEADERS[name]}</th>" for name in reversed(_SIDE))
    lines = [
        f"<tr{_spot_mark(strikes, strike, spot)}>{_cells(sides['C'], strike, strike < spot, _SIDE)}"
        f"<th class='bf-strike'>{strike_text(strike)}</th>"
        f"{_cells(sides['P'], strike, strike > spot, tuple(reversed(_SIDE)))}</tr>"
        for strike in shown
    ]
    title = f"{escape(str(rows['symbol'].iloc[0]))} · {day(rows['expiry'].iloc[0])} · {int(rows['dte'].iloc[0])} days"
    return (
        f"<table class='bf-table bf-chain'><caption>{title} · spot {plain(spot)}</caption><thead>"
        f"<tr><th colspan='6'>Calls</th><th></th><th colspan='6'>Puts</th></tr>"
        f"<tr>{heads}<th>Strike</th>{back}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _cells(side: pd.DataFrame, strike: float, inside: bool, names: tuple[str, ...]) -> str:
    style = " class='bf-itm'" if inside else ""
    if strike not in side.index:
        return f"<td{style}></td>" * len(names)
    quote = side.loc[strike].to_dict()
    good = quote["quality"] == "ok"
    reason = "" if good else f" title='{escape(str(quote['quality']))}'"
    return "".join(f"<td{style}{reason}>{_cell(name, float(quote[name]))}</td>" for name in names)


def _cell(name: str, value: float) -> str:
    if name == "iv":
        return percent(value)
    return money(value) if name in ("open_interest", "volume") else plain(value)


def _spot_mark(strikes: list[float], strike: float, spot: float) -> str:
    first_above = next((value for value in strikes if value >= spot), None)
    return " class='bf-at-spot'" if strike == first_above else ""
