"""Bars of the synthetic market's past, from the same path as its quotes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from bifrost_lib.sim.exchange import Bars
from bifrost_lib.sim.market.bars import (
    DAY_S,
    Frames,
    bars_of,
    chosen_frames,
    empty_bars,
    frame_span,
    joined_frames,
    without_last_second,
)
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.option_activity import OptionActivity
from bifrost_lib.sim.market.sides import quote_sides, trade_prices
from bifrost_lib.sim.market.stock_board import SHARES_A_TRADE, StockBoard, stock_sides
from bifrost_lib.sim.market.timetable import Timetable
from bifrost_lib.sim.market.trading_day import volume_share
from bifrost_lib.sim.market.trail import Trail
from bifrost_lib.sim.market.valuation import Valuer

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CONTRACTS_A_TRADE = 4.0
_ENDS = ("first", "highest", "lowest", "last")


class BarHistory:
    """Divides the trails into bars; the daily ones of past sessions are kept."""

    def __init__(
        self,
        table: ContractTable,
        trails: Sequence[Trail],
        valuer: Valuer,
        activity: OptionActivity,
        stocks: StockBoard,
        *,
        always_open: bool,
    ) -> None:
        self._table, self._trails, self._valuer = table, trails, valuer
        self._activity, self._stocks, self._always_open = activity, stocks, always_open
        self._daily: dict[tuple[int, int], Frames] = {}

    def stock(
        self, which: int, what: str, start: datetime, end: datetime, now: datetime, bar_s: int, regular: bool
    ) -> Bars:
        """Return bars of an underlying."""
        frames = self._frames(which, _seconds(start, end, now), bar_s, regular)
        if frames is None:
            return empty_bars()
        moments = _moments(frames)
        spot, vol = self._trails[which].at(moments.astype(np.float64).ravel())
        nothing = np.zeros(len(frames.start))
        if what == "HISTORICAL_VOLATILITY":
            known = [self._stocks.realised_vol(which, int(session) - (bar_s < DAY_S)) for session in frames.session]
            return bars_of(frames, np.tile(known, (4, 1)), volume=nothing, mean=np.array(known), shares_a_trade=1.0)
        if what == "OPTION_IMPLIED_VOLATILITY":
            found = self._stocks.month_vols(which, vol, moments.astype(np.float64).ravel()).reshape(moments.shape)
            return bars_of(frames, found, volume=nothing, mean=found.mean(axis=0), shares_a_trade=1.0)
        spot = spot.reshape(moments.shape)
        totals = self._stocks.session_shares(which, np.unique(frames.session))
        volume = self._volume(which, frames, totals)
        if what in ("TRADES", "ADJUSTED_LAST"):
            return bars_of(frames, np.round(spot, 2), volume=volume, mean=frames.mean, shares_a_trade=SHARES_A_TRADE)
        return _two_sided(frames, what, *stock_sides(spot))

    def option(
        self, row: int, what: str, start: datetime, end: datetime, now: datetime, bar_s: int, regular: bool
    ) -> Bars:
        """Return bars of an option while it was alive; of trades, only those bars in which it traded."""
        which, until = int(self._table.underlying[row]), int(self._table.expiry_s[row])
        begin, stop, asked_end = _seconds(start, end, now)
        frames = self._frames(which, (begin, min(stop, until - 1), asked_end), bar_s, regular)
        if frames is None or what in ("HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"):
            return empty_bars()
        rows = np.array([row])
        totals = np.array([self._activity.volumes(which, rows, int(one))[0] for one in np.unique(frames.session)])
        volume = self._volume(which, frames, totals)
        if what in ("TRADES", "ADJUSTED_LAST"):
            frames, volume = chosen_frames(frames, volume > 0), volume[volume > 0]
        moments = _moments(frames)
        flat = moments.astype(np.float64).ravel()
        found = self._valuer.at(np.full(len(flat), row), flat, accuracy="fast")
        keys = np.full(len(flat), self._table.key[row])
        if what in ("TRADES", "ADJUSTED_LAST"):
            prices = trade_prices(found, keys, flat, np.full(len(flat), np.inf)).reshape(moments.shape)
            return bars_of(frames, prices, volume=volume, mean=prices.mean(axis=0), shares_a_trade=_CONTRACTS_A_TRADE)
        opens = np.array(self._times(which).opens)[np.tile(frames.session, 4)]
        sides = quote_sides(found, keys, flat, np.where(flat >= opens, flat - opens, np.inf))
        return _two_sided(frames, what, sides.bid.reshape(moments.shape), sides.ask.reshape(moments.shape))

    def _frames(self, which: int, span: tuple[int, int, int], bar_s: int, regular: bool) -> Frames | None:
        parts = self._spans(which, span, bar_s, regular)
        return joined_frames(parts) if parts else None

    def _spans(self, which: int, span: tuple[int, int, int], bar_s: int, regular: bool) -> list[Frames]:
        begin, last, asked_end = span
        if last < begin:
            return []
        self._trails[which].seconds(last, last)  # the timetable reaches as far as is asked
        times, found = self._times(which), []
        if bar_s >= DAY_S:
            for session in range(bisect_left(times.opens, begin), bisect_left(times.opens, min(last + 1, asked_end))):
                found.append(self._day(which, session, last))
            return found
        around_the_clock = self._always_open and not regular
        starts = [times.opens[0], *times.closes] if around_the_clock else times.opens
        first = max(bisect_right(starts, begin) - 1, 0)
        for session in range(first, bisect_right(starts, last)):
            end = times.closes[session] - around_the_clock
            low, high = max(begin, starts[session]), min(last, end)
            if high == asked_end and high != times.closes[session]:
                high -= 1
            if low > high:
                continue
            frames = frame_span(self._trails[which].seconds(low, high), low, session, bar_s)
            closing = high == times.closes[session]
            found.append(without_last_second(frames) if closing else frames)
        return found

    def _day(self, which: int, session: int, last: int) -> Frames:
        times = self._times(which)
        opens, closes = times.opens[session], times.closes[session]
        if last < closes:
            return frame_span(self._trails[which].seconds(opens, last), opens, session, DAY_S)
        if (which, session) not in self._daily:
            self._daily[which, session] = frame_span(self._trails[which].seconds(opens, closes), opens, session, DAY_S)
        return self._daily[which, session]

    def _volume(self, which: int, frames: Frames, totals: Floats) -> Floats:
        """Return what traded in each bar; `totals` has the volume of each session that occurs, in order."""
        times, session = self._times(which), frames.session
        opens, closes = np.array(times.opens), np.array(times.closes)
        start = closes[session - 1] if self._always_open else opens[session]
        total = totals[np.unique(session, return_inverse=True)[1]]
        before, after = (
            np.floor(total * volume_share(seconds.astype(np.float64), start, opens[session], closes[session]))
            for seconds in (frames.first, frames.last + 1)
        )
        return np.asarray(after - before, dtype=np.float64)

    def _times(self, which: int) -> Timetable:
        return self._trails[which].times


def _seconds(start: datetime, end: datetime, now: datetime) -> tuple[int, int, int]:
    """Return the first and last second that bars may be made of, and the second before which they were asked.

    The closing second of a session belongs to its last bar, also where that bar is asked for up to the close.
    """
    asked_end = int(np.ceil(end.timestamp()))
    return int(np.ceil(start.timestamp())), int(min(asked_end, np.floor(now.timestamp()))), asked_end


def _moments(frames: Frames) -> Ints:
    return np.stack([getattr(frames, name) for name in _ENDS])


def _two_sided(frames: Frames, what: str, bid: Floats, ask: Floats) -> Bars:
    nothing, middle = np.zeros(len(frames.start)), np.round((bid + ask) / 2, 6)
    if what == "BID_ASK":
        averages = [middle_of.mean(axis=0) for middle_of in (bid, ask)]
        return Bars(
            start=frames.start,
            open=np.round(averages[0], 4),
            high=ask.max(axis=0),
            low=bid.min(axis=0),
            close=np.round(averages[1], 4),
            volume=nothing,
            wap=nothing,
            count=nothing.astype(np.int64),
        )
    prices = {"BID": bid, "ASK": ask, "MIDPOINT": middle}[what]
    return bars_of(frames, prices, volume=nothing, mean=prices.mean(axis=0), shares_a_trade=1.0)
