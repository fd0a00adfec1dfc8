"""Technical indicators of one series of bars: arrays in, arrays of the same length out, oldest first.

Every value rests on its own bar and earlier ones alone. It is NaN until enough bars are known; a rolling figure is NaN
wherever its window holds an unknown value, a smoothed one only where its own value is unknown.

References
----------
Wilder, "New Concepts in Technical Trading Systems" (1978): RSI, ATR. Bollinger, "Bollinger on Bollinger Bands" (2001).
Appel, "Technical Analysis: Power Tools for Active Investors" (2005): MACD. Cutler's RSI is that of simple averages.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bifrost_lib.backtest.signals import indicator_loops as loops
from bifrost_lib.core.errors import InputError
from bifrost_lib.core.native import Floats

SESSIONS_PER_YEAR = 252.0


def sma(values: Floats, window: int) -> Floats:
    """Average the last `window` values."""
    _check(window)
    is_unknown = np.isnan(values)
    any_unknown = is_unknown.any()
    total: Floats = _window_sums(np.where(is_unknown, 0.0, values) if any_unknown else values, window)
    total /= window
    total[: window - 1] = math.nan
    if any_unknown:
        total[_window_sums(is_unknown, window) > 0] = math.nan
    return total


def _window_sums(values: Any, window: int) -> Any:
    total = np.cumsum(values)
    total[window:] = total[window:] - total[:-window]
    return total


def ema(values: Floats, window: int) -> Floats:
    """Average exponentially with the span `window`: the newest value has the weight 2 / (window + 1)."""
    _check(window)
    out = np.empty(len(values))
    loops.exponential(values, window, out)
    return out


def wilder(values: Floats, window: int) -> Floats:
    """Average as Wilder does: the newest value has the weight 1 / window, begun with the mean of the first `window`."""
    _check(window)
    out = np.empty(len(values))
    loops.smoothed(values, 1.0 / window, window, out)
    return out


def deviation(values: Floats, window: int, ddof: int = 0) -> Floats:
    """Return the standard deviation of the last `window` values."""
    _check(window, least=1 + ddof)
    out = np.empty(len(values))
    loops.deviation(values, window, ddof, out)
    return out


def highest(values: Floats, window: int) -> Floats:
    """Return the highest of the last `window` values, its own among them."""
    _check(window)
    out = np.empty(len(values))
    loops.extreme(values, window, 1.0, out)
    return out


def lowest(values: Floats, window: int) -> Floats:
    """Return the lowest of the last `window` values, its own among them."""
    _check(window)
    out = np.empty(len(values))
    loops.extreme(values, window, -1.0, out)
    return out


def lag(values: Floats, bars: int = 1) -> Floats:
    """Return the value of `bars` bars before."""
    _check(bars)
    return np.concatenate([np.full(bars, math.nan), values])[: len(values)]


def change(values: Floats, bars: int = 1) -> Floats:
    """Return value / value of `bars` bars before - 1."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(values / lag(values, bars) - 1.0)


def zscore(values: Floats, window: int) -> Floats:
    """Return how many standard deviations a value lies above the average of the last `window`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((values - sma(values, window)) / deviation(values, window))


def rank(values: Floats, window: int = 252) -> Floats:
    """Place a value between the lowest and the highest of the last `window`: 0 to 1, NaN if they are the same.

    ``rank(iv, 252)`` is the IV rank of those who keep their own history.
    """
    low = lowest(values, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((values - low) / (highest(values, window) - low))


def percentile(values: Floats, window: int = 252) -> Floats:
    """Return the share of the `window` values before that were lower: 0 to 1."""
    _check(window)
    out = np.empty(len(values))
    loops.share_below(values, window, out)
    return out


def rsi(values: Floats, window: int = 14) -> Floats:
    """Return Wilder's relative strength index, 0 to 100."""
    return _strength(*(wilder(moves, window) for moves in _moves(values)))


def rsi_simple(values: Floats, window: int = 14) -> Floats:
    """Return Cutler's relative strength index, of simple averages, 0 to 100."""
    return _strength(*(sma(moves, window) for moves in _moves(values)))


def _moves(values: Floats) -> tuple[Floats, Floats]:
    moves = values - lag(values)
    return np.where(moves < 0, 0.0, moves), np.where(moves > 0, 0.0, -moves)


def _strength(up: Floats, down: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 - 100.0 / (1.0 + up / down))


def true_range(high: Floats, low: Floats, close: Floats) -> Floats:
    """Return the range of a bar, the gap to the close before it included; the first bar has none."""
    before = lag(close)
    widest = np.fmax(high - low, np.fmax(np.abs(high - before), np.abs(low - before)))
    return np.where(np.isnan(high) | np.isnan(low), math.nan, widest)


def atr(high: Floats, low: Floats, close: Floats, window: int = 14) -> Floats:
    """Return Wilder's average true range."""
    return wilder(true_range(high, low, close), window)


def atr_simple(high: Floats, low: Floats, close: Floats, window: int = 14) -> Floats:
    """Return the simple average of true ranges."""
    return sma(true_range(high, low, close), window)


def bollinger_upper(values: Floats, window: int = 20, width: float = 2.0) -> Floats:
    """Return the average of `window` plus `width` standard deviations."""
    return sma(values, window) + width * deviation(values, window)


def bollinger_lower(values: Floats, window: int = 20, width: float = 2.0) -> Floats:
    """Return the average of `window` minus `width` standard deviations."""
    return sma(values, window) - width * deviation(values, window)


def macd(values: Floats, fast: int = 12, slow: int = 26) -> Floats:
    """Return the fast exponential average minus the slow one."""
    return ema(values, fast) - ema(values, slow)


def macd_signal(values: Floats, fast: int = 12, slow: int = 26, window: int = 9) -> Floats:
    """Return the exponential average of MACD."""
    return ema(macd(values, fast, slow), window)


def stochastic(high: Floats, low: Floats, close: Floats, window: int = 14) -> Floats:
    """Place the close between the lowest low and the highest high of `window` bars, 0 to 100."""
    bottom = lowest(low, window)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 * (close - bottom) / (highest(high, window) - bottom))


def realized_vol(values: Floats, window: int = 21) -> Floats:
    """Return the volatility of `window` daily log returns: annual, a decimal, the mean removed."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.where(values > 0, values, math.nan))
    return deviation(logs - lag(logs), window, 1) * math.sqrt(SESSIONS_PER_YEAR)


def breakout(high: Floats, close: Floats, window: int = 20) -> Floats:
    """Return 1 where the close is above the highest high of the `window` bars before, else 0; NaN unknown."""
    return _truth(close, lag(highest(high, window)))


def breakdown(low: Floats, close: Floats, window: int = 20) -> Floats:
    """Return 1 where the close is below the lowest low of the `window` bars before, else 0; NaN unknown."""
    return _truth(lag(lowest(low, window)), close)


def _truth(greater: Floats, less: Floats) -> Floats:
    return np.where(np.isnan(greater) | np.isnan(less), math.nan, greater > less)


def crosses_above(first: Floats, second: Floats) -> Floats:
    """Return 1 on the bar on which `first` comes above `second` after it was below, else 0; NaN unknown."""
    out = np.empty(len(first))
    loops.crossings(first, second, out)
    return out


def crosses_below(first: Floats, second: Floats) -> Floats:
    """Return 1 on the bar on which `first` comes below `second` after it was above, else 0; NaN unknown."""
    return crosses_above(second, first)


def _check(window: int, least: int = 1) -> None:
    if window < least or window != int(window):
        raise InputError("window", window, f"a whole number of bars from {least}")
