"""Order of rows by moment and contract, and rows that come twice."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.store.binary_copy import SnapshotRows
from bifrost_lib.store.columns import VALUE_COLUMNS

Int64s = npt.NDArray[np.int64]

_QUOTE = [VALUE_COLUMNS.index(name) for name in ("bid", "ask", "bid_size", "ask_size")]
_LONELY = [VALUE_COLUMNS.index(name) for name in ("last", "volume", "open_interest")]
_DERIVED = [place for place in range(len(VALUE_COLUMNS)) if place not in (*_QUOTE, *_LONELY)]


def is_ordered(ts: Int64s, stock: Int64s) -> bool:
    """Tell whether rows ascend by underlying and moment; contracts of one moment may come in any order."""
    later, same = np.diff(ts) >= 0, np.diff(stock) == 0
    return bool((later | ~same).all() and (np.diff(stock) >= 0).all())


def order(ts: Int64s, stock: Int64s, contract: Int64s) -> Int64s:
    """Return the order by underlying, moment and contract, in which rows of one chain lie together on disk."""
    return np.lexsort((contract, ts, stock))


def first_of_each(rows: SnapshotRows) -> SnapshotRows:
    """Return one row for each contract and moment: the first one, completed from those after it.

    The rules are those of `merging`: a quote comes whole from one row, the rest is filled in column by column.
    """
    by_key = order(rows.ts, rows.stock_id, rows.contract_id)  # stable: equal keys stay in the given order
    ts, stock, contract = rows.ts[by_key], rows.stock_id[by_key], rows.contract_id[by_key]
    again = (np.diff(ts) == 0) & (np.diff(stock) == 0) & (np.diff(contract) == 0)
    ordered = rows.take(by_key)
    if not again.any():
        return ordered
    starts = np.flatnonzero(np.concatenate([[True], ~again]))
    times = np.diff(np.append(starts, len(ts)))
    for later in range(1, int(times.max())):  # the second row of every key at once, then the third
        kept = starts[times > later]
        _complete(ordered, kept, kept + later)
    return ordered.take(starts)


def _complete(rows: SnapshotRows, kept: Int64s, other: Int64s) -> None:
    """Fill in what the kept rows lack from the other ones, pair by pair."""
    values = rows.values
    bid, ask = values[_QUOTE[0]], values[_QUOTE[1]]
    iv, spot = values[VALUE_COLUMNS.index("iv")], values[VALUE_COLUMNS.index("spot")]
    is_unquoted = np.isnan(bid[kept]) & np.isnan(ask[kept])
    brings_quote = ~(np.isnan(bid[other]) & np.isnan(ask[other]))
    is_same = _equal(bid, kept, other) & _equal(ask, kept, other)
    improves = is_same & np.isnan(iv[kept]) & (~np.isnan(iv[other]) | np.isnan(spot[kept]))
    derives = (is_unquoted & brings_quote) | improves
    if rows.data_type is not None:
        vendor: list[npt.NDArray[Any]] = [*values[len(VALUE_COLUMNS) :], rows.data_type]
        unexplained = np.logical_and.reduce([_is_unknown(column[kept]) for column in vendor])
        for column in vendor:
            _fill(column, kept, other, (is_unquoted & brings_quote) | (is_same & unexplained))
    for place in _DERIVED:
        _fill(values[place], kept, other, derives & ~np.isnan(values[place][other]))
    _fill(rows.quality, kept, other, derives & (rows.quality[other] >= 0))
    for place in _QUOTE:
        _fill(values[place], kept, other, is_unquoted)
    for place in _LONELY:
        _fill(values[place], kept, other, np.isnan(values[place][kept]))


def _fill(column: npt.NDArray[Any], kept: Int64s, other: Int64s, where: npt.NDArray[np.bool_]) -> None:
    column[kept[where]] = column[other[where]]


def _is_unknown(column: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(column < 0 if column.dtype == np.int8 else np.isnan(column))


def _equal(column: npt.NDArray[np.float64], kept: Int64s, other: Int64s) -> npt.NDArray[np.bool_]:
    left, right = column[kept], column[other]
    return np.asarray((left == right) | (np.isnan(left) & np.isnan(right)))
