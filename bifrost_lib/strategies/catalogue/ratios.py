"""Unequal numbers of bought and sold options."""

from __future__ import annotations

from bifrost_lib.strategies.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.rules import ByDelta, Wing

CALL_RATIO_SPREAD = StrategyDocument(
    name="call_ratio_spread",
    view="rises slowly to a price and not beyond",
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.45, 0.30, 0.60)),
        Leg("short_calls", "C", -2, Wing("long_call", target=+0.04, furthest=+0.10)),
    ),
    risk="One call is naked: the loss grows without bound far above the short strike.",
)

PUT_RATIO_SPREAD = StrategyDocument(
    name="put_ratio_spread",
    view="falls slowly to a price and not beyond",
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.45, -0.60, -0.30)),
        Leg("short_puts", "P", -2, Wing("long_put", target=-0.04, furthest=-0.10)),
    ),
    risk="One put is naked: far below the short strike it loses like the stock.",
)

CALL_BACKSPREAD = StrategyDocument(
    name="call_backspread",
    view="rises far, or falls",
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.50, 0.35, 0.70)),
        Leg("long_calls", "C", +2, Wing("short_call", target=+0.04, furthest=+0.10)),
    ),
    dte=DteRange(30, 60, 120),
    risk="Loses most where the price ends at the bought strike.",
)

PUT_BACKSPREAD = StrategyDocument(
    name="put_backspread",
    view="falls far, or rises",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.50, -0.70, -0.35)),
        Leg("long_puts", "P", +2, Wing("short_put", target=-0.04, furthest=-0.10)),
    ),
    dte=DteRange(30, 60, 120),
    risk="Loses most where the price ends at the bought strike.",
)

JADE_LIZARD = StrategyDocument(
    name="jade_lizard",
    view="does not fall, volatility falls",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.12)),
        Leg("short_call", "C", -1, ByDelta(0.25, 0.12, 0.40)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.05)),
    ),
    cash="credit",
    risk="Below the put's strike it loses like the stock; nothing is lost above where the credit exceeds the width.",
)
