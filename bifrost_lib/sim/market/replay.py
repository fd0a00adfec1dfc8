"""A market that plays stored quotes again: at each moment of its clock it shows what was known then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bifrost_lib.core.calendar import exchange_date, expiry_moment, is_session, session_close, session_open
from bifrost_lib.core.clock import Clock
from bifrost_lib.core.contracts import INDEX_CLASSES
from bifrost_lib.sim.exchange import (
    BOARD_COLUMNS,
    COMPUTATION_COLUMNS,
    COMPUTATION_SIDES,
    Bars,
    Board,
    Headline,
)
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.bars import check_request, empty_bars
from bifrost_lib.sim.market.book import StaticBook, option_instrument
from bifrost_lib.sim.market.noise import key_of
from bifrost_lib.sim.market.profiles import INDEX_RULE, PENNY_RULE, PILOT_RULE, PROFILES, RULES
from bifrost_lib.sim.market.replay_bars import replayed_bars
from bifrost_lib.sim.market.stored import StoredQuotes, stored_quotes

Floats = npt.NDArray[np.float64]

_MODEL = COMPUTATION_SIDES.index("model")
#: IB's number, the columns it can come from in order of preference, and what it is divided by.
_COMPUTED: tuple[tuple[str, tuple[str, ...], float], ...] = (
    ("iv", ("ib_iv", "iv"), 1.0),
    ("delta", ("ib_delta", "delta"), 1.0),
    ("gamma", ("ib_gamma", "gamma"), 1.0),
    ("vega", ("ib_vega", "vega"), 100.0),
    ("theta", ("ib_theta", "theta"), 365.0),
)
_QUOTED = ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest")


class ReplayMarket:
    """Stored history as a live market.

    Parameters
    ----------
    frames : iterable of pandas.DataFrame
        Quotes with ``QUOTE_COLUMNS``, in any order; analytic and vendor columns are shown as the model's computations.
    clock : Clock
        Says which moment is shown; set it to a moment of the history.

    Raises
    ------
    InputError
        If a column is missing or of another dtype, or if there are no rows.

    Notes
    -----
    A quote stands until the contract's next row; nothing later than the clock's moment is ever used. Where a column was
    not stored nothing is shown: underlyings have a last price but no bid and ask. conIds are a function of the
    contract's identity; those of well-known stocks are IB's.
    """

    def __init__(self, frames: Iterable[pd.DataFrame], clock: Clock) -> None:
        self._clock, self._stored = clock, stored_quotes(frames)
        stocks = {symbol: _stock(symbol) for symbol in self._stored.symbols}
        options = _options(self._stored, stocks)
        self._book = StaticBook([*stocks.values(), *options], listed=self._alive)
        self._symbol = {stock.con_id: place for place, stock in enumerate(stocks.values())}
        self._contract = {option.con_id: place for place, option in enumerate(options)}

    @property
    def clock(self) -> Clock:
        """The clock whose moment is shown."""
        return self._clock

    @property
    def instruments(self) -> StaticBook:
        """The underlyings and options that were found."""
        return self._book

    @property
    def always_open(self) -> bool:
        """False: a replay keeps the sessions of its time."""
        return False

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The moments of the first and the last quote."""
        ts = self._stored.quotes.ts
        return _moment(ts.min()), _moment(ts.max())

    def is_open(self, at: datetime) -> bool:
        """Tell whether a session ran at that moment; its close belongs to it, since quotes are stored there."""
        day = exchange_date(at)
        return is_session(day) and session_open(day) <= at <= session_close(day)

    def quotes(self, con_ids: Sequence[int]) -> Board:
        """Return what was known at the clock's moment; unknown con_ids raise KeyError."""
        now = self._clock.now()
        values = {name: np.full(len(con_ids), np.nan) for name in BOARD_COLUMNS}
        computations = np.full((len(con_ids), len(COMPUTATION_SIDES), len(COMPUTATION_COLUMNS)), np.nan)
        places, contracts = [], []
        for place, con_id in enumerate(con_ids):
            if con_id in self._symbol:
                for name, value in self._underlying(self._symbol[con_id], now).items():
                    values[name][place] = value
            else:
                places.append(place)
                contracts.append(self._contract[con_id])
        if places:
            self._show_options(np.array(places), np.array(contracts), now, values, computations)
        return Board(ts=now, values=values, computations=computations)

    def bars(self, con_id: int, *, what: str, start: datetime, end: datetime, bar_s: int, regular_hours: bool) -> Bars:
        """Return bars of the stored quotes in [start, end), none after the clock's moment.

        Bars of MIDPOINT, BID, ASK and BID_ASK come from the stored sides, TRADES from the stored last trades; those of
        an underlying all come from its spot. Volatility bars are not known.
        """
        check_request(what, bar_s)
        until = min(_microseconds(end), _microseconds(self._clock.now()) + 1)
        if con_id in self._symbol:
            series, thing = self._stored.spots, self._symbol[con_id]
        else:
            series, thing = self._stored.quotes, self._contract[con_id]
        if what in ("HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"):
            return empty_bars()
        rows = series.span(thing, _microseconds(start), until)
        columns = {name: column[rows] for name, column in series.values.items()}
        return replayed_bars(series.ts[rows], columns, what=what, bar_s=bar_s)

    def first_moment(self, con_id: int) -> datetime:
        """Return the moment of the first stored row."""
        if con_id in self._symbol:
            series, thing = self._stored.spots, self._symbol[con_id]
        else:
            series, thing = self._stored.quotes, self._contract[con_id]
        first = series.begin[thing]
        return _moment(series.ts[first]) if first < series.begin[thing + 1] else self.span[0]

    def news_providers(self) -> list[tuple[str, str]]:
        """Return none: news is not stored with quotes."""
        return []

    def headlines(self, con_id: int, *, start: datetime, end: datetime) -> list[Headline]:
        """Return none: news is not stored with quotes."""
        return []

    def dividends(self, con_id: int) -> tuple[float, float, datetime | None, float]:
        """Return zeros: dividends are not stored with quotes."""
        return 0.0, 0.0, None, 0.0

    def _show_options(
        self,
        places: npt.NDArray[np.int64],
        contracts: npt.NDArray[np.int64],
        now: datetime,
        values: dict[str, Floats],
        computations: Floats,
    ) -> None:
        series = self._stored.quotes
        rows = series.newest(contracts, _microseconds(now))
        known = rows >= 0
        places, rows = places[known], rows[known]
        stored = series.values
        for name in _QUOTED:
            values[name][places] = stored[name][rows]
        values["option_volume"][places] = stored["volume"][rows]
        values["mark"][places] = (stored["bid"][rows] + stored["ask"][rows]) / 2
        values["halted"][places] = 0.0
        model = computations[:, _MODEL]
        for name, sources, divisor in _COMPUTED:
            source = next((one for one in sources if one in stored), None)
            if source is not None:
                model[places, COMPUTATION_COLUMNS.index(name)] = stored[source][rows] / divisor
        model[places, COMPUTATION_COLUMNS.index("und_price")] = stored["spot"][rows]
        model[places, COMPUTATION_COLUMNS.index("price")] = values["mark"][places]
        unknown = places[np.isnan(model[places, COMPUTATION_COLUMNS.index("iv")])]
        model[unknown] = np.nan

    def _underlying(self, symbol: int, now: datetime) -> dict[str, float]:
        series, at_us = self._stored.spots, _microseconds(now)
        row = int(series.newest(np.array([symbol]), at_us)[0])
        if row < 0:
            return {}
        spot, ts = series.values["spot"], _moment(series.ts[row])
        midnight = datetime.combine(exchange_date(ts), datetime.min.time(), UTC)
        today = series.span(symbol, _microseconds(midnight), at_us + 1)
        before = series.span(symbol, 0, _microseconds(midnight))
        return {
            "last": float(spot[row]),
            "mark": float(spot[row]),
            "open": float(spot[today][0]),
            "high": float(spot[today].max()),
            "low": float(spot[today].min()),
            "close": float(spot[before][-1]) if before.stop > before.start else np.nan,
            "last_trade_s": ts.timestamp(),
            "halted": 0.0,
        }

    def _alive(self, option: Instrument) -> bool:
        expiry = option.expiry or date.max
        return expiry_moment(expiry, option.settlement) > self._clock.now()


def replay_from_parquet(path: Path, clock: Clock) -> ReplayMarket:
    """Open a market that plays a Parquet file of quotes, or all such files of a folder, in order of their names."""
    files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    return ReplayMarket((_typed(pd.read_parquet(file)) for file in files), clock)


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    # Parquet may give back text for categories, and coarser or finer moments than were written
    kinds: dict[str, Any] = dict.fromkeys(("symbol", "trading_class", "right", "style", "settlement"), "category")
    return frame.astype({**kinds, "ts": "datetime64[us, UTC]", "expiry": "datetime64[s]"})


def _stock(symbol: str) -> Instrument:
    profile = PROFILES.get(symbol)
    is_index = any(known.symbol == symbol for known in INDEX_CLASSES.values())
    return Instrument(
        con_id=profile.con_id if profile else _con_id("underlying", symbol),
        symbol=symbol,
        sec_type="IND" if is_index else "STK",
        exchange="CBOE" if is_index else "SMART",
        primary_exchange=profile.primary_exchange if profile else ("CBOE" if is_index else "NYSE"),
        currency="USD",
        local_symbol=symbol,
        trading_class="" if is_index else symbol,
        long_name=profile.long_name if profile else symbol,
        market_rule_id=PENNY_RULE,
        ticks=RULES[PENNY_RULE],
        stock_type="" if is_index else (profile.stock_type if profile else "COMMON"),
    )


def _options(stored: StoredQuotes, stocks: dict[str, Instrument]) -> list[Instrument]:
    found, taken = [], {stock.con_id for stock in stocks.values()}
    for one in stored.contracts.itertuples(index=False):
        expiry = date.fromisoformat(str(one.expiry)[:10])
        stock = stocks[str(one.symbol)]
        attempt = 0
        while (con_id := _con_id(*map(str, one[1:5]), attempt)) in taken:
            attempt += 1
        taken.add(con_id)
        found.append(
            option_instrument(
                stock,
                con_id=con_id,
                trading_class=str(one.trading_class),
                expiry=expiry,
                strike=float(one.strike),  # type: ignore[arg-type]
                right=str(one.right),
                style=str(one.style),
                settlement=str(one.settlement),
                rule=INDEX_RULE if stock.sec_type == "IND" else PILOT_RULE,
                multiplier=float(one.multiplier),  # type: ignore[arg-type]
            )
        )
    return found


def _con_id(*words: str | int) -> int:
    return key_of(*words) % (2**31 - 2) + 1


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))
