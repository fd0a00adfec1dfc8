"""One candidate in detail: its legs, its measures, and where its score comes from."""

from __future__ import annotations

from html import escape

from bifrost_lib.views.columns import Record, breakevens_text
from bifrost_lib.views.formats import MISSING, UNBOUNDED, day, money, percent, plain, strike_text, usd
from bifrost_lib.views.html import Html, page_html

DAYS_PER_YEAR = 365.0
PART_NAMES = {"pop": "probability", "ev": "expected value", "return_on_risk": "return on risk", "fit": "fit to targets"}


def legs_table(record: Record, *, theme: str = "light") -> Html:
    """Show the legs of a candidate with the prices at which they are assumed to trade."""
    rows = "".join(
        f"<tr><td class='bf-number bf-{'long' if leg['qty'] > 0 else 'short'}'>{money(leg['qty'], signed=True)}</td>"
        f"<td class='bf-text'>{_instrument(leg, record['multiplier'])}</td><td class='bf-text'>{_expiry(leg)}</td>"
        f"<td class='bf-number'>{plain(leg['price'])}</td></tr>"
        for leg in record["legs"]
    )
    return page_html(
        "<table class='bf-table bf-legs'><thead><tr><th class='bf-number'>Qty</th><th class='bf-text'>Contract</th>"
        f"<th class='bf-text'>Expiry</th><th class='bf-number'>Price</th></tr></thead><tbody>{rows}</tbody></table>",
        theme=theme,
    )


def measures_table(record: Record, *, theme: str = "light") -> Html:
    """Show the measures of a candidate with their units."""
    cells = "".join(
        f"<div title='{escape(title)}'><span>{escape(name)}</span><b>{escape(text)}</b></div>"
        for name, text, title in _measures(record)
    )
    return page_html(f"<div class='bf-measures'>{cells}</div>", theme=theme)


def score_table(record: Record, *, theme: str = "light") -> Html:
    """Show how a candidate's score is made up, part by part, and the reason in words."""
    parts = record.get("score_parts") or {}
    ordered = sorted(parts.items(), key=lambda part: -part[1])
    rows = "".join(_score_part(name, points, ordered[0][1]) for name, points in ordered)
    why = escape(str(record.get("why") or ""))
    return page_html(
        f"<p class='bf-why'>{why}</p><table class='bf-table bf-parts'><tbody>{rows}</tbody></table>", theme=theme
    )


def _measures(record: Record) -> list[tuple[str, str, str]]:
    return [
        (
            "Credit" if (record["premium"] or 0) >= 0 else "Debit",
            usd(abs(record["premium"])),
            "at the legs' prices",
        ),
        ("Max profit", _at_most(record, "max_profit"), "at expiry"),
        ("Max loss", _at_most(record, "max_loss"), "at expiry"),
        ("Breakevens", breakevens_text(record), "where profit at expiry is zero"),
        ("POP", _share(record["pop"]), "probability of a profit at expiry"),
        ("Expected", usd(record["ev"], signed=True), "expected profit at expiry"),
        ("Return", _share(record["return_on_risk"]), "max profit over max loss"),
        ("Margin", usd(record["margin"]), "initial requirement"),
        ("Delta", _greek(record, "delta"), "$ per 1.00 of spot"),
        ("Theta", _greek(record, "theta", 1 / DAYS_PER_YEAR), "$ per calendar day"),
        ("Vega", _greek(record, "vega", 0.01), "$ per volatility point"),
        ("Slippage", usd(record.get("slippage_cost")), "cost of crossing the spreads"),
    ]


def _at_most(record: Record, name: str) -> str:
    return UNBOUNDED if record.get(f"{name}_unbounded") else usd(record.get(name))


def _share(value: float | None) -> str:
    text = percent(value)
    return text if text == MISSING else f"{text} %"


def _greek(record: Record, name: str, scale: float = 1.0) -> str:
    value = record.get(name)
    return MISSING if value is None else plain(value * scale, decimals=2)


def _score_part(name: str, points: float, most: float) -> str:
    width = 100 * points / most if most > 0 else 0
    return (
        f"<tr><td class='bf-text'>{escape(PART_NAMES.get(name, name))}</td><td class='bf-text'><div class='bf-score'>"
        f"<span>{plain(points, decimals=1)}</span><i><b style='width:{width:.0f}%'></b></i></div></td></tr>"
    )


def _instrument(leg: Record, multiplier: float) -> str:
    if leg["right"] == "S":
        return f"{multiplier:,.0f} shares"
    return f"{strike_text(leg['strike'])} {'call' if leg['right'] == 'C' else 'put'}"


def _expiry(leg: Record) -> str:
    return day(leg["expiry"]) if leg["expiry"] else MISSING
