"""A peak at one price, paid for by two wings."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import CREDIT_SPREAD, PINNED, Exits
from bifrost_lib.strategies.documents.rules import AtMoney, ByDelta, Mirror, Wing

CALL_BUTTERFLY = StrategyDocument(
    name="call_butterfly",
    view="ends near a price",
    outlook=("neutral", "falling_vol"),
    aliases=("long_call_butterfly", "butterfly"),
    legs=(
        Leg("body", "C", -2, AtMoney(within=0.04)),
        Leg("low_wing", "C", +1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "C", +1, Mirror(of="low_wing", around="body")),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)

SHORT_CALL_BUTTERFLY = StrategyDocument(
    name="short_call_butterfly",
    view="leaves a price, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("body", "C", +2, AtMoney(within=0.04)),
        Leg("low_wing", "C", -1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "C", -1, Mirror(of="low_wing", around="body")),
    ),
    cash="credit",
    exits=Exits(dte=7),
    risk="Loses the width less the credit if the price ends at the body.",
)

PUT_BUTTERFLY = StrategyDocument(
    name="put_butterfly",
    view="ends near a price",
    outlook=("neutral", "falling_vol"),
    aliases=("long_put_butterfly",),
    legs=(
        Leg("body", "P", -2, AtMoney(within=0.04)),
        Leg("low_wing", "P", +1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "P", +1, Mirror(of="low_wing", around="body")),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)

SHORT_PUT_BUTTERFLY = StrategyDocument(
    name="short_put_butterfly",
    view="leaves a price, either way",
    outlook=("volatile", "rising_vol"),
    legs=(
        Leg("body", "P", +2, AtMoney(within=0.04)),
        Leg("low_wing", "P", -1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "P", -1, Mirror(of="low_wing", around="body")),
    ),
    cash="credit",
    exits=Exits(dte=7),
    risk="Loses the width less the credit if the price ends at the body.",
)

BROKEN_WING_PUT_BUTTERFLY = StrategyDocument(
    name="broken_wing_put_butterfly",
    view="drifts down to a price, or does not fall",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("put_broken_wing_butterfly", "broken_wing_butterfly"),
    legs=(
        Leg("body", "P", -2, ByDelta(-0.30, -0.45, -0.15)),
        Leg("high_wing", "P", +1, Wing("body", target=+0.02, furthest=+0.05)),
        Leg("low_wing", "P", +1, Mirror(of="high_wing", around="body", ratio=1.5, low=1.25, high=3.0)),
    ),
    cash="credit",
    exits=CREDIT_SPREAD,
    risk="Below the lower wing it loses the difference of the wings less the credit.",
)

SKIP_STRIKE_PUT_BUTTERFLY = StrategyDocument(
    name="skip_strike_put_butterfly",
    view="drifts down to a price, or does not fall",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("put_skip_strike_butterfly", "skip_strike_butterfly"),
    legs=(
        Leg("body", "P", -2, ByDelta(-0.30, -0.45, -0.15)),
        Leg("high_wing", "P", +1, Wing("body", target=+0.02, furthest=+0.05)),
        Leg("low_wing", "P", +1, Mirror(of="high_wing", around="body", ratio=2.0)),
    ),
    exits=CREDIT_SPREAD,
    risk="Below the lower wing it loses the narrower width less the credit.",
)

BROKEN_WING_CALL_BUTTERFLY = StrategyDocument(
    name="broken_wing_call_butterfly",
    view="drifts up to a price, or does not rise",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("call_broken_wing_butterfly",),
    legs=(
        Leg("body", "C", -2, ByDelta(0.30, 0.15, 0.45)),
        Leg("low_wing", "C", +1, Wing("body", target=-0.02, furthest=-0.05)),
        Leg("high_wing", "C", +1, Mirror(of="low_wing", around="body", ratio=1.5, low=1.25, high=3.0)),
    ),
    exits=CREDIT_SPREAD,
    risk="Above the upper wing it loses the difference of the wings less the credit.",
)

SKIP_STRIKE_CALL_BUTTERFLY = StrategyDocument(
    name="skip_strike_call_butterfly",
    view="drifts up to a price, or does not rise",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("call_skip_strike_butterfly",),
    legs=(
        Leg("body", "C", -2, ByDelta(0.30, 0.15, 0.45)),
        Leg("low_wing", "C", +1, Wing("body", target=-0.02, furthest=-0.05)),
        Leg("high_wing", "C", +1, Mirror(of="low_wing", around="body", ratio=2.0)),
    ),
    exits=CREDIT_SPREAD,
    risk="Above the upper wing it loses the narrower width less the credit.",
)

CALL_CHRISTMAS_TREE = StrategyDocument(
    name="call_christmas_tree",
    view="rises to a price",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("long_call_christmas_tree", "call_tree", "christmas_tree"),
    legs=(
        Leg("body", "C", -3, ByDelta(0.40, 0.25, 0.50)),
        Leg("near_wing", "C", +1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("far_wing", "C", +2, Mirror(of="near_wing", around="body", ratio=0.5)),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)

PUT_CHRISTMAS_TREE = StrategyDocument(
    name="put_christmas_tree",
    view="falls to a price",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("long_put_christmas_tree", "put_tree"),
    legs=(
        Leg("body", "P", -3, ByDelta(-0.40, -0.50, -0.25)),
        Leg("near_wing", "P", +1, Wing("body", target=+0.04, furthest=+0.10)),
        Leg("far_wing", "P", +2, Mirror(of="near_wing", around="body", ratio=0.5)),
    ),
    cash="debit",
    exits=PINNED,
    risk="Loses the debit outside the wings.",
)
