"""What a structure can win and lose, and the margin it asks for, by trying everything."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import NamedTuple

NAKED_RATE, NAKED_RATE_OF_AN_INDEX, NAKED_FLOOR, STOCK_RATE = 0.20, 0.15, 0.10, 0.50
INDICES = ("SPX", "XSP", "NDX", "XND", "RUT", "MRUT", "DJX", "VIX", "OEX", "SIMX")


class Option(NamedTuple):
    """An option of a structure, with what one of it costs per share."""

    right: str
    qty: int
    strike: float
    expires: datetime
    price: float

    def worth(self, spot: float) -> float:
        """Return what one share of it is worth at expiry."""
        return max(spot - self.strike if self.right == "C" else self.strike - spot, 0.0)


def extremes(
    options: Sequence[Option], stock: int, *, premium: float, option_premium: float, multiplier: float
) -> tuple[float, float]:
    """Return the most that a structure can win and lose at its expiry; NaN where that has no bound.

    Nothing is said of structures with two expiries, but that what was paid for a spread in time is all it can lose.
    """
    if len({option.expires for option in options}) > 1:
        return math.nan, -option_premium if option_premium < 0 and not stock else math.nan

    def payoff(price: float) -> float:
        return premium + multiplier * (stock * price + sum(one.qty * one.worth(price) for one in options))

    ends = [payoff(price) for price in (0.0, *(one.strike for one in options))]
    slope = stock + sum(one.qty for one in options if one.right == "C")
    most, least = max(*ends, 0.0), min(*ends, 0.0)
    return math.nan if slope > 0 else most, math.nan if slope < 0 else -least


def regulation_t(options: Sequence[Option], stock: int, spot: float, symbol: str) -> float:
    """Return the initial margin per share: the least of all ways to group the options.

    Each short contract is left naked, covered by shares, or put into the spread of its expiry; each bought one is
    lent to the spread of an expiry that is not after its own.
    """
    shorts = [one for one in options if one.qty < 0]
    longs = [one for one in options if one.qty > 0]
    if not shorts and not stock:
        return 0.0
    expiries = sorted({one.expires for one in shorts})
    lendings = list(product(*(_lent(one, expiries) for one in longs)))
    least = math.inf
    for uses in product(*(_used(one, stock) for one in shorts)):
        if sum(covered for _, covered in uses) > abs(stock):
            continue
        naked = _naked(shorts, [bare for bare, _ in uses], spot, symbol)
        spread = [one._replace(qty=one.qty + bare + covered) for one, (bare, covered) in zip(shorts, uses, strict=True)]
        for lending in lendings:
            loss = sum(_spread_loss(expiry, spread, longs, lending, options) for expiry in expiries)
            least = min(least, naked + loss)
    return (least if shorts else 0.0) + STOCK_RATE * abs(stock) * spot


def cash_secured(options: Sequence[Option]) -> float:
    """Return the strikes of all short puts, per share."""
    return sum(-one.qty * one.strike for one in options if one.qty < 0 and one.right == "P")


def _used(short: Option, stock: int) -> Iterator[tuple[int, int]]:
    can_be_covered = stock > 0 if short.right == "C" else stock < 0
    for naked in range(-short.qty + 1):
        for covered in range(-short.qty - naked + 1 if can_be_covered else 1):
            yield naked, covered


def _lent(long: Option, expiries: list[datetime]) -> Iterator[dict[datetime, int]]:
    possible = [expiry for expiry in expiries if expiry <= long.expires]
    for counts in product(range(long.qty + 1), repeat=len(possible)):
        if sum(counts) == long.qty or (not possible):
            yield dict(zip(possible, counts, strict=True))


def _naked(shorts: Sequence[Option], bare: Sequence[int], spot: float, symbol: str) -> float:
    # Of a naked call and a naked put only one can lose: the greater need, and the premiums of both.
    rate = NAKED_RATE_OF_AN_INDEX if symbol in INDICES else NAKED_RATE
    need, premium = {"C": 0.0, "P": 0.0}, 0.0
    for one, count in zip(shorts, bare, strict=True):
        out_of_money = max(one.strike - spot if one.right == "C" else spot - one.strike, 0.0)
        floor = NAKED_FLOOR * (spot if one.right == "C" else one.strike)
        need[one.right] += count * max(rate * spot - out_of_money, floor)
        premium += count * one.price
    return max(need.values()) + premium


def _spread_loss(
    expiry: datetime,
    shorts: Sequence[Option],
    longs: Sequence[Option],
    lending: Sequence[dict[datetime, int]],
    options: Sequence[Option],
) -> float:
    # The largest loss at any strike; without bound where more is sold than bought.
    spread = [one for one in shorts if one.expires == expiry]
    spread += [one._replace(qty=lent.get(expiry, 0)) for one, lent in zip(longs, lending, strict=True)]
    for right in ("C", "P"):
        if sum(one.qty for one in spread if one.right == right) < 0:
            return math.inf
    return max(0.0, *(-sum(one.qty * one.worth(at.strike) for one in spread) for at in options))
