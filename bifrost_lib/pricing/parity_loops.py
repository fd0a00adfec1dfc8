"""The parity of calls and puts, expiry by expiry: which pairs count, what their line says, and how far to trust it."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats, Table
from bifrost_lib.pricing.robust_line import LOOP, robust_line

_NEIGHBOUR_SD = 0.002  # how much the rates of two adjacent expiries differ, ...
_NEIGHBOUR_SD_LOG = 0.004  # ... and how much more per unit of ln(tau / tau)
_MOST_RATE = 1.0  # a slope that means more than 100 % a year is an error of the quotes
_INDEPENDENT = 4.0  # errors of adjacent strikes go together: a chain is worth so many independent points
_CORRELATED = 0.2  # share of the half-spread by which all mids of one wing may be off together, ...
_EXACT = 0.02  # ... unless the residuals are so small a share of it that quotes are evidently not rounded
_FEWEST_NEAR = 8
_ROUNDING = 1e-14
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
def doubted(rate: float, variance: float, prior: float, prior_sd: float) -> float:
    """Return `variance`, larger the worse the rate agrees with the prior; what is exact stays exact.

    Calls quoted a minute after the puts tilt every expiry's line far beyond what its residuals tell.
    """
    z = (rate - prior) / math.sqrt(variance + prior_sd * prior_sd)
    return variance * (1.0 + (z / _SURPRISING) ** 4)


@kernel(**LOOP)
def blended_rate(
    tau: Any, rate: Any, variance: Any, start: int, end: int, which: int, prior: float, prior_sd: float
) -> tuple[float, float]:
    """Return the rate of expiry `which` by precision from its own, its neighbours' and the prior, and its variance."""
    if variance[which] <= 1e-16:
        return rate[which], variance[which]
    borrowed, strongest, weighted = 0.0, 0.0, 0.0
    for j in range(start, end):
        if j == which or not variance[j] < math.inf:
            continue
        sd = _NEIGHBOUR_SD + _NEIGHBOUR_SD_LOG * math.fabs(math.log(tau[j] / tau[which]))
        precision = 1.0 / (doubted(rate[j], variance[j], prior, prior_sd) + sd * sd)
        borrowed += precision
        strongest = max(strongest, precision)
        weighted += precision * rate[j]
    allowed = min(1.0, _INDEPENDENT * strongest / borrowed) if borrowed > 0.0 else 0.0
    total = 1.0 / (prior_sd * prior_sd) + allowed * borrowed
    weighted = prior / (prior_sd * prior_sd) + allowed * weighted
    if variance[which] < math.inf:
        precision = 1.0 / doubted(rate[which], variance[which], prior, prior_sd)
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


def one_expiry(
    strike: Floats, call_bid: Floats, call_ask: Floats, put_bid: Floats, put_ask: Floats, tau: float, american: int,
    prior: float, prior_sd: float, found: Floats, work: Table,
) -> int:  # fmt: skip
    """Fill `found` with the numbers of an `ImpliedForward`, `div_yield` apart; return how many pairs there are."""
    count = 0
    for i in range(strike.size):
        if two_sided(call_bid[i], call_ask[i]) and two_sided(put_bid[i], put_ask[i]):
            call, put = 0.5 * (call_bid[i] + call_ask[i]), 0.5 * (put_bid[i] + put_ask[i])
            work[0, count], work[1, count], work[3, count] = strike[i], call - put, call + put
            work[2, count] = 0.5 * (call_ask[i] - call_bid[i] + put_ask[i] - put_bid[i])
            count += 1
    if count == 0:
        return 0
    own, variance, mean_strike, mean_gap, gap_variance, trusted = fit_expiry(
        work[0], work[1], work[2], work[3], count, american != 0, tau, work[4:]
    )
    share, rate, rate_variance = 0.0, prior, prior_sd * prior_sd
    if variance < math.inf and prior_sd > 0.0:
        variance = doubted(own, variance, prior, prior_sd)
        share = prior_sd * prior_sd / (prior_sd * prior_sd + variance)
        rate, rate_variance = prior + share * (own - prior), share * variance
    forward = forward_given_rate(mean_strike, mean_gap, rate, tau)
    lever = tau * (forward - mean_strike)
    within = 0
    for i in range(count):
        miss = math.fabs(work[1, i] - math.exp(-rate * tau) * (forward - work[0, i]))
        within += 1 if miss <= 0.5 * work[2, i] + _ROUNDING * forward else 0
    found[0], found[1] = forward, rate
    found[2] = math.sqrt(gap_variance * math.exp(2.0 * rate * tau) + rate_variance * lever * lever)
    found[3], found[4], found[5], found[6] = math.sqrt(rate_variance), trusted, share, within / count
    return count
