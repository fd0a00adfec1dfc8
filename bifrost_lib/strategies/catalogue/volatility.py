"""A call and a put: the size of the move, not its direction."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import BOUGHT_PREMIUM, SOLD_PREMIUM
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, SameAs

LONG_STRADDLE = StrategyDocument(
    name="long_straddle",
    view="moves more than is priced, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("long_put", "P", +1, AtMoney()),
        Leg("long_call", "C", +1, SameAs("long_put")),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="Both premiums decay while nothing happens.",
)

SHORT_STRADDLE = StrategyDocument(
    name="short_straddle",
    view="stays where it is, volatility falls",
    outlook=("neutral", "falling_vol"),
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="A large move either way loses many times the credit, without bound above.",
)

LONG_STRANGLE = StrategyDocument(
    name="long_strangle",
    view="moves far, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.40, -0.10)),
        Leg("long_call", "C", +1, ByDelta(0.25, 0.10, 0.40)),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="Both premiums decay while nothing happens.",
)

SHORT_STRANGLE = StrategyDocument(
    name="short_strangle",
    view="range-bound, volatility falls",
    outlook=("neutral", "falling_vol"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),
        Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="A large move either way loses many times the credit, without bound above.",
)

LONG_GUTS = StrategyDocument(
    name="long_guts",
    view="moves far, either way; both options in the money",
    outlook=("volatile", "rising_vol"),
    aliases=("guts",),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.70, 0.58, 0.85)),
        Leg("long_put", "P", +1, ByDelta(-0.70, -0.85, -0.58)),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="Time value decays while nothing happens, and options in the money are wide.",
)

SHORT_GUTS = StrategyDocument(
    name="short_guts",
    view="range-bound, volatility falls; both options in the money",
    outlook=("neutral", "falling_vol"),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.70, 0.58, 0.85)),
        Leg("short_put", "P", -1, ByDelta(-0.70, -0.85, -0.58)),
    ),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="A large move loses without bound above, and either option may be exercised early.",
)

STRIP = StrategyDocument(
    name="strip",
    view="moves far, more likely down",
    outlook=("volatile", "bearish", "rising_vol"),
    aliases=("long_strip",),
    legs=(
        Leg("long_puts", "P", +2, AtMoney()),
        Leg("long_call", "C", +1, SameAs("long_puts")),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="Three premiums decay while nothing happens.",
)

STRAP = StrategyDocument(
    name="strap",
    view="moves far, more likely up",
    outlook=("volatile", "bullish", "rising_vol"),
    aliases=("long_strap",),
    legs=(
        Leg("long_calls", "C", +2, AtMoney()),
        Leg("long_put", "P", +1, SameAs("long_calls")),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="Three premiums decay while nothing happens.",
)
