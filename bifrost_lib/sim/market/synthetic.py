"""The synthetic market: simulated underlyings and their options at any moment of a clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from bifrost_lib.core.calendar import is_session, next_session, session_open
from bifrost_lib.core.clock import Clock
from bifrost_lib.core.errors import InputError, UnknownNameError
from bifrost_lib.sim.exchange import BOARD_COLUMNS, Bars, Board, Headline
from bifrost_lib.sim.market.bar_history import BarHistory
from bifrost_lib.sim.market.bars import check_request
from bifrost_lib.sim.market.book import SyntheticBook
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.extremes import Extremes
from bifrost_lib.sim.market.history import SEED
from bifrost_lib.sim.market.ladders import Listed, list_on, listed_for
from bifrost_lib.sim.market.news import PROVIDERS, headlines_between
from bifrost_lib.sim.market.option_activity import OptionActivity
from bifrost_lib.sim.market.option_board import OptionBoard
from bifrost_lib.sim.market.payouts import dividends_at
from bifrost_lib.sim.market.profiles import PROFILES
from bifrost_lib.sim.market.published import published
from bifrost_lib.sim.market.stock_board import StockBoard
from bifrost_lib.sim.market.tickers import UNDERLYINGS
from bifrost_lib.sim.market.timetable import timetable
from bifrost_lib.sim.market.trading_day import TradingDay, trading_day
from bifrost_lib.sim.market.trail import LATEST_YEAR, OLDEST_YEAR, Trail
from bifrost_lib.sim.market.valuation import Valuer

#: Listings and open interest look back over some sessions.
_FIRST_SHOWN = datetime(OLDEST_YEAR, 2, 1, tzinfo=UTC)


class SyntheticMarket:
    """Stocks, funds, an index and their options, simulated.

    Parameters
    ----------
    clock : Clock
        Says which moment is shown; any moment from February 2023 to 2059.
    seed : int
        >= 0. Every quote is a function of seed, contract and moment alone: when the program was started, how often and
        in which order quotes were asked for changes nothing.
    always_open : bool
        True: trades around the clock. False: outside the sessions of the exchange there are no bids and offers, and
        everything else stands as at the last close.
    symbols : sequence of str, optional
        Which underlyings; all by default. SIM, SIMX and SIMT follow the path of `simulated_history`.

    Raises
    ------
    UnknownNameError
        For a symbol that is not simulated.
    InputError
        If `seed` is negative, or the clock shows a moment before February 2023.

    Notes
    -----
    Dividends are a continuous yield: spot drifts down by it and options are priced with it. The quarterly amounts that
    `dividends` tells are that yield in cash; on the ex-date itself nothing jumps.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int = SEED,
        always_open: bool = True,
        symbols: Sequence[str] | None = None,
    ) -> None:
        if seed < 0:
            raise InputError("seed", seed, "an integer >= 0")
        chosen = list(UNDERLYINGS) if symbols is None else list(symbols)
        for symbol in chosen:
            if symbol not in UNDERLYINGS:
                raise UnknownNameError("symbol", symbol, UNDERLYINGS)
        self._clock, self._seed, self._always_open = clock, seed, always_open
        self._underlyings = [UNDERLYINGS[symbol] for symbol in chosen]
        self._profiles = [PROFILES[symbol] for symbol in chosen]
        self._trails = [Trail(underlying, seed=seed) for underlying in self._underlyings]
        self._table = ContractTable(
            self._underlyings,
            [published(one.earnings_months, OLDEST_YEAR, LATEST_YEAR) for one in self._underlyings],
            seed=seed,
        )
        self._extend(clock.now())
        self._book = SyntheticBook(
            clock, self._table, list(zip(self._underlyings, self._profiles, strict=True)), self._listed
        )
        self._which = {profile.con_id: index for index, profile in enumerate(self._profiles)}
        activity, extremes = OptionActivity(self._underlyings, self._trails, self._table), Extremes()
        self._valuer = Valuer(self._underlyings, self._trails, self._table)
        self._options = OptionBoard(self._table, self._trails, self._valuer, activity, extremes)
        self._stocks = StockBoard(self._underlyings, self._profiles, self._trails, activity, extremes, seed=seed)
        self._bars = BarHistory(
            self._table, self._trails, self._valuer, activity, self._stocks, always_open=always_open
        )
        self._shown: tuple[TradingDay, tuple[int, ...], Board] | None = None

    @property
    def clock(self) -> Clock:
        """The clock whose moment is shown."""
        return self._clock

    @property
    def instruments(self) -> SyntheticBook:
        """All instruments at the clock's moment."""
        return self._book

    @property
    def always_open(self) -> bool:
        """True: it trades around the clock."""
        return self._always_open

    def is_open(self, at: datetime) -> bool:
        """Tell whether it trades at that moment."""
        return self._always_open or timetable(at.year, at.year + 1).is_open(at.timestamp())

    def quotes(self, con_ids: Sequence[int]) -> Board:
        """Return what is shown now; unknown con_ids raise KeyError."""
        now, asked = self._clock.now(), tuple(con_ids)
        day = self._day(now)
        if self._shown is None or self._shown[:2] != (day, asked):
            self._shown = day, asked, self._board(now, asked, day)
        return self._shown[2]

    def bars(self, con_id: int, *, what: str, start: datetime, end: datetime, bar_s: int, regular_hours: bool) -> Bars:
        """Return bars of [start, end), none after the clock's moment; unknown con_ids raise KeyError.

        Daily bars are those of the exchange's sessions, also in a market that is always open. An option has trade bars
        only where it traded, and no volatility bars.
        """
        check_request(what, bar_s)
        now = self._clock.now()
        start = max(start, self.first_moment(con_id))
        if con_id in self._which:
            return self._bars.stock(self._which[con_id], what, start, end, now, bar_s, regular_hours)
        return self._bars.option(self._row(con_id), what, start, end, now, bar_s, regular_hours)

    def first_moment(self, con_id: int) -> datetime:
        """Return the moment of the oldest data: the first session of 2023, or the day on which an option was listed."""
        if con_id in self._which:
            return _open_on_or_after(date(OLDEST_YEAR, 1, 1))
        expiry = date.fromordinal(int(self._table.expiry[self._row(con_id)]))
        return _open_on_or_after(max(expiry - timedelta(days=listed_for(expiry)), date(OLDEST_YEAR, 1, 1)))

    def news_providers(self) -> list[tuple[str, str]]:
        """Return (code, name) pairs."""
        return list(PROVIDERS)

    def headlines(self, con_id: int, *, start: datetime, end: datetime) -> list[Headline]:
        """Return what was published about an underlying in [start, end], newest first; nothing about options."""
        if con_id not in self._which:
            self._row(con_id)
            return []
        which, until = self._which[con_id], min(end, self._clock.now())
        since = max(start, self.first_moment(con_id))
        return headlines_between(self._profiles[which], self._trails[which], since, until, seed=self._seed)

    def dividends(self, con_id: int) -> tuple[float, float, datetime | None, float]:
        """Return cash a share paid in the past 12 months, expected in the next 12, the next ex-date and its amount."""
        if con_id not in self._which:
            self._row(con_id)
            return 0.0, 0.0, None, 0.0
        which = self._which[con_id]
        return dividends_at(self._profiles[which], self._trails[which], self._clock.now())

    def _row(self, con_id: int) -> int:
        row = self._table.row(con_id)
        if row is None and self._book.by_con_id(con_id) is not None:
            row = self._table.row(con_id)
        if row is None:
            raise KeyError(con_id)
        return row

    def _board(self, now: datetime, con_ids: tuple[int, ...], day: TradingDay) -> Board:
        rows, places, stocks = [], [], []
        for place, con_id in enumerate(con_ids):
            if con_id in self._which:
                stocks.append((place, self._which[con_id]))
                continue
            rows.append(self._row(con_id))
            places.append(place)
        values = {name: np.full(len(con_ids), np.nan) for name in BOARD_COLUMNS}
        computations = np.full((len(con_ids), 4, 8), np.nan)
        if rows:
            where = np.array(places)
            shown, computed = self._options.show(np.array(rows, dtype=np.int64), day)
            computations[where] = computed
            for name, numbers in shown.items():
                values[name][where] = numbers
        for place, which in stocks:
            for name, number in self._stocks.show(which, day).items():
                values[name][place] = number
        return Board(ts=now, values=values, computations=computations)

    def _day(self, now: datetime) -> TradingDay:
        self._extend(now)
        return trading_day(now, self._trails[0].times, always_open=self._always_open)

    def _extend(self, now: datetime) -> None:
        if now < _FIRST_SHOWN:
            raise InputError("clock", now, f"a moment from {_FIRST_SHOWN:%Y-%m-%d} on")
        for trail in self._trails:
            trail.extend(now.year)

    def _listed(self, index: int, day: date) -> Listed:
        return list_on(self._underlyings[index], self._profiles[index], self._trails[index], day)


def _open_on_or_after(day: date) -> datetime:
    return session_open(day if is_session(day) else next_session(day))
