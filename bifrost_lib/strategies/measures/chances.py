"""How likely a valued structure earns something, and what to expect of it, under a distribution of the price."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.strategies.measures.exposure import probability_of_reaching
from bifrost_lib.strategies.measures.laws import Law, Lognormal
from bifrost_lib.strategies.measures.outcomes import outcomes, probability_above
from bifrost_lib.strategies.measures.positions import check_numbers
from bifrost_lib.strategies.measures.profile import Profile
from bifrost_lib.strategies.measures.valuation import Position


def chances(position: Position, law: Law, reasons: dict[str, str]) -> dict[str, Any]:
    """Return probabilities and expectations at the first expiry, and those of half the profit, at it or before."""
    profile, market = position.profile, position.market
    found = outcomes(profile, law)
    half = touch = None
    if profile.slope > 0:
        reasons["prob_half_profit"] = reasons["prob_half_profit_touch"] = "the profit has no bound"
    elif profile.highest <= 0:
        reasons["prob_half_profit"] = reasons["prob_half_profit_touch"] = "there is no profit to make"
    else:
        target = 0.5 * profile.highest
        half = touch = probability_above(profile, law, target)
        if position.near > 0 and len(market.vol) and market.vol.mean() > 0:
            reached = probability_of_reaching(position.held, market, premium=position.premium, target=target)
            touch = max(half, reached)
    if found.win is None:
        reasons["expected_win"] = "it never wins"
    if found.loss is None:
        reasons["expected_loss"] = "it never loses"
    return {
        "pop": found.pop,
        "ev": found.ev,
        "expected_win": found.win,
        "expected_loss": found.loss,
        "prob_half_profit": half,
        "prob_half_profit_touch": touch,
    }


def odds(profile: Profile, law: Law) -> dict[str, float]:
    """Return the probability of a profit and the expected one."""
    found = outcomes(profile, law)
    return {"pop": found.pop, "ev": found.ev}


def real_world(
    position: Position, drift: float | None, real_vol: float | None, reasons: dict[str, str]
) -> dict[str, float] | None:  # fmt: skip
    """Return the odds if the price grows by `drift` a year with volatility `real_vol`; None unless both are given."""
    if drift is None or real_vol is None:
        reasons["real_world"] = "needs drift and real_vol"
        return None
    check_numbers(drift=drift, real_vol=real_vol)
    mean = position.market.spot * math.exp(drift * position.near)
    law = Lognormal(mean, real_vol * math.sqrt(position.near))
    return {"drift": drift, "vol": real_vol, **odds(position.profile, law)}
