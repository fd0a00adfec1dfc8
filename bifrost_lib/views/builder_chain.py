"""The chain that legs are picked from: calls left, puts right, strikes in the middle, a tab for each expiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import pandas as pd

from bifrost_lib.views.clicks import clickable, says
from bifrost_lib.views.formats import MINUS, MISSING, day, percent, plain, strike_text

_HEADERS = {"iv": "IV %", "delta": "\N{GREEK CAPITAL LETTER DELTA}", "bid": "Bid", "ask": "Ask"}
_CALLS = ("iv", "delta", "bid", "ask")
_PUTS = ("bid", "ask", "delta", "iv")
_SIDES = {"bid": (-1, "sell"), "ask": (1, "buy")}
ALL = 0


@dataclass(frozen=True)
class Tab:
    """One expiry and class of a chain."""

    expiry: str
    trading_class: str
    dte: int

    @property
    def word(self) -> str:
        return f"{self.expiry}~{self.trading_class}"


def chain_tabs(chain: pd.DataFrame) -> list[Tab]:
    """Return the expiries of a chain in order of time."""
    pairs = chain[["expiry", "trading_class", "dte"]].drop_duplicates(["expiry", "trading_class"])
    rows = pairs.sort_values(["expiry", "trading_class"]).itertuples(index=False)
    return [Tab(f"{expiry:%Y-%m-%d}", str(trading_class), int(dte)) for expiry, trading_class, dte in rows]


def tabs_strip(tabs: Sequence[Tab], chosen: Tab, picks: Sequence[Mapping[str, Any]]) -> str:
    """Return HTML: a button for each expiry; those that hold legs are marked."""
    held = {(pick.get("expiry"), pick.get("trading_class")) for pick in picks}
    several = {tab.expiry for tab in tabs if sum(other.expiry == tab.expiry for other in tabs) > 1}
    buttons = "".join(
        f"<button class='bf-tab{' bf-held' if (tab.expiry, tab.trading_class) in held else ''}' role='tab' "
        f"aria-selected='{str(tab == chosen).lower()}' {says(f'tab|{tab.word}')}>{day(tab.expiry)[:-3]}"
        f"{f' {escape(tab.trading_class)}' if tab.expiry in several else ''}<small>{tab.dte}d</small></button>"
        for tab in tabs
    )
    return clickable(f"<div class='bf-tabs' role='tablist' aria-label='Expiry'>{buttons}</div>")


def pick_table(
    chain: pd.DataFrame, tab: Tab, *, spot: float, picks: Sequence[Mapping[str, Any]], around: int = 15
) -> str:
    """Return HTML: one expiry whose bids sell and whose asks buy.

    Parameters
    ----------
    chain : DataFrame
        ``CHAIN_COLUMNS``.
    tab : Tab
    spot : float
        Strikes around it are shown.
    picks : sequence of mapping
        The legs that are held; their contracts are marked, and shown wherever they lie.
    around : int
        Strikes on either side of `spot`; ``ALL`` shows every one.
    """
    rows = chain[(chain["expiry"] == pd.Timestamp(tab.expiry)) & (chain["trading_class"] == tab.trading_class)]
    held = {
        (pick["right"], pick["strike"]): pick["qty"]
        for pick in picks
        if (pick.get("expiry"), pick.get("trading_class")) == (tab.expiry, tab.trading_class)
    }
    names = ["right", "strike", "quality", *_HEADERS]
    quotes: dict[Any, Any] = {(row["right"], row["strike"]): row for row in rows[names].to_dict("records")}
    strikes = sorted({strike for _, strike in quotes})
    middle = sum(strike < spot for strike in strikes)
    shown = strikes if around == ALL else strikes[max(middle - around, 0) : middle + around]
    shown = sorted({*shown, *(strike for _, strike in held if strike in strikes)})
    at_spot = next((strike for strike in shown if strike >= spot), None)
    lines = "".join(
        f"<tr{' class=bf-at-spot' if strike == at_spot else ''}>{_side(quotes, held, tab, 'C', strike, spot)}"
        f"<th class='bf-strike' scope='row'>{strike_text(strike)}</th>"
        f"{_side(quotes, held, tab, 'P', strike, spot)}</tr>"
        for strike in shown
    )
    heads = [*(_HEADERS[name] for name in _CALLS), "Strike", *(_HEADERS[name] for name in _PUTS)]
    titles = "".join(f"<th{' class=bf-strike' if head == 'Strike' else ''} scope='col'>{head}</th>" for head in heads)
    return clickable(
        "<table class='bf-table bf-chain bf-pick'><thead><tr><th colspan='4'>Calls</th><th class='bf-strike'></th>"
        f"<th colspan='4'>Puts</th></tr><tr>{titles}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _side(
    quotes: Mapping[tuple[str, float], Mapping[str, Any]],
    held: Mapping[tuple[str, float], int],
    tab: Tab,
    right: str,
    strike: float,
    spot: float,
) -> str:
    quote, qty = quotes.get((right, strike)), held.get((right, strike), 0)
    inside = strike < spot if right == "C" else strike > spot
    classes = ("bf-itm" if inside else "") + (f" bf-{'long' if qty > 0 else 'short'}" if qty else "")
    names = _CALLS if right == "C" else _PUTS
    if quote is None:
        return f"<td class='{classes}'></td>" * len(names)
    good = quote["quality"] == "ok"
    reason = "" if good else f" title='{escape(str(quote['quality']).replace('_', ' '))}'"
    dim = "" if good else " bf-dim"
    return "".join(
        f"<td class='{classes}{dim}'{reason}>{_cell(name, quote, tab, right, strike, qty)}</td>" for name in names
    )


def _cell(name: str, quote: Mapping[str, Any], tab: Tab, right: str, strike: float, qty: int) -> str:
    value = float(quote[name])
    if name == "iv":
        return percent(value)
    if name == "delta":
        return plain(value)
    text = plain(value)
    if text == MISSING:
        return text
    step, verb = _SIDES[name]
    mark = f"<i>{qty:+d}</i>".replace("-", MINUS) if qty and (qty > 0) == (step > 0) else ""
    kind = "call" if right == "C" else "put"
    label = f"{verb} one {strike_text(strike)} {kind} at {text}"
    word = f"pick|{step}|{right}|{strike!r}|{tab.word}"
    return f"<button class='bf-quote bf-{verb}' title='{label}' aria-label='{label}' {says(word)}>{mark}{text}</button>"
