"""What an account is worth, what it must hold as margin, and what an order would do to both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan, nan

from bifrost_lib.core.contracts import INDEX_CLASSES
from bifrost_lib.sim.broker.ledger import Holding, Ledger
from bifrost_lib.sim.broker.margins import OptionLot, Requirement, Terms, reg_t_requirement
from bifrost_lib.sim.broker.quotes import QuoteSheet
from bifrost_lib.sim.instruments import Instrument, InstrumentBook

_BROAD = frozenset(convention.symbol for convention in INDEX_CLASSES.values())


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade that might happen: `qty` signed, `price` per share, `commission` in currency."""

    instrument: Instrument
    qty: float
    price: float
    commission: float = 0.0


@dataclass(frozen=True, slots=True)
class Figures:
    """An account at one moment, in currency."""

    cash: float
    stock_value: float
    option_value: float
    gross_value: float
    gross_stock_value: float
    required: Requirement
    reg_t: float
    unrealized: float

    @property
    def net_liquidation(self) -> float:
        return self.cash + self.stock_value + self.option_value

    @property
    def equity_with_loan(self) -> float:
        """Cash and stock: US options are no collateral, and what was received for them is owed by their margin."""
        return self.cash + self.stock_value

    @property
    def available(self) -> float:
        return self.equity_with_loan - self.required.initial

    @property
    def excess(self) -> float:
        return self.equity_with_loan - self.required.maintenance

    @property
    def cushion(self) -> float:
        """Excess liquidity as a share of net liquidation; NaN for an account worth nothing."""
        return self.excess / self.net_liquidation if self.net_liquidation else nan


@dataclass(slots=True)
class Appraiser:
    """Values accounts with the quotes of a market.

    `stock_initial` is the initial margin of stock, `cash_account` forbids credit. The last price that was seen of an
    instrument stands in while the market shows none; before any was seen, a position is worth what it cost, and an
    underlying the strike of its option.
    """

    instruments: InstrumentBook
    stock_initial: float = 0.50
    cash_account: bool = False
    seen: dict[int, float] = field(default_factory=dict)

    def instrument(self, con_id: int) -> Instrument:
        """Return an instrument that an account holds."""
        found = self.instruments.by_con_id(con_id)
        if found is None:
            raise KeyError(con_id)
        return found

    def price(self, con_id: int, sheet: QuoteSheet) -> float:
        """Return the present or last known price per share; NaN when there never was one."""
        price = sheet.quote(con_id).reference
        if isnan(price):
            return self.seen.get(con_id, nan)
        self.seen[con_id] = price
        return price

    def mark(self, holding: Holding, sheet: QuoteSheet) -> float:
        """Return what a holding is valued at per share; its cost while there never was a price."""
        price = self.price(holding.con_id, sheet)
        return holding.avg_cost / holding.multiplier if isnan(price) else price

    def figures(self, ledger: Ledger, sheet: QuoteSheet, trades: Iterable[Trade] = ()) -> Figures:
        """Return an account as it is, or as it would be after `trades`."""
        cash, held, prices = ledger.cash, {}, {}
        unrealized = 0.0
        for holding in ledger.open_positions():
            prices[holding.con_id] = self.mark(holding, sheet)
            held[holding.con_id] = holding.qty
            unrealized += holding.qty * prices[holding.con_id] * holding.multiplier - holding.value_at_cost
        for trade in trades:
            con_id = trade.instrument.con_id
            cash -= trade.qty * trade.price * trade.instrument.multiplier + trade.commission
            held[con_id] = held.get(con_id, 0.0) + trade.qty
            known = self.price(con_id, sheet)
            prices.setdefault(con_id, trade.price if isnan(known) else known)
        stock = option = gross = gross_stock = 0.0
        for con_id, qty in held.items():
            instrument = self.instrument(con_id)
            value = qty * prices[con_id] * instrument.multiplier
            gross += abs(value)
            if instrument.sec_type == "OPT":
                option += value
            else:
                stock, gross_stock = stock + value, gross_stock + abs(value)
        required = self._required(held, prices, sheet, self.stock_initial)
        reg_t = self._required(held, prices, sheet, 0.50).initial
        return Figures(cash, stock, option, gross, gross_stock, required, reg_t, unrealized)

    def _required(
        self, held: Mapping[int, float], prices: Mapping[int, float], sheet: QuoteSheet, stock_initial: float
    ) -> Requirement:
        shares: dict[int, float] = {}
        lots: dict[int, list[OptionLot]] = {}
        for con_id, qty in held.items():
            instrument = self.instrument(con_id)
            if instrument.expiry is None:
                shares[con_id] = qty
            elif qty:
                lot = OptionLot(
                    instrument.right, instrument.strike, instrument.expiry, qty, max(prices[con_id], 0.0),
                    instrument.multiplier,
                )  # fmt: skip
                lots.setdefault(instrument.under_con_id, []).append(lot)
        total = Requirement()
        for under in shares.keys() | lots.keys():
            spot = prices[under] if under in prices else self.price(under, sheet)
            if isnan(spot):
                spot = sum(lot.strike for lot in lots[under]) / len(lots[under])
            underlying = self.instruments.by_con_id(under)
            broad = underlying is not None and underlying.sec_type == "IND" and underlying.symbol in _BROAD
            terms = Terms(spot, broad, stock_initial, self.cash_account)
            total += reg_t_requirement(shares.get(under, 0.0), lots.get(under, []), terms)
        return total
