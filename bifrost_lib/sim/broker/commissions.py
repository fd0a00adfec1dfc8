"""Interactive Brokers' tiered commissions for US options and stocks, with the fees that are passed on.

References: interactivebrokers.ca, "Commissions Options", and interactivebrokers.co.uk, "Commissions Stocks" (United
States, tiered), as they stood between May 2024 and May 2025. What exchanges charge for taking liquidity or pay for
adding it is not included: it differs by exchange and product, and may be negative.
"""

from __future__ import annotations

from dataclasses import dataclass

_INFINITE = float("inf")

#: (contracts a month up to, ((premium below, currency per contract), ...)).
OPTION_TIERS: tuple[tuple[float, tuple[tuple[float, float], ...]], ...] = (
    (10_000, ((0.05, 0.25), (0.10, 0.50), (_INFINITE, 0.65))),
    (50_000, ((0.05, 0.25), (_INFINITE, 0.50))),
    (100_000, ((_INFINITE, 0.25),)),
    (_INFINITE, ((_INFINITE, 0.15),)),
)
OPTION_MINIMUM = 1.00  # an order

#: (shares a month up to, currency per share).
STOCK_TIERS: tuple[tuple[float, float], ...] = (
    (300_000, 0.0035), (3_000_000, 0.0020), (20_000_000, 0.0015), (100_000_000, 0.0010), (_INFINITE, 0.0005),
)  # fmt: skip
STOCK_MINIMUM, STOCK_MAXIMUM_RATE = 0.35, 0.01  # an order; of its value

SEC_RATE = 0.0000278  # of the value of sales
OPTION_REGULATORY_FEE = 0.02685  # per contract
OPTION_CLEARING_FEE, OPTION_CLEARING_CAP = 0.02, 55.0  # per contract; per trade
OPTION_ACTIVITY_FEE = 0.00279  # FINRA's, per contract sold
STOCK_ACTIVITY_FEE, STOCK_ACTIVITY_CAP = 0.000166, 8.30  # per share sold; per trade
STOCK_CLEARING_FEE, AUDIT_TRAIL_FEE = 0.00020, 0.000072  # per share
PASS_THROUGH_RATE = 0.000175 + 0.000563  # NYSE's and FINRA's, of the commission


def option_commission(qty: float, premium: float, traded: float = 0.0) -> float:
    """Return IB's own commission of `qty` contracts, before the minimum of an order.

    Parameters
    ----------
    qty : float
        Contracts, > 0.
    premium : float
        Currency per share.
    traded : float
        Contracts traded earlier in the month; tiers are marginal.
    """
    total, before, left = 0.0, traded, qty
    for upper, rates in OPTION_TIERS:
        part = min(left, max(upper - before, 0.0))
        total += part * next(rate for below, rate in rates if premium < below)
        before, left = before + part, left - part
    return total


def stock_commission(qty: float, traded: float = 0.0) -> float:
    """Return IB's own commission of `qty` shares, before the minimum and maximum of an order."""
    total, before, left = 0.0, traded, qty
    for upper, rate in STOCK_TIERS:
        part = min(left, max(upper - before, 0.0))
        total += part * rate
        before, left = before + part, left - part
    return total


def option_fees(qty: float, premium: float, multiplier: float, *, sale: bool) -> float:
    """Return the regulatory and clearing fees of one trade of options."""
    fees = qty * OPTION_REGULATORY_FEE + min(qty * OPTION_CLEARING_FEE, OPTION_CLEARING_CAP)
    return fees + (qty * premium * multiplier * SEC_RATE + qty * OPTION_ACTIVITY_FEE if sale else 0.0)


def stock_fees(qty: float, price: float, *, sale: bool) -> float:
    """Return the regulatory and clearing fees of one trade of shares."""
    fees = qty * (STOCK_CLEARING_FEE + AUDIT_TRAIL_FEE)
    return fees + (qty * price * SEC_RATE + min(qty * STOCK_ACTIVITY_FEE, STOCK_ACTIVITY_CAP) if sale else 0.0)


@dataclass(slots=True)
class MonthlyVolume:
    """What an account traded this month, for the tiers."""

    contracts: float = 0.0
    shares: float = 0.0


@dataclass(slots=True)
class OrderBill:
    """What one order was charged so far; the minimum of an order is charged with its first fill."""

    options: float = 0.0  # IB's own, before the minimum
    stocks: float = 0.0
    stock_value: float = 0.0
    own: float = 0.0  # IB's own, charged
    total: float = 0.0  # with fees

    def charge(
        self, *, is_option: bool, qty: float, price: float, multiplier: float, sale: bool, volume: MonthlyVolume
    ) -> float:
        """Add one fill (qty > 0) and return its commission and fees, currency."""
        if is_option:
            self.options += option_commission(qty, abs(price), volume.contracts)
            volume.contracts += qty
            fees = option_fees(qty, abs(price), multiplier, sale=sale)
        else:
            self.stocks += stock_commission(qty, volume.shares)
            self.stock_value += qty * abs(price)
            volume.shares += qty
            fees = stock_fees(qty, abs(price), sale=sale)
        before, self.own = self.own, self._own()
        # A fill of a growing order can lower nothing that was charged.
        own = max(self.own - before, 0.0)
        self.own = before + own
        charged = own + fees + (0.0 if is_option else own * PASS_THROUGH_RATE)
        self.total += charged
        return charged

    def _own(self) -> float:
        # The smaller minimum is for orders without options, such as shares alone.
        if self.options:
            return max(self.options + self.stocks, OPTION_MINIMUM)
        return min(max(self.stocks, STOCK_MINIMUM), STOCK_MAXIMUM_RATE * self.stock_value)
