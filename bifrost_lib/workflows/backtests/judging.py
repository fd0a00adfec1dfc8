"""How much of the best of many sets is luck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

_MOST_BLOCKS = 16


def judged(daily: npt.ArrayLike) -> dict[str, Any]:
    """Return what a search amounts to: its best set, and how much of that is luck.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Gains.
    """
    import numpy as np

    from bifrost_lib.backtest import deflate, probability_of_overfitting

    gains = np.asarray(daily, dtype=np.float64)
    found = deflate(gains)
    statistics = {
        "sets": len(gains),
        "best": None if found.chosen < 0 else int(found.chosen),
        "sharpe": found.sharpe,
        "deflated_sharpe": found.probability,
        "luck": found.benchmark,
        "trials": found.trials.count,
        "pbo": math.nan,
        "reason": found.reason,
    }
    blocks = min(_MOST_BLOCKS, gains.shape[1] // 4 * 2)
    if len(gains) < 2 or blocks < 2:
        return statistics | {"reason": found.reason or "one set, or few sessions, say nothing of choosing"}
    cscv = probability_of_overfitting(gains, blocks=blocks)
    return statistics | {"pbo": cscv.probability, "reason": found.reason or cscv.reason}
