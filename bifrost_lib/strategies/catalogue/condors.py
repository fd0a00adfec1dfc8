"""A range between wings."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import CREDIT_SPREAD, DEBIT_SPREAD, PINNED, Exits, Target
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, Mirror, SameAs, Wing

IRON_CONDOR = StrategyDocument(
    name="iron_condor",
    view="range-bound, volatility falls",
    outlook=("neutral", "falling_vol"),
    aliases=("short_iron_condor",),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.02, furthest=-0.05, nearest=-0.005)),
        Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.05, nearest=+0.005)),
    ),
    cash="credit",
    exits=CREDIT_SPREAD,
    risk="A move beyond a short strike loses up to the wider wing less the credit.",
)

LONG_IRON_CONDOR = StrategyDocument(
    name="long_iron_condor",
    view="breaks out of a range, either way",
    outlook=("volatile", "rising_vol"),
    aliases=("reverse_iron_condor",),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.30, -0.45, -0.15)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.03, furthest=-0.06, nearest=-0.005)),
        Leg("long_call", "C", +1, ByDelta(0.30, 0.15, 0.45)),
        Leg("short_call", "C", -1, Wing("long_call", target=+0.03, furthest=+0.06, nearest=+0.005)),
    ),
    cash="debit",
    exits=DEBIT_SPREAD,
    risk="Loses the debit if the price stays between the bought strikes.",
)

UNBALANCED_IRON_CONDOR = StrategyDocument(
    name="unbalanced_iron_condor",
    view="range-bound and more likely to rise, volatility falls",
    outlook=("neutral", "bullish", "falling_vol"),
    aliases=("ratio_iron_condor",),
    legs=(
        Leg("short_puts", "P", -2, ByDelta(-0.16, -0.30, -0.08)),
        Leg("long_puts", "P", +2, Wing("short_puts", target=-0.02, furthest=-0.05, nearest=-0.005)),
        Leg("short_call", "C", -1, ByDelta(0.20, 0.10, 0.35)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.05, nearest=+0.005)),
    ),
    cash="credit",
    exits=CREDIT_SPREAD,
    risk="Two put spreads stand against one call spread: a fall loses twice.",
)

IRON_BUTTERFLY = StrategyDocument(
    name="iron_butterfly",
    view="stays where it is, volatility falls",
    outlook=("neutral", "falling_vol"),
    aliases=("short_iron_butterfly", "iron_fly"),
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.05, furthest=-0.12)),
        Leg("long_call", "C", +1, Mirror(of="long_put", around="short_put")),
    ),
    cash="credit",
    exits=Exits(take_profit=Target(0.25, "credit"), dte=14),
    risk="Most of the credit is lost on a move of the credit's size; the wings bound the rest.",
)

LONG_IRON_BUTTERFLY = StrategyDocument(
    name="long_iron_butterfly",
    view="leaves its price, either way",
    outlook=("volatile", "rising_vol"),
    aliases=("reverse_iron_butterfly",),
    legs=(
        Leg("long_put", "P", +1, AtMoney()),
        Leg("long_call", "C", +1, SameAs("long_put")),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.05, furthest=-0.12)),
        Leg("short_call", "C", -1, Mirror(of="short_put", around="long_put")),
    ),
    cash="debit",
    exits=DEBIT_SPREAD,
    risk="Loses the debit if the price stays where it is.",
)

BROKEN_WING_IRON_BUTTERFLY = StrategyDocument(
    name="broken_wing_iron_butterfly",
    view="stays where it is or drifts up, volatility falls",
    outlook=("neutral", "bullish", "falling_vol"),
    aliases=("unbalanced_iron_butterfly",),
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.03, furthest=+0.08)),
        Leg("long_put", "P", +1, Mirror(of="long_call", around="short_put", ratio=1.75, low=1.25, high=3.0)),
    ),
    cash="credit",
    exits=Exits(take_profit=Target(0.25, "credit"), dte=14),
    risk="The wider side loses its width less the credit.",
)

CALL_CONDOR = StrategyDocument(
    name="call_condor",
    view="ends within a band",
    outlook=("neutral", "falling_vol"),
    aliases=("long_call_condor", "condor"),
    legs=(
        Leg("low_short", "C", -1, ByDelta(0.65, 0.52, 0.80)),
        Leg("high_short", "C", -1, Wing("low_short", target=+0.05, furthest=+0.12)),
        Leg("low_wing", "C", +1, Wing("low_short", target=-0.03, furthest=-0.06)),
        Leg("high_wing", "C", +1, Wing("high_short", target=+0.03, furthest=+0.06)),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)

SHORT_CALL_CONDOR = StrategyDocument(
    name="short_call_condor",
    view="leaves a band, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("low_long", "C", +1, ByDelta(0.65, 0.52, 0.80)),
        Leg("high_long", "C", +1, Wing("low_long", target=+0.05, furthest=+0.12)),
        Leg("low_wing", "C", -1, Wing("low_long", target=-0.03, furthest=-0.06)),
        Leg("high_wing", "C", -1, Wing("high_long", target=+0.03, furthest=+0.06)),
    ),
    cash="credit",
    exits=Exits(dte=7),
    risk="Loses a wing's width less the credit if the price ends within the band.",
)

PUT_CONDOR = StrategyDocument(
    name="put_condor",
    view="ends within a band",
    outlook=("neutral", "falling_vol"),
    aliases=("long_put_condor",),
    legs=(
        Leg("low_short", "P", -1, ByDelta(-0.35, -0.48, -0.20)),
        Leg("high_short", "P", -1, Wing("low_short", target=+0.05, furthest=+0.12)),
        Leg("low_wing", "P", +1, Wing("low_short", target=-0.03, furthest=-0.06)),
        Leg("high_wing", "P", +1, Wing("high_short", target=+0.03, furthest=+0.06)),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)

SHORT_PUT_CONDOR = StrategyDocument(
    name="short_put_condor",
    view="leaves a band, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("low_long", "P", +1, ByDelta(-0.35, -0.48, -0.20)),
        Leg("high_long", "P", +1, Wing("low_long", target=+0.05, furthest=+0.12)),
        Leg("low_wing", "P", -1, Wing("low_long", target=-0.03, furthest=-0.06)),
        Leg("high_wing", "P", -1, Wing("high_long", target=+0.03, furthest=+0.06)),
    ),
    cash="credit",
    exits=Exits(dte=7),
    risk="Loses a wing's width less the credit if the price ends within the band.",
)

BROKEN_WING_CALL_CONDOR = StrategyDocument(
    name="broken_wing_call_condor",
    view="ends within a band above, or does not rise",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("call_broken_wing_condor",),
    legs=(
        Leg("low_short", "C", -1, ByDelta(0.35, 0.20, 0.48)),
        Leg("high_short", "C", -1, Wing("low_short", target=+0.03, furthest=+0.08)),
        Leg("low_wing", "C", +1, Wing("low_short", target=-0.02, furthest=-0.04)),
        Leg("high_wing", "C", +1, Wing("high_short", target=+0.04, furthest=+0.08, nearest=+0.03)),
    ),
    exits=CREDIT_SPREAD,
    risk="Above the upper wing it loses the difference of the wings less the credit.",
)

BROKEN_WING_PUT_CONDOR = StrategyDocument(
    name="broken_wing_put_condor",
    view="ends within a band below, or does not fall",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("put_broken_wing_condor", "broken_wing_condor"),
    legs=(
        Leg("high_short", "P", -1, ByDelta(-0.35, -0.48, -0.20)),
        Leg("low_short", "P", -1, Wing("high_short", target=-0.03, furthest=-0.08)),
        Leg("high_wing", "P", +1, Wing("high_short", target=+0.02, furthest=+0.04)),
        Leg("low_wing", "P", +1, Wing("low_short", target=-0.04, furthest=-0.08, nearest=-0.03)),
    ),
    exits=CREDIT_SPREAD,
    risk="Below the lower wing it loses the difference of the wings less the credit.",
)
