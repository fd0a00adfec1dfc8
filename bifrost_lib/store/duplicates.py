"""Order of rows by moment and contract, and rows that come twice."""

from __future__ import annotations

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
    ends = np.append(starts[1:], len(ts))
    for start, end in zip(starts[ends - starts > 1], ends[ends - starts > 1], strict=True):
        for other in range(start + 1, end):
            _complete(ordered, start, other)
    return ordered.take(starts)


def _complete(rows: SnapshotRows, kept: int, other: int) -> None:
    values = rows.values
    bid, ask = values[_QUOTE[0]], values[_QUOTE[1]]
    iv, spot = values[VALUE_COLUMNS.index("iv")], values[VALUE_COLUMNS.index("spot")]
    is_unquoted = np.isnan(bid[kept]) and np.isnan(ask[kept])
    brings_quote = not (np.isnan(bid[other]) and np.isnan(ask[other]))
    is_same = np.array_equal([bid[kept], ask[kept]], [bid[other], ask[other]], equal_nan=True)
    improves = is_same and np.isnan(iv[kept]) and (not np.isnan(iv[other]) or np.isnan(spot[kept]))
    if (is_unquoted and brings_quote) or improves:
        for place in _DERIVED:
            if not np.isnan(values[place][other]):
                values[place][kept] = values[place][other]
        if rows.quality[other] >= 0:
            rows.quality[kept] = rows.quality[other]
    if is_unquoted:
        for place in _QUOTE:
            values[place][kept] = values[place][other]
    for place in _LONELY:
        if np.isnan(values[place][kept]):
            values[place][kept] = values[place][other]
