"""Two strikes of one right: a direction with bounded risk."""

from __future__ import annotations

from bifrost_lib.strategies.documents.document import Leg, StrategyDocument
from bifrost_lib.strategies.documents.exits import CREDIT_SPREAD, DEBIT_SPREAD
from bifrost_lib.strategies.documents.rules import ByDelta, Wing

BULL_CALL_SPREAD = StrategyDocument(
    name="bull_call_spread",
    view="rises moderately",
    outlook=("bullish",),
    aliases=("call_debit_spread", "long_call_spread", "long_call_vertical"),
    legs=(
        Leg("long_call", "C", +1, ByDelta(0.55, 0.35, 0.75)),
        Leg("short_call", "C", -1, Wing("long_call", target=+0.04, furthest=+0.10)),
    ),
    cash="debit",
    exits=DEBIT_SPREAD,
    risk="Loses the debit if the price ends below the lower strike.",
)

BEAR_PUT_SPREAD = StrategyDocument(
    name="bear_put_spread",
    view="falls moderately",
    outlook=("bearish",),
    aliases=("put_debit_spread", "long_put_spread", "long_put_vertical"),
    legs=(
        Leg("long_put", "P", +1, ByDelta(-0.55, -0.75, -0.35)),
        Leg("short_put", "P", -1, Wing("long_put", target=-0.04, furthest=-0.10)),
    ),
    cash="debit",
    exits=DEBIT_SPREAD,
    risk="Loses the debit if the price ends above the upper strike.",
)

BULL_PUT_SPREAD = StrategyDocument(
    name="bull_put_spread",
    view="does not fall",
    outlook=("bullish", "neutral", "falling_vol"),
    aliases=("put_credit_spread", "short_put_spread", "short_put_vertical"),
    legs=(
        Leg("short_put", "P", -1, ByDelta(-0.25, -0.45, -0.10)),
        Leg("long_put", "P", +1, Wing("short_put", target=-0.03, furthest=-0.08)),
    ),
    cash="credit",
    exits=CREDIT_SPREAD,
    risk="Loses the width less the credit if the price ends below the lower strike.",
)

BEAR_CALL_SPREAD = StrategyDocument(
    name="bear_call_spread",
    view="does not rise",
    outlook=("bearish", "neutral", "falling_vol"),
    aliases=("call_credit_spread", "short_call_spread", "short_call_vertical"),
    legs=(
        Leg("short_call", "C", -1, ByDelta(0.25, 0.10, 0.45)),
        Leg("long_call", "C", +1, Wing("short_call", target=+0.03, furthest=+0.08)),
    ),
    cash="credit",
    exits=CREDIT_SPREAD,
    risk="Loses the width less the credit if the price ends above the upper strike.",
)
