"""Margin under Regulation T and the exchanges' rules for options: the least that any grouping of the legs allows.

A short option is naked (its premium, and a share of the underlying less the amount out of the money), covered by
shares, or part of a spread with bought options of its right that do not expire before it; a spread needs its largest
loss at any strike, puts and calls of one expiry together. Bought options are paid in full, which is no margin.
Premium that is paid comes on top, which is how brokers show it.

Brokers may ask for something else. Of the positions that Interactive Brokers' figures are known for, these follow
rules of its house and not these: shares with or without options need at first what must remain (a quarter of a
purchase, 30 % of a short sale) and not half; jelly rolls count as hedged; ladders are charged like a quarter of the
shares that they may become.

References: FINRA Rule 4210(f)(2), (H)(v) for spreads of any number of legs; Cboe, "Strategy-based Margin";
Coffman, Matsypura and Timkovsky (2010), "Strategy vs risk in margining portfolios of options".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.contracts import INDEX_CLASSES
from bifrost_lib.core.native import loop

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STOCK_RATE = 0.50  # half of a purchase, and half on top of the proceeds of a short sale
LONG_STOCK_KEPT, SHORT_STOCK_KEPT = 0.25, 0.30  # what must remain
EQUITY_RATE, INDEX_RATE, FLOOR_RATE = 0.20, 0.15, 0.10
_MOST_GROUPINGS = 4096
_SAME_TIME = 1e-9

_least_margins = loop("bifrost_lib.strategies.margins.margin_loops", "least_margins")


@dataclass(frozen=True)
class Margin:
    """What must be there at first, and what must remain; currency, >= 0."""

    initial: float
    maintenance: float


def naked_rate(symbol: str) -> float:
    """Return the share of the underlying that an uncovered option needs: 15 % for broad indices, else 20 %."""
    return INDEX_RATE if symbol in {convention.symbol for convention in INDEX_CLASSES.values()} else EQUITY_RATE


def naked_requirement(is_call: bool, strike: float, price: float, spot: float, rate: float) -> float:
    """Return the margin per share of one uncovered short option, its premium included."""
    out_of_money = max(strike - spot if is_call else spot - strike, 0.0)
    return price + max(rate * spot - out_of_money, FLOOR_RATE * (spot if is_call else strike))


def reg_t_margin(
    *, strike: Floats, price: Floats, qty: Floats, is_call: Bools, tau: Floats | None = None, stock: float = 0.0,
    spot: float, rate: float = EQUITY_RATE, multiplier: float = 100.0,
) -> Margin:  # fmt: skip
    """Return the margin of a structure.

    Parameters
    ----------
    strike, price : array (n,)
        Currency per share.
    qty : array (n,)
        Contracts, signed.
    is_call : array (n,) of bool
    tau : array (n,), optional
        Years to expiry. Default: all options share one.
    stock : float
        Contracts' worth of shares, signed.
    spot, rate : float
        Price of the underlying, and `naked_rate` of its symbol.
    multiplier : float
        Shares per contract.

    Notes
    -----
    Contracts are grouped whole where all quantities are whole numbers, else in any proportion.
    """
    if not stock and not (qty < 0).any():
        return Margin(0.0, 0.0)
    if _covers_all(qty, tau) and _is_small(qty) and stock == round(stock):
        per_share = margins_of_one_expiry(strike[None], price[None], qty, is_call, stock, spot, rate)
        initial = multiplier * float(per_share[0])
        if not stock:
            return Margin(initial, initial)
    else:
        initial = math.nan
    from bifrost_lib.strategies.margins.margin_grouping import Holdings, least_requirement

    held = Holdings(strike, price, qty, is_call, np.zeros(len(qty)) if tau is None else tau, stock, spot, rate)
    if math.isnan(initial):
        initial = multiplier * least_requirement(held, maintenance=False)
    if not stock:
        return Margin(initial, initial)
    return Margin(initial, multiplier * least_requirement(held, maintenance=True))


def margins_of_one_expiry(
    strike: Floats, price: Floats, qty: Floats, is_call: Bools, stock: float, spot: float, rate: float
) -> Floats:  # fmt: skip
    """Return the initial margins, per share of a contract, of structures of the same legs.

    `strike` and `price` are (m, n); quantities are small whole numbers, since every grouping of them is tried.
    """
    out, work = np.empty(len(strike)), np.empty(2 * len(qty))
    flat = (np.ascontiguousarray(table, dtype=np.float64).ravel() for table in (strike, price))
    _least_margins(*flat, qty.astype(np.float64), is_call.astype(np.int8), stock, spot, rate, work, out)
    return out


def _covers_all(qty: Floats, tau: Floats | None) -> bool:
    # Whether every bought option may serve in the spread of every sold one, as if all had one expiry.
    if tau is None or not (qty < 0).any():
        return True
    sold = tau[qty < 0]
    return bool(np.ptp(sold) < _SAME_TIME and (tau[qty > 0] >= sold.max() - _SAME_TIME).all())


def _is_small(qty: Floats) -> bool:
    shorts = -qty[qty < 0]
    return bool((shorts == np.round(shorts)).all()) and math.prod((shorts + 1).tolist()) <= _MOST_GROUPINGS


def cash_margin(strikes: Any, weights: Any, calls: Any) -> float:
    """Return the cash that secures all short puts at their whole strikes."""
    return float(sum(-w * k for k, w, call in zip(strikes, weights, calls, strict=True) if w < 0 and not call))
