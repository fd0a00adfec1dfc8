"""One option, alone or secured by cash."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import BOUGHT_PREMIUM, SOLD_PREMIUM, Exits, Roll, Target
from bifrost_lib.strategies.documents.rules import ByDelta
from bifrost_lib.strategies.documents.sizing import Sizing

LONG_CALL = StrategyDocument(
    name="long_call",
    view="rises clearly and soon",
    outlook=("bullish", "rising_vol"),
    legs=(Leg("long_call", "C", +1, ByDelta(0.50, 0.25, 0.75)),),
    dte=DteRange(30, 60, 120),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="The whole premium decays if the move does not come in time.",
)

LONG_PUT = StrategyDocument(
    name="long_put",
    view="falls clearly and soon",
    outlook=("bearish", "rising_vol"),
    legs=(Leg("long_put", "P", +1, ByDelta(-0.50, -0.75, -0.25)),),
    dte=DteRange(30, 60, 120),
    cash="debit",
    exits=BOUGHT_PREMIUM,
    risk="The whole premium decays if the move does not come in time.",
)

SHORT_CALL = StrategyDocument(
    name="short_call",
    view="does not rise",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("naked_call",),
    legs=(Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="The loss grows without bound as the price rises.",
)

SHORT_PUT = StrategyDocument(
    name="short_put",
    view="does not fall",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("naked_put",),
    legs=(Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),),
    cash="credit",
    exits=SOLD_PREMIUM,
    risk="Loses almost the whole strike if the price goes to nothing; margin grows as it falls.",
)

CASH_SECURED_PUT = StrategyDocument(
    name="cash_secured_put",
    view="does not fall, or may be bought lower",
    outlook=("bullish", "neutral"),
    aliases=("csp",),
    variant_of="short_put",
    legs=(Leg("short_put", "P", -1, ByDelta(-0.30, -0.45, -0.15)),),
    cash="credit",
    margin="cash",
    exits=Exits(take_profit=Target(0.5, "credit")),
    risk="Buys the stock at the strike whatever it is worth by then.",
)

WHEEL = StrategyDocument(
    name="wheel",
    view="does not fall far, and is worth owning if it does",
    outlook=("bullish", "neutral"),
    variant_of="short_put",
    legs=(Leg("short_put", "P", -1, ByDelta(-0.30, -0.40, -0.20)),),
    dte=DteRange(21, 35, 50),
    cash="credit",
    margin="cash",
    # Rolled while that pays; else the shares are taken, calls are sold on them, and called away they begin it again.
    exits=Exits(
        take_profit=Target(0.5, "credit"),
        roll=(Roll("dte", at=7, only_for_credit=True, most=3),),
        after_assignment="covered_call",
    ),
    risk="Owns the stock through its fall, and sells it at the calls' strike through its recovery.",
)

VIX_CALL_TAIL_HEDGE = StrategyDocument(
    name="vix_call_tail_hedge",
    view="stocks may crash, and the volatility index would leap",
    outlook=("hedge", "volatile", "rising_vol"),
    aliases=("tail_hedge", "vix_hedge"),
    variant_of="long_call",
    symbols=("VIX",),
    legs=(Leg("long_call", "C", +1, ByDelta(0.20, 0.08, 0.30)),),
    dte=DteRange(20, 30, 60),
    cash="debit",
    # As in the VXTH index, a small share of the capital each month; it buys none with the VIX below 15 or above 50,
    # which `entry=Entry(vol_index=Range(15, 50))` would say.
    exits=Exits(dte=1),
    sizing=Sizing(capital_share=0.01),
    risk="Costs its premium month after month; calls on VIX follow its future, which leaps less than the index.",
)
