"""Quotes of American options without what early exercise is worth, so that put-call parity holds for what is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from bifrost_lib.pricing.american import american_premium
from bifrost_lib.pricing.american_implied import american_implied_vol
from bifrost_lib.pricing.arguments import Floats


def without_early_exercise(
    quotes: Sequence[Floats], *, tau: float, spot: float, rate: float, div_yield: float
) -> list[Floats]:
    """Take the premium of early exercise off each bid and ask of one expiry.

    Parameters
    ----------
    quotes : sequence of ndarray (n,)
        strike, call_bid, call_ask, put_bid, put_ask; currency per share.
    tau : float
        Years to expiry.
    spot : float
        Currency per share.
    rate, div_yield : float
        Continuous, per year.

    Returns
    -------
    list of ndarray (n,)
        In the order of `quotes`; NaN where the option of the strike that is not in the money has no volatility.
    """
    strike, call_bid, call_ask, put_bid, put_ask = quotes
    calls = strike >= spot
    middle = 0.5 * np.where(calls, call_bid + call_ask, put_bid + put_ask)
    market: dict[str, Any] = {"spot": spot, "strike": strike, "tau": tau, "rate": rate, "div_yield": div_yield}
    vol = american_implied_vol(price=middle, right=calls, **market)
    call, put = (american_premium(vol=vol, right=right, **market) for right in "CP")
    return [strike, call_bid - call, call_ask - call, put_bid - put, put_ask - put]
