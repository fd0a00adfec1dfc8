"""Quotes put into the order that the analytics need, duplicates taken out, whole (symbol, ts) groups at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.feeds.quotes import PRICES, SIZES, Array, Listing, Quotes, count_of, describe, joined, take
from bifrost_lib.feeds.records import Reject

Longs = npt.NDArray[np.int64]

#: Rows that a batch aims at; it is larger only when one (symbol, ts) is.
BATCH_ROWS = 150_000


@kernel()
def _is_sorted(names: Longs, ts: Longs, expiry: Longs, strike: npt.NDArray[np.float64], is_call: Array) -> bool:
    # Strictly ascending, so that sorted rows have no duplicates either.
    for i in range(1, names.size):
        if names[i] != names[i - 1]:
            if names[i] < names[i - 1]:
                return False
        elif ts[i] != ts[i - 1]:
            if ts[i] < ts[i - 1]:
                return False
        elif expiry[i] != expiry[i - 1]:
            if expiry[i] < expiry[i - 1]:
                return False
        elif strike[i] != strike[i - 1]:
            if strike[i] < strike[i - 1]:
                return False
        elif is_call[i] <= is_call[i - 1]:
            return False
    return True


def sort_quotes(quotes: Quotes, listing: Listing) -> tuple[Quotes, bool]:
    """Return the quotes sorted by symbol, trading_class, ts, expiry, strike, right; and whether all are distinct.

    Rows of the same contract and moment stay in the order in which they came.
    """
    names = listing.symbols.ranks()[quotes["symbol"]] * len(listing.classes.names)
    names = names + listing.classes.ranks()[quotes["trading_class"]]
    expiry = quotes["expiry"].astype(np.int64)
    if _is_sorted(names, quotes["ts"], expiry, quotes["strike"], quotes["is_call"]):
        return quotes, True
    order = _order(names, quotes["ts"], expiry, quotes["strike"], quotes["is_call"])
    return take(quotes, order), False


def _order(names: Longs, ts: Longs, expiry: Longs, strike: npt.NDArray[np.float64], is_call: Array) -> Array:
    # One packed word per row where it fits into 63 bits, which sorts ten times faster than the keys one by one.
    thousandths = np.rint(strike * 1000)
    whole = bool(np.all(np.abs(thousandths - strike * 1000) < 1e-6) and thousandths.max(initial=0) < 1 << 40)
    if whole:
        seconds, odd = np.divmod(ts, 1_000_000)
        moment = ts if odd.any() else seconds
        keys = [names, moment, expiry, thousandths.astype(np.int64), is_call.astype(np.int64)]
        lows = [int(key.min(initial=1 << 62)) for key in keys]
        bits = [int(key.max(initial=0) - low).bit_length() for key, low in zip(keys, lows, strict=True)]
        if sum(bits) <= 63:
            packed = np.zeros(len(ts), dtype=np.int64)
            for key, low, width in zip(keys, lows, bits, strict=True):
                packed = (packed << width) | (key - low)
            return np.argsort(packed, kind="stable")
    return np.lexsort((is_call, strike, expiry, ts, names))


def without_duplicates(quotes: Quotes, listing: Listing, members: list[str | None]) -> tuple[Quotes, list[Reject]]:
    """Return sorted quotes without later rows of the same contract and moment, and those rows as rejects."""
    keys = ("symbol", "trading_class", "ts", "expiry", "strike", "is_call")
    again = np.ones(max(count_of(quotes) - 1, 0), dtype=bool)
    for key in keys:
        again &= quotes[key][1:] == quotes[key][:-1]
    later = np.flatnonzero(again) + 1
    if not len(later):
        return quotes, []
    rejects = []
    keep = np.ones(count_of(quotes), dtype=bool)
    keep[later] = False
    firsts = np.flatnonzero(keep)
    for row, first in zip(later, firsts[np.searchsorted(firsts, later) - 1], strict=True):
        values = [quotes[name][[row, first]] for name in (*PRICES, *SIZES, "spot")]
        same = all(np.array_equal(pair[:1], pair[1:], equal_nan=True) for pair in values)
        text = f"{describe(quotes, int(row), listing)} (first on line {quotes['line'][first]})"
        reason = "duplicate" if same else "conflicting_duplicate"
        rejects.append(Reject(int(quotes["line"][row]), members[quotes["part"][row]], reason, text))
    return take(quotes, keep), rejects


def slices(quotes: Quotes) -> Iterator[slice]:
    """Cut sorted quotes into slices of about BATCH_ROWS between symbols."""
    count = count_of(quotes)
    if count <= 2 * BATCH_ROWS:
        yield slice(0, count)
        return
    symbol = quotes["symbol"]
    cuts = [*(np.flatnonzero(symbol[1:] != symbol[:-1]) + 1), count]
    begin = 0
    for cut, following in zip(cuts, [*cuts[1:], count], strict=True):
        if following - begin > BATCH_ROWS or cut == count:
            if cut > begin:
                yield slice(begin, int(cut))
            begin = int(cut)


class Gatherer:
    """Collects quotes that come in time order and gives back whole moments, about BATCH_ROWS at a time.

    The last moment is held back until a later one is seen, since its rows may go on.
    """

    def __init__(self) -> None:
        self._pieces: list[Quotes] = []
        self._count = 0

    def add(self, quotes: Quotes) -> Quotes | None:
        """Take some quotes; returns the complete ones when there are enough."""
        if count_of(quotes):
            self._pieces.append(quotes)
            self._count += count_of(quotes)
        if self._count < BATCH_ROWS or self._pieces[0]["ts"][0] == self._pieces[-1]["ts"][-1]:
            return None
        everything = joined(self._pieces)
        complete = int(np.searchsorted(everything["ts"], everything["ts"][-1], side="left"))
        rest = take(everything, slice(complete, None))
        self._pieces, self._count = [{name: values.copy() for name, values in rest.items()}], len(rest["ts"])
        return take(everything, slice(0, complete))

    def rest(self) -> Quotes:
        """Return what was held back, at the end of the file."""
        return joined(self._pieces)
