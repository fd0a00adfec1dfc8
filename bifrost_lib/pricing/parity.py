"""Forward, interest rate and dividend yield of one expiry, from its calls and puts alone.

The forward is where call and put cost the same, and quotes know it well. The rate is the slope of call - put over
strike divided by the time left, and quotes of a short expiry hardly know it. Both come with a standard error, and a
badly known rate is combined, by precision, with those of the neighbouring expiries and with a wide prior. A slope that
quotes determine exactly keeps all the weight.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.arguments import numbers
from bifrost_lib.pricing.robust_line import LOOP, robust_line

PRIOR_RATE = 0.02
PRIOR_RATE_SD = 0.03
_NEIGHBOUR_SD = 0.002  # how much the rates of two adjacent expiries differ, ...
_NEIGHBOUR_SD_LOG = 0.004  # ... and how much more per unit of ln(tau / tau)
_MOST_RATE = 1.0  # a slope that means more than 100 % a year is an error of the quotes
_INDEPENDENT = 4.0  # errors of adjacent strikes go together: a chain is worth so many independent points
_CORRELATED = 0.2  # share of the half-spread by which all mids of one wing may be off together, ...
_EXACT = 0.02  # ... unless the residuals are so small a share of it that quotes are evidently not rounded
_FEWEST_NEAR = 8
_SURPRISING = 1.5  # standard deviations from the prior at which a rate begins to be doubted


@kernel(**LOOP)
def two_sided(bid: float, ask: float) -> bool:
    """Tell whether a quote has a usable mid."""
    return bid > 0.0 and ask >= bid


@kernel(**LOOP)
def even_widths(width: Any, size: int) -> None:
    """Make widths usable as error scales: a locked quote is not infinitely better than its neighbours."""
    total = 0.0
    for i in range(size):
        total += width[i]
    floor = 0.1 * total / size if total > 0.0 else 1.0
    for i in range(size):
        width[i] += floor


@kernel(**LOOP)
def near_the_money(strike: Any, gap: Any, straddle: Any, size: int) -> tuple[int, int]:
    """Return the range of pairs within a straddle's price of the forward, and at least 8 pairs.

    Farther out, an American option's right of early exercise makes call - put bend away from the line.
    """
    middle = 0
    for i in range(size):
        if math.fabs(gap[i]) < math.fabs(gap[middle]):
            middle = i
    reach = 0.6 * straddle[middle]
    low, high = middle, middle
    while high - low + 1 < size:
        below = strike[middle] - strike[low - 1] if low > 0 else math.inf
        above = strike[high + 1] - strike[middle] if high + 1 < size else math.inf
        if min(below, above) > reach and high - low + 1 >= _FEWEST_NEAR:
            break
        if below < above:
            low -= 1
        else:
            high += 1
    return low, high + 1


@kernel(**LOOP)
def own_rate(slope: float, noise: float, spread: float, trusted: float, tau: float) -> tuple[float, float]:
    """Return the rate that the slope of call - put means and its variance, infinite where it means nothing."""
    if not slope < 0.0:
        return math.nan, math.inf
    rate = -math.log(-slope) / tau
    if not math.fabs(rate) <= _MOST_RATE:
        return math.nan, math.inf
    rounded = noise / (noise + _EXACT * _EXACT)
    single = noise / min(trusted, _INDEPENDENT) + _CORRELATED * _CORRELATED * rounded
    sd = math.sqrt(single * trusted / spread) / (-slope * tau)
    return rate, sd * sd


@kernel(**LOOP)
def doubted(rate: float, variance: float) -> float:
    """Return `variance`, larger the worse the rate agrees with the prior; what is exact stays exact.

    Calls quoted a minute after the puts tilt every expiry's line far beyond what its residuals tell.
    """
    z = (rate - PRIOR_RATE) / math.sqrt(variance + PRIOR_RATE_SD * PRIOR_RATE_SD)
    return variance * (1.0 + (z / _SURPRISING) ** 4)


@kernel(**LOOP)
def blended_rate(tau: Any, rate: Any, variance: Any, start: int, end: int, which: int) -> tuple[float, float]:
    """Return the rate of expiry `which` by precision from its own and its neighbours', and its variance."""
    if variance[which] <= 1e-16:
        return rate[which], variance[which]
    borrowed, strongest, weighted = 0.0, 0.0, 0.0
    for j in range(start, end):
        if j == which or not variance[j] < math.inf:
            continue
        sd = _NEIGHBOUR_SD + _NEIGHBOUR_SD_LOG * math.fabs(math.log(tau[j] / tau[which]))
        precision = 1.0 / (doubted(rate[j], variance[j]) + sd * sd)
        borrowed += precision
        strongest = max(strongest, precision)
        weighted += precision * rate[j]
    allowed = min(1.0, _INDEPENDENT * strongest / borrowed) if borrowed > 0.0 else 0.0
    total = 1.0 / (PRIOR_RATE_SD * PRIOR_RATE_SD) + allowed * borrowed
    weighted = PRIOR_RATE / (PRIOR_RATE_SD * PRIOR_RATE_SD) + allowed * weighted
    if variance[which] < math.inf:
        precision = 1.0 / doubted(rate[which], variance[which])
        total += precision
        weighted += precision * rate[which]
    return weighted / total, 1.0 / total


@kernel(**LOOP)
def forward_given_rate(mean_strike: float, mean_gap: float, rate: float, tau: float) -> float:
    """Return the forward on the line through (mean_strike, mean_gap) that falls with the discount factor."""
    return mean_strike + mean_gap * math.exp(rate * tau)


@kernel(**LOOP)
def fit_expiry(
    strike: Any, gap: Any, width: Any, straddle: Any, size: int, american: bool, tau: float, work: Any
) -> Any:
    """Return rate, variance of the rate, mean strike, mean gap and variance of the mean gap of one expiry's pairs.

    `size` > 0 pairs ascend in strike; `width` is half the sum of both spreads and is changed; `work` is scratch.
    """
    even_widths(width, size)
    low, high = near_the_money(strike, gap, straddle, size) if american else (0, size)
    slope, noise, spread, total, mean_strike, mean_gap, trusted = robust_line(
        strike[low:high], gap[low:high], width[low:high], high - low, work[0], work[1]
    )
    rate, variance = own_rate(slope, noise, spread, trusted, tau)
    return rate, variance, mean_strike, mean_gap, noise * max(trusted / _INDEPENDENT, 1.0) / total, trusted


@kernel(**LOOP)
def _one_expiry(
    strike: Any, call_bid: Any, call_ask: Any, put_bid: Any, put_ask: Any, tau: float, american: bool, work: Any
) -> Any:
    count = 0
    for i in range(strike.size):
        if two_sided(call_bid[i], call_ask[i]) and two_sided(put_bid[i], put_ask[i]):
            call, put = 0.5 * (call_bid[i] + call_ask[i]), 0.5 * (put_bid[i] + put_ask[i])
            work[0, count], work[1, count], work[3, count] = strike[i], call - put, call + put
            work[2, count] = 0.5 * (call_ask[i] - call_bid[i] + put_ask[i] - put_bid[i])
            count += 1
    if count == 0:
        return count, math.nan, math.inf, math.nan, math.nan, math.nan, 0.0
    found = fit_expiry(work[0], work[1], work[2], work[3], count, american, tau, work[4:])
    return count, found[0], found[1], found[2], found[3], found[4], found[5]


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
        Options that may be exercised early: only pairs near the forward are used.
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
    prior has a weight of about the squared ratio of the quotes' own error to 3 %.
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
    work = np.empty((6, len(order) + 128))
    k, call_bids, call_asks, put_bids, put_asks = ascending
    count, own, variance, mean_strike, mean_gap, gap_variance, trusted = _one_expiry(
        k, call_bids, call_asks, put_bids, put_asks, tau, american, work
    )
    prior, prior_se = (PRIOR_RATE, PRIOR_RATE_SD) if rate is None else (rate, rate_se)
    variance = doubted(own, variance) if variance < np.inf else np.inf
    share = 0.0 if not variance < np.inf or prior_se == 0.0 else prior_se**2 / (prior_se**2 + variance)
    best = prior + share * (own - prior) if share else prior
    best_variance = share * variance if share else prior_se**2
    if count == 0:
        nothing = math.nan
        return ImpliedForward(nothing, nothing, nothing, nothing, nothing, 0.0, 0.0, nothing)
    forward = forward_given_rate(mean_strike, mean_gap, best, tau)
    error = math.sqrt(gap_variance * math.exp(2 * best * tau) + best_variance * (tau * (forward - mean_strike)) ** 2)
    pair_strike, gap, width = work[0, :count], work[1, :count], work[2, :count]
    miss = np.abs(gap - math.exp(-best * tau) * (forward - pair_strike))
    return ImpliedForward(
        forward=forward,
        rate=best,
        div_yield=math.nan if spot is None else best - math.log(forward / spot) / tau,
        forward_se=error,
        rate_se=math.sqrt(best_variance),
        pairs=trusted,
        rate_from_quotes=share,
        within_spread=float(np.mean(miss <= 0.5 * width)),
    )
