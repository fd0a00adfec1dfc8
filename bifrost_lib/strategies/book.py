"""What the quotes that legs may use are worth, laid out for the loop that measures candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.pricing import price
from bifrost_lib.strategies.document import CASH, StrategyDocument
from bifrost_lib.strategies.profile import ZERO
from bifrost_lib.strategies.selection import Aim, Search

Floats = npt.NDArray[np.float64]

STRIKE, PRICE, CASH_FLOW, EXPECTED, COST, MISS = range(6)


@dataclass(frozen=True)
class Book:
    """The pools of a search, priced.

    `quotes` is (legs, longest pool, 6): strike and price per share, then for one unit of the structure the cash at
    entry and the expected payoff (signed by quantity) and half the spread, then the distance from the rule's target.
    `weight` (legs,) is quantity times multiplier, `aim` (legs, 5) the rules' linear targets.
    """

    quotes: Floats
    weight: Floats
    is_call: npt.NDArray[np.bool_]
    aim: Floats
    ref: npt.NDArray[np.int64]
    shares: float
    spot: float
    forward: float
    total_vol: float
    zero: float
    naked_rate: float
    dte_miss: float
    targets: int
    cash_rule: int
    is_locked: bool

    @property
    def terms(self) -> Floats:
        """The constants that all candidates share, in the order in which the kernels unpack them."""
        return np.array(
            [self.shares, self.spot, self.forward, self.zero, self.naked_rate, self.dte_miss, self.targets,
             self.cash_rule, self.is_locked]
        )  # fmt: skip

    def field(self, combos: npt.NDArray[np.int32], field: int) -> Floats:
        """Return a field of the candidates' quotes, shape (n, legs)."""
        values: Floats = self.quotes[np.arange(combos.shape[1]), combos, field]
        return values


def open_book(strategy: StrategyDocument, search: Search, *, fill: float, naked_rate: float, dte_miss: float) -> Book:
    """Price the pools of a search.

    Parameters
    ----------
    strategy, search
        The document and its search.
    fill : float
        Share of half the spread that each leg pays: 0 trades at mid, 1 crosses the spread.
    naked_rate : float
        See `margin.naked_rate`.
    dte_miss : float
        Distance of the expiry from the document's target, 0 to 1.
    """
    near = search.near
    quotes = np.zeros((len(search.legs), max(len(pool.rows) for pool in search.pools), 6))
    for position, (leg, pool, source) in enumerate(zip(search.legs, search.pools, search.slices, strict=True)):
        strike, mid, bid, ask = (source.columns[name][pool.rows] for name in ("strike", "mid", "bid", "ask"))
        half, weight = 0.5 * (ask - bid), leg.qty * near.multiplier
        paid = mid + math.copysign(fill, leg.qty) * half
        expected = price(spot=near.forward, strike=strike, tau=1.0, vol=near.total_vol, right=leg.right)
        quotes[position, : len(pool.rows)] = np.column_stack(
            [strike, paid, -weight * paid, weight * expected, abs(weight) * half, pool.miss]
        )
    weights = np.array([leg.qty * near.multiplier for leg in search.legs])
    shares = strategy.stock_qty * near.multiplier
    return Book(
        quotes=quotes,
        weight=weights,
        is_call=np.array([leg.right == "C" for leg in search.legs]),
        aim=np.array([_aim(pool.aim) for pool in search.pools]),
        ref=search.ref,
        shares=shares,
        spot=near.spot,
        forward=near.forward,
        total_vol=near.total_vol,
        zero=ZERO * (float(np.abs(weights) @ quotes[:, :, STRIKE].max(axis=1)) + abs(shares) * near.spot),
        naked_rate=naked_rate,
        dte_miss=dte_miss,
        targets=1 + sum(pool.has_target for pool in search.pools),
        cash_rule=CASH.index(strategy.cash),
        is_locked=strategy.is_locked,
    )


def _aim(aim: Aim | None) -> tuple[float, float, float, float, float]:
    if aim is None:
        return (0.0, 0.0, 0.0, -1.0, 0.0)  # a negative scale: nothing to aim at
    return (aim.offset, aim.by_first, aim.by_second, aim.scale, aim.scale_by_distance)
