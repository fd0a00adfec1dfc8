"""Figures of many sets at once, by which a search compares them."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]
Figure = Literal["sharpe", "sortino", "calmar", "pnl"]

SESSIONS_PER_YEAR = 252.0


def figure_of(daily: npt.ArrayLike, figure: Figure) -> Floats:
    """Return a figure of each set.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Gains in currency, at least two sessions.
    figure : {"sharpe", "sortino", "calmar", "pnl"}
        Annual ratios of the mean gain to its deviation, to its deviation below 0, or to the deepest drawdown; or the
        sum of the gains. In currency, so that they do not depend on the capital.

    Returns
    -------
    float64 (sets,)
        NaN for a set that never moved; a ratio is infinite where nothing was lost.
    """
    x = np.asarray(daily, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] < 2:
        raise InputError("daily", x.shape, "gains of shape (sets, sessions) with at least two sessions")
    mean, moved = x.mean(axis=1), np.ptp(x, axis=1) > 0
    if figure == "pnl":
        return np.where(moved, x.sum(axis=1), math.nan)
    if figure == "sharpe":
        size, scale = x.std(axis=1, ddof=1), math.sqrt(SESSIONS_PER_YEAR)
    elif figure == "sortino":
        size, scale = np.sqrt((np.minimum(x, 0.0) ** 2).mean(axis=1)), math.sqrt(SESSIONS_PER_YEAR)
    elif figure == "calmar":
        path = np.concatenate([np.zeros((len(x), 1)), np.cumsum(x, axis=1)], axis=1)
        size, scale = (np.maximum.accumulate(path, axis=1) - path).max(axis=1), SESSIONS_PER_YEAR
    else:
        raise InputError("figure", figure, ", ".join(get_args(Figure)))
    ratio = np.where(size > 0, mean / np.where(size > 0, size, 1.0) * scale, np.copysign(math.inf, mean))
    return np.where(moved, ratio, math.nan)
