"""Measure and score candidates whose legs expire at two times: the finder's loop for calendars and diagonals."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.book import PRICE, STRIKE, Book
from bifrost_lib.strategies.enumeration import Combos
from bifrost_lib.strategies.margin_greedy import reg_t_margin
from bifrost_lib.strategies.screening import Screened, add_scores, measure, rejection
from bifrost_lib.strategies.selection import Search
from bifrost_lib.strategies.two_expiries import TimeSpreads, model_measures

Floats = npt.NDArray[np.float64]

#: Rows that are measured at once: a grid of prices for each must fit the cache.
ROWS = 256


def screen_over_time(combos: Combos, book: Book, search: Search, points: Floats) -> Screened:
    """Measure and score the candidates `combos`, pool positions of shape (n, legs), at their first expiry."""
    blocks = [combos[start : start + ROWS] for start in range(0, len(combos), ROWS)]
    parts = [_screen_rows(block, book, search, points) for block in blocks]
    return Screened(
        columns=np.concatenate([part.columns for part in parts], axis=1),
        roots=np.concatenate([part.roots for part in parts]),
        starts=_starts(np.concatenate([np.diff(part.starts) for part in parts])),
        rejected=np.concatenate([part.rejected for part in parts]),
    )


def _screen_rows(combos: Combos, book: Book, search: Search, points: Floats) -> Screened:
    # Premium, cost and fit do not depend on expiries; all the rest is the model's.
    columns = measure(combos, book)[0].columns
    premium = columns[0]
    found = model_measures(
        _spreads(combos, book, search, premium), forward=book.forward, total_vol=book.total_vol
    )  # fmt: skip
    unbounded = np.full(len(combos), np.inf)
    columns[1] = unbounded if found.end_slope > 0 else found.highest
    columns[2] = unbounded if found.end_slope < 0 else np.maximum(-found.lowest, 0.0)
    columns[3], columns[4] = found.pop, found.ev
    columns[7] = _margins(combos, book) if found.end_slope < 0 else columns[2]
    if book.is_locked:
        columns[7] = np.maximum(columns[7], np.abs(premium))
    codes = [
        rejection(book.cash_rule, book.is_locked, paid, gain, loss, book.zero) for paid, gain, loss in columns[:3].T
    ]
    rejected = np.array(codes, dtype=np.int8)
    add_scores(columns, rejected, points)
    is_root = np.isfinite(found.roots)
    return Screened(columns, found.roots[is_root], _starts(is_root.sum(axis=1)), rejected)


def _spreads(combos: Combos, book: Book, search: Search, premium: Floats) -> TimeSpreads:
    near, far = search.near, search.far
    iv = [
        quotes.columns["iv"][pool.rows[combos[:, leg]]]
        for leg, (quotes, pool) in enumerate(zip(search.slices, search.pools, strict=True))
    ]
    return TimeSpreads(
        qty=np.array([float(leg.qty) for leg in search.legs]),
        is_call=book.is_call,
        gap=np.array([quotes.tau - near.tau for quotes in search.slices]),
        strike=book.field(combos, STRIKE),
        iv=np.column_stack(iv),
        premium=premium,
        stock=book.shares / near.multiplier,
        multiplier=near.multiplier,
        rate=far.rate,
        div_yield=far.rate - math.log(far.forward / near.forward) / (far.tau - near.tau),
    )


def _margins(combos: Combos, book: Book) -> Floats:
    # More short than long calls: the longer-dated options of these documents are the bought ones, so they cover.
    rows = zip(book.field(combos, STRIKE), book.field(combos, PRICE), strict=True)
    return np.array(
        [
            reg_t_margin(strike, price, book.weight, book.is_call, book.shares, book.spot, book.naked_rate)
            for strike, price in rows
        ]
    )


def _starts(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)])
