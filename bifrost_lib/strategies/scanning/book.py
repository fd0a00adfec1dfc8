"""What the quotes that legs may use are worth, laid out for the loop that measures candidates."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bifrost_lib.strategies.documents.document import CASH, StrategyDocument
from bifrost_lib.strategies.measures.profile import ZERO
from bifrost_lib.strategies.scanning.scan_layout import QUOTE_FIELDS, QUOTE_STRIKE, TERMS
from bifrost_lib.strategies.scanning.selection import Aim, Search

Floats = npt.NDArray[np.float64]

TAIL = 1.96  # deviations of the log price that bound 95 % of prices
_LEAST_VOL = 1e-9


@dataclass(frozen=True)
class Book:
    """The pools of a search, priced.

    `quotes` is (legs, fields, longest pool), with the fields of `scan_layout`; `qty` (legs,) in contracts; `aim`
    (legs, 5) the rules' linear targets; `terms` what all candidates share, in the order of `TERMS`.
    """

    quotes: Floats
    qty: Floats
    is_call: npt.NDArray[np.int8]
    aim: Floats
    terms: Floats

    def term(self, name: str) -> float:
        """Return one of `TERMS`."""
        return float(self.terms[TERMS.index(name)])

    def field(self, combos: npt.NDArray[np.int64], field: int) -> Floats:
        """Return a field of the candidates' quotes, shape (n, legs)."""
        values: Floats = self.quotes[np.arange(combos.shape[1]), field, combos]
        return values


def open_book(
    strategy: StrategyDocument, search: Search, *, fill: float, naked_rate: float, dte_miss: float, number: int
) -> Book:  # fmt: skip
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
    number : int
        Which of a scan's searches it is.
    """
    near = search.near
    quotes = np.zeros((len(search.legs), QUOTE_FIELDS, max(len(pool.rows) for pool in search.pools)))
    for position, (leg, pool, source) in enumerate(zip(search.legs, search.pools, search.slices, strict=True)):
        strike, mid, bid, ask = (source.columns[name][pool.rows] for name in ("strike", "mid", "bid", "ask"))
        half, weight = 0.5 * (ask - bid), leg.qty * near.multiplier
        paid = mid + math.copysign(fill, leg.qty) * half
        # Nothing is known at the first expiry of what a later option will pay.
        expected = near.expected[pool.rows] if source is near else np.zeros(len(pool.rows))
        quotes[position, :, : len(pool.rows)] = (
            strike, paid, -weight * paid, weight * expected, abs(weight) * half, pool.miss
        )  # fmt: skip
    qty = np.array([float(leg.qty) for leg in search.legs])
    shares = strategy.stock_qty * near.multiplier
    size = near.multiplier * float(np.abs(qty) @ quotes[:, QUOTE_STRIKE].max(axis=1)) + abs(shares) * near.spot
    centre = math.log(near.forward) - 0.5 * near.total_vol**2
    terms = {
        "shares": shares,
        "spot": near.spot,
        "forward": near.forward,
        "total_vol": max(near.total_vol, _LEAST_VOL),
        "zero": ZERO * size,
        "naked_rate": naked_rate,
        "dte_miss": dte_miss,
        "targets": 1 + sum(pool.has_target for pool in search.pools),
        "cash_rule": CASH.index(strategy.cash),
        "locked": strategy.is_locked,
        "tail_low": math.exp(centre - TAIL * near.total_vol),
        "tail_high": math.exp(centre + TAIL * near.total_vol),
        "multiplier": near.multiplier,
        "search": number,
    }
    return Book(
        quotes=quotes,
        qty=qty,
        is_call=np.array([leg.right == "C" for leg in search.legs], dtype=np.int8),
        aim=np.array([_aim(pool.aim) for pool in search.pools]),
        terms=np.array([float(terms[name]) for name in TERMS]),
    )


def _aim(aim: Aim | None) -> tuple[float, float, float, float, float]:
    if aim is None:
        return (0.0, 0.0, 0.0, -1.0, 0.0)  # a negative scale: nothing to aim at
    return (aim.offset, aim.by_first, aim.by_second, aim.scale, aim.scale_by_distance)
