"""A naked option on one side and a spread on the other.

Nothing is lost on the side of the spread where the credit covers its width.
"""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import SOLD_PREMIUM
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, SameAs, Wing

JADE_LIZARD = StrategyDocument(
    name="jade_lizard",
    view="does not fall, volatility falls",
    outlook=("bullish", "neutral", "falling_vol"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.12)),
        Leg("short_call", "C", -1, ByDelta(0.25, 0.12, 0.40)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.05)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="Below the put's strike it loses like the stock; nothing is lost above where the credit exceeds the width.",
)

REVERSE_JADE_LIZARD = StrategyDocument(
    name="reverse_jade_lizard",
    view="does not rise, volatility falls",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("twisted_sister",),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.25, 0.12, 0.40)),
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.12)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.02, furthest=-0.05)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="Above the call's strike it loses without bound; nothing is lost below where the credit exceeds the width.",
)

BIG_LIZARD = StrategyDocument(
    name="big_lizard",
    view="stays where it is or drifts up, volatility falls",
    outlook=("bullish", "neutral", "falling_vol"),
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.03, furthest=+0.08)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="Below the strike it loses like the stock; nothing is lost above where the credit exceeds the width.",
)

REVERSE_BIG_LIZARD = StrategyDocument(
    name="reverse_big_lizard",
    view="stays where it is or drifts down, volatility falls",
    outlook=("bearish", "neutral", "falling_vol"),
    legs=(
        Leg("short_call", "C", -1, AtMoney()),
        Leg("short_put", "P", -1, SameAs("short_call")),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.03, furthest=-0.08)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="Above the strike it loses without bound; nothing is lost below where the credit exceeds the width.",
)
