"""Calls and puts that together are stock, a loan, or a price for carrying either."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import HELD, Exits, Target
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, SameAs, Wing

SYNTHETIC_LONG_STOCK = StrategyDocument(
    name="synthetic_long_stock",
    view="rises, with little money down",
    outlook=("bullish",),
    aliases=("synthetic_long", "long_combo"),
    legs=(
        Leg("long_call", "C", +1, AtMoney()),
        Leg("short_put", "P", -1, SameAs("long_call")),
    ),
    dte=DteRange(30, 90, 180),
    exits=HELD,
    risk="Loses like the stock.",
)

SYNTHETIC_SHORT_STOCK = StrategyDocument(
    name="synthetic_short_stock",
    view="falls, without stock to borrow",
    outlook=("bearish",),
    aliases=("synthetic_short", "short_combo"),
    legs=(
        Leg("long_put", "P", +1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("long_put")),
    ),
    dte=DteRange(30, 90, 180),
    exits=HELD,
    risk="Loses like short stock, without bound.",
)

RISK_REVERSAL = StrategyDocument(
    name="risk_reversal",
    view="rises, paid for by a promise to buy lower",
    outlook=("bullish",),
    aliases=("bullish_risk_reversal", "split_strike_synthetic_long"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.10)),
        Leg("long_call", "C", +1, ByDelta(0.25, 0.10, 0.40)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(dte=21),
    risk="Below the put's strike it loses like the stock.",
)

BEARISH_RISK_REVERSAL = StrategyDocument(
    name="bearish_risk_reversal",
    view="falls, paid for by a promise to sell higher",
    outlook=("bearish",),
    aliases=("split_strike_synthetic_short",),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.40, -0.10)),
        Leg("short_call", "C", -1, ByDelta(0.25, 0.10, 0.40)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(dte=21),
    risk="Above the call's strike it loses like short stock, without bound.",
)

SEAGULL = StrategyDocument(
    name="seagull",
    view="rises moderately, paid for by a promise to buy lower",
    outlook=("bullish",),
    aliases=("bullish_seagull", "long_seagull"),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.45, 0.30, 0.60)),
        Leg("short_call", "C", -1, Wing("long_call", target=+0.05, furthest=+0.12)),
        Leg("short_put", "P", -1, ByDelta(-0.20, -0.35, -0.10)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(take_profit=Target(0.5, "max_profit"), dte=21),
    risk="Below the put's strike it loses like the stock.",
)

BEARISH_SEAGULL = StrategyDocument(
    name="bearish_seagull",
    view="falls moderately, paid for by a promise to sell higher",
    outlook=("bearish",),
    aliases=("short_seagull",),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.45, -0.60, -0.30)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.05, furthest=-0.12)),
        Leg("short_call", "C", -1, ByDelta(0.20, 0.10, 0.35)),
    ),
    dte=DteRange(30, 60, 120),
    exits=Exits(take_profit=Target(0.5, "max_profit"), dte=21),
    risk="Above the call's strike it loses like short stock, without bound.",
)

CONVERSION = StrategyDocument(
    name="conversion",
    view="the options price a carry that the desk does not pay",
    outlook=("arbitrage", "neutral"),
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, AtMoney(within=0.05)),
        Leg("short_call", "C", -1, SameAs("long_put")),
    ),
    cash="debit",
    exits=HELD,
    risk="Early exercise before a dividend, and the pin at expiry; else only its cost is at stake.",
)

REVERSAL = StrategyDocument(
    name="reversal",
    view="the options price a carry that the desk can earn on short stock",
    outlook=("arbitrage", "neutral"),
    aliases=("reverse_conversion",),
    legs=(
        Leg("stock", "S", -1),
        Leg("long_call", "C", +1, AtMoney(within=0.05)),
        Leg("short_put", "P", -1, SameAs("long_call")),
    ),
    cash="credit",
    exits=HELD,
    risk="The stock may be called back or become dear to borrow, and dividends are owed on it.",
)

LONG_BOX = StrategyDocument(
    name="long_box",
    view="money is lent at a better rate than elsewhere",
    outlook=("arbitrage", "neutral"),
    aliases=("box", "box_spread"),
    legs=(
        Leg("low_call", "C", +1, AtMoney(within=0.05)),
        Leg("low_put", "P", -1, SameAs("low_call")),
        Leg("high_call", "C", -1, Wing("low_call", target=+0.05, furthest=+0.15)),
        Leg("high_put", "P", +1, SameAs("high_call")),
    ),
    dte=DteRange(20, 90, 365),
    cash="debit",
    exits=HELD,
    risk="None at expiry with European options; American ones may be exercised early and break it.",
)

SHORT_BOX = StrategyDocument(
    name="short_box",
    view="money is borrowed at a better rate than elsewhere",
    outlook=("arbitrage", "neutral"),
    aliases=("short_box_spread",),
    legs=(
        Leg("low_call", "C", -1, AtMoney(within=0.05)),
        Leg("low_put", "P", +1, SameAs("low_call")),
        Leg("high_call", "C", +1, Wing("low_call", target=+0.05, furthest=+0.15)),
        Leg("high_put", "P", -1, SameAs("high_call")),
    ),
    dte=DteRange(20, 90, 365),
    cash="credit",
    exits=HELD,
    risk="A fixed debt at expiry with European options; American ones may be exercised early and break it.",
)

LONG_JELLY_ROLL = StrategyDocument(
    name="long_jelly_roll",
    view="the carry between two expiries is priced too low",
    outlook=("arbitrage", "neutral"),
    aliases=("jelly_roll",),
    legs=(
        Leg("near_call", "C", -1, AtMoney(within=0.05)),
        Leg("near_put", "P", +1, SameAs("near_call")),
        Leg("far_call", "C", +1, SameAs("near_call"), expiry="far"),
        Leg("far_put", "P", -1, SameAs("near_call"), expiry="far"),
    ),
    exits=HELD,
    risk="Holds stock between the expiries: dividends and rates may come otherwise than they were priced.",
)

SHORT_JELLY_ROLL = StrategyDocument(
    name="short_jelly_roll",
    view="the carry between two expiries is priced too high",
    outlook=("arbitrage", "neutral"),
    legs=(
        Leg("near_call", "C", +1, AtMoney(within=0.05)),
        Leg("near_put", "P", -1, SameAs("near_call")),
        Leg("far_call", "C", -1, SameAs("near_call"), expiry="far"),
        Leg("far_put", "P", +1, SameAs("near_call"), expiry="far"),
    ),
    exits=HELD,
    risk="Short stock between the expiries: dividends, rates and borrowing may come otherwise than they were priced.",
)
