"""The reverse finder: a price, a date and a budget in; out come the structures of the catalogue that serve best."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import pandas as pd

from bifrost_lib.core.calendar import SECONDS_PER_YEAR, dte, exchange_date, expiry_moment
from bifrost_lib.core.errors import InputError, NoDataError
from bifrost_lib.strategies import (
    CATALOG,
    INDEX_RATE,
    Aimed,
    ExpirySlice,
    Filters,
    StrategyDocument,
    View,
    aim,
    cut_chain,
    evaluate,
    naked_rate,
)
from bifrost_lib.workflows.chains import read_chain
from bifrost_lib.workflows.desk import Desk
from bifrost_lib.workflows.finder.target_records import distinct, structure_legs, structure_record

#: Prices that a range is averaged over.
POINTS = 41
#: The first leg expires on the target's date or within this many days after it.
LATEST_DAYS = 60
MOST_EXPIRIES = 3
#: Combinations that are looked at per strategy.
LIMIT = 150_000
_KEPT = 4


@dataclass(frozen=True)
class TargetResult:
    """The structures that serve a view best, and an account of the search.

    `considered` combinations of `strategies` documents; `without` names the strategies of which none earns anything
    within the limits.
    """

    symbol: str
    at: datetime
    as_of: datetime
    source: str
    spot: float
    price: float
    low: float
    high: float
    by: date
    iv_change: float
    budget: float
    max_loss: float | None
    strategies: int
    considered: int
    without: tuple[str, ...]
    structures: tuple[dict[str, Any], ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the result under stable keys."""
        return {**vars(self), "without": list(self.without), "structures": [dict(one) for one in self.structures]}


def find_targets(
    desk: Desk,
    symbol: str,
    *,
    by: date,
    budget: float,
    price: float | None = None,
    between: tuple[float, float] | None = None,
    iv_change: float = 0.0,
    max_loss: float | None = None,
    strategies: Iterable[StrategyDocument] | None = None,
    per_strategy: int = 1,
    top: int = 10,
    at: datetime | None = None,
) -> TargetResult:
    """Return the structures that earn most on a budget if the price is where one expects it.

    Parameters
    ----------
    desk : Desk
    symbol : str
    by : date
        When. Legs that are left are valued at this session's close, each with its own volatility.
    budget : float
        Currency, > 0: what may be lost at most; for structures without a bound on the loss, and with shares, their
        margin if that is more.
    price : float, optional
        Where the price will be, > 0. Without it, anywhere in `between` alike; without either, where it is now, if
        `iv_change` says what is to happen instead.
    between : (float, float), optional
        The range that the price will be in, all prices alike; the profit is the average over it.
    iv_change : float
        Decimal: -0.05 lets every volatility fall by five points.
    max_loss : float, optional
        Most that all units together may lose; structures without a bound are left out then.
    strategies : iterable of StrategyDocument, optional
        Default: the whole catalogue.
    per_strategy, top : int
        How many of each strategy, and in all.
    at : datetime, aware, optional
        Default: the newest stored moment.

    Raises
    ------
    InputError
        If an argument is outside its domain.
    NoDataError
        If there is no chain, or no option that lives until `by`.

    Notes
    -----
    Each leg is entered at its document's fills and valued as a European option. `market_pop` is the probability of a
    profit at the first expiry that the market itself gives, so that a bold view is seen for what it is.
    """
    _check(budget=budget, price=price, max_loss=max_loss, top=top, per_strategy=per_strategy, iv_change=iv_change)
    wanted = _range(price, between, iv_change)
    chain = read_chain(desk, symbol, at=at)
    view = _view(chain, by, wanted or (chain.attrs["spot"], chain.attrs["spot"]), iv_change)
    slices, near = _slices(chain, by)
    documents = list(CATALOG.values() if strategies is None else strategies)
    search = _Search(slices, near, view, budget, max_loss, naked_rate(symbol.upper()))
    found: list[dict[str, Any]] = []
    without, considered = [], 0
    for document in documents:
        rows, seen = search.best(document, per_strategy)
        considered += seen
        found += rows
        without += [] if rows else [document.name]
    found.sort(key=lambda row: -row["return_on_budget"])
    ranked = tuple({"rank": rank, **row} for rank, row in enumerate(distinct(found)[:top], start=1))
    return TargetResult(
        symbol=symbol.upper(), at=chain.attrs["at"], as_of=chain.attrs["as_of"], source=chain.attrs["source"],
        spot=chain.attrs["spot"], price=view.spot, low=float(view.prices[0]),
        high=float(view.prices[-1]), by=by, iv_change=iv_change, budget=budget,
        max_loss=max_loss, strategies=len(documents), considered=considered, without=tuple(without), structures=ranked,
    )  # fmt: skip


@dataclass(frozen=True)
class _Search:
    """A chain, what is expected of it, and what it may cost."""

    slices: list[ExpirySlice]
    near: list[ExpirySlice]
    view: View
    budget: float
    max_loss: float | None
    naked_rate: float

    def best(self, document: StrategyDocument, count: int) -> tuple[list[dict[str, Any]], int]:
        """Return the `count` structures of a document that earn most, and how many combinations there were."""
        aimed, seen = aim(
            document, self.slices, self.view, near=self.near, budget=self.budget, max_loss=self.max_loss,
            naked_rate=self.naked_rate, keep=_KEPT * count, limit=LIMIT,
        )  # fmt: skip
        rows = [row for one in aimed if (row := self._measured(one)) is not None]
        return sorted(rows, key=lambda row: -row["return_on_budget"])[:count], seen

    def _measured(self, one: Aimed) -> dict[str, Any] | None:
        # None where the exact figures break a limit that the quick ones kept.
        first, legs = min(one.slices, key=lambda quotes: quotes.tau), structure_legs(one)
        measures = evaluate(
            legs=legs, spot=first.spot, vol=first.vol, rate=first.rate, div_yield=first.div_yield,
            premium=one.premium, multiplier=first.multiplier, broad_index=self.naked_rate == INDEX_RATE,
        )  # fmt: skip
        loss = measures["margin"] if measures["max_loss"] is None else measures["max_loss"]
        capital = max(loss, measures["margin"]) if one.document.stock_qty else loss
        if (measures["max_loss"] is None and self.max_loss is not None) or not loss > 0:
            return None
        units = math.floor(min(self.budget / capital, math.inf if self.max_loss is None else self.max_loss / loss))
        if not units:
            return None
        return structure_record(
            one, measures, legs, units=units, capital=capital, budget=self.budget, view=self.view
        )  # fmt: skip


def _slices(chain: pd.DataFrame, by: date) -> tuple[list[ExpirySlice], list[ExpirySlice]]:
    # All expiries that legs may have, and those that the first of them may have.
    days = dte(chain.attrs["at"], by)
    slices, _, _ = cut_chain(chain, dte=(days, 10_000), filters=Filters())
    near = [quotes for quotes in slices if quotes.dte <= days + LATEST_DAYS][:MOST_EXPIRIES]
    if not near:
        last = chain["expiry"].max().date()
        raise NoDataError(
            "option that lives until then", symbol=chain.attrs["symbol"], by=by, hint=f"the last expires {last}"
        )
    return slices, near


def _view(chain: pd.DataFrame, by: date, wanted: tuple[float, float], iv_change: float) -> View:
    moment: datetime = chain.attrs["at"]
    if dte(moment, by) < 0 or expiry_moment(by) <= moment:
        raise InputError("by", by, f"a date after the chain's, {exchange_date(moment)}")
    elapsed = (expiry_moment(by) - moment).total_seconds() / SECONDS_PER_YEAR
    low, high = wanted
    prices = np.array([low]) if low == high else np.linspace(low, high, POINTS)
    weights = np.ones(len(prices))
    if len(prices) > 1:  # the trapezoidal rule: exact but for the kinks within a step
        weights[[0, -1]] = 0.5
    return View(prices, weights / weights.sum(), elapsed, iv_change)


def _range(
    price: float | None, between: tuple[float, float] | None, iv_change: float
) -> tuple[float, float] | None:  # fmt: skip
    if between is not None:
        low, high = between
        if not 0 < low < high < math.inf:
            raise InputError("between", between, "two prices with 0 < low < high")
        if price is not None and not low <= price <= high:
            raise InputError("price", price, f"a price in the range, {low:g} to {high:g}")
        return float(low), float(high)
    if price is None:
        if not iv_change:
            raise InputError("price", None, "a target price, a range, or a change of volatility")
        return None
    return float(price), float(price)


def _check(*, top: int, per_strategy: int, iv_change: float, budget: float, **amounts: float | None) -> None:
    for name, value in {"budget": budget, **amounts}.items():
        if value is not None and not 0 < value < math.inf:
            raise InputError(name, value, "a number > 0")
    for name, count in (("top", top), ("per_strategy", per_strategy)):
        if count < 1:
            raise InputError(name, count, "a whole number >= 1")
    if not -1 < iv_change < 5:
        raise InputError("iv_change", iv_change, "a change of volatility as a decimal, -0.05 for five points less")
