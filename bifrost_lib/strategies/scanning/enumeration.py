"""Every combination of quotes that a strategy's rules admit, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import loop
from bifrost_lib.strategies.scanning.book import Book
from bifrost_lib.strategies.scanning.scan_layout import BLOCK, COST, EV, FIT, MOST_LEGS, PREMIUM, ROW, ROWS, WALK_SIZE
from bifrost_lib.strategies.scanning.selection import Search

Floats = npt.NDArray[np.float64]
Combos = npt.NDArray[np.int64]

_LOOPS = "bifrost_lib.strategies.scanning.walk_loops"
_next_block, _count_all = loop(_LOOPS, "next_block"), loop(_LOOPS, "count_all")


class Walk:
    """A walk over all combinations of a search, in a fixed order, that can be left and taken up again."""

    def __init__(self, search: Search) -> None:
        legs = len(search.legs)
        self.legs = legs
        self.place = np.zeros(WALK_SIZE, dtype=np.int64)
        self.place[0], self.place[MOST_LEGS] = search.first[0], search.last[0]
        self.sums = np.zeros(4 * (legs + 1))
        self.tables = (search.ref.ravel(), search.stride.ravel(), search.offset, search.first, search.last)
        self.combos = np.zeros(MOST_LEGS * ROW, dtype=np.int64)
        self.work = np.zeros(ROWS * ROW)

    def arguments(self, book: Book) -> tuple[Any, ...]:
        """Return what the loops need to go on, up to the tables of admissible ranges."""
        return self.place, self.sums, book.quotes.ravel(), book.aim.ravel(), *self.tables


def count_combinations(search: Search) -> int:
    """Return how many combinations there are."""
    walk = Walk(search)
    return _count_all(walk.legs, walk.place, *walk.tables)


def combinations(search: Search, book: Book) -> Iterator[tuple[Combos, Floats]]:
    """Yield all combinations as pool positions (n, legs), with (4, n) sums over their legs.

    The sums are the cash at entry, the expected payoff, half the spreads, and the distance from the rules' targets.
    """
    walk = Walk(search)
    while size := _next_block(walk.legs, BLOCK, *walk.arguments(book), walk.combos, walk.work):
        rows = walk.work.reshape(ROWS, ROW)[:, :size]
        yield walk.combos.reshape(MOST_LEGS, ROW)[: walk.legs, :size].T.copy(), rows[[PREMIUM, EV, COST, FIT]]
