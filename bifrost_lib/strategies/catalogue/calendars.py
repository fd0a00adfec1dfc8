"""Two expiries: time decay against volatility.

Their values at the near expiry are the model's, because the far leg still has time value then.
"""

from __future__ import annotations

from bifrost_lib.strategies.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.rules import AtMoney, ByDelta, SameAs

CALL_CALENDAR = StrategyDocument(
    name="call_calendar",
    view="stays near a price, volatility rises",
    legs=(
        Leg("short_call", "C", -1, AtMoney(within=0.05)),
        Leg("long_call", "C", +1, SameAs("short_call"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    risk="A large move either way, or a fall of volatility, loses up to the debit.",
)

PUT_CALENDAR = StrategyDocument(
    name="put_calendar",
    view="stays near a price, volatility rises",
    legs=(
        Leg("short_put", "P", -1, AtMoney(within=0.05)),
        Leg("long_put", "P", +1, SameAs("short_put"), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    risk="A large move either way, or a fall of volatility, loses up to the debit.",
)

CALL_DIAGONAL = StrategyDocument(
    name="call_diagonal",
    view="rises slowly",
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.30, 0.20, 0.40)),
        Leg("long_call", "C", +1, ByDelta(0.60, 0.50, 0.80), expiry="far"),
    ),
    dte=DteRange(14, 30, 45),
    cash="debit",
    risk="A fall loses up to the debit.",
)
