"""A short range between bought wings."""

from __future__ import annotations

from bifrost_lib.strategies.document import Leg, StrategyDocument
from bifrost_lib.strategies.rules import AtMoney, ByDelta, Mirror, SameAs, Wing

IRON_CONDOR = StrategyDocument(
    name="iron_condor",
    view="range-bound, volatility falls",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.02, furthest=-0.05, nearest=-0.005)),
        Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.05, nearest=+0.005)),
    ),
    cash="credit",
    risk="A move beyond a short strike loses up to the wider wing less the credit.",
)

IRON_BUTTERFLY = StrategyDocument(
    name="iron_butterfly",
    view="stays where it is, volatility falls",
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.05, furthest=-0.12)),
        Leg("long_call", "C", +1, Mirror(of="long_put", around="short_put")),
    ),
    cash="credit",
    risk="Most of the credit is lost on a move of the credit's size; the wings bound the rest.",
)

LONG_IRON_CONDOR = StrategyDocument(
    name="long_iron_condor",
    view="breaks out of a range, either way",
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.30, -0.45, -0.15)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.03, furthest=-0.06, nearest=-0.005)),
        Leg("long_call", "C", +1, ByDelta(0.30, 0.15, 0.45)),
        Leg("short_call", "C", -1, Wing("long_call", target=+0.03, furthest=+0.06, nearest=+0.005)),
    ),
    cash="debit",
    risk="Loses the debit if the price stays between the bought strikes.",
)
