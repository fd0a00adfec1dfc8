"""Realised volatility from daily bars, by five estimators."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.errors import InputError, UnknownNameError

Floats = npt.NDArray[np.float64]
Estimator = Literal["close_to_close", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"]

SESSIONS_PER_YEAR = 252.0


def realized_vol(
    bars: pd.DataFrame, *, window: int = 21, estimator: Estimator = "close_to_close", annualised: float = 252.0
) -> pd.Series[float]:
    """Estimate the volatility of an underlying over a rolling window of daily bars.

    Parameters
    ----------
    bars : DataFrame
        Columns open, high, low, close (currency per share, > 0, adjusted for splits and dividends), oldest first;
        close_to_close needs only close.
    window : int
        Sessions, >= 2.
    estimator : {"close_to_close", "parkinson", "garman_klass", "rogers_satchell", "yang_zhang"}
        See Notes.
    annualised : float
        Sessions in a year, > 0.

    Returns
    -------
    Series
        Decimal, annual, named ``realized_vol``, on the index of `bars`. NaN until the window is full and wherever it
        holds a missing, non-positive or contradictory bar (a high below the others, a low above them).

    Raises
    ------
    InputError
        If a column is missing, or `window` or `annualised` is outside its domain.
    UnknownNameError
        For an unknown estimator.

    Notes
    -----
    close_to_close: sample standard deviation of log returns, the mean removed; `window` returns, so `window` + 1 bars.
    yang_zhang: overnight, open-to-close and Rogers-Satchell variance together; unbiased by drift and by overnight
    jumps; also `window` + 1 bars. parkinson, garman_klass and rogers_satchell look only at the session itself, so they
    leave out what happens overnight; the first two assume no drift. On bars that are made of few trades, ranges are
    too narrow and these estimators too low.

    References
    ----------
    Parkinson, Journal of Business 53 (1980) 61-65; Garman and Klass, Journal of Business 53 (1980) 67-78; Rogers and
    Satchell, Annals of Applied Probability 1 (1991) 504-512; Yang and Zhang, Journal of Business 73 (2000) 477-491.
    """
    if estimator not in get_args(Estimator):
        raise UnknownNameError("estimator", estimator, get_args(Estimator))
    if window < 2:
        raise InputError("window", window, "at least 2 sessions")
    if not 0 < annualised < math.inf:
        raise InputError("annualised", annualised, "sessions in a year > 0")
    variance = _VARIANCES[estimator](*_logs(bars, estimator), window)
    return pd.Series(np.sqrt(annualised * np.maximum(variance, 0.0)), index=bars.index, name="realized_vol")


def _logs(bars: pd.DataFrame, estimator: Estimator) -> tuple[Floats, Floats, Floats, Floats]:
    names = ("close",) if estimator == "close_to_close" else ("open", "high", "low", "close")
    for name in names:
        if name not in bars.columns:
            raise InputError(f"bars.{name}", list(bars.columns), "this column to be present")
    found = {name: bars[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in names}
    logs = {name: np.log(np.where(price > 0, price, np.nan)) for name, price in found.items()}
    close = logs["close"]
    if estimator == "close_to_close":
        return close, close, close, close
    opening, high, low = logs["open"], logs["high"], logs["low"]
    possible = (high >= np.maximum(opening, close)) & (low <= np.minimum(opening, close))
    return opening, np.where(possible, high, np.nan), np.where(possible, low, np.nan), close


def _windows(values: Floats, window: int) -> Floats:
    # (n, window): the last `window` values at each place, NaN where there are fewer.
    if not len(values):
        return np.empty((0, window))
    padded = np.concatenate([np.full(window - 1, np.nan), values])
    return np.lib.stride_tricks.sliding_window_view(padded, window)


def _returns(later: Floats, earlier: Floats) -> Floats:
    return np.concatenate([[np.nan], later[1:] - earlier[:-1]])[: len(later)]


def _close_to_close(opening: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    return np.asarray(_windows(_returns(close, close), window).var(axis=1, ddof=1))


def _parkinson(opening: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    return np.asarray(_windows((high - low) ** 2, window).mean(axis=1) / (4.0 * math.log(2.0)))


def _garman_klass(opening: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    daily = 0.5 * (high - low) ** 2 - (2.0 * math.log(2.0) - 1.0) * (close - opening) ** 2
    return np.asarray(_windows(daily, window).mean(axis=1))


def _rogers_satchell(opening: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    daily = (high - close) * (high - opening) + (low - close) * (low - opening)
    return np.asarray(_windows(daily, window).mean(axis=1))


def _yang_zhang(opening: Floats, high: Floats, low: Floats, close: Floats, window: int) -> Floats:
    share = 0.34 / (1.34 + (window + 1) / (window - 1))
    overnight = _windows(_returns(opening, close), window).var(axis=1, ddof=1)
    session = _windows(close - opening, window).var(axis=1, ddof=1)
    inside = _rogers_satchell(opening, high, low, close, window)
    return np.asarray(overnight + share * session + (1.0 - share) * inside)


_VARIANCES: dict[str, Callable[[Floats, Floats, Floats, Floats, int], Floats]] = {
    "close_to_close": _close_to_close,
    "parkinson": _parkinson,
    "garman_klass": _garman_klass,
    "rogers_satchell": _rogers_satchell,
    "yang_zhang": _yang_zhang,
}
