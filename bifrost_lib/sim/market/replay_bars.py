"""Bars of stored quotes."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import exchange_date, is_session, session_open
from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.market.bars import DAY_S, empty_bars

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def replayed_bars(ts: Ints, columns: dict[str, Floats], *, what: str, bar_s: int) -> Bars:
    """Divide one instrument's rows, in order of time, into bars.

    Parameters
    ----------
    ts : array (n,)
        Microseconds since 1970.
    columns : dict of array (n,)
        ``spot`` alone for an underlying, whose every price it is; ``bid``, ``ask``, ``last`` and ``volume`` for an
        option.

    Notes
    -----
    Rows without the price that is asked for are left out. Volume is the growth of the session's volume.
    """
    price = _price(columns, what)
    known = ~np.isnan(price)
    ts, price = ts[known], price[known]
    if not len(ts):
        return empty_bars()
    start = _starts(ts // 1_000_000, bar_s)
    places = np.flatnonzero(np.append(True, start[1:] != start[:-1]))
    sizes = np.diff(np.append(places, len(ts)))
    low, high = np.minimum.reduceat(price, places), np.maximum.reduceat(price, places)
    opened, closed = price[places], price[places + sizes - 1]
    if what == "BID_ASK" and "bid" in columns:
        bid, ask = columns["bid"][known], columns["ask"][known]
        low, high = np.minimum.reduceat(bid, places), np.maximum.reduceat(ask, places)
        opened, closed = (np.add.reduceat(side, places) / sizes for side in (bid, ask))
    traded = _traded(columns, known, ts) if what in ("TRADES", "ADJUSTED_LAST") else np.zeros(len(ts))
    return Bars(
        start=start[places],
        open=opened,
        high=high,
        low=low,
        close=closed,
        volume=np.add.reduceat(traded, places),
        wap=np.add.reduceat(price, places) / sizes,
        count=sizes.astype(np.int64),
    )


def _price(columns: dict[str, Floats], what: str) -> Floats:
    if "bid" not in columns:
        return columns["spot"]
    if what in ("TRADES", "ADJUSTED_LAST"):
        return columns["last"]
    if what in ("BID", "ASK"):
        return columns[what.lower()]
    return np.asarray((columns["bid"] + columns["ask"]) / 2, dtype=np.float64)


def _traded(columns: dict[str, Floats], known: npt.NDArray[np.bool_], ts: Ints) -> Floats:
    if "volume" not in columns:
        return np.zeros(len(ts))
    volume = np.nan_to_num(columns["volume"][known])
    days = np.array([_day_of(second) for second in (ts // 1_000_000).tolist()])
    fresh = np.append(True, days[1:] != days[:-1])
    return np.maximum(np.where(fresh, volume, np.diff(volume, prepend=0.0)), 0.0)


def _starts(seconds: Ints, bar_s: int) -> Ints:
    if bar_s < DAY_S:
        return seconds // bar_s * bar_s
    return np.array([_opening(_day_of(second)) for second in seconds.tolist()], dtype=np.int64)


def _day_of(second: int) -> int:
    return exchange_date(datetime.fromtimestamp(second, UTC)).toordinal()


@cache
def _opening(ordinal: int) -> int:
    day = datetime.fromordinal(ordinal).date()
    moment = session_open(day) if is_session(day) else datetime.combine(day, datetime.min.time(), UTC)
    return int(moment.timestamp())
