"""Why a candidate ranks where it does, in words and with the numbers that a trader would ask for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

PART_NAMES = {
    "pop": "probability of profit",
    "ev": "expected value",
    "return_on_risk": "return on risk",
    "liquidity": "liquidity",
    "fit": "closeness to the targets",
}


def why(record: Mapping[str, Any]) -> str:
    """Return a few plain sentences about one candidate; `record` is one of `CandidateSet.records`."""
    sentences = [
        f"{_cash(record)} and profits with a probability of {record['pop']:.0%} if the price is "
        f"{_where(record['profit_ranges'])} in {record['dte']} days.",
        f"{_gain(record)} and {_loss(record)}; expected {_money(record['ev'], signed=True)}.",
        f"{_liquidity(record)}.",
        *_learned(record),
        f"Score {record['score']:.1f}: {_parts(record['score_parts'])}.",
    ]
    return " ".join(sentences)


def _cash(record: Mapping[str, Any]) -> str:
    verb = "Collects" if record["premium"] > 0 else "Costs"
    return f"{verb} {_money(abs(record['premium']))}"


def _where(ranges: Sequence[Sequence[float | None]]) -> str:
    pieces = []
    for low, high in ranges:
        if low is None and high is None:
            return "anywhere"
        if low is None:
            pieces.append(f"below {high:,.2f}")
        else:
            pieces.append(f"above {low:,.2f}" if high is None else f"between {low:,.2f} and {high:,.2f}")
    return " or ".join(pieces)


def _gain(record: Mapping[str, Any]) -> str:
    if record["max_profit_unbounded"]:
        return "Its profit has no bound"
    rate = record["return_on_risk"]
    share = "" if rate is None else f" ({rate:.0%} of what it can lose)"
    return f"It makes at most {_money(record['max_profit'])}{share}"


def _loss(record: Mapping[str, Any]) -> str:
    if record["max_loss_unbounded"]:
        return f"its loss has no bound (margin {_money(record['margin'])})"
    return f"it loses at most {_money(record['max_loss'])}"


def _liquidity(record: Mapping[str, Any]) -> str:
    text = f"Crossing the spreads would cost {_money(record['slippage_cost'])}"
    interest = record["min_open_interest"]
    return text if interest is None else f"{text}, and every leg has at least {interest:,.0f} open contracts"


def _learned(record: Mapping[str, Any]) -> list[str]:
    pop = record.get("pop_recalibrated")
    return (
        [] if pop is None else [f"By what earlier ones came to the probability is {pop:.0%}: so the score counts it."]
    )


def _parts(parts: Mapping[str, float]) -> str:
    ordered = sorted(parts.items(), key=lambda item: -item[1])
    return ", ".join(f"{PART_NAMES[name]} {points:.1f}" for name, points in ordered if points > 0)


def _money(amount: float | None, *, signed: bool = False) -> str:
    if amount is None or math.isnan(amount):
        return "an unknown amount"
    return f"{amount:+,.2f}" if signed else f"{amount:,.2f}"
