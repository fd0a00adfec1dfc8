"""The instrument books of simulated markets: one that holds what it is given, and one that lists as time goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import exchange_date
from bifrost_lib.core.clock import Clock
from bifrost_lib.sim.instruments import Instrument
from bifrost_lib.sim.market.contract_table import ContractTable
from bifrost_lib.sim.market.ladders import Listed
from bifrost_lib.sim.market.profiles import PENNY_RULE, PILOT_RULE, RULES, Profile
from bifrost_lib.sim.market.universe import SimulatedUnderlying

Ints = npt.NDArray[np.int64]

OPTION_EXCHANGES = ("SMART", "AMEX", "CBOE", "CBOE2", "ISE", "NASDAQOM", "PSE", "PHLX")


class SearchableBook:
    """Underlyings by symbol and name; `underlyings` gives them."""

    def underlyings(self) -> list[Instrument]:
        """Return stocks, funds and indices."""
        raise NotImplementedError

    def underlying(self, symbol: str) -> Instrument | None:
        """Return the stock, fund or index of that symbol."""
        return next((one for one in self.underlyings() if one.symbol == symbol), None)

    def search(self, pattern: str) -> list[Instrument]:
        """Return underlyings whose symbol begins with the pattern or whose name has it, the exact symbol first."""
        wanted = pattern.strip().upper()
        ranked = [(_rank(one, wanted), one.symbol, one) for one in self.underlyings()]
        return [one for rank, _, one in sorted(ranked, key=lambda found: found[:2]) if wanted and rank < 3]


class StaticBook(SearchableBook):
    """A book of the instruments that it was given."""

    def __init__(
        self, instruments: Iterable[Instrument], *, listed: Callable[[Instrument], bool] | None = None
    ) -> None:
        self._all: dict[int, Instrument] = {}
        self._listed = listed or (lambda _: True)
        for instrument in instruments:
            self.add(instrument)

    def add(self, instrument: Instrument) -> None:
        """Add an instrument, or replace the one of the same conId."""
        self._all[instrument.con_id] = instrument

    def by_con_id(self, con_id: int) -> Instrument | None:
        """Return the instrument, also an expired one; None when unknown."""
        return self._all.get(con_id)

    def underlyings(self) -> list[Instrument]:
        """Return stocks, funds and indices, as they were added."""
        return [one for one in self._all.values() if one.sec_type != "OPT"]

    def options(self, symbol: str) -> list[Instrument]:
        """Return every listed, unexpired option on `symbol`, sorted by trading class, expiry, strike, right."""
        found = (one for one in self._all.values() if one.sec_type == "OPT" and one.symbol == symbol)
        return sorted(filter(self._listed, found), key=_option_order)


class SyntheticBook(SearchableBook):
    """The book of the synthetic market: lists new expiries and strikes each day, and drops what has expired."""

    def __init__(
        self,
        clock: Clock,
        table: ContractTable,
        underlyings: list[tuple[SimulatedUnderlying, Profile]],
        list_on: Callable[[int, date], Listed],
    ) -> None:
        self._clock, self._table, self._list_on = clock, table, list_on
        self._pairs = underlyings
        self._stocks = [_underlying_of(*pair) for pair in underlyings]
        self._made: dict[int, Instrument] = {one.con_id: one for one in self._stocks}
        self._index = {one.symbol: index for index, one in enumerate(self._stocks)}
        self._day: dict[int, tuple[date, Ints]] = {}
        self._options: dict[int, tuple[float, date, list[Instrument]]] = {}
        for index in range(len(underlyings)):
            self._rows(index, clock.now())

    def by_con_id(self, con_id: int) -> Instrument | None:
        """Return the instrument, also an expired one that was listed since the market's start; None when unknown."""
        if con_id not in self._made:
            row = self._table.row(con_id)
            if row is None:
                self.refresh()
                row = self._table.row(con_id)
            if row is None:
                return None
            self._made[con_id] = self._option(row)
        return self._made[con_id]

    def underlyings(self) -> list[Instrument]:
        """Return stocks, funds and indices."""
        return list(self._stocks)

    def options(self, symbol: str) -> list[Instrument]:
        """Return every listed, unexpired option on `symbol`, sorted by trading class, expiry, strike, right."""
        if symbol not in self._index:
            return []
        index, now = self._index[symbol], self._clock.now()
        second, day = now.timestamp(), exchange_date(now)
        until, made_on, found = self._options.get(index, (0.0, date.min, []))
        if made_on != day or second >= until:
            rows = self._rows(index, now)
            ends = self._table.expiry_s[rows]
            alive = rows[ends > second]
            made = (self._made.get(con_id) for con_id in self._table.con_id[alive].tolist())
            found = [one or self._keep(row) for one, row in zip(made, alive.tolist(), strict=True)]
            self._options[index] = float(ends[ends > second].min(initial=2**62)), day, found
        return list(found)

    def refresh(self) -> None:
        """List what is new today."""
        for index in range(len(self._pairs)):
            self._rows(index, self._clock.now())

    def _rows(self, index: int, now: datetime) -> Ints:
        day = exchange_date(now)
        if index not in self._day or self._day[index][0] != day:
            self._day[index] = day, self._table.add(index, self._list_on(index, day))
        return self._day[index][1]

    def _keep(self, row: int) -> Instrument:
        made = self._option(row)
        self._made[made.con_id] = made
        return made

    def _option(self, row: int) -> Instrument:
        table = self._table
        index = int(table.underlying[row])
        (underlying, profile), stock = self._pairs[index], self._stocks[index]
        trading_class = profile.class_codes[int(table.class_index[row])][0]
        return option_instrument(
            stock,
            con_id=int(table.con_id[row]),
            trading_class=trading_class,
            expiry=date.fromordinal(int(table.expiry[row])),
            strike=float(table.strike[row]),
            right="C" if table.is_call[row] else "P",
            style=underlying.style,
            settlement="AM" if table.is_am[row] else "PM",
            rule=profile.option_rule,
        )


def option_instrument(
    stock: Instrument,
    *,
    con_id: int,
    trading_class: str,
    expiry: date,
    strike: float,
    right: str,
    style: str = "american",
    settlement: str = "PM",
    rule: int = PILOT_RULE,
    multiplier: float = 100.0,
) -> Instrument:
    """Describe an option on `stock` as contractDetails does; `rule` is one of ``RULES``."""
    return Instrument(
        con_id=con_id,
        symbol=stock.symbol,
        sec_type="OPT",
        exchange="SMART",
        primary_exchange="",
        currency=stock.currency,
        local_symbol=f"{trading_class:<6}{expiry:%y%m%d}{right}{round(strike * 1000):08d}",
        trading_class=trading_class,
        long_name=stock.long_name,
        market_rule_id=rule,
        ticks=RULES[rule],
        expiry=expiry,
        strike=strike,
        right=right,
        multiplier=multiplier,
        style=style,
        settlement=settlement,
        under_con_id=stock.con_id,
        industry=stock.industry,
        category=stock.category,
        subcategory=stock.subcategory,
        valid_exchanges=("SMART", "CBOE") if stock.sec_type == "IND" else OPTION_EXCHANGES,
    )


def _underlying_of(underlying: SimulatedUnderlying, profile: Profile) -> Instrument:
    is_index = profile.sec_type == "IND"
    return Instrument(
        con_id=profile.con_id,
        symbol=underlying.symbol,
        sec_type=profile.sec_type,
        exchange="CBOE" if is_index else "SMART",
        primary_exchange=profile.primary_exchange,
        currency="USD",
        local_symbol=underlying.symbol,
        trading_class="" if is_index else underlying.symbol,
        long_name=profile.long_name,
        market_rule_id=PENNY_RULE,
        ticks=RULES[PENNY_RULE],
        stock_type=profile.stock_type,
        industry=profile.industry,
        category=profile.category,
        subcategory=profile.subcategory,
        valid_exchanges=("CBOE",) if is_index else ("SMART", profile.primary_exchange, "IEX"),
    )


def _option_order(one: Instrument) -> tuple[str, date, float, str]:
    return one.trading_class, one.expiry or date.max, one.strike, one.right


def _rank(one: Instrument, wanted: str) -> int:
    if one.symbol == wanted:
        return 0
    if one.symbol.startswith(wanted):
        return 1
    return 2 if wanted in one.long_name.upper() else 3
