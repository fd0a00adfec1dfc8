"""The reverse of a scan: given where the price will be and when, the structures that earn most there.

A leg's value at the target date depends on its own quote alone, so it is computed once for each quote; a structure's
profit is a sum over its legs, and millions of them cost a look-up each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.errors import InputError
from bifrost_lib.pricing import price
from bifrost_lib.strategies.documents.document import StrategyDocument
from bifrost_lib.strategies.documents.sizing import fill_price
from bifrost_lib.strategies.margins.regulation_t import STOCK_RATE
from bifrost_lib.strategies.scanning.book import open_book
from bifrost_lib.strategies.scanning.enumeration import combinations
from bifrost_lib.strategies.scanning.selection import Search, plan_search
from bifrost_lib.strategies.scanning.slices import ExpirySlice

Floats = npt.NDArray[np.float64]

#: No implied volatility falls below this, however far a view lets it fall.
LEAST_VOL = 0.01
_ZERO = 1e-9
_BATCH = 1 << 16


@dataclass(frozen=True)
class View:
    """What one believes: prices of the underlying with weights that add up to 1, `elapsed` years from now.

    Every option keeps its own volatility, moved by `iv_change` (decimal: -0.05 is five points less).
    """

    prices: Floats
    weights: Floats
    elapsed: float
    iv_change: float = 0.0

    def __post_init__(self) -> None:
        if not (self.prices > 0).all() or not math.isclose(float(self.weights.sum()), 1.0, abs_tol=1e-9):
            raise InputError("prices", self.prices.tolist(), "prices > 0 with weights that add up to 1")
        if not self.elapsed >= 0:
            raise InputError("elapsed", self.elapsed, "years >= 0")

    @property
    def spot(self) -> float:
        """The price that is expected."""
        return float(self.prices @ self.weights)

    def values(self, quotes: ExpirySlice) -> Floats:
        """Return what each quote of an expiry is expected to be worth then, currency per share, shape (rows,)."""
        left = quotes.tau - self.elapsed
        strike = quotes.columns["strike"][:, None]
        if left <= 0:
            move = np.where(quotes.is_call[:, None], self.prices - strike, strike - self.prices)
            worth: Floats = np.maximum(move, 0.0)
        else:
            vol = np.maximum(quotes.columns["iv"] + self.iv_change, LEAST_VOL)
            known = np.where(np.isfinite(vol), vol, LEAST_VOL)
            worth = price(
                spot=self.prices[None, :], strike=strike, tau=left, vol=known[:, None],
                right=np.where(quotes.is_call, "C", "P")[:, None], rate=quotes.rate, div_yield=quotes.div_yield,
            )  # fmt: skip
        return np.asarray(worth @ self.weights)


@dataclass(frozen=True)
class Aimed:
    """One structure that serves a view, for one unit: quotes by leg, cash at entry, expected profit, loss and capital.

    `loss` is the most that can be lost at expiry; where that has no bound, the share of the underlying that a naked
    option needs; where legs outlive the first expiry, what was paid. `capital` is as much, but with shares at least
    half of what they are worth.
    """

    document: StrategyDocument
    slices: tuple[ExpirySlice, ...]
    rows: tuple[int, ...]
    premium: float
    profit: float
    loss: float
    capital: float

    def units(self, budget: float, max_loss: float) -> int:
        """Return how many units a budget buys within a limit on what all of them can lose."""
        return math.floor(min(budget / self.capital, max_loss / self.loss))


def aim(
    document: StrategyDocument,
    slices: Sequence[ExpirySlice],
    view: View,
    *,
    near: Sequence[ExpirySlice],
    budget: float,
    max_loss: float | None,
    naked_rate: float,
    keep: int,
    limit: int,
) -> tuple[list[Aimed], int]:
    """Return the structures of one document that earn most on a budget under a view, and how many were looked at.

    Parameters
    ----------
    document : StrategyDocument
    slices : sequence of ExpirySlice
        All expiries that legs may have.
    view : View
    near : sequence of ExpirySlice
        Those that the first leg to expire may have: none before the view's date.
    budget : float
        Currency; a structure whose unit needs more capital is left out.
    max_loss : float, optional
        Currency for all units that the budget buys; structures whose loss has no bound are left out then.
    naked_rate : float
        See `margin.naked_rate`.
    keep, limit : int
        How many to return, best first; and how many combinations to look at.
    """
    best: list[Aimed] = []
    seen = 0
    if document.is_locked:  # boxes and conversions have no view
        return best, seen
    limits = _Limits(budget, math.inf if max_loss is None else max_loss, max_loss is None, naked_rate)
    for first in near:
        for search in _searches(document, first, slices):
            priced = _Priced(document, search, view)
            for combos in _batches(document, search, naked_rate, limit - seen):
                seen += len(combos)
                best += priced.best(combos, limits, keep)
            best.sort(key=lambda one: -one.units(limits.budget, limits.max_loss) * one.profit)
            del best[keep:]
            if seen >= limit:
                return best, seen
    return best, seen


def _searches(document: StrategyDocument, near: ExpirySlice, slices: Sequence[ExpirySlice]) -> Iterator[Search]:
    fars: list[ExpirySlice | None] = [None]
    if document.has_two_expiries:
        low, high = document.gap.low, document.gap.high
        fars = [far for far in slices if low <= far.dte - near.dte <= high and far.multiplier == near.multiplier]
    for far in fars:
        search = plan_search(document, near, far)
        if not isinstance(search, str):
            yield search


def _batches(
    document: StrategyDocument, search: Search, naked_rate: float, limit: int
) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the combinations of a search in pieces that are worth a pass of array operations."""
    book = open_book(document, search, fill=0.0, naked_rate=naked_rate, dte_miss=0.0, number=0)
    pieces: list[npt.NDArray[np.int64]] = []
    size = total = 0
    for combos, _ in combinations(search, book):
        pieces.append(combos)
        size, total = size + len(combos), total + len(combos)
        if size >= _BATCH or total >= limit:
            yield np.concatenate(pieces)
            pieces, size = [], 0
        if total >= limit:
            return
    if pieces:
        yield np.concatenate(pieces)


@dataclass(frozen=True)
class _Limits:
    budget: float
    max_loss: float
    unbounded: bool
    naked_rate: float


class _Priced:
    """The quotes of one search by leg and pool position: strike, cash at entry, and worth under the view."""

    def __init__(self, document: StrategyDocument, search: Search, view: View) -> None:
        self.document, self.search, self.view = document, search, view
        near = search.near
        self.spot, self.multiplier = near.spot, near.multiplier
        self.shares = document.stock_qty * near.multiplier
        self.weight = np.array([leg.qty * near.multiplier for leg in search.legs])
        self.is_call = [leg.right == "C" for leg in search.legs]
        self.end_slope = float(self.shares + self.weight[self.is_call].sum())
        fill = document.costs.fill_of(len(search.legs))
        self.strikes, self.cash, self.worth, self.spreads = [], [], [], []
        for leg, pool, quotes in zip(search.legs, search.pools, search.slices, strict=True):
            strike, bid, ask = (quotes.columns[name][pool.rows] for name in ("strike", "bid", "ask"))
            paid = fill_price(bid, ask, qty=leg.qty, fill=fill)
            self.strikes.append(strike)
            self.cash.append(-leg.qty * near.multiplier * paid)
            self.spreads.append(abs(leg.qty) * near.multiplier * (ask - bid))
            self.worth.append(leg.qty * near.multiplier * view.values(quotes)[pool.rows])

    def best(self, combos: npt.NDArray[np.int64], limits: _Limits, keep: int) -> list[Aimed]:
        """Return the combinations that earn most on the budget, within the limits."""
        premium = self._sum(self.cash, combos) - self.shares * self.spot
        profit = premium + self._sum(self.worth, combos) + self.shares * self.view.spot
        loss = self._loss(combos, premium, limits.naked_rate)
        capital = np.maximum(loss, STOCK_RATE * abs(self.shares) * self.spot)
        # A risk that is less than the quotes leave open was not measured.
        allowed = loss > self._sum(self.spreads, combos) + _ZERO
        units = np.floor(limits.budget / np.maximum(capital, _ZERO))
        units = np.minimum(units, np.floor(limits.max_loss / np.maximum(loss, _ZERO)))
        allowed &= (units >= 1) & (profit > _ZERO)
        if self.end_slope < 0 and not limits.unbounded:
            return []
        earned = np.where(allowed, units * profit, -np.inf)
        few = np.argpartition(-earned, min(keep, len(earned) - 1))[:keep]
        return [
            Aimed(
                self.document, self.search.slices, self._rows(combos[at]),
                float(premium[at]), float(profit[at]), float(loss[at]), float(capital[at]),
            )
            for at in few
            if earned[at] > 0
        ]  # fmt: skip

    def _rows(self, combo: npt.NDArray[np.int64]) -> tuple[int, ...]:
        return tuple(int(pool.rows[at]) for pool, at in zip(self.search.pools, combo, strict=True))

    def _sum(self, parts: Sequence[Floats], combos: npt.NDArray[np.int64]) -> Floats:
        total = np.zeros(len(combos))
        for leg, part in enumerate(parts):
            total += part[combos[:, leg]]
        return total

    def _loss(self, combos: npt.NDArray[np.int64], premium: Floats, naked_rate: float) -> Floats:
        naked = naked_rate * self.spot
        if self.search.far is not self.search.near:
            paid: Floats = np.where(premium < 0, -premium, naked * self.multiplier)
            return paid
        if self.end_slope < 0:
            return np.full(len(combos), naked * abs(self.end_slope))
        strikes = np.column_stack([strike[combos[:, leg]] for leg, strike in enumerate(self.strikes)])
        worst = np.full(len(combos), np.inf)
        for knot in (np.zeros(len(combos)), *strikes.T):
            value = premium + self.shares * knot
            for leg, weight in enumerate(self.weight):
                move = knot - strikes[:, leg] if self.is_call[leg] else strikes[:, leg] - knot
                value = value + weight * np.maximum(move, 0.0)
            worst = np.minimum(worst, value)
        loss: Floats = np.maximum(-worst, 0.0)
        return loss
