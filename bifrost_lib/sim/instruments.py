"""What can be asked for at the simulated exchange: stocks, funds, indices and options, each with its conId."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Instrument:
    """One security as contractDetails describes it.

    `expiry`, `strike`, `right`, `under_con_id` are set for options only (None, 0.0, "", 0 elsewhere). `ticks` are
    (low edge, increment) pairs of the market rule `market_rule_id`.
    """

    con_id: int
    symbol: str
    sec_type: str  # STK, IND, OPT
    exchange: str  # SMART, or CBOE for an index
    primary_exchange: str
    currency: str
    local_symbol: str
    trading_class: str
    long_name: str
    market_rule_id: int
    ticks: tuple[tuple[float, float], ...]
    expiry: date | None = None
    strike: float = 0.0
    right: str = ""
    multiplier: float = 1.0
    style: str = ""
    settlement: str = ""
    under_con_id: int = 0
    stock_type: str = ""  # COMMON, ETF for stocks
    industry: str = ""
    category: str = ""
    subcategory: str = ""
    valid_exchanges: tuple[str, ...] = field(default=("SMART", "CBOE"))

    @property
    def min_tick(self) -> float:
        """The smallest increment of its market rule."""
        return min(increment for _, increment in self.ticks)


class InstrumentBook(Protocol):
    """All instruments of a market at its present moment."""

    def by_con_id(self, con_id: int) -> Instrument | None:
        """Return the instrument, also an expired one that was listed since the market's start; None when unknown."""
        ...

    def underlyings(self) -> list[Instrument]:
        """Return stocks, funds and indices."""
        ...

    def underlying(self, symbol: str) -> Instrument | None:
        """Return the stock, fund or index of that symbol."""
        ...

    def options(self, symbol: str) -> list[Instrument]:
        """Return every listed, unexpired option on `symbol`, sorted by trading class, expiry, strike, right."""
        ...

    def search(self, pattern: str) -> list[Instrument]:
        """Return underlyings whose symbol or name matches the pattern as reqMatchingSymbols does, best first."""
        ...
