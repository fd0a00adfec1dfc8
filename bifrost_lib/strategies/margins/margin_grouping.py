"""The least margin over all groupings of any holdings, as a small integer programme.

Its columns are the ways to use a contract: naked, with shares, or in the spread of an expiry; its cost is what they
need. Spreads belong to the expiry of their short options; a bought one may serve any expiry up to its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_SAME_TIME = 1e-9
_STOCK_RATE, _LONG_KEPT, _SHORT_KEPT, _FLOOR = 0.50, 0.25, 0.30, 0.10


@dataclass(frozen=True)
class Holdings:
    """Options as arrays (n,), quantities in contracts, and `stock` contracts' worth of shares."""

    strike: Floats
    price: Floats
    qty: Floats
    is_call: Bools
    tau: Floats
    stock: float
    spot: float
    rate: float

    @property
    def shorts(self) -> list[int]:
        """Places of the sold options."""
        return [int(i) for i in np.flatnonzero(self.qty < 0)]

    @property
    def longs(self) -> list[int]:
        """Places of the bought options."""
        return [int(j) for j in np.flatnonzero(self.qty > 0)]

    def beyond(self, leg: int, price: float) -> float:
        """Return how far `price` is in the money for a leg, >= 0."""
        move = price - self.strike[leg] if self.is_call[leg] else self.strike[leg] - price
        return max(float(move), 0.0)

    def out_of_money(self, leg: int) -> float:
        """Return how far a leg is out of the money, >= 0."""
        return abs(float(self.strike[leg]) - self.spot) if not self.beyond(leg, self.spot) else 0.0


@dataclass
class _Programme:
    """Columns with their cost, and rows ``sum(coefficient * column) <= bound``."""

    cost: list[float] = field(default_factory=list)
    whole: list[bool] = field(default_factory=list)
    rows: list[tuple[dict[int, float], float]] = field(default_factory=list)

    def column(self, cost: float, *, whole: bool = True) -> int:
        """Add a column and return its place."""
        self.cost.append(cost)
        self.whole.append(whole)
        return len(self.cost) - 1

    def at_most(self, coefficients: dict[int, float], bound: float) -> None:
        """Add a row."""
        self.rows.append((coefficients, bound))

    def least(self, *, whole: bool) -> float:
        """Return the least cost."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        table = np.zeros((len(self.rows), len(self.cost)))
        for place, (coefficients, _) in enumerate(self.rows):
            for column, coefficient in coefficients.items():
                table[place, column] = coefficient
        rows = LinearConstraint(table, -np.inf, np.array([bound for _, bound in self.rows]))
        found = milp(self.cost, integrality=np.array(self.whole) & whole, bounds=Bounds(0, np.inf), constraints=rows)
        if not found.success:
            raise InputError("legs", found.message, "quantities whose margin can be found")
        return float(found.fun)


def least_requirement(held: Holdings, *, maintenance: bool) -> float:
    """Return the least initial or maintenance requirement of any grouping, per share of a contract."""
    programme = _Programme()
    used: dict[int, dict[int, float]] = {leg: {} for leg in (*held.shorts, *held.longs)}
    fixed = _add_shares(programme, held, used, maintenance)
    _add_naked(programme, held, used)
    for tau in _short_expiries(held):
        _add_spread(programme, held, used, tau)
    for leg in held.longs:
        programme.at_most(used[leg], float(held.qty[leg]))
    quantities = np.append(held.qty, held.stock)
    return fixed + programme.least(whole=bool((quantities == np.round(quantities)).all()))


def _add_shares(
    programme: _Programme, held: Holdings, used: dict[int, dict[int, float]], maintenance: bool
) -> float:  # fmt: skip
    # Each way to pair a contract's worth of shares costs the difference to shares alone, which everybody pays.
    if not held.stock:
        return 0.0
    kept = _LONG_KEPT if held.stock > 0 else _SHORT_KEPT
    alone = (kept if maintenance else _STOCK_RATE) * held.spot
    sold = [leg for leg in held.shorts if held.is_call[leg] == (held.stock > 0)]
    bought = [leg for leg in held.longs if held.is_call[leg] == (held.stock < 0)]
    shares: dict[int, float] = {}
    for one in [None, *sold]:
        for other in [None, *bought]:
            if one is None and other is None:
                continue
            need = _with_shares(held, one, other, kept) if maintenance else alone
            column = programme.column(need - alone)
            shares[column] = 1.0
            for leg in (one, other):
                if leg is not None:
                    used[leg][column] = 1.0
    programme.at_most(shares, abs(held.stock))
    return alone * abs(held.stock)


def _with_shares(held: Holdings, sold: int | None, bought: int | None, kept: float) -> float:
    # Covered: the shares count for no more than their exercise brings. Insured: a tenth of the exercise price and the
    # distance to it, if that is less.
    need = kept * held.spot
    if sold is not None:
        worth = min(held.spot, float(held.strike[sold])) if held.stock > 0 else held.spot
        need = kept * worth + held.beyond(sold, held.spot)
    if bought is not None:
        insured = _FLOOR * float(held.strike[bought]) + held.out_of_money(bought)
        if sold is not None and held.stock < 0:
            insured += held.beyond(sold, held.spot)
        need = min(need, insured)
    return need


def _add_naked(programme: _Programme, held: Holdings, used: dict[int, dict[int, float]]) -> None:
    # Of a naked call and a naked put only one can lose: the greater need of the two sides, and all premiums.
    greater = programme.column(1.0, whole=False)
    sides: tuple[dict[int, float], dict[int, float]] = ({greater: -1.0}, {greater: -1.0})
    for leg in held.shorts:
        level = held.spot if held.is_call[leg] else float(held.strike[leg])
        need = max(held.rate * held.spot - held.out_of_money(leg), _FLOOR * level)
        column = programme.column(float(held.price[leg]))
        used[leg][column] = 1.0
        sides[int(held.is_call[leg])][column] = need
    for side in sides:
        programme.at_most(side, 0.0)


def _short_expiries(held: Holdings) -> list[float]:
    found: list[float] = []
    for tau in sorted(float(held.tau[leg]) for leg in held.shorts):
        if not found or tau > found[-1] + _SAME_TIME:
            found.append(tau)
    return found


def _add_spread(programme: _Programme, held: Holdings, used: dict[int, dict[int, float]], tau: float) -> None:
    # A short option is in the spread of its expiry unless another column has used it.
    shorts = [leg for leg in held.shorts if abs(held.tau[leg] - tau) <= _SAME_TIME]
    longs = {leg: programme.column(0.0) for leg in held.longs if held.tau[leg] >= tau - _SAME_TIME}
    for leg, column in longs.items():
        used[leg][column] = 1.0
    loss = programme.column(1.0, whole=False)
    for leg in shorts:
        programme.at_most(used[leg], -float(held.qty[leg]))
    for is_call in (False, True):
        sold = [leg for leg in shorts if held.is_call[leg] == is_call]
        covering = {column: -1.0 for leg, column in longs.items() if held.is_call[leg] == is_call}
        row, bound = _remaining(held, used, sold, dict.fromkeys(sold, 1.0))
        programme.at_most(_sum(row, covering), bound)
    for price in np.unique(held.strike):
        worth = {leg: held.beyond(leg, float(price)) for leg in (*shorts, *longs)}
        row, bound = _remaining(held, used, shorts, worth)
        gains = {column: -worth[leg] for leg, column in longs.items()}
        programme.at_most(_sum(row, gains, {loss: -1.0}), bound)


def _remaining(
    held: Holdings, used: dict[int, dict[int, float]], legs: list[int], worth: dict[int, float]
) -> tuple[dict[int, float], float]:  # fmt: skip
    # sum of worth * (what is left of each short leg) <= bound, with what is used on the left.
    row: dict[int, float] = {}
    for leg in legs:
        row = _sum(row, dict.fromkeys(used[leg], -worth[leg]))
    return row, sum(worth[leg] * float(held.qty[leg]) for leg in legs)


def _sum(*rows: dict[int, float]) -> dict[int, float]:
    total: dict[int, float] = {}
    for row in rows:
        for column, coefficient in row.items():
            total[column] = total.get(column, 0.0) + coefficient
    return total
