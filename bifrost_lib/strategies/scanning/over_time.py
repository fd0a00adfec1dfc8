"""Measure and score candidates whose legs expire at two times: the finder's loop for calendars and diagonals."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.native import loop
from bifrost_lib.strategies.margins.regulation_t import margins_of_one_expiry
from bifrost_lib.strategies.measures.two_expiries import ModelMeasures, TimeSpreads, model_measures
from bifrost_lib.strategies.scanning.book import Book
from bifrost_lib.strategies.scanning.enumeration import Combos, combinations
from bifrost_lib.strategies.scanning.ranking import Ranking
from bifrost_lib.strategies.scanning.scan_layout import (
    CAPITAL,
    COLUMNS,
    COST,
    EV,
    FIT,
    MAX_LOSS,
    MAX_PROFIT,
    MEASURE,
    POP,
    PREMIUM,
    QUOTE_PRICE,
    QUOTE_STRIKE,
    ROW,
    ROWS,
    TAIL_LOSS,
)
from bifrost_lib.strategies.scanning.selection import Search

Floats = npt.NDArray[np.float64]

_finish = loop("bifrost_lib.strategies.scanning.scan_loops", "finish_block")


def screen_over_time(search: Search, book: Book, points: Floats, ranking: Ranking, *, every: int) -> Iterator[int]:
    """Measure one of `every` so many candidates of a search at their first expiry, rank them, and yield how many were.

    Every portion is a fraction of a second's work.
    """
    work = np.zeros((ROWS, ROW))
    for combos, sums in _thinned(search, book, every):
        size = min(len(combos), ranking.room)
        if not size:
            return
        found = _lay_out(work, combos[:size], sums[:, :size], book, search)
        _finish(size, book.terms, points, ranking.counters, work.ravel())
        columns = work[MEASURE : MEASURE + len(COLUMNS), :size].T
        ranking.take_measured(int(book.term("search")), columns, combos[:size], found.roots)
        yield ranking.considered


def _thinned(search: Search, book: Book, every: int) -> Iterator[tuple[Combos, Floats]]:
    first = 0
    for combos, sums in combinations(search, book):
        if first < len(combos):
            yield combos[first::every], sums[:, first::every]
        first = (first - len(combos)) % every if first < len(combos) else first - len(combos)


def _lay_out(work: Floats, combos: Combos, sums: Floats, book: Book, search: Search) -> ModelMeasures:
    # Premium, cost and fit do not depend on expiries; all the rest is the model's.
    cash, paid_out, cost, missed = sums
    premium = cash - book.term("shares") * book.term("spot")
    found = model_measures(
        _spreads(combos, book, search, premium),
        forward=book.term("forward"),
        total_vol=book.term("total_vol"),
        tail=(book.term("tail_low"), book.term("tail_high")),
        near_ev=premium + paid_out + book.term("shares") * book.term("forward"),
    )
    max_loss = np.full(len(combos), np.inf) if found.end_slope < 0 else np.maximum(-found.lowest, 0.0)
    capital = _margins(combos, book) if found.end_slope < 0 or book.term("locked") else max_loss
    columns = {
        PREMIUM: premium,
        EV: found.ev,
        COST: cost,
        FIT: 1.0 - (missed + book.term("dte_miss")) / book.term("targets"),
        MAX_PROFIT: np.full(len(combos), np.inf) if found.end_slope > 0 else found.highest,
        MAX_LOSS: max_loss,
        POP: found.pop,
        CAPITAL: np.maximum(capital, np.abs(premium)) if book.term("locked") else capital,
        TAIL_LOSS: found.tail_loss,
    }
    for row, values in columns.items():
        work[row, : len(combos)] = values
    return found


def _spreads(combos: Combos, book: Book, search: Search, premium: Floats) -> TimeSpreads:
    near = search.near
    rate, div_yield = near.carry_to(search.far)
    iv = [
        quotes.columns["iv"][pool.rows[combos[:, leg]]]
        for leg, (quotes, pool) in enumerate(zip(search.slices, search.pools, strict=True))
    ]
    return TimeSpreads(
        qty=book.qty,
        is_call=book.is_call != 0,
        gap=np.array([quotes.tau - near.tau for quotes in search.slices]),
        strike=book.field(combos, QUOTE_STRIKE),
        iv=np.column_stack(iv),
        premium=premium,
        stock=book.term("shares") / near.multiplier,
        multiplier=near.multiplier,
        rate=rate,
        div_yield=div_yield,
    )


def _margins(combos: Combos, book: Book) -> Floats:
    # The longer-dated options of these documents are the bought ones, so they cover.
    multiplier = book.term("multiplier")
    per_share = margins_of_one_expiry(
        book.field(combos, QUOTE_STRIKE), book.field(combos, QUOTE_PRICE), book.qty, book.is_call != 0,
        book.term("shares") / multiplier, book.term("spot"), book.term("naked_rate"),
    )  # fmt: skip
    return multiplier * per_share
