"""Regulation T margins of what an account holds on one underlying: initial, maintenance, with positions paired.

Positions are paired by a fixed, greedy order, once with shares first and once with options first; the cheaper of the
two counts. Shares are paired, a contract's worth at a time, into conversions, collars, covered options, and
protective options. Options are paired short by short, the one deepest in the money first, each with the long option of
its right that expires no earlier: of the same expiry before later ones, nearest in strike. What is paired needs its
largest loss at the short options' expiry, together with spare long options of that expiry; so condors, butterflies
and boxes need one side only. What is left is uncovered.

References: FINRA Rule 4210(f)(2); Cboe, "Strategy-based Margin"; Interactive Brokers, "Margin Requirements: US
Options" (covered, collar, conversion and protective formulas).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby

EQUITY_RATE, INDEX_RATE, FLOOR_RATE = 0.20, 0.15, 0.10
MAINTENANCE_LONG, MAINTENANCE_SHORT = 0.25, 0.30
COLLAR_RATE = 0.10


@dataclass(frozen=True, slots=True)
class OptionLot:
    """Options of one series: `qty` contracts, signed, at `price` per share."""

    right: str
    strike: float
    expiry: date
    qty: float
    price: float
    multiplier: float = 100.0


@dataclass(frozen=True, slots=True)
class Terms:
    """What decides the rates.

    Attributes
    ----------
    spot : float
        Price of the underlying.
    broad_index : bool
        The underlying is a broad index: 15 % instead of 20 %.
    stock_initial : float
        Initial share of the value of stock; 0.50 is Regulation T, 0.25 what IB shows during the day.
    cash_account : bool
        Nothing on credit: stock is paid in full, puts are secured by cash, uncovered calls are impossible.
    """

    spot: float
    broad_index: bool = False
    stock_initial: float = 0.50
    cash_account: bool = False


@dataclass(frozen=True, slots=True)
class Requirement:
    """Currency, >= 0."""

    initial: float = 0.0
    maintenance: float = 0.0

    def __add__(self, other: Requirement) -> Requirement:
        return Requirement(self.initial + other.initial, self.maintenance + other.maintenance)


def reg_t_requirement(shares: float, lots: Sequence[OptionLot], terms: Terms) -> Requirement:
    """Return what an account needs for `shares` (signed) and options on one underlying.

    Long options need nothing: they are paid in full, and their value is no equity with loan value either.
    """
    lots = [lot for lot in lots if lot.qty]
    paired, shares_left, options_left = _pair_shares(shares, lots, terms)
    first = paired + _stock(shares_left, terms) + _options(options_left, terms)
    second = _stock(shares, terms) + _options(lots, terms)
    return min(first, second, key=lambda needed: (needed.maintenance, needed.initial))


def naked_requirement(lot: OptionLot, terms: Terms) -> float:
    """Return the margin per share of an uncovered short option, its price included."""
    is_call = lot.right == "C"
    if terms.cash_account:
        return float("inf") if is_call else lot.strike
    out_of_money = max(lot.strike - terms.spot if is_call else terms.spot - lot.strike, 0.0)
    rate = INDEX_RATE if terms.broad_index else EQUITY_RATE
    floor = FLOOR_RATE * (terms.spot if is_call else lot.strike)
    return lot.price + max(rate * terms.spot - out_of_money, floor)


def _stock(shares: float, terms: Terms) -> Requirement:
    value = abs(shares) * terms.spot
    if terms.cash_account:
        return Requirement(value, value) if shares >= 0 else Requirement(float("inf"), float("inf"))
    rate = MAINTENANCE_LONG if shares > 0 else MAINTENANCE_SHORT
    return Requirement(value * max(terms.stock_initial, rate), value * rate)


# Shares with options


def _pair_shares(shares: float, lots: Sequence[OptionLot], terms: Terms) -> tuple[Requirement, float, list[OptionLot]]:
    side = 1.0 if shares > 0 else -1.0
    covering, protecting = ("C", "P") if shares > 0 else ("P", "C")
    left = list(lots)
    total, remaining = Requirement(), abs(shares)
    # Three passes: both options, then the one that is covered, then the one that protects.
    for short_wanted, long_wanted in ((True, True), (True, False), (False, True)):
        while True:
            found = _partners(left, covering, protecting, short_wanted, long_wanted, side)
            multiplier = next((left[i].multiplier for i in found if i is not None), 0.0)
            if multiplier == 0.0 or remaining < multiplier:
                break
            count = min([remaining // multiplier, *(abs(left[i].qty) for i in found if i is not None)])
            short, long = (None if i is None else left[i] for i in found)
            total += _paired(side * count * multiplier, short, long, terms)
            remaining -= count * multiplier
            for i in found:
                if i is not None:
                    lot = left[i]
                    left[i] = replace(lot, qty=lot.qty - count if lot.qty > 0 else lot.qty + count)
    return total, side * remaining, [lot for lot in left if lot.qty]


def _partners(
    lots: Sequence[OptionLot], covering: str, protecting: str, short_wanted: bool, long_wanted: bool, side: float
) -> tuple[int | None, int | None]:
    # Short options deepest in the money first: covering them saves most.
    shorts = [i for i, lot in enumerate(lots) if lot.right == covering and lot.qty < 0]
    longs = [i for i, lot in enumerate(lots) if lot.right == protecting and lot.qty > 0]
    shorts.sort(key=lambda i: side * lots[i].strike)
    longs.sort(key=lambda i: -side * lots[i].strike)
    if short_wanted and long_wanted:
        for s in shorts:
            for p in longs:
                same = lots[s].expiry == lots[p].expiry and lots[s].multiplier == lots[p].multiplier
                if same and side * (lots[s].strike - lots[p].strike) >= 0:
                    return s, p
        return None, None
    if short_wanted:
        return (shorts[0] if shorts else None), None
    return None, (longs[0] if longs else None)


def _paired(shares: float, short: OptionLot | None, long: OptionLot | None, terms: Terms) -> Requirement:
    # `short` is covered by the shares, `long` protects them.
    spot, size = terms.spot, abs(shares)
    rate = MAINTENANCE_LONG if shares > 0 else MAINTENANCE_SHORT
    side = 1.0 if shares > 0 else -1.0
    initial = _stock(shares, terms).initial / size
    if terms.cash_account:
        return Requirement(initial * size, initial * size)
    stock = rate * spot
    in_money = max(side * (spot - short.strike), 0.0) if short else 0.0
    beyond = max(side * (spot - long.strike), 0.0) if long else 0.0
    if short and long:
        if short.strike == long.strike:
            needed = COLLAR_RATE * long.strike + in_money
        else:
            needed = min(COLLAR_RATE * long.strike + beyond, rate * short.strike)
        initial += in_money
    elif short and shares > 0:
        needed = max(in_money + rate * min(spot, short.strike), min(spot, max(short.price, stock)))
        initial = max(initial - rate * max(spot - short.strike, 0.0) + in_money, needed)
    elif short:
        needed = stock + in_money
        initial += in_money
    else:
        assert long is not None  # noqa: S101 (one of the two is always there)
        needed = min(COLLAR_RATE * long.strike + beyond, stock)
    return Requirement(max(initial, needed) * size, needed * size)


# Options with options


def _options(lots: Sequence[OptionLot], terms: Terms) -> Requirement:
    pairs, naked, spare = _pair_options(lots)
    spreads = sum(
        _spread_requirement(list(group), [lot for lot in spare if lot.expiry == expiry], terms)
        for expiry, group in groupby(sorted(pairs, key=lambda pair: pair[0].expiry), key=lambda pair: pair[0].expiry)
    )
    total = spreads + _uncovered(naked, terms)
    return Requirement(total, total)


def _pair_options(
    lots: Sequence[OptionLot],
) -> tuple[list[tuple[OptionLot, OptionLot]], list[OptionLot], list[OptionLot]]:
    # (short, long) pairs of equal size, uncovered shorts, spare longs.
    longs = {i: lot.qty for i, lot in enumerate(lots) if lot.qty > 0}
    shorts = [lot for lot in lots if lot.qty < 0]
    shorts.sort(key=lambda lot: (lot.right, lot.strike if lot.right == "C" else -lot.strike, lot.expiry))
    pairs, naked = [], []
    for short in shorts:
        left = -short.qty
        while left > 0:
            fitting = [i for i, qty in longs.items() if qty > 0 and _covers(lots[i], short)]
            if not fitting:
                naked.append(replace(short, qty=-left))
                break
            best = min(fitting, key=lambda i: (lots[i].expiry, abs(lots[i].strike - short.strike)))
            part = min(left, longs[best])
            pairs.append((replace(short, qty=-part), replace(lots[best], qty=part)))
            longs[best] -= part
            left -= part
    return pairs, naked, [replace(lots[i], qty=qty) for i, qty in longs.items() if qty > 0]


def _covers(long: OptionLot, short: OptionLot) -> bool:
    return long.right == short.right and long.expiry >= short.expiry and long.multiplier == short.multiplier


def _spread_requirement(
    pairs: Sequence[tuple[OptionLot, OptionLot]], spare: Sequence[OptionLot], terms: Terms
) -> float:
    # Neither side is net short, so the largest loss lies at a strike. A pair wider than its short option would need
    # uncovered is better left uncovered.
    lots = [lot for pair in pairs for lot in pair] + list(spare)
    worst = max((-_payoff(lots, lot.strike) for lot in lots), default=0.0)
    return max(min(worst, _uncovered([short for short, _ in pairs], terms)), 0.0)


def _payoff(lots: Iterable[OptionLot], spot: float) -> float:
    total = 0.0
    for lot in lots:
        inside = spot - lot.strike if lot.right == "C" else lot.strike - spot
        total += lot.qty * lot.multiplier * max(inside, 0.0)
    return total


def _uncovered(shorts: Sequence[OptionLot], terms: Terms) -> float:
    # Of an uncovered call and an uncovered put only one can lose: the greater need, and the premium of the other.
    need, premium = {"C": 0.0, "P": 0.0}, {"C": 0.0, "P": 0.0}
    for lot in shorts:
        size = -lot.qty * lot.multiplier
        need[lot.right] += size * naked_requirement(lot, terms)
        premium[lot.right] += size * lot.price
    if terms.cash_account:
        return need["C"] + need["P"]
    return max(need["C"] + premium["P"], need["P"] + premium["C"])
