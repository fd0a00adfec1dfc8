"""A call and a put: the size of the move, not its direction."""

from __future__ import annotations

from bifrost_lib.strategies.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.rules import AtMoney, ByDelta, SameAs

LONG_STRADDLE = StrategyDocument(
    name="long_straddle",
    view="moves more than is priced, either way",
    legs=(
        Leg("long_put", "P", +1, AtMoney()),
        Leg("long_call", "C", +1, SameAs("long_put")),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    risk="Both premiums decay while nothing happens.",
)

SHORT_STRADDLE = StrategyDocument(
    name="short_straddle",
    view="stays where it is, volatility falls",
    legs=(
        Leg("short_put", "P", -1, AtMoney()),
        Leg("short_call", "C", -1, SameAs("short_put")),
    ),
    cash="credit",
    risk="A large move either way loses many times the credit, without bound above.",
)

LONG_STRANGLE = StrategyDocument(
    name="long_strangle",
    view="moves far, either way",
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.40, -0.10)),
        Leg("long_call", "C", +1, ByDelta(0.25, 0.10, 0.40)),
    ),
    dte=DteRange(20, 60, 90),
    cash="debit",
    risk="Both premiums decay while nothing happens.",
)

SHORT_STRANGLE = StrategyDocument(
    name="short_strangle",
    view="range-bound, volatility falls",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),
        Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),
    ),
    cash="credit",
    risk="A large move either way loses many times the credit, without bound above.",
)

RISK_REVERSAL = StrategyDocument(
    name="risk_reversal",
    view="rises, paid for by a promise to buy lower",
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.40, -0.10)),
        Leg("long_call", "C", +1, ByDelta(0.25, 0.10, 0.40)),
    ),
    dte=DteRange(30, 60, 120),
    risk="Below the put's strike it loses like the stock.",
)
