"""The loops of the indicators: one pass over a series each, compiled."""

from __future__ import annotations

import math

import numpy as np

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats


@kernel()
def smoothed(values: Floats, alpha: float, seed: int, out: Floats) -> None:
    """Write the exponential average with weight `alpha` of the newest value, begun with the mean of the first `seed`.

    It begins after leading unknowns and is unknown until `seed` values are known; an unknown value leaves the average
    as it was and is itself unknown.
    """
    average, known = 0.0, 0
    for i in range(values.size):
        value = values[i]
        out[i] = math.nan
        if math.isnan(value):
            continue
        known += 1
        if known <= seed:
            average += (value - average) / known
        else:
            average += alpha * (value - average)
        if known >= seed:
            out[i] = average


@kernel()
def exponential(values: Floats, window: int, out: Floats) -> None:
    """Write the exponential average of span `window`, begun with the first value and unknown until `window` are."""
    alpha, average, known = 2.0 / (window + 1.0), 0.0, 0
    for i in range(values.size):
        value = values[i]
        out[i] = math.nan
        if math.isnan(value):
            continue
        known += 1
        average = value if known == 1 else (1.0 - alpha) * average + alpha * value
        if known >= window:
            out[i] = average


@kernel()
def deviation(values: Floats, window: int, ddof: int, out: Floats) -> None:
    """Write the standard deviation of the last `window` values around their own mean, unknown if one of them is."""
    for i in range(values.size):
        out[i] = math.nan
        if i + 1 < window:
            continue
        mean, squares = 0.0, 0.0
        for j in range(i - window + 1, i + 1):
            mean += values[j]
        mean /= window
        for j in range(i - window + 1, i + 1):
            squares += (values[j] - mean) ** 2
        out[i] = math.sqrt(squares / (window - ddof))


@kernel()
def extreme(values: Floats, window: int, sign: float, out: Floats) -> None:
    """Write the highest (`sign` 1) or lowest (-1) of the last `window` values, unknown if one of them is."""
    for i in range(values.size):
        out[i] = math.nan
        if i + 1 < window:
            continue
        best = -math.inf
        for j in range(i - window + 1, i + 1):
            value = sign * values[j]
            if math.isnan(value):
                best = math.nan
                break
            best = max(best, value)
        out[i] = sign * best


@kernel()
def share_below(values: Floats, window: int, out: Floats) -> None:
    """Write the share of the `window` values before each that are lower than it, unknown if one of them is."""
    for i in range(values.size):
        out[i] = math.nan
        if i < window or math.isnan(values[i]):
            continue
        below, unknown = 0, False
        for j in range(i - window, i):
            unknown |= math.isnan(values[j])
            below += values[j] < values[i]
        if not unknown:
            out[i] = below / window


@kernel()
def crossings(first: Floats, second: Floats, out: Floats) -> None:
    """Write 1 where `first` comes above `second` after it was below, 0 where it does not, NaN where one is unknown.

    Where both are equal nothing is decided: the side on which `first` was last holds on.
    """
    was_below, is_above = False, False
    for i in range(first.size):
        if math.isnan(first[i]) or math.isnan(second[i]):
            was_below, is_above = False, False
            out[i] = np.nan
            continue
        out[i] = 0.0
        if first[i] > second[i]:
            if was_below and not is_above:
                out[i] = 1.0
            is_above = True
        elif first[i] < second[i]:
            was_below, is_above = True, False
