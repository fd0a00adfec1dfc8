"""Cash and positions of one account: what fills, exercises and expiries do to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifrost_lib.sim.broker.commissions import MonthlyVolume

_NOTHING = 1e-9


@dataclass(slots=True)
class Holding:
    """One position, and what happened to it today.

    Attributes
    ----------
    qty : float
        Contracts or shares, signed.
    avg_cost : float
        Currency per contract, multiplier included; commissions of opening trades are in it, so that it is above the
        price of a purchase and below that of a short sale.
    realized, day_realized : float
        Profit of closed parts, in currency: since the start, and today.
    day_qty, day_cash : float
        Quantity at today's start, and cash that trades brought (> 0) or took today.
    mark : float
        Last known price per share; NaN before there was one.
    """

    con_id: int
    multiplier: float = 1.0
    qty: float = 0.0
    avg_cost: float = 0.0
    realized: float = 0.0
    day_realized: float = 0.0
    day_qty: float = 0.0
    day_cash: float = 0.0
    mark: float = float("nan")

    def book(self, qty: float, cost: float) -> float:
        """Add `qty` (signed) at `cost` per contract, everything included; return the profit that this realizes."""
        closing = min(abs(qty), abs(self.qty)) if qty * self.qty < 0 else 0.0
        direction = 1.0 if self.qty > 0 else -1.0
        realized = closing * (cost - self.avg_cost) * direction
        opening = abs(qty) - closing
        left = abs(self.qty) - closing
        self.qty += qty
        if abs(self.qty) < _NOTHING:
            self.qty = self.avg_cost = 0.0
        elif opening > _NOTHING:
            held = self.avg_cost if left > _NOTHING else 0.0
            self.avg_cost = (left * held + opening * cost) / (left + opening)
        self.realized += realized
        self.day_realized += realized
        return realized

    @property
    def value_at_cost(self) -> float:
        """What the position cost (> 0) or brought in (< 0)."""
        return self.qty * self.avg_cost


@dataclass(slots=True)
class Ledger:
    """One account. At every moment cash + cost of the positions - realized profit is what was paid in."""

    account: str
    cash: float
    paid_in: float
    commissions: float = 0.0
    forgotten: float = 0.0  # realized by positions that were closed on earlier days
    holdings: dict[int, Holding] = field(default_factory=dict)
    volume: MonthlyVolume = field(default_factory=MonthlyVolume)
    lapsing: dict[int, float] = field(default_factory=dict)  # options that their holder will not exercise

    def holding(self, con_id: int, multiplier: float) -> Holding:
        """Return the position, a new empty one where there is none."""
        if con_id not in self.holdings:
            self.holdings[con_id] = Holding(con_id, multiplier)
        return self.holdings[con_id]

    def open_positions(self) -> list[Holding]:
        """Return positions that are not zero, by conId."""
        return [holding for _, holding in sorted(self.holdings.items()) if holding.qty]

    def trade(self, con_id: int, multiplier: float, qty: float, price: float, commission: float) -> float | None:
        """Book a trade of `qty` (signed) at `price` per share; return its realized profit, None if nothing closed."""
        holding = self.holding(con_id, multiplier)
        closes = qty * holding.qty < 0
        flow = -qty * price * multiplier - commission
        realized = holding.book(qty, price * multiplier + commission / qty)
        self.cash += flow
        self.commissions += commission
        holding.day_cash += flow
        return realized if closes else None

    def settle_in_cash(self, con_id: int, qty: float, value: float) -> float:
        """Close `qty` (signed as the position) at `value` per contract; return the realized profit."""
        holding = self.holdings[con_id]
        realized = holding.book(-qty, value)
        self.cash += qty * value
        holding.day_cash += qty * value
        return realized

    def deliver(self, con_id: int, qty: float, share_id: int, shares_each: float, price: float) -> None:
        """Turn `qty` options (signed as held) into shares at `price`, `shares_each` (signed) per contract.

        The options' cost moves into the cost of the shares, so that the exercise itself realizes nothing.
        """
        option, stock = self.holdings[con_id], self.holding(share_id, 1.0)
        basis = option.avg_cost  # per contract, of the long or the short alike
        shares = qty * shares_each
        option.book(-qty, basis)
        # A premium paid makes shares dearer to buy and a sale worth less; a premium received is the reverse.
        stock.book(shares, price + basis / shares_each)
        self.cash -= shares * price
        stock.day_cash -= shares * price

    def start_day(self) -> None:
        """Begin a new day: daily figures count from here, and positions that are gone are forgotten."""
        self.forgotten += sum(held.realized for held in self.holdings.values() if not held.qty)
        self.holdings = {con_id: held for con_id, held in self.holdings.items() if held.qty}
        for held in self.holdings.values():
            held.day_qty, held.day_cash, held.day_realized = held.qty, 0.0, 0.0

    @property
    def realized(self) -> float:
        """Profit realized since the start, currency."""
        return self.forgotten + sum(held.realized for held in self.holdings.values())
