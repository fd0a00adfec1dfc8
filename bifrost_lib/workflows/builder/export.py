"""What a trader takes out of the builder: the structure as a strategy document, and its legs as a table."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import AtStrike, ByDelta, DteRange, Leg, StrategyDocument, write_document
from bifrost_lib.workflows.builder.building import Structure
from bifrost_lib.workflows.builder.scenarios import leg_details

_COLUMNS = ("right", "qty", "strike", "expiry", "trading_class", "price", "bid", "ask", "iv", "tau", "open_interest")

#: An expiry that is this many days off still fits a document: a week, as expiries are often weekly.
DAYS_OFF = 7
LEAST_DELTA, MOST_DELTA = 0.01, 0.95


@dataclass(frozen=True)
class Export:
    """One structure as text; `stem` is a file name without its ending.

    `json` and `yaml` are the document with its strikes, `by_delta` the one that looks for the same deltas anywhere;
    empty where no document can say what the structure is, and then `reason` says why.
    """

    stem: str
    csv: str
    json: str = ""
    yaml: str = ""
    by_delta: str = ""
    reason: str = ""


def export_structure(structure: Structure) -> Export:
    """Return a structure as documents in JSON and YAML, and its legs as CSV."""
    market = structure.market
    stem = f"{market.symbol}_structure_{market.as_of:%Y-%m-%dT%H%MZ}"
    table = _legs_csv(structure)
    try:
        fixed, loose = structure_document(structure), structure_document(structure, by="delta")
    except InputError as problem:
        return Export(stem, table, reason=str(problem))
    return Export(
        stem, table, write_document(fixed, form="json"), write_document(fixed), write_document(loose)
    )  # fmt: skip


def structure_document(structure: Structure, *, by: Literal["strike", "delta"] = "strike") -> StrategyDocument:
    """Return the document whose scan finds this structure again.

    Parameters
    ----------
    structure : Structure
    by : {"strike", "delta"}
        The very strikes, to monitor and to order; or strikes of the same deltas, to look for on other days. Legs
        whose delta says little keep their strike.

    Raises
    ------
    InputError
        If the legs are more, or expire at more times, than a document can say.
    """
    days = sorted({str(leg["expiry"]) for leg in structure.legs if leg["right"] != "S"})
    if len(days) > 2:
        raise InputError("legs", f"{len(days)} expiries", "at most two expiries in a strategy document")
    details = leg_details(structure)
    legs = []
    for place, leg in enumerate(structure.legs, start=1):
        if leg["right"] == "S":
            legs.append(Leg(f"leg_{place}", "S", leg["qty"]))
            continue
        delta = round(details[place - 1]["delta"] / (leg["qty"] * structure.terms["multiplier"]), 3)
        has_delta = by == "delta" and LEAST_DELTA <= abs(delta) <= MOST_DELTA
        rule = ByDelta(delta) if has_delta else AtStrike(leg["strike"])
        legs.append(Leg(f"leg_{place}", leg["right"], leg["qty"], rule, "near" if leg["expiry"] == days[0] else "far"))
    gap = (date.fromisoformat(days[-1]) - date.fromisoformat(days[0])).days if days else 0
    symbol = structure.market.symbol
    more: dict[str, Any] = {"gap": _around(gap)} if gap else {}
    return StrategyDocument(
        name="".join(letter for letter in symbol.lower() if letter.isalnum()).lstrip("0123456789") + "_structure",
        view=f"built from the {symbol} chain of {structure.market.as_of:%Y-%m-%d %H:%M} UTC",
        legs=tuple(legs), dte=_around(structure.measures["dte"]), symbols=(symbol,), **more,
    )  # fmt: skip


def _around(days: int) -> DteRange:
    return DteRange(max(days - DAYS_OFF, 0), days, days + DAYS_OFF)


def _legs_csv(structure: Structure) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["symbol", *_COLUMNS, "multiplier", "as_of"])
    after = [structure.terms["multiplier"], structure.market.as_of.isoformat()]
    for leg in structure.legs:
        cells = ["" if leg.get(name) is None else leg[name] for name in _COLUMNS]
        writer.writerow([structure.market.symbol, *cells, *after])
    return out.getvalue()
