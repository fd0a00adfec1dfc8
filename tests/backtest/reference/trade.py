"""One trade: what it holds, what it is worth, and what has become of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime

from bifrost_lib.strategies import Leg
from tests.backtest.reference.tape import Contract, Tape


@dataclass(eq=False)
class Held:
    """An option leg that is held: `qty` contracts of `contract` for each unit, which a split may change."""

    leg: Leg
    contract: Contract
    qty: int
    opened: datetime
    open_price: float
    open_delta: float
    closed: datetime | None = None
    close_price: float = math.nan
    first_contract: Contract | None = None
    first_qty: int = 0
    is_exercised: bool = False

    def __post_init__(self) -> None:
        self.first_contract, self.first_qty = self.contract, self.qty

    @property
    def shares(self) -> float:
        """Shares that a unit has the right to, negative where sold."""
        return self.qty * self.contract.group.multiplier

    def intrinsic(self, spot: float) -> float:
        """Return what a share of it is worth at expiry."""
        strike = self.contract.strike
        return max(spot - strike if self.contract.right == "C" else strike - spot, 0.0)


@dataclass(eq=False)
class Trade:
    """A trade and its accounts; money is for one unit until it is reported."""

    symbol: str
    opened: datetime
    units: int
    legs: list[Held]
    stock_shares: float
    premium: float
    option_premium: float
    margin: float
    unit_capital: float
    max_profit: float
    max_loss: float
    open_spot: float
    commission: float
    dividends: float = 0.0
    mark: float = math.nan
    mae: float = 0.0
    mfe: float = 0.0
    carried: int = 0
    rolled: dict[int, int] = field(default_factory=dict)
    past_legs: list[Held] = field(default_factory=list)
    closed: datetime | None = None
    reason: str = ""
    pnl: float = math.nan
    close_spot: float = math.nan

    @property
    def is_open(self) -> bool:
        """Whether nothing has ended it yet."""
        return self.closed is None

    def expires(self, tape: Tape) -> datetime:
        """Return the moment at which its first option expires."""
        return min(tape.expires[held.contract] for held in self.legs)

    def near_expiry(self, tape: Tape) -> date:
        """Return the date of its first expiry."""
        return min(self.legs, key=lambda held: tape.expires[held.contract]).contract.group.expiry

    def prices(self, tape: Tape, moment: datetime, fill: float, legs: list[Held] | None = None) -> list[float] | None:
        """Return what each leg would be closed at; None if one has no price that can be believed."""
        found = []
        for held in self.legs if legs is None else legs:
            quote = tape.quote(moment, held.contract)
            if quote is None:
                return None
            found.append(quote.sell(fill) if held.qty > 0 else quote.buy(fill))
        return found

    def mark_at(self, tape: Tape, moment: datetime, fill: float) -> None:
        """Mark what has just been traded: the account has it, and neither the worst nor the best profit."""
        prices = self.prices(tape, moment, fill)
        assert prices is not None  # it has just been traded
        self.mark = self.gross(value_of(self.legs, prices) + self.stock_value(tape.spot[moment]))

    def stock_value(self, spot: float) -> float:
        """Return what its shares are worth; nothing if it has none, whatever the spot."""
        return self.stock_shares * spot if self.stock_shares else 0.0

    def gross(self, value: float) -> float:
        """Return the profit, commissions aside, if what is held brings `value`."""
        return self.premium + value + self.dividends

    def note(self, gross: float) -> None:
        """Remember a profit: the last one, the worst and the best."""
        self.mark, self.mae, self.mfe = gross, min(self.mae, gross), max(self.mfe, gross)

    def end(self, moment: datetime, reason: str, gross: float, spot: float) -> None:
        """Close the books with a profit, commissions aside; NaN if nobody can say."""
        self.closed, self.reason, self.close_spot = moment, reason, spot
        if not math.isnan(gross):
            self.note(gross)
        self.pnl = gross - self.commission
        for held in self.legs:
            held.closed = moment

    @property
    def account_pnl(self) -> float:
        """Profit as the account has it: the last one known, less the commissions paid so far."""
        return self.mark - self.commission


def value_of(legs: list[Held], prices: list[float]) -> float:
    """Return what closing legs at `prices` brings, or costs when negative."""
    return sum(held.shares * price for held, price in zip(legs, prices, strict=True))
