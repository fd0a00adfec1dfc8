"""A peak at one price, paid for by two wings."""

from __future__ import annotations

from bifrost_lib.strategies.document import Leg, StrategyDocument
from bifrost_lib.strategies.rules import AtMoney, ByDelta, Mirror, Wing

CALL_BUTTERFLY = StrategyDocument(
    name="call_butterfly",
    view="ends near a price",
    legs=(
        Leg("body", "C", -2, AtMoney(within=0.04)),
        Leg("low_wing", "C", +1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "C", +1, Mirror(of="low_wing", around="body")),
    ),
    cash="debit",
    risk="Loses the debit outside the wings.",
)

PUT_BUTTERFLY = StrategyDocument(
    name="put_butterfly",
    view="ends near a price",
    legs=(
        Leg("body", "P", -2, AtMoney(within=0.04)),
        Leg("low_wing", "P", +1, Wing("body", target=-0.04, furthest=-0.10)),
        Leg("high_wing", "P", +1, Mirror(of="low_wing", around="body")),
    ),
    cash="debit",
    risk="Loses the debit outside the wings.",
)

BROKEN_WING_PUT_BUTTERFLY = StrategyDocument(
    name="broken_wing_put_butterfly",
    view="drifts down to a price, or does not fall",
    legs=(
        Leg("body", "P", -2, ByDelta(-0.30, -0.45, -0.15)),
        Leg("high_wing", "P", +1, Wing("body", target=+0.02, furthest=+0.05)),
        Leg("low_wing", "P", +1, Mirror(of="high_wing", around="body", ratio=2.0, low=1.25, high=3.0)),
    ),
    cash="credit",
    risk="Below the lower wing it loses the difference of the wings less the credit.",
)

BROKEN_WING_CALL_BUTTERFLY = StrategyDocument(
    name="broken_wing_call_butterfly",
    view="drifts up to a price, or does not rise",
    legs=(
        Leg("body", "C", -2, ByDelta(0.30, 0.15, 0.45)),
        Leg("low_wing", "C", +1, Wing("body", target=-0.02, furthest=-0.05)),
        Leg("high_wing", "C", +1, Mirror(of="low_wing", around="body", ratio=2.0, low=1.25, high=3.0)),
    ),
    cash="any",
    risk="Above the upper wing it loses the difference of the wings less the credit.",
)
