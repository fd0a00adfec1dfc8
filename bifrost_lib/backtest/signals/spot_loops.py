"""Trading the underlying on many sets of signals: one pass over the bars for each, nothing allocated.

All of the money goes in at a buy and comes out at a sale. The account is 1 at the start. A result is a row of
`RETURN`, `SHARPE`, `DRAWDOWN`, `TRADES`, `HELD`; while a set is walked the row holds the account's running figures.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Floats

RETURN, SHARPE, DRAWDOWN, TRADES, HELD = range(5)
COLUMNS = 5
# What the cells of a row hold while its set is walked.
_VALUE, _SUM, _WORST, _PEAK = RETURN, SHARPE, DRAWDOWN, 5
_SQUARES = 6
CELLS = 7


@kernel(inline="always")
def _begin(row: Floats) -> None:
    row[:] = 0.0
    row[_VALUE] = row[_WORST] = row[_PEAK] = 1.0


@kernel()
def _hold(
    row: Floats,
    first: int,
    last: int,
    sold: bool,
    close: Floats,
    sums: Floats,
    squares: Floats,
    buy: float,
    sell: float,
) -> None:
    """Buy at the close of bar `first`, and sell at that of `last` if `sold`; a close-to-close return for each bar.

    Returns while nothing is paid are those of the underlying, whose sums and sums of squares are known beforehand.
    """
    row[TRADES] += 1
    row[HELD] += last - first
    row[_SUM] += buy - 1.0
    row[_SQUARES] += (buy - 1.0) ** 2
    value = row[_VALUE] * buy
    if first == 0:
        row[_PEAK] = value  # drawdowns are from one close to another: what the first bar cost comes before all of them
    shares = value / close[first]
    peak, worst = row[_PEAK] / shares, row[_WORST]
    worst = min(worst, close[first] / peak)
    mark = peak * worst
    until = last - 1 if sold else last
    for t in range(first + 1, until + 1):
        price = close[t]
        if price > peak:
            peak = price
            mark = peak * worst
        elif price < mark:
            mark = price
            worst = price / peak
    row[_SUM] += sums[until] - sums[first]
    row[_SQUARES] += squares[until] - squares[first]
    price = close[until]
    if sold:
        price = close[last] * sell
        change = price / close[until] - 1.0
        row[_SUM] += change
        row[_SQUARES] += change * change
        peak = max(peak, price)
        worst = min(worst, price / peak)
    row[_VALUE] = shares * price
    row[_PEAK], row[_WORST] = peak * shares, worst


@kernel(inline="always")
def _finish(row: Floats, bars: int, per_year: float) -> None:
    mean = row[_SUM] / bars
    variance = (row[_SQUARES] - bars * mean * mean) / (bars - 1.0)
    row[SHARPE] = mean / math.sqrt(variance) * math.sqrt(per_year) if variance > 0.0 else math.nan
    row[RETURN] -= 1.0
    row[DRAWDOWN] -= 1.0
    row[HELD] /= bars


@kernel()
def _first_above(one: Floats, other: Floats, start: int, end: int) -> int:
    for t in range(start, end):
        if one[t] > other[t]:
            return t
    return end


@kernel()
def trade_crossings(lines: Any, pairs: Any, close: Floats, sums: Floats, squares: Floats, terms: Any, out: Any) -> None:
    """Hold the underlying while one line is above another, for each pair of `lines` (k, n); NaN only at their starts.

    It is bought when the first line comes above the second after it was below, and sold when it comes below. `terms`
    are delay in bars, the shares of the money that survive a buy and a sale, and bars per year.
    """
    delay, buy, sell, per_year = int(terms[0]), terms[1], terms[2], terms[3]
    bars = close.size
    end = bars - delay
    for number in range(pairs.shape[0]):
        fast, slow, row = lines[pairs[number, 0]], lines[pairs[number, 1]], out[number]
        _begin(row)
        first = _first_above(fast, slow, _first_above(slow, fast, 0, end), end)
        while first < end:
            last = _first_above(slow, fast, first, end)
            sold = last < end
            _hold(row, first + delay, last + delay if sold else bars - 1, sold, close, sums, squares, buy, sell)
            first = _first_above(fast, slow, last, end)
        _finish(row, bars, per_year)


@kernel()
def _first_of(one: Any, other: Any, start: int, end: int) -> int:
    for t in range(start, end):
        if one[t] and not other[t]:
            return t
    return end


@kernel()
def trade_signals(entries: Any, exits: Any, close: Floats, sums: Floats, squares: Floats, terms: Any, out: Any) -> None:
    """Buy and sell the underlying where `entries` and `exits` (sets, n) say so; where both do, nothing is done."""
    delay, buy, sell, per_year = int(terms[0]), terms[1], terms[2], terms[3]
    bars = close.size
    end = bars - delay
    for number in range(entries.shape[0]):
        enter, leave, row = entries[number], exits[number], out[number]
        _begin(row)
        first = _first_of(enter, leave, 0, end)
        while first < end:
            last = _first_of(leave, enter, first, end)
            sold = last < end
            _hold(row, first + delay, last + delay if sold else bars - 1, sold, close, sums, squares, buy, sell)
            first = _first_of(enter, leave, last, end)
        _finish(row, bars, per_year)


def running_sums(close: Floats) -> tuple[Floats, Floats]:
    """Return the sums of the returns of a row of closes up to each of them, and of their squares."""
    returns = np.zeros(close.size)
    returns[1:] = close[1:] / close[:-1] - 1.0
    return np.cumsum(returns), np.cumsum(returns * returns)
