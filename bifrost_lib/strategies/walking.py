"""Profit at one expiry as a broken line, walked once: extremes, and where profits begin and end, all exact.

A structure is a payoff and a slope at a price of zero, and a kink at every strike whose weight (quantity times
multiplier) is added to the slope there; calls and puts differ only in what they contribute at zero.
"""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel

#: Share of the structure's size in currency below which a profit counts as zero: rounding, not money.
ZERO = 1e-12


@kernel(error_model="numpy", forceinline=True)
def _sign(value: float) -> int:
    return (1 if value > 0.0 else 0) - (1 if value < 0.0 else 0)


@kernel(error_model="numpy")
def walk(
    kinks: Any, weights: Any, count: int, premium: float, payoff: float, slope: float, zero: float,
    roots: Any, turns: Any, start: int,
) -> tuple[int, float, float, float, bool]:  # fmt: skip
    """Walk a broken line from a price of zero to infinity.

    Parameters
    ----------
    kinks, weights : float64 (>= count,)
        Strikes in ascending order and what each adds to the slope.
    count : int
        How many of them are in use.
    premium : float
        What is added to the payoff everywhere. Kept apart because payoffs at strikes are round numbers.
    payoff, slope : float
        Payoff at a price of zero, and its slope up to the first kink.
    zero : float
        Profits smaller than this in size are zero.
    roots : float64 (>= start + count + 1,)
        Filled from `start` on with the prices at which the profit is zero: crossings, touches, and both ends of flat
        stretches.
    turns : float64 (>= start + count + 1,)
        Filled likewise, root by root, with +1 where a profit ends, -1 where one begins and 0 where neither happens, so
        that P(profit) is the sum of ``turns * P(S < root)``, plus 1 if the line ends in profit.

    Returns
    -------
    end of the roots, lowest and highest profit at zero and the kinks, slope beyond the last kink, ends in profit
    """
    lowest = highest = premium + payoff
    gross = abs(slope)
    found, before, here = start, 2, 0.0  # before: the sign of the stretch just walked; 2 is none yet
    left = 0.0 if abs(lowest) < zero else lowest
    for i in range(count + 1):
        last_stretch = i == count
        if not last_stretch and kinks[i] <= here:
            slope += weights[i]
            gross += abs(weights[i])
            continue
        if last_stretch:
            slope = 0.0 if abs(slope) <= ZERO * gross else slope
            end = left if slope == 0.0 else slope  # only its sign matters: the line runs on for ever
        else:
            payoff += slope * (kinks[i] - here)
            value = premium + payoff
            end = 0.0 if abs(value) < zero else value
            lowest, highest = min(lowest, value), max(highest, value)
        after = _sign(left) if left != 0.0 else _sign(end)
        if left == 0.0 and here > 0.0 and not (before == 0 and after == 0):
            roots[found] = here
            turns[found] = 0.0 if before == 2 else float((before > 0) - (after > 0))
            found += 1
        before = _sign(end) if end != 0.0 else _sign(left)
        if after * before < 0:
            roots[found] = here - left / slope
            turns[found] = float(after)
            found += 1
        if not last_stretch:
            here, left = kinks[i], end
            slope += weights[i]
            gross += abs(weights[i])
    return found, lowest, highest, slope, before > 0


@kernel(error_model="numpy", forceinline=True)
def insert_kink(kinks: Any, weights: Any, count: int, strike: float, weight: float) -> None:
    """Put one more kink among the first `count` ones so that they stay in ascending order."""
    i = count
    while i > 0 and kinks[i - 1] > strike:
        kinks[i] = kinks[i - 1]
        weights[i] = weights[i - 1]
        i -= 1
    kinks[i] = strike
    weights[i] = weight
