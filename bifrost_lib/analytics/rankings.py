"""Where today's volatility stands in the past year's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.analytics.estimates import Ranking
from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]

SESSIONS_PER_YEAR = 252
#: A rank on fewer days says more about luck than about the market.
FEWEST_DAYS = 20


def iv_rank(history: npt.ArrayLike, current: float, *, fewest_days: int = FEWEST_DAYS) -> Ranking:
    """Place `current` between the lowest and the highest volatility of the past year.

    Parameters
    ----------
    history : array_like (n,)
        One volatility per session, oldest first; `current`'s own session is not among them. The last 252 count, NaN is
        skipped.
    current : float
        In the unit of `history`.
    fewest_days : int
        With fewer known days the rank is missing.

    Returns
    -------
    Ranking
        (current - lowest) / (highest - lowest), where `current` itself may be the lowest or the highest, so that the
        rank is in [0, 1]; and the number of days it rests on.

    Raises
    ------
    InputError
        If `history` is not one row of numbers, or `fewest_days` < 1.

    References
    ----------
    tastytrade, "IV Rank": a volatility that was between 30 and 60 in the past year and is 45 now has a rank of 50 %.
    Interactive Brokers' "52 Week IV Rank" is the same.
    """
    known, refused = _known(history, current, fewest_days)
    if refused:
        return refused
    low, high = min(float(known.min()), current), max(float(known.max()), current)
    if not high > low:
        return Ranking(math.nan, len(known), "volatility never changed")
    return Ranking((current - low) / (high - low), len(known))


def iv_percentile(history: npt.ArrayLike, current: float, *, fewest_days: int = FEWEST_DAYS) -> Ranking:
    """Tell the share of the past year's sessions on which volatility was lower than `current`.

    Parameters, NaN policy and errors are those of `iv_rank`.

    References
    ----------
    Interactive Brokers, "52 Week IV Percentile", and tastytrade, "IV Percentile": the percentage of days of the past
    year with a volatility below the current one.
    """
    known, refused = _known(history, current, fewest_days)
    return refused or Ranking(float((known < current).mean()), len(known))


def _known(history: Any, current: float, fewest_days: int) -> tuple[Floats, Ranking | None]:
    if fewest_days < 1:
        raise InputError("fewest_days", fewest_days, "at least 1 day")
    try:
        values = np.asarray(history, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError("history", history, "numbers") from None
    if values.ndim != 1:
        raise InputError("history", values.shape, "one volatility per session, shape (n,)")
    year = values[-SESSIONS_PER_YEAR:]
    known = year[np.isfinite(year)]
    if len(known) < fewest_days:
        return known, Ranking(math.nan, len(known), f"{len(known)} days of history, fewer than {fewest_days}")
    if not math.isfinite(current):
        return known, Ranking(math.nan, len(known), "current volatility is not known")
    return known, None
