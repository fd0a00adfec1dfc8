"""One option, alone or against stock."""

from __future__ import annotations

from bifrost_lib.strategies.document import DteRange, Leg, StrategyDocument
from bifrost_lib.strategies.rules import ByDelta

LONG_CALL = StrategyDocument(
    name="long_call",
    view="rises clearly and soon",
    legs=(Leg("long_call", "C", +1, ByDelta(0.50, 0.25, 0.75)),),
    dte=DteRange(30, 60, 120),
    cash="debit",
    risk="The whole premium decays if the move does not come in time.",
)

LONG_PUT = StrategyDocument(
    name="long_put",
    view="falls clearly and soon",
    legs=(Leg("long_put", "P", +1, ByDelta(-0.50, -0.75, -0.25)),),
    dte=DteRange(30, 60, 120),
    cash="debit",
    risk="The whole premium decays if the move does not come in time.",
)

SHORT_CALL = StrategyDocument(
    name="short_call",
    view="does not rise",
    legs=(Leg("short_call", "C", -1, ByDelta(0.16, 0.08, 0.35)),),
    cash="credit",
    risk="The loss grows without bound as the price rises.",
)

SHORT_PUT = StrategyDocument(
    name="short_put",
    view="does not fall",
    legs=(Leg("short_put", "P", -1, ByDelta(-0.16, -0.35, -0.08)),),
    cash="credit",
    risk="Loses almost the whole strike if the price goes to nothing; margin grows as it falls.",
)

CASH_SECURED_PUT = StrategyDocument(
    name="cash_secured_put",
    view="does not fall, or may be bought lower",
    legs=(Leg("short_put", "P", -1, ByDelta(-0.30, -0.45, -0.15)),),
    cash="credit",
    margin="cash",
    risk="Buys the stock at the strike whatever it is worth by then.",
)

COVERED_CALL = StrategyDocument(
    name="covered_call",
    view="rises a little or stays",
    legs=(
        Leg("stock", "S", +1),
        Leg("short_call", "C", -1, ByDelta(0.30, 0.15, 0.45)),
    ),
    cash="debit",
    risk="Keeps the stock's downside less the credit and gives its upside above the strike away.",
)

PROTECTIVE_PUT = StrategyDocument(
    name="protective_put",
    view="rises, but a fall must not hurt much",
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.50, -0.10)),
    ),
    dte=DteRange(30, 90, 180),
    cash="debit",
    risk="The insurance costs its premium whenever nothing happens.",
)

COLLAR = StrategyDocument(
    name="collar",
    view="holds the stock within a band",
    legs=(
        Leg("stock", "S", +1),
        Leg("long_put", "P", +1, ByDelta(-0.25, -0.45, -0.10)),
        Leg("short_call", "C", -1, ByDelta(0.25, 0.10, 0.45)),
    ),
    dte=DteRange(30, 60, 120),
    cash="debit",
    risk="Gains stop at the call's strike; the loss down to the put's strike remains.",
)
