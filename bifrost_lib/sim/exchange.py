"""What every simulated market offers, whatever its quotes come from: synthetic, replayed or scripted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.clock import Clock
from bifrost_lib.sim.instruments import InstrumentBook

Floats = npt.NDArray[np.float64]

#: Columns of `Board.values`, one number per instrument; NaN where the exchange shows nothing.
BOARD_COLUMNS: tuple[str, ...] = (
    "bid", "ask", "last", "bid_size", "ask_size", "last_size", "volume",
    "open", "high", "low", "close",  # close: of the previous session
    "mark", "halted",  # 0.0 or 1.0
    "open_interest", "option_volume",  # of this option
    "call_open_interest", "put_open_interest", "call_volume", "put_volume",  # of an underlying's options
    "average_option_volume", "hist_vol", "implied_vol", "shortable", "shortable_shares", "trade_count",
    "last_trade_s",  # epoch seconds of the last trade
)  # fmt: skip

#: Axes of `Board.computations`: whose price the numbers belong to, and which number.
COMPUTATION_SIDES: tuple[str, ...] = ("bid", "ask", "last", "model")
COMPUTATION_COLUMNS: tuple[str, ...] = (
    "iv", "delta", "price", "pv_dividend", "gamma", "vega", "theta", "und_price",
)  # fmt: skip


@dataclass(frozen=True)
class Board:
    """What the exchange shows at one moment of `n` instruments, in the order asked for.

    Attributes
    ----------
    ts : datetime
        Aware UTC.
    values : dict of str to array (n,)
        ``BOARD_COLUMNS``; prices in currency per share.
    computations : array (n, 4, 8)
        ``COMPUTATION_SIDES`` x ``COMPUTATION_COLUMNS``, in IB's units: vega per volatility point (0.01), theta per
        calendar day. NaN where not computed, and everywhere for instruments that are no options.
    """

    ts: datetime
    values: dict[str, Floats]
    computations: Floats


@dataclass(frozen=True)
class Bars:
    """Historical bars, shape (n,): `start` is epoch seconds at the beginning of each bar, ascending."""

    start: npt.NDArray[np.int64]
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    wap: Floats
    count: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Headline:
    """One news item of a simulated provider."""

    ts: datetime
    provider: str
    article_id: str
    headline: str
    text: str


class Market(Protocol):
    """A source of quotes. `quotes` at the same moment of the clock always gives the same numbers."""

    @property
    def clock(self) -> Clock: ...

    @property
    def instruments(self) -> InstrumentBook: ...

    @property
    def always_open(self) -> bool:
        """True: it trades around the clock, so that there is something to see on a Sunday."""
        ...

    def is_open(self, at: datetime) -> bool:
        """Tell whether it trades at that moment."""
        ...

    def quotes(self, con_ids: Sequence[int]) -> Board:
        """Return what is shown now; unknown con_ids raise KeyError."""
        ...

    def bars(self, con_id: int, *, what: str, start: datetime, end: datetime, bar_s: int, regular_hours: bool) -> Bars:
        """Return bars of [start, end); `bar_s` is 86,400 for daily bars, one a session.

        `what` is TRADES, MIDPOINT, BID, ASK, BID_ASK (open: average bid, high: max ask, low: min bid, close: average
        ask), HISTORICAL_VOLATILITY, OPTION_IMPLIED_VOLATILITY or ADJUSTED_LAST. Nothing after the clock's moment.
        """
        ...

    def first_moment(self, con_id: int) -> datetime:
        """Return the moment of the oldest data (head timestamp)."""
        ...

    def news_providers(self) -> list[tuple[str, str]]:
        """Return (code, name) pairs."""
        ...

    def headlines(self, con_id: int, *, start: datetime, end: datetime) -> list[Headline]:
        """Return what was published about an underlying in [start, end], newest first."""
        ...

    def dividends(self, con_id: int) -> tuple[float, float, datetime | None, float]:
        """Return cash a share paid in the past 12 months, expected in the next 12, the next ex-date and its amount."""
        ...
