"""Concrete legs as a caller writes them, checked and turned into arrays."""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.calendar import year_fraction
from bifrost_lib.core.errors import InputError, UnknownNameError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DAYS_PER_YEAR = 365.0
LEG_KEYS = ("right", "qty", "strike", "price", "tau", "expiry", "iv", "bid", "ask")
#: Other keys that candidates carry and that say nothing about the payoff.
IGNORED_KEYS = ("leg", "multiplier", "delta", "open_interest", "trading_class")


@dataclass(frozen=True)
class Legs:
    """Option legs as arrays of shape (n,), and the stock held beside them.

    `tau`, `price`, `iv`, `bid` and `ask` are NaN where the caller gave none. `stock` is a quantity in contracts.
    """

    is_call: Bools
    qty: Floats
    strike: Floats
    price: Floats
    tau: Floats
    iv: Floats
    bid: Floats
    ask: Floats
    stock: float
    stock_price: float

    @property
    def near_tau(self) -> float:
        """Years to the first expiry; NaN when no leg says."""
        return float(np.nanmin(self.tau)) if np.isfinite(self.tau).any() else math.nan

    @property
    def is_far(self) -> Bools:
        """Which legs outlive the first expiry."""
        return self.tau > self.near_tau + 1e-9


def read_legs(legs: Sequence[Mapping[str, Any]], *, tau: float | None = None, at: datetime | None = None) -> Legs:
    """Check legs written as mappings and return them as arrays.

    Parameters
    ----------
    legs : sequence of mapping
        Each with ``right`` ("C", "P", or "S" for the underlying), ``qty`` (contracts, signed, not 0) and, for
        options, ``strike``; optionally ``price`` (per share), ``bid`` and ``ask``, ``iv``, and ``tau`` (years) or
        ``expiry`` (date or ISO text, which needs `at`).
    tau : float, optional
        Years to expiry of legs that do not say; without `at`, to the first ``expiry``.
    at : datetime, aware, optional
        The moment from which expiries are counted.

    Raises
    ------
    InputError
        Naming the leg and field, for example ``legs[1].strike``.
    """
    if isinstance(legs, str | Mapping) or not isinstance(legs, Iterable):
        raise InputError("legs", legs, "a list of legs")
    legs, first = list(legs), _first_expiry(legs)
    if not legs:
        raise InputError("legs", legs, "at least one leg")
    stock = stock_cost = 0.0
    rows: list[tuple[float, ...]] = []
    for position, leg in enumerate(legs):
        name = f"legs[{position}]"
        _check_keys(name, leg)
        qty, price = _number(name, leg, "qty"), _number(name, leg, "price", optional=True)
        if qty == 0:
            raise InputError(f"{name}.qty", qty, "a number of contracts, not 0")
        if leg["right"] == "S":
            stock += qty
            stock_cost += qty * price
            continue
        strike, iv = _number(name, leg, "strike"), _number(name, leg, "iv", optional=True)
        if not strike > 0:
            raise InputError(f"{name}.strike", strike, "a number > 0")
        rows.append((leg["right"] == "C", qty, strike, price, _tau(name, leg, tau, at, first), iv, *_sides(name, leg)))
    table = np.array(rows, dtype=np.float64).reshape(-1, 8)
    is_call, qty_, strikes, prices, taus, ivs, bids, asks = np.ascontiguousarray(table.T)
    stock_price = stock_cost / stock if stock else math.nan
    return Legs(is_call == 1.0, qty_, strikes, prices, taus, ivs, bids, asks, stock, stock_price)


def _sides(name: str, leg: Mapping[str, Any]) -> tuple[float, float]:
    bid, ask = _number(name, leg, "bid", optional=True), _number(name, leg, "ask", optional=True)
    return (bid, ask) if ask >= bid else (math.nan, math.nan)  # a crossed market is nobody's cost


def _check_keys(name: str, leg: Any) -> None:
    if not isinstance(leg, Mapping):
        raise InputError(name, leg, f"a mapping with {', '.join(LEG_KEYS[:3])}")
    for key in leg:
        if key not in LEG_KEYS and key not in IGNORED_KEYS:
            raise UnknownNameError(f"{name} key", str(key), LEG_KEYS)
    if leg.get("right") not in ("C", "P", "S"):
        raise InputError(f"{name}.right", leg.get("right"), "C, P, or S for the underlying")


def _number(name: str, leg: Mapping[str, Any], key: str, *, optional: bool = False) -> float:
    value = leg.get(key)
    if value is None and optional:
        return math.nan
    number = as_number(f"{name}.{key}", value)
    if not math.isfinite(number) and not optional:
        raise InputError(f"{name}.{key}", value, "a finite number")
    return number


def as_number(name: str, value: Any) -> float:
    """Return a number as a float; neither text that looks like one nor a boolean is a number."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real | Decimal):
        raise InputError(name, value, "a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(name, f"{str(value)[:12]}...", "a finite number") from None


def check_numbers(**values: float) -> None:
    """Raise `InputError` for the first value that its name does not allow; those of no special name may be any."""
    for name, value in values.items():
        number = as_number(name, value)
        strict = name in ("spot", "multiplier")
        positive = name in ("vol", "real_vol")
        if not math.isfinite(number) or (strict and number <= 0) or (positive and number < 0):
            raise InputError(name, value, "a number" + (" > 0" if strict else " >= 0" if positive else ""))


def _first_expiry(legs: Sequence[Any]) -> date | None:
    given = [(place, leg["expiry"]) for place, leg in enumerate(legs) if isinstance(leg, Mapping) and leg.get("expiry")]
    return min((_date(f"legs[{place}]", expiry) for place, expiry in given), default=None)


def _tau(name: str, leg: Mapping[str, Any], tau: float | None, at: datetime | None, first: date | None) -> float:
    expiry = None if leg.get("expiry") is None else _date(name, leg["expiry"])
    if leg.get("tau") is not None:
        value = _number(name, leg, "tau")
    elif expiry is not None and at is not None:
        value = year_fraction(at, expiry)
    elif tau is not None:
        later = (expiry - first).days if expiry and first else 0
        value = as_number("tau", tau) + later / _DAYS_PER_YEAR
    else:
        return math.nan
    if not value >= 0:
        raise InputError(f"{name}.tau", value, "years to expiry >= 0")
    return value


def _date(name: str, expiry: Any) -> date:
    if isinstance(expiry, datetime):
        return expiry.date()
    if isinstance(expiry, date):
        return expiry
    try:
        return date.fromisoformat(str(expiry)[:10])
    except ValueError:
        raise InputError(f"{name}.expiry", expiry, "a date such as 2026-09-18") from None
