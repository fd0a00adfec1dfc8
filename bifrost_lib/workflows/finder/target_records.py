"""One structure that serves a view, as plain values: its legs, its measures, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bifrost_lib.strategies import Aimed, View, fill_price


def structure_record(
    one: Aimed, measures: Mapping[str, Any], legs: Sequence[dict[str, Any]], *, units: int, capital: float,
    budget: float, view: View,
) -> dict[str, Any]:  # fmt: skip
    """Return a structure that serves a view under stable keys; money is for one unit unless `units` are counted.

    Parameters
    ----------
    one : Aimed
    measures : mapping
        What `evaluate` says of its legs.
    legs : sequence of dict
        See `structure_legs`.
    units : int
        How many the budget buys.
    capital : float
        Currency that one unit ties up.
    budget : float
        Currency.
    view : View
    """
    first = min(one.slices, key=lambda quotes: quotes.tau)
    shown = [{**leg, "expiry": None} if leg["right"] == "S" else leg for leg in legs]
    row = {
        "strategy": one.document.name,
        "units": units,
        "profit": units * one.profit,
        "return_on_budget": units * one.profit / budget,
        "unit_profit": one.profit,
        "capital": capital,
        "capital_used": units * capital,
        "premium": one.premium,
        "max_profit": measures["max_profit"],
        "max_loss": measures["max_loss"],
        "max_loss_unbounded": measures["max_loss"] is None,
        "breakevens": measures["breakevens"],
        "market_pop": measures["pop"],
        "market_ev": measures["ev"],
        "margin": measures["margin"],
        "dte": first.dte,
        "expiry": min(quotes.expiry for quotes in one.slices).isoformat(),
        "multiplier": first.multiplier,
        "legs": [{key: value for key, value in leg.items() if key != "tau"} for leg in shown],
    }
    row["why"] = _why(row, view)
    return row


def structure_legs(one: Aimed) -> list[dict[str, Any]]:
    """Return the legs as `evaluate` takes them, each at the price that its document's fills give."""
    quoted = iter(zip(one.slices, one.rows, strict=True))
    fill = one.document.costs.fill_of(len(one.rows))
    legs: list[dict[str, Any]] = []
    for leg in one.document.legs:
        if not leg.is_option:
            legs.append({"leg": leg.name, "right": "S", "qty": leg.qty, "strike": None, "price": one.slices[0].spot})
            continue
        quotes, row = next(quoted)
        bid, ask = float(quotes.columns["bid"][row]), float(quotes.columns["ask"][row])
        paid = fill_price(bid, ask, qty=leg.qty, fill=fill)
        legs.append(
            {
                "leg": leg.name, "right": leg.right, "qty": leg.qty, "strike": float(quotes.columns["strike"][row]),
                "expiry": quotes.expiry.isoformat(), "price": paid, "iv": float(quotes.columns["iv"][row]),
                "tau": quotes.tau,
            }
        )  # fmt: skip
    return legs


def _why(row: dict[str, Any], view: View) -> str:
    where = f"{view.spot:,.2f}" if len(view.prices) == 1 else f"{view.prices[0]:,.2f} to {view.prices[-1]:,.2f}"
    cash = f"brings {row['premium']:,.2f}" if row["premium"] > 0 else f"costs {-row['premium']:,.2f}"
    risk = (
        "its loss has no bound"
        if row["max_loss_unbounded"]
        else f"they lose at most {row['units'] * row['max_loss']:,.2f}"
    )
    vol = f" and volatility {100 * view.iv_change:+.1f} points" if view.iv_change else ""
    name = row["strategy"].replace("_", " ")
    return (
        f"{row['units']} x {name}: one {cash} and earns {row['unit_profit']:,.2f} at {where}{vol}; "
        f"together {row['profit']:,.2f}, {row['return_on_budget']:.0%} of the budget, and {risk}. "
        f"The market gives a profit {row['market_pop']:.0%}."
    )


def distinct(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records without structures that an earlier one has too: the same legs are one structure."""
    seen: set[Any] = set()
    kept = []
    for row in rows:
        key = tuple(
            sorted((leg["right"], leg["qty"], leg["strike"] or 0.0, leg.get("expiry") or "") for leg in row["legs"])
        )
        if key not in seen:
            seen.add(key)
            kept.append(row)
    return kept
