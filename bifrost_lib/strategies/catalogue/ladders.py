"""A vertical spread with one more strike."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import SOLD_PREMIUM, Exits
from bifrost_lib.strategies.documents.rules import ByDelta, Wing

BULL_CALL_LADDER = StrategyDocument(
    name="bull_call_ladder",
    view="rises to a band and not beyond",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("long_call_ladder", "call_ladder"),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.55, 0.40, 0.70)),
        Leg("short_call", "C", -1, Wing("long_call", target=+0.03, furthest=+0.08)),
        Leg("upper_short_call", "C", -1, Wing("short_call", target=+0.03, furthest=+0.08)),
    ),
    exits=SOLD_PREMIUM,
    risk="One call is naked: the loss grows without bound above.",
)

BEAR_CALL_LADDER = StrategyDocument(
    name="bear_call_ladder",
    view="falls, or rises far",
    outlook=("volatile", "rising_vol"),
    aliases=("short_call_ladder",),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.60, 0.45, 0.75)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.03, furthest=+0.08)),
        Leg("upper_long_call", "C", +1, Wing("long_call", target=+0.03, furthest=+0.08)),
    ),
    exits=Exits(dte=21),
    risk="Loses most where the price ends between the bought strikes.",
)

BEAR_PUT_LADDER = StrategyDocument(
    name="bear_put_ladder",
    view="falls to a band and not beyond",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("long_put_ladder", "put_ladder"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.55, -0.70, -0.40)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.03, furthest=-0.08)),
        Leg("lower_short_put", "P", -1, Wing("short_put", target=-0.03, furthest=-0.08)),
    ),
    exits=SOLD_PREMIUM,
    risk="One put is naked: far below it loses like the stock.",
)

BULL_PUT_LADDER = StrategyDocument(
    name="bull_put_ladder",
    view="rises, or falls far",
    outlook=("volatile", "rising_vol"),
    aliases=("short_put_ladder",),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.60, -0.75, -0.45)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.03, furthest=-0.08)),
        Leg("lower_long_put", "P", +1, Wing("long_put", target=-0.03, furthest=-0.08)),
    ),
    exits=Exits(dte=21),
    risk="Loses most where the price ends between the bought strikes.",
)
