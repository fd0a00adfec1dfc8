"""The columns of a ranked table, declared once for notebooks, pages and files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bifrost_lib.views.formats import MINUS, MISSING, TIMES, bounded, day, money, percent, plain, strike_text

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """One column: the record's key that it sorts by, its header with the unit, what it means, and its text."""

    name: str
    header: str
    help: str
    text: Callable[[Record], str]
    width: int
    is_number: bool = True


def legs_text(record: Record) -> str:
    """Return the legs in order of strike: ``+470P −475P −540C +545C``; a quantity of one is left out."""
    legs = sorted(record["legs"], key=lambda leg: (leg["strike"] or 0.0, leg["right"], str(leg["expiry"])))
    return " ".join(_leg(leg, record["multiplier"]) for leg in legs)


def expiries_text(record: Record) -> str:
    """Return the expiries of the legs, nearest first."""
    days = sorted({str(leg["expiry"])[:10] for leg in record["legs"] if leg["expiry"]})
    if not days:
        return MISSING
    same_year = all(text[:4] == days[-1][:4] for text in days)
    return " / ".join([*(day(text)[: -3 if same_year else None] for text in days[:-1]), day(days[-1])])


def breakevens_text(record: Record) -> str:
    """Return the breakevens, lowest first."""
    return " / ".join(plain(price) for price in record["breakevens"]) or MISSING


COLUMNS: tuple[Column, ...] = (
    Column("rank", "#", "1 is best", lambda record: str(record["rank"]), 28),
    Column("score", "Score", "0 to 100, weighted", lambda record: plain(record["score"], decimals=1), 96),
    Column("legs", "Legs", f"+ bought, {MINUS} sold", legs_text, 214, is_number=False),
    Column("expiry", "Expiry", "expiration date", expiries_text, 112, is_number=False),
    Column("dte", "DTE", "calendar days to the first expiry", lambda record: plain(record.get("dte"), decimals=0), 44),
    Column("premium", "Credit $", f"received (+) or paid ({MINUS})", lambda record: money(record["premium"]), 70),
    Column("max_profit", "Max profit $", "at expiry", lambda record: bounded(record, "max_profit"), 84),
    Column("max_loss", "Max loss $", "at expiry", lambda record: bounded(record, "max_loss"), 80),
    Column("breakevens", "Breakevens", "where profit at expiry is zero", breakevens_text, 128, is_number=False),
    Column("pop", "POP %", "probability of a profit at expiry", lambda record: percent(record["pop"]), 58),
    Column("ev", "EV $", "expected profit at expiry", lambda record: money(record["ev"], signed=True), 58),
    Column(
        "return_on_risk",
        "Return %",
        "max profit over max loss",
        lambda record: percent(record["return_on_risk"]),
        68,
    ),
    Column("margin", "Margin $", "initial requirement", lambda record: money(record["margin"]), 72),
)


def sort_value(record: Record, column: Column) -> float | str:
    """Return what a column sorts by; unbounded sorts as infinite, missing as NaN."""
    if not column.is_number:
        return column.text(record)
    if record.get(f"{column.name}_unbounded"):
        return float("inf")
    value = record.get(column.name)
    return float("nan") if value is None else float(value)


def records_csv(records: Sequence[Record]) -> str:
    """Return records as CSV with the vocabulary's names; legs in one field, missing as nothing."""
    import csv
    import io

    names = [name for name in records[0] if name not in ("legs", "breakevens")] if records else []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*names, "legs", "breakevens"])
    for record in records:
        plain_values = ["" if record[name] is None else record[name] for name in names]
        legs = "; ".join(_leg_csv(leg, record["multiplier"]) for leg in record["legs"])
        writer.writerow([*plain_values, legs, "; ".join(f"{price:.4f}" for price in record["breakevens"])])
    return out.getvalue()


def _leg(leg: Record, multiplier: float) -> str:
    sign = "+" if leg["qty"] > 0 else MINUS
    count = "" if abs(leg["qty"]) == 1 else f"{abs(leg['qty'])}{TIMES}"
    if leg["right"] == "S":
        return f"{sign}{abs(leg['qty']) * multiplier:,.0f} shares"
    return f"{sign}{count}{strike_text(leg['strike'])}{leg['right']}"


def _leg_csv(leg: Record, multiplier: float) -> str:
    if leg["right"] == "S":
        return f"{leg['qty'] * multiplier:+.0f} shares @ {leg['price']}"
    return f"{leg['qty']:+d} {leg['expiry']} {leg['strike']:g}{leg['right']} @ {leg['price']}"
