"""Stock strategies by the thousand: what each pair of averages, or each set of signals, made of an underlying."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.signals import indicators
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.core.native import Floats

if TYPE_CHECKING:
    import pandas as pd

Average = Literal["sma", "ema", "wilder"]
SESSIONS_PER_YEAR = 252.0
_NAMES = ("total_return", "sharpe", "max_drawdown", "trades", "held")


def run_averages(
    close: npt.ArrayLike,
    pairs: Iterable[tuple[int, int]],
    *,
    average: Average = "sma",
    fees: float = 0.0,
    slippage: float = 0.0,
    delay: int = 0,
    per_year: float = SESSIONS_PER_YEAR,
) -> pd.DataFrame:
    """Hold an underlying while its fast average is above its slow one, for every pair of windows.

    Parameters
    ----------
    close : array_like (n,)
        Currency per share, > 0, all known, oldest first, adjusted for splits.
    pairs : iterable of (int, int)
        Windows of the fast and of the slow average, in bars; ``itertools.combinations(range(2, 102), 2)`` are 4,950.
    average : {"sma", "ema", "wilder"}
    fees, slippage : float
        Shares of the money, and of the price, that each buy and each sale cost; in [0, 1).
    delay : int
        Bars between a signal and its trade: 0 trades at the close that gave the signal, 1 at the next one.
    per_year : float
        Bars in a year, for the Sharpe ratio.

    Returns
    -------
    DataFrame
        One row for each pair in the given order: `fast`, `slow`, `total_return`, `sharpe` (of returns per bar, with no
        risk-free rate, annual; NaN if never traded), `max_drawdown` (<= 0, close to close), `trades` (one that is still
        open among them), `held` (share of bars).

    Raises
    ------
    InputError
        If an argument is outside its domain.

    Notes
    -----
    A trade begins when the fast average comes above the slow one after it was below, and ends when it comes below: the
    figures are those of ``vectorbt.Portfolio.from_signals`` with these entries and exits and ``size=inf``.
    """
    import pandas as pd

    from bifrost_lib.backtest.signals import spot_loops

    prices, terms = _prices(close), _terms(fees, slippage, delay, per_year)
    if average not in get_args(Average):
        raise UnknownNameError("average", average, get_args(Average))
    given = np.array(list(pairs), dtype=np.int64).reshape(-1, 2)
    windows, places = np.unique(given, return_inverse=True)
    work = getattr(indicators, average)
    lines = np.array([work(prices, int(window)) for window in windows]).reshape(len(windows), prices.size)
    found = np.empty((len(given), spot_loops.CELLS))
    spot_loops.trade_crossings(
        lines, places.reshape(-1, 2), prices, *spot_loops.running_sums(prices), np.array(terms), found
    )
    return pd.DataFrame({"fast": given[:, 0], "slow": given[:, 1]}).join(_frame(found))


def run_signals(
    close: npt.ArrayLike,
    entries: npt.ArrayLike,
    exits: npt.ArrayLike,
    *,
    fees: float = 0.0,
    slippage: float = 0.0,
    delay: int = 0,
    per_year: float = SESSIONS_PER_YEAR,
) -> pd.DataFrame:
    """Buy and sell an underlying where signals say so, for every set of signals.

    Parameters
    ----------
    close, fees, slippage, delay, per_year
        As for `run_averages`.
    entries, exits : array_like of bool (n,) or (sets, n)
        What `Signal.holds` returns, for each bar. While shares are held further entries do nothing, while none are,
        exits; a bar with both does nothing.

    Returns
    -------
    DataFrame
        One row for each set: `total_return`, `sharpe`, `max_drawdown`, `trades`, `held`, as from `run_averages`.

    Raises
    ------
    InputError
        If an argument is outside its domain, or the signals are not one for each bar.
    """
    from bifrost_lib.backtest.signals import spot_loops

    prices, terms = _prices(close), _terms(fees, slippage, delay, per_year)
    enter, leave = (np.atleast_2d(np.asarray(one, dtype=bool)) for one in (entries, exits))
    if enter.shape != leave.shape or enter.shape[1] != prices.size:
        raise InputError("entries", (enter.shape, leave.shape), f"entries and exits for each of {prices.size} bars")
    found = np.empty((len(enter), spot_loops.CELLS))
    spot_loops.trade_signals(
        np.ascontiguousarray(enter), np.ascontiguousarray(leave), prices, *spot_loops.running_sums(prices),
        np.array(terms), found,
    )  # fmt: skip
    return _frame(found)


def _prices(close: npt.ArrayLike) -> Floats:
    prices = np.ascontiguousarray(close, dtype=np.float64)
    if prices.ndim != 1 or prices.size < 2:
        raise InputError("close", prices.shape, "at least two bars of one underlying, shape (n,)")
    bad = ~(np.isfinite(prices) & (prices > 0))
    if bad.any():
        place = int(np.argmax(bad))
        raise InputError(f"close[{place}]", float(prices[place]), "a known price > 0: leave out bars without one")
    return prices


def _terms(fees: float, slippage: float, delay: int, per_year: float) -> Sequence[float]:
    for name, share in (("fees", fees), ("slippage", slippage)):
        if not 0 <= share < 1:
            raise InputError(name, share, "a share in [0, 1)")
    if delay < 0:
        raise InputError("delay", delay, "0 bars or more")
    if not per_year > 0:
        raise InputError("per_year", per_year, "bars in a year > 0")
    return delay, 1.0 / ((1.0 + fees) * (1.0 + slippage)), (1.0 - fees) * (1.0 - slippage), per_year


def _frame(found: npt.NDArray[np.float64]) -> pd.DataFrame:
    import pandas as pd

    frame = pd.DataFrame(found[:, : len(_NAMES)], columns=list(_NAMES))
    return frame.astype({"trades": "int64"})
