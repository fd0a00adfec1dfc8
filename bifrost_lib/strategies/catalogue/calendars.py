"""Two expiries: time decay against volatility.

Their values at the near expiry are the model's, because the far leg still has time value then.
"""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import TIME_SPREAD, Exits, Roll
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, SameAs, Wing

CALL_CALENDAR = StrategyDocument(
    name="call_calendar",
    view="stays near a price, volatility rises",
    outlook=("neutral", "rising_vol"),
    aliases=("long_call_calendar", "call_time_spread", "calendar", "call_calendar_spread"),
    legs=(
        Leg("short_call", "C", -1, AtMoney(within=0.05)),
        Leg("long_call", "C", +1, SameAs("short_call"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    exits=TIME_SPREAD,
    risk="A large move either way, or a fall of volatility, loses up to the debit.",
)

SHORT_CALL_CALENDAR = StrategyDocument(
    name="short_call_calendar",
    view="leaves a price, volatility falls",
    outlook=("volatile", "falling_vol"),
    aliases=("short_call_calendar_spread",),
    legs=(
        Leg("long_call", "C", +1, AtMoney(within=0.05)),
        Leg("short_call", "C", -1, SameAs("long_call"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="credit",
    exits=Exits(dte=7),
    risk="After the near expiry the sold option is naked; until then it loses if the price stays.",
)

PUT_CALENDAR = StrategyDocument(
    name="put_calendar",
    view="stays near a price, volatility rises",
    outlook=("neutral", "rising_vol"),
    aliases=("long_put_calendar", "put_time_spread", "put_calendar_spread"),
    legs=(
        Leg("short_put", "P", -1, AtMoney(within=0.05)),
        Leg("long_put", "P", +1, SameAs("short_put"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    exits=TIME_SPREAD,
    risk="A large move either way, or a fall of volatility, loses up to the debit.",
)

SHORT_PUT_CALENDAR = StrategyDocument(
    name="short_put_calendar",
    view="leaves a price, volatility falls",
    outlook=("volatile", "falling_vol"),
    aliases=("short_put_calendar_spread",),
    legs=(
        Leg("long_put", "P", +1, AtMoney(within=0.05)),
        Leg("short_put", "P", -1, SameAs("long_put"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="credit",
    exits=Exits(dte=7),
    risk="After the near expiry the sold option is naked; until then it loses if the price stays.",
)

DOUBLE_CALENDAR = StrategyDocument(
    name="double_calendar",
    view="stays within a band, volatility rises",
    outlook=("neutral", "rising_vol"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.30, -0.42, -0.18)),
        Leg("long_put", "P", +1, SameAs("short_put"), expiry="far"),
        Leg("short_call", "C", -1, ByDelta(0.30, 0.18, 0.42)),
        Leg("long_call", "C", +1, SameAs("short_call"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    exits=TIME_SPREAD,
    risk="A large move either way, or a fall of volatility, loses up to the debit.",
)

CALL_DIAGONAL = StrategyDocument(
    name="call_diagonal",
    view="rises slowly",
    outlook=("bullish", "neutral"),
    aliases=("long_call_diagonal", "diagonal"),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.30, 0.20, 0.40)),
        Leg("long_call", "C", +1, ByDelta(0.60, 0.50, 0.80), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    exits=TIME_SPREAD,
    risk="A fall loses up to the debit.",
)

PUT_DIAGONAL = StrategyDocument(
    name="put_diagonal",
    view="falls slowly",
    outlook=("bearish", "neutral"),
    aliases=("long_put_diagonal",),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.30, -0.40, -0.20)),
        Leg("long_put", "P", +1, ByDelta(-0.60, -0.80, -0.50), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    exits=TIME_SPREAD,
    risk="A rise loses up to the debit.",
)

SHORT_CALL_DIAGONAL = StrategyDocument(
    name="short_call_diagonal",
    view="falls, or rises far and soon",
    outlook=("bearish", "volatile", "falling_vol"),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.30, 0.20, 0.40)),
        Leg("short_call", "C", -1, ByDelta(0.60, 0.50, 0.80), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="credit",
    exits=Exits(dte=7),
    risk="The sold call outlives the bought one and is then naked.",
)

SHORT_PUT_DIAGONAL = StrategyDocument(
    name="short_put_diagonal",
    view="rises, or falls far and soon",
    outlook=("bullish", "volatile", "falling_vol"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.30, -0.40, -0.20)),
        Leg("short_put", "P", -1, ByDelta(-0.60, -0.80, -0.50), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="credit",
    exits=Exits(dte=7),
    risk="The sold put outlives the bought one and is then naked.",
)

DOUBLE_DIAGONAL = StrategyDocument(
    name="double_diagonal",
    view="stays within a band, volatility rises",
    outlook=("neutral", "rising_vol"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.30, -0.42, -0.18)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.02, furthest=-0.06), expiry="far"),
        Leg("short_call", "C", -1, ByDelta(0.30, 0.18, 0.42)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.02, furthest=+0.06), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    exits=TIME_SPREAD,
    risk="A large move either way, or a fall of volatility, loses the debit and the wider wing.",
)

POOR_MANS_COVERED_CALL = StrategyDocument(
    name="poor_mans_covered_call",
    view="rises a little or stays, without paying for the stock",
    outlook=("bullish", "neutral"),
    aliases=("pmcc", "synthetic_covered_call"),
    variant_of="call_diagonal",
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.25, 0.15, 0.35)),
        Leg("long_call", "C", +1, ByDelta(0.80, 0.70, 0.92), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    gap=DteRange(14, 180, 700),
    cash="debit",
    exits=Exits(roll=(Roll("dte", at=7, legs=("short_call",), only_for_credit=True, most=12),), dte=1),
    risk="A fall loses up to the debit.",
)

POOR_MANS_COVERED_PUT = StrategyDocument(
    name="poor_mans_covered_put",
    view="falls a little or stays, without selling stock short",
    outlook=("bearish", "neutral"),
    aliases=("pmcp",),
    variant_of="put_diagonal",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.35, -0.15)),
        Leg("long_put", "P", +1, ByDelta(-0.80, -0.92, -0.70), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    gap=DteRange(14, 180, 700),
    cash="debit",
    exits=Exits(roll=(Roll("dte", at=7, legs=("short_put",), only_for_credit=True, most=12),), dte=1),
    risk="A rise loses up to the debit.",
)
