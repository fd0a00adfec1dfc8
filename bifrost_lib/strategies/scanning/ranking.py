"""Keeping the best candidates of a long scan and its Pareto front, and counting what became of the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.scanning.scan_layout import (
    C_CONSIDERED,
    C_LIMIT,
    C_REJECTED,
    CELLS,
    COLUMNS,
    COUNTERS,
    KEPT_COMBO,
    KEPT_COUNT,
    KEPT_ROOTS,
    KEPT_SEARCH,
    KEPT_WIDTH,
    REJECTIONS,
)
from bifrost_lib.strategies.scanning.score import EV_HALF
from bifrost_lib.strategies.scanning.selection import Search

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SCORE = COLUMNS.index("score")


@dataclass(frozen=True)
class Pick:
    """One candidate that is worth keeping: where it came from, its `COLUMNS` by name, and its breakevens."""

    search: Search
    combo: tuple[int, ...]
    value: dict[str, float]
    breakevens: tuple[float, ...]
    on_front: bool


class Ranking:
    """The best `top` candidates so far, best first; among equals, those that came first.

    `front` (cells, width) holds for each cell of probability and expected return the candidate that loses least in
    the tail, `best` (cells,) that loss as a share of its capital; inf where there is none.
    """

    def __init__(self, top: int, *, limit: int) -> None:
        self.top = top
        self.rows = np.empty((0, KEPT_WIDTH))
        self.counters = np.zeros(COUNTERS, dtype=np.int64)
        self.counters[C_LIMIT] = limit
        self.best, self.front = np.full(CELLS * CELLS, np.inf), np.zeros(CELLS * CELLS * KEPT_WIDTH)

    @property
    def considered(self) -> int:
        """How many candidates were measured."""
        return int(self.counters[C_CONSIDERED])

    @property
    def room(self) -> int:
        """How many more may be measured."""
        return int(self.counters[C_LIMIT] - self.counters[C_CONSIDERED])

    @property
    def rejected(self) -> dict[str, int]:
        """Measured candidates that were turned down, by reason."""
        counts = self.counters[C_REJECTED:].tolist()
        return {reason: count for reason, count in zip(REJECTIONS, counts, strict=True) if reason and count}

    @property
    def least(self) -> float:
        """The score that a candidate must beat."""
        return float(self.rows[-1, _SCORE]) if len(self.rows) == self.top else -math.inf

    def take(self, rows: Floats) -> None:
        """Take kept candidates (n, width) in, as far as they are among the best."""
        if len(rows):
            both = np.concatenate([self.rows, rows])
            self.rows = both[np.argsort(-both[:, _SCORE], kind="stable")[: self.top]]

    def take_measured(self, number: int, columns: Floats, combos: npt.NDArray[np.int64], roots: Floats) -> None:
        """Take measured candidates of search `number` in: `columns` (n, COLUMNS), `roots` (n, most) NaN-padded."""
        rows = np.zeros((len(columns), KEPT_WIDTH))
        rows[:, : len(COLUMNS)], rows[:, KEPT_SEARCH] = columns, number
        rows[:, KEPT_COMBO : KEPT_COMBO + combos.shape[1]] = combos
        fits = min(roots.shape[1], KEPT_WIDTH - KEPT_ROOTS)
        rows[:, KEPT_ROOTS : KEPT_ROOTS + fits] = roots[:, :fits]
        rows[:, KEPT_COUNT] = np.isfinite(roots[:, :fits]).sum(axis=1)
        self.counters[C_CONSIDERED] += len(rows)
        self.take(rows[columns[:, _SCORE] > self.least])
        sound = rows[np.isfinite(columns[:, _SCORE])]
        front, share = self.front.reshape(-1, KEPT_WIDTH), _merits(sound)[:, 2]
        cells = _cells(sound)
        better = np.flatnonzero(-share < self.best[cells])
        better = better[np.lexsort([-better, share[better]])]  # the last to be written has the least loss
        self.best[cells[better]], front[cells[better]] = -share[better], sound[better]

    def picks(self, searches: Sequence[Search]) -> list[Pick]:
        """Return the best candidates, best first; `searches` are those of the scan in order of their numbers."""
        flags = self._is_on_front()
        return [_pick(row, searches, bool(on_front)) for row, on_front in zip(self.rows, flags, strict=True)]

    def front_picks(self, searches: Sequence[Search]) -> list[Pick]:
        """Return the candidates that no other one beats in probability, expected return and tail loss at once."""
        rows = self.front.reshape(-1, KEPT_WIDTH)[np.isfinite(self.best)]
        merits = _merits(rows)
        found = rows[~_dominated(merits, merits)]
        return [_pick(row, searches, True) for row in found[np.argsort(-found[:, _SCORE], kind="stable")]]

    def _is_on_front(self) -> Bools:
        rows = self.front.reshape(-1, KEPT_WIDTH)[np.isfinite(self.best)]
        mine = _merits(self.rows)
        return ~_dominated(mine, np.concatenate([_merits(rows), mine]))


def _pick(row: Floats, searches: Sequence[Search], on_front: bool) -> Pick:
    search, count = searches[int(row[KEPT_SEARCH])], int(row[KEPT_COUNT])
    return Pick(
        search=search,
        combo=tuple(int(place) for place in row[KEPT_COMBO : KEPT_COMBO + len(search.legs)]),
        value=dict(zip(COLUMNS, row[: len(COLUMNS)].tolist(), strict=True)),
        breakevens=tuple(row[KEPT_ROOTS : KEPT_ROOTS + count].tolist()),
        on_front=on_front,
    )


def _merits(rows: Floats) -> Floats:
    # Probability, expected return after costs, and less of a loss in the tail: more is better in each.
    value = dict(zip(COLUMNS, rows[:, : len(COLUMNS)].T, strict=True))
    capital = value["capital"]
    expected = (value["ev"] - value["slippage_cost"]) / (capital + value["slippage_cost"])
    return np.column_stack([value["pop"], expected, -value["tail_loss"] / capital])


def _dominated(mine: Floats, others: Floats) -> Bools:
    found = np.zeros(len(mine), dtype=bool)
    for place, one in enumerate(mine):
        found[place] = bool(((others >= one).all(axis=1) & (others > one).any(axis=1)).any())
    return found


def _cells(rows: Floats) -> npt.NDArray[np.int64]:
    pop, expected, _ = _merits(rows).T
    share = 0.5 + 0.5 * expected / (np.abs(expected) + EV_HALF)
    across, down = (np.floor(part * (CELLS - 1e-9)) for part in (pop, share))
    return np.asarray(across * CELLS + down, dtype=np.int64)
