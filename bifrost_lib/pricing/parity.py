"""Forward, interest rate and dividend yield of one expiry, from its calls and puts alone.

The forward is where call and put cost the same, and quotes know it well. The rate is the slope of call - put over
strike divided by the time left, and quotes of a short expiry hardly know it. Both come with a standard error, and a
badly known rate is combined, by precision, with those of the neighbouring expiries and with a wide prior. A slope that
quotes determine exactly keeps all the weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import loop
from bifrost_lib.pricing.arguments import Floats, numbers
from bifrost_lib.pricing.early_exercise import without_early_exercise

PRIOR_RATE = 0.02
PRIOR_RATE_SD = 0.03

_ROUNDS = 20
_STILL = 1e-9  # a change of the rate, or of the forward relative to it, that ends the search
_MOST_KEPT = 0.9  # of an error, by a round

_one_expiry = loop("bifrost_lib.pricing.parity_loops", "one_expiry")


@dataclass(frozen=True)
class ImpliedForward:
    """What one expiry's quotes say about its forward, and how well they know it.

    `forward`, `rate`, `div_yield` with their standard errors; `pairs`: how many call-put pairs the fit rests on, after
    outliers; `rate_from_quotes`: the weight, 0 to 1, of this expiry's own quotes in `rate`, the rest being the rate
    that was given or, without one, a prior of 2 % ± 3 %; `within_spread`: share of pairs that parity explains within
    half of their combined spread.
    """

    forward: float
    rate: float
    div_yield: float
    forward_se: float
    rate_se: float
    pairs: float
    rate_from_quotes: float
    within_spread: float


def implied_forward(
    *,
    strike: npt.ArrayLike,
    call_bid: npt.ArrayLike,
    call_ask: npt.ArrayLike,
    put_bid: npt.ArrayLike,
    put_ask: npt.ArrayLike,
    tau: float,
    spot: float | None = None,
    american: bool = False,
    rate: float | None = None,
    rate_se: float = 0.0,
) -> ImpliedForward:
    """Infer forward, interest rate and dividend yield of one expiry from its quotes by put-call parity.

    Parameters
    ----------
    strike : array_like (n,)
        Currency per share, > 0, each once, in any order.
    call_bid, call_ask, put_bid, put_ask : array_like (n,)
        Currency per share. A strike counts only where both options have a bid > 0 and an ask that is no lower.
    tau : float
        Years to expiry, > 0.
    spot : float, optional
        Price of the underlying; without it `div_yield` is NaN.
    american : bool
        Options that may be exercised early: only pairs near the forward are used, and where `spot` is given their
        quotes are freed of what early exercise is worth.
    rate, rate_se : float, optional
        A rate known from elsewhere, such as the pooled rate of the neighbouring expiries, and its standard error. It
        takes the place of the prior.

    Returns
    -------
    ImpliedForward
        All NaN, with ``pairs == 0``, where no strike has both options quoted on both sides.

    Raises
    ------
    InputError
        If `tau` or a strike is not > 0, strikes repeat, or shapes differ; ``error.name`` says which.

    Notes
    -----
    Outliers are found by medians and lose all weight. On quotes without noise the result is exact to rounding: the
    prior has a weight of about the squared ratio of the quotes' own error to 3 %. Without `spot` the forward of
    American options of two years may be 3 % off where rates are high.
    """
    columns = [
        np.atleast_1d(numbers(name, value))
        for name, value in (
            ("strike", strike),
            ("call_bid", call_bid),
            ("call_ask", call_ask),
            ("put_bid", put_bid),
            ("put_ask", put_ask),
        )
    ]
    if any(column.shape != columns[0].shape or column.ndim != 1 for column in columns):
        raise InputError("shape", [column.shape for column in columns], "five arrays of one length")
    if not tau > 0:
        raise InputError("tau", tau, "years > 0")
    order = np.argsort(columns[0])
    ascending = [np.ascontiguousarray(column[order]) for column in columns]
    if not (ascending[0] > 0).all() or not (np.diff(ascending[0]) > 0).all():
        raise InputError("strike", strike, "numbers > 0, each once")
    prior, prior_se = (PRIOR_RATE, PRIOR_RATE_SD) if rate is None else (rate, rate_se)

    def fitted(quotes: Sequence[Floats]) -> Floats:
        found, work = np.full(7, np.nan), np.empty((6, len(order) + 128))
        if not _one_expiry(*quotes, float(tau), int(american), float(prior), float(prior_se), found, work):
            found[4:6] = 0.0
        return found

    found = fitted(ascending)
    if american and spot is not None and found[4] > 0.0:
        found = _restored(fitted, ascending, found, tau, spot)
    forward, best, forward_se, best_se, pairs, share, within = found.tolist()
    div_yield = math.nan if spot is None else best - math.log(forward / spot) / tau
    return ImpliedForward(forward, best, div_yield, forward_se, best_se, pairs, share, within)


def _restored(
    fitted: Callable[[Sequence[Floats]], Floats], quotes: Sequence[Floats], first: Floats, tau: float, spot: float
) -> Floats:
    """Return the fit to quotes without early exercise, whose worth depends on the rate and the forward of that fit.

    A round keeps about the same share of the error as the one before, so that two of them tell where they lead. What is
    not known of the rate is not known of the worth of early exercise either, by the same share.
    """
    state, step, kept, lever = first[:2], np.zeros(2), 0.0, 0.0
    for turn in range(_ROUNDS):
        forward, rate = state.tolist()
        div_yield = rate - math.log(forward / spot) / tau
        found = fitted(without_early_exercise(quotes, tau=tau, spot=spot, rate=rate, div_yield=div_yield))
        if not found[4] > 0.0:
            return first
        before, step = step, found[:2] - state
        if abs(step[0]) <= _STILL * forward and abs(step[1]) <= _STILL:
            break
        state = found[:2]
        if turn % 2 and step[1] and before[1]:
            kept = min(max(step[1] / before[1], 0.0), _MOST_KEPT)
            lever = abs(step[0] / step[1])
            state = state + step * kept / (1.0 - kept)
    unknown = found[3] * kept / (1.0 - kept)
    found[2] = math.hypot(found[2], unknown * lever)
    found[3] += unknown
    return found
