"""Unequal numbers of bought and sold options."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import SOLD_PREMIUM, Exits, Target
from bifrost_lib.strategies.documents.rules import ByDelta, Wing

CALL_RATIO_SPREAD = StrategyDocument(
    name="call_ratio_spread",
    view="rises slowly to a price and not beyond",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("call_front_ratio", "call_frontspread", "call_front_spread", "ratio_call_spread"),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.45, 0.30, 0.60)),
        Leg("short_calls", "C", -2, Wing("long_call", target=+0.04, furthest=+0.10)),
    ),
    exits=SOLD_PREMIUM,
    risk="One call is naked: the loss grows without bound far above the short strike.",
)

PUT_RATIO_SPREAD = StrategyDocument(
    name="put_ratio_spread",
    view="falls slowly to a price and not beyond",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("put_front_ratio", "put_frontspread", "put_front_spread", "ratio_put_spread"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.45, -0.60, -0.30)),
        Leg("short_puts", "P", -2, Wing("long_put", target=-0.04, furthest=-0.10)),
    ),
    exits=SOLD_PREMIUM,
    risk="One put is naked: far below the short strike it loses like the stock.",
)

CALL_BACKSPREAD = StrategyDocument(
    name="call_backspread",
    view="rises far, or falls",
    outlook=("bullish", "volatile", "rising_vol"),
    aliases=("call_back_ratio", "call_ratio_backspread", "call_back_spread"),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.50, 0.35, 0.70)),
        Leg("long_calls", "C", +2, Wing("short_call", target=+0.04, furthest=+0.10)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(dte=21),
    risk="Loses most where the price ends at the bought strike.",
)

PUT_BACKSPREAD = StrategyDocument(
    name="put_backspread",
    view="falls far, or rises",
    outlook=("bearish", "volatile", "rising_vol"),
    aliases=("put_back_ratio", "put_ratio_backspread", "put_back_spread"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.50, -0.70, -0.35)),
        Leg("long_puts", "P", +2, Wing("short_put", target=-0.04, furthest=-0.10)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(dte=21),
    risk="Loses most where the price ends at the bought strike.",
)

PUT_RATIO_112 = StrategyDocument(
    name="put_ratio_112",
    view="does not fall far; a slow fall pays best",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("one_one_two", "ratio_1_1_2", "one_twelve", "1_1_2", "112"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.35, -0.18)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.02, furthest=-0.05)),
        Leg("short_tail_puts", "P", -2, ByDelta(-0.07, -0.12, -0.03)),
    ),
    dte=DteRange(30, 60, 120),
    cash="credit",
    exits=Exits(take_profit=Target(0.5, "credit"), stop=Target(3.0, "credit"), dte=21),
    risk="Two puts are naked: a crash loses like twice the stock, and margin grows long before.",
)

BATMAN = StrategyDocument(
    name="batman",
    view="ends near either of two prices on the sides",
    outlook=("neutral", "falling_vol"),
    aliases=("double_ratio_spread",),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.30, -0.40, -0.20)),
        Leg("short_puts", "P", -2, Wing("long_put", target=-0.03, furthest=-0.08)),
        Leg("long_call", "C", +1, ByDelta(0.30, 0.20, 0.40)),
        Leg("short_calls", "C", -2, Wing("long_call", target=+0.03, furthest=+0.08)),
    ),
    exits=Exits(take_profit=Target(0.25, "max_profit"), dte=14),
    risk="A put and a call are naked: large moves lose, without bound above.",
)

ZEBRA = StrategyDocument(
    name="zebra",
    view="rises, like stock without its time value",
    outlook=("bullish",),
    aliases=("call_zebra", "zero_extrinsic_back_ratio"),
    legs=(
        Leg("long_calls", "C", +2, ByDelta(0.70, 0.62, 0.80)),
        Leg("short_call", "C", -1, ByDelta(0.50, 0.42, 0.58)),
    ),
    dte=DteRange(30, 75, 150),
    cash="debit",
    exits=Exits(dte=21),
    risk="Loses the debit if the price falls below the bought strike.",
)

PUT_ZEBRA = StrategyDocument(
    name="put_zebra",
    view="falls, like short stock without its time value",
    outlook=("bearish",),
    legs=(
        Leg("long_puts", "P", +2, ByDelta(-0.70, -0.80, -0.62)),
        Leg("short_put", "P", -1, ByDelta(-0.50, -0.58, -0.42)),
    ),
    dte=DteRange(30, 75, 150),
    cash="debit",
    exits=Exits(dte=21),
    risk="Loses the debit if the price rises above the bought strike.",
)
