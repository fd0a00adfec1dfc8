"""How much of the best of many sets is luck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

    from bifrost_lib.backtest import DeflatedSharpe, Overfitting

_MOST_BLOCKS = 16


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a search amounts to.

    Attributes
    ----------
    best : DeflatedSharpe
        Its best set, and whether that is better than luck; `chosen` is -1 where no set moved.
    splits : Overfitting, optional
        How choosing the best fared on days that it was not chosen on; None where there is too little to split.
    """

    best: DeflatedSharpe
    splits: Overfitting | None

    @property
    def place(self) -> int | None:
        """The best set's place; None where no set moved."""
        return None if self.best.chosen < 0 else int(self.best.chosen)

    @property
    def figures(self) -> dict[str, Any]:
        """``deflated_sharpe``, ``luck``, ``trials`` (independent ones), ``pbo``; NaN with a ``reason``."""
        reason = "one set, or few sessions, say nothing of choosing" if self.splits is None else self.splits.reason
        return {
            "deflated_sharpe": self.best.probability,
            "luck": self.best.benchmark,
            "trials": self.best.trials.count,
            "pbo": math.nan if self.splits is None else self.splits.probability,
            "reason": self.best.reason or reason,
        }


def judge(daily: npt.ArrayLike, *, tried: int = 0) -> Judgement:
    """Judge the best set of a search.

    Parameters
    ----------
    daily : array_like (sets, sessions)
        Gains.
    tried : int
        Sets that were looked at besides these.
    """
    import numpy as np

    from bifrost_lib.backtest import deflate, probability_of_overfitting

    gains = np.asarray(daily, dtype=np.float64)
    blocks = min(_MOST_BLOCKS, gains.shape[1] // 4 * 2)
    can_split = len(gains) > 1 and blocks >= 2
    return Judgement(
        deflate(gains, tried=tried), probability_of_overfitting(gains, blocks=blocks) if can_split else None
    )


def judged(daily: npt.ArrayLike) -> dict[str, Any]:
    """Return a judgement as plain figures, with the ``sets`` and the ``sharpe`` of the ``best``."""
    found = judge(daily)
    return {"sets": len(found.best.trials.labels), "best": found.place, "sharpe": found.best.sharpe, **found.figures}
