"""Shares with options against them: income, insurance, repair."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import HELD, SOLD_PREMIUM, Exits, Roll, Target
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, SameAs, SamePremium, Wing

COVERED_CALL = StrategyDocument(
    name="covered_call",
    view="rises a little or stays",
    outlook=("bullish", "neutral"),
    aliases=("buy_write", "overwrite"),
    legs=(
        Leg("stock", "S", +1),
        Leg("short_call", "C", -1, ByDelta(0.30, 0.15, 0.45)),
    ),
    cash="debit",
    exits=Exits(
        take_profit=Target(0.8, "credit"),
        roll=(Roll("dte", at=7, only_for_credit=True, most=12),),
        after_assignment="cash_secured_put",
    ),
    risk="Keeps the stock's downside less the credit and gives its upside above the strike away.",
)

COVERED_PUT = StrategyDocument(
    name="covered_put",
    view="falls a little or stays",
    outlook=("bearish", "neutral"),
    legs=(
        Leg("stock", "S", -1),
        Leg("short_put", "P", -1, ByDelta(-0.30, -0.45, -0.15)),
    ),
    cash="credit",
    exits=Exits(take_profit=Target(0.8, "credit"), roll=(Roll("dte", at=7, only_for_credit=True, most=12),)),
    risk="The short stock loses without bound as the price rises, and dividends are owed on it.",
)

PROTECTIVE_PUT = StrategyDocument(
    name="protective_put",
    view="rises, but a fall must not hurt much",
    outlook=("bullish", "hedge"),
    aliases=("married_put",),
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.50, -0.10)),
    ),
    dte=DteRange(30, 90, 180),
    cash="debit",
    exits=Exits(roll=(Roll("dte", at=21, most=12),)),
    risk="The insurance costs its premium whenever nothing happens.",
)

PROTECTIVE_CALL = StrategyDocument(
    name="protective_call",
    view="falls, but a rise must not hurt much",
    outlook=("bearish", "hedge"),
    aliases=("married_call",),
    legs=(
        Leg("stock", "S", -1),
        Leg("long_call", "C", +1, ByDelta(0.25, 0.10, 0.50)),
    ),
    dte=DteRange(30, 90, 180),
    cash="credit",
    exits=Exits(roll=(Roll("dte", at=21, most=12),)),
    risk="The insurance costs its premium, and dividends are owed on the stock.",
)

COLLAR = StrategyDocument(
    name="collar",
    view="holds the stock within a band",
    outlook=("bullish", "hedge"),
    aliases=("protective_collar",),
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.45, -0.10)),
        Leg("short_call", "C", -1, ByDelta(0.25, 0.10, 0.45)),
    ),
    dte=DteRange(30, 60, 120),
    cash="debit",
    exits=HELD,
    risk="Gains stop at the call's strike; the loss down to the put's strike remains.",
)

ZERO_COST_COLLAR = StrategyDocument(
    name="zero_cost_collar",
    view="holds the stock within a band, insured by its upside alone",
    outlook=("bullish", "hedge"),
    aliases=("costless_collar",),
    variant_of="collar",
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.45, -0.10)),
        Leg("short_call", "C", -1, SamePremium("long_put", within=0.15)),
    ),
    dte=DteRange(30, 60, 120),
    cash="debit",
    exits=HELD,
    risk="Gains stop at the call's strike; the loss down to the put's strike remains.",
)

COVERED_STRADDLE = StrategyDocument(
    name="covered_straddle",
    view="stays or rises, and more may be bought lower",
    outlook=("bullish", "neutral", "falling_vol"),
    legs=(
        Leg("stock", "S", +1),
        Leg("short_call", "C", -1, AtMoney()),
        Leg("short_put", "P", -1, SameAs("short_call")),
    ),
    cash="debit",
    exits=SOLD_PREMIUM,
    risk="In a fall it loses twice: on the stock and on the put.",
)

COVERED_STRANGLE = StrategyDocument(
    name="covered_strangle",
    view="stays or rises a little, and more may be bought lower",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("covered_combination",),
    legs=(
        Leg("stock", "S", +1),
        Leg("short_call", "C", -1, ByDelta(0.30, 0.15, 0.45)),
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.10)),
    ),
    cash="debit",
    exits=SOLD_PREMIUM,
    risk="In a fall it loses twice: on the stock and on the put.",
)

STOCK_REPAIR = StrategyDocument(
    name="stock_repair",
    view="recovers part of a loss",
    outlook=("bullish",),
    legs=(
        Leg("stock", "S", +1),
        Leg("long_call", "C", +1, AtMoney(within=0.04)),
        Leg("short_calls", "C", -2, Wing("long_call", target=+0.05, furthest=+0.15)),
    ),
    dte=DteRange(30, 60, 120),
    cash="debit",
    exits=HELD,
    risk="Falls with the stock; above the sold strike nothing more is gained.",
)
