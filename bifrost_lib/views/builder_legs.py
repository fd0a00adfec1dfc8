"""The legs of a structure to edit, and what each contributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from bifrost_lib.views.clicks import clickable, says
from bifrost_lib.views.details import DAYS_PER_YEAR
from bifrost_lib.views.formats import MINUS, MISSING, TIMES, day, percent, plain, strike_text, usd

#: Name, title, how it is written, what it means: the measures that do not stand beside the legs.
_MORE: tuple[tuple[str, str, str, str], ...] = (
    ("prob_half_profit", "Half of max profit", "share", "probability of more than half of the max profit at expiry"),
    ("prob_half_profit_touch", "Half, on the way", "share", "the same at any daily close until expiry"),
    ("expected_win", "Expected win", "usd", "expected profit, given a profit"),
    ("expected_loss", "Expected loss", "usd", "expected loss, given a loss"),
    ("return_on_margin", "Return on margin", "share", "max profit over margin"),
    ("annual_return", "Annual return", "share", "max profit over risk or margin, simple, for 365 days"),
    ("maintenance_margin", "Maintenance", "usd", "Regulation T, after the first day"),
    ("portfolio_margin", "Portfolio margin", "usd", "worst of ten moves of the price"),
    ("gamma", "Gamma", "plain", "delta per 1.00 of the underlying"),
    ("rho", "Rho", "rho", "$ per percentage point of the rate"),
    ("vega_to_theta", "Vega / theta", "plain", "a volatility point over a day"),
    ("liquidity", "Liquidity", "share", "100 % where trading is free"),
)

#: Name, header, what it means, factor to the shown unit, decimals.
_GREEKS = (
    ("delta", "Delta $", "$ per 1.00 of the underlying", 1.0, 2),
    ("gamma", "Gamma", "delta per 1.00 of the underlying", 1.0, 3),
    ("theta", "Theta $/day", "$ per calendar day", 1 / DAYS_PER_YEAR, 2),
    ("vega", "Vega $/pt", "$ per volatility point", 0.01, 2),
)


def legs_editor(picks: Sequence[Mapping[str, Any]], legs: Sequence[Mapping[str, Any]] | None) -> str:
    """Return HTML: one row a leg, with its quantity and its price to edit.

    Parameters
    ----------
    picks : sequence of mapping
        As the trader made them.
    legs : sequence of mapping, optional
        The same with prices; None where they could not be priced.
    """
    found: Sequence[Mapping[str, Any]] = legs if legs is not None else [{} for _ in picks]
    rows = "".join(_row(place, pick, leg) for place, (pick, leg) in enumerate(zip(picks, found, strict=True)))
    heads = (("Qty", 1), ("Contract", 0), ("Expiry", 0), ("Bid", 1), ("Ask", 1), ("Price $", 1), ("IV %", 1), ("", 1))
    titles = "".join(f"<th class='bf-{'number' if is_number else 'text'}'>{name}</th>" for name, is_number in heads)
    return clickable(
        f"<table class='bf-table bf-legs bf-edit'><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table>"
    )


def legs_detail(details: Sequence[Mapping[str, Any]], measures: Mapping[str, Any]) -> str:
    """Return HTML: greeks and probabilities of each leg, and the structure's greeks below."""
    heads = "".join(f"<th class='bf-number' title='{title}'>{header}</th>" for _, header, title, _, _ in _GREEKS)
    rows = "".join(
        f"<tr><td class='bf-number bf-{_way(leg)}'>{_signed(leg['qty'])}</td><td class='bf-text'>{_name(leg)}</td>"
        f"<td class='bf-text'>{_expiry(leg)}</td>{_greeks(leg)}<td class='bf-number'>{percent(leg['itm'])}</td>"
        f"<td class='bf-number'>{percent(leg['touch'])}</td></tr>"
        for leg in details
    )
    total = f"<tr class='bf-total'><td></td><td class='bf-text'>Structure</td><td></td>{_greeks(measures)}"
    return (
        "<table class='bf-table bf-legs'><thead><tr><th class='bf-number'>Qty</th><th class='bf-text'>Contract</th>"
        f"<th class='bf-text'>Expiry</th>{heads}<th class='bf-number' title='probability of ending in the money at its "
        "own expiry'>In money %</th><th class='bf-number' title='probability that the strike is touched before'>Touch "
        f"%</th></tr></thead><tbody>{rows}{total}<td></td><td></td></tr></tbody></table>"
        "<p class='bf-foot'>Greeks for the whole quantity. Probabilities are lognormal with each leg's own "
        "volatility; they are not forecasts.</p>" + _more(measures)
    )


def _more(measures: Mapping[str, Any]) -> str:
    reasons = measures.get("reasons") or {}
    cells = "".join(
        f"<div title='{escape(str(reasons.get(name) or title), quote=True)}'><span>{label}</span>"
        f"<b>{_written(measures.get(name), how)}</b></div>"
        for name, label, how, title in _MORE
    )
    return f"<div class='bf-measures bf-wide'>{cells}</div>"


def _written(value: float | None, how: str) -> str:
    if value is None:
        return MISSING
    if how == "share":
        return f"{percent(value)} %"
    if how == "usd":
        return usd(value)
    return plain(value / 100 if how == "rho" else value, decimals=2)


def _row(place: int, pick: Mapping[str, Any], leg: Mapping[str, Any]) -> str:
    own = pick.get("price")
    offered = plain(leg.get("price")) if leg else ""
    value = "" if own is None else f"{own:g}"
    label = escape(f"{_name(pick)} {_expiry(pick)}", quote=True)
    return (
        f"<tr><td class='bf-number bf-{_way(pick)}'><input type='text' inputmode='numeric' class='bf-qty' "
        f"aria-label='quantity of {label}' value='{pick['qty']:+d}' {says(f'qty|{place}')}></td>"
        f"<td class='bf-text'>{_name(pick)}</td><td class='bf-text'>{_expiry(pick)}</td>"
        f"<td class='bf-number'>{plain(leg.get('bid'))}</td><td class='bf-number'>{plain(leg.get('ask'))}</td>"
        f"<td class='bf-number'><input type='text' inputmode='decimal' class='bf-price' aria-label='price of {label}' "
        f"value='{value}' placeholder='{offered}' title='empty: from the quotes' {says(f'price|{place}')}></td>"
        f"<td class='bf-number'>{percent(leg.get('iv'))}</td><td class='bf-number'><button class='bf-remove' "
        f"title='remove' aria-label='remove {label}' {says(f'remove|{place}')}>{TIMES}</button></td></tr>"
    )


def _greeks(source: Mapping[str, Any]) -> str:
    return "".join(
        f"<td class='bf-number'>{plain(source[name] * scale, decimals=decimals)}</td>"
        for name, _, _, scale, decimals in _GREEKS
    )


def _way(leg: Mapping[str, Any]) -> str:
    return "long" if leg["qty"] > 0 else "short"


def _signed(qty: int) -> str:
    return f"{qty:+d}".replace("-", MINUS)


def _name(leg: Mapping[str, Any]) -> str:
    if leg["right"] == "S":
        return "stock, per contract's shares"
    return f"{strike_text(leg['strike'])} {'call' if leg['right'] == 'C' else 'put'}"


def _expiry(leg: Mapping[str, Any]) -> str:
    return day(leg["expiry"]) if leg.get("expiry") else MISSING
