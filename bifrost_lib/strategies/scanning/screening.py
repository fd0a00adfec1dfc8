"""Measure and score all candidates of one expiry, and keep the best: the finder's inner loop, run in portions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import loop
from bifrost_lib.strategies.scanning.book import Book
from bifrost_lib.strategies.scanning.enumeration import Walk
from bifrost_lib.strategies.scanning.ranking import Ranking
from bifrost_lib.strategies.scanning.scan_layout import C_KEPT, KEPT_WIDTH, MOST_LEGS
from bifrost_lib.strategies.scanning.selection import Search

Floats = npt.NDArray[np.float64]

#: Candidates that are kept before the ranking is told.
KEPT = 4096
#: Candidates that are measured before the caller is told: a fraction of a second's work.
PORTION = 2_000_000

_scan = loop("bifrost_lib.strategies.scanning.scan_loops", "scan")


def screen(search: Search, book: Book, points: Floats, ranking: Ranking) -> Iterator[int]:
    """Measure the candidates of a search, rank them, and yield how many were considered after each portion."""
    walk, spare = Walk(search), np.empty(4 * MOST_LEGS)
    kept = np.empty(KEPT * KEPT_WIDTH)
    has_more = True
    while has_more and ranking.room:
        ranking.counters[C_KEPT] = 0
        until = ranking.considered + PORTION
        code = _scan(
            walk.legs, ranking.least, until, *walk.arguments(book), book.qty, book.is_call, book.terms, points,
            walk.combos, walk.work, spare, kept, ranking.best, ranking.front, ranking.counters,
        )  # fmt: skip
        has_more = code == 1
        ranking.take(kept.reshape(KEPT, KEPT_WIDTH)[: ranking.counters[C_KEPT]])
        yield ranking.considered
