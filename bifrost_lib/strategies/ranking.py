"""Keeping the best candidates of a long scan, and counting what became of the rest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.enumeration import Combos
from bifrost_lib.strategies.screening import COLUMNS, REJECTIONS, Screened
from bifrost_lib.strategies.selection import Search

Floats = npt.NDArray[np.float64]

_SCORE = COLUMNS.index("score")


@dataclass(frozen=True)
class Pick:
    """One candidate that is worth keeping: where it came from, and its `COLUMNS` and breakevens."""

    search: Search
    combo: tuple[int, ...]
    columns: Floats
    breakevens: tuple[float, ...]

    @property
    def score(self) -> float:
        return float(self.columns[_SCORE])


@dataclass
class Ranking:
    """The best `top` candidates so far, best first; among equals, those that came first."""

    top: int
    picks: list[Pick] = field(default_factory=list)
    considered: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def add(self, search: Search, combos: Combos, found: Screened) -> None:
        """Count a block of candidates and keep those that are among the best."""
        self.considered += len(combos)
        for code, count in enumerate(np.bincount(found.rejected, minlength=len(REJECTIONS))):
            if code and count:
                self.rejected[REJECTIONS[code]] += int(count)
        scores = found.columns[_SCORE]
        least = self.picks[-1].score if len(self.picks) == self.top else -np.inf
        better = np.flatnonzero(scores > least)
        if len(better) > self.top:
            better = better[np.argsort(-scores[better], kind="stable")[: self.top]]
        new = [self._pick(search, combos, found, int(row)) for row in better]
        self.picks = sorted([*self.picks, *new], key=lambda pick: -pick.score)[: self.top]

    @staticmethod
    def _pick(search: Search, combos: Combos, found: Screened, row: int) -> Pick:
        roots = found.roots[found.starts[row] : found.starts[row + 1]]
        return Pick(search, tuple(map(int, combos[row])), found.columns[:, row].copy(), tuple(map(float, roots)))
