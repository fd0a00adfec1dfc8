"""What a structure costs, can make and lose, and ties up when it is opened."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.backtest.engine.layout import (
    C_CALL,
    C_GROUP,
    G_EXPIRES,
    L_CALL,
    LEG_WIDTH,
    PLAIN,
    S_FILL,
    S_LEG,
    S_LEGS,
    S_SECURED,
    S_STOCK,
)
from bifrost_lib.core.kernels import kernel
from bifrost_lib.strategies.margins import margin_loops

_least_margin, _naked_need = margin_loops.least_margin, margin_loops.naked_need
_STOCK_RATE = margin_loops.STOCK_RATE
_NOTHING = 1e-9


@kernel(**PLAIN)
def fill_of(rules: Any, legs: int) -> float:
    """Return the share of the spread that an order of `legs` legs gives away."""
    share: float = rules[S_FILL + max(legs, 1) - 1]
    return share


@kernel(**PLAIN)
def traded_at(bid: float, ask: float, qty: float, fill: float) -> float:
    """Return the price at which a contract is bought (`qty` > 0) or sold: for nothing where nobody bids."""
    give = fill * (ask - bid)
    if qty > 0.0:
        return bid + give
    return ask - give if bid > 0.0 else 0.0


@kernel(**PLAIN)
def extremes(market: Any, desk: Any, legs: int, shares: float, premium: float) -> tuple[float, float]:
    """Return max profit and max loss at one expiry of what `desk` holds; NaN where there is no bound."""
    slope, lowest, highest = shares, math.inf, -math.inf
    for leg in range(legs):
        contract = desk.contract[leg]
        if market.contracts[contract, C_CALL]:
            slope += desk.qty[leg] * market.multiplier[contract]
    for knot in range(legs + 1):
        spot = 0.0 if knot == legs else market.strike[desk.contract[knot]]
        payoff = shares * spot
        for leg in range(legs):
            contract = desk.contract[leg]
            beyond = spot - market.strike[contract]
            if not market.contracts[contract, C_CALL]:
                beyond = -beyond
            payoff += desk.qty[leg] * market.multiplier[contract] * max(beyond, 0.0)
        lowest, highest = min(lowest, premium + payoff), max(highest, premium + payoff)
    return (
        math.nan if slope > 0.0 else max(highest, 0.0),
        math.nan if slope < 0.0 else max(-lowest, 0.0),
    )


@kernel(**PLAIN)
def margin_of(market: Any, rules: Any, desk: Any, spot: float, naked_rate: float) -> float:
    """Return the initial margin of one unit: Regulation T, or short puts secured by their whole strikes."""
    legs, multiplier = int(rules[S_LEGS]), market.multiplier[desk.contract[0]]
    secured, shorts = 0.0, False
    for leg in range(legs):
        contract = desk.contract[leg]
        if desk.qty[leg] < 0.0:
            shorts = True
            if not market.contracts[contract, C_CALL]:
                secured -= desk.qty[leg] * market.multiplier[contract] * market.strike[contract]
    if rules[S_SECURED] != 0.0:
        return secured
    stock = rules[S_STOCK]
    if not shorts:
        return float(_STOCK_RATE * abs(stock) * spot * multiplier)
    return float(multiplier * _per_share(market, rules, desk, legs, stock, spot, naked_rate))


@kernel(**PLAIN)
def _per_share(
    market: Any, rules: Any, desk: Any, legs: int, stock: float, spot: float, naked_rate: float
) -> float:  # fmt: skip
    # A bought option covers no sold one that outlives it: the spreads of the later expiry have only the later ones.
    strike, price, qty = desk.spare[0:legs], desk.spare[legs : 2 * legs], desk.spare[2 * legs : 3 * legs]
    is_call, rest = desk.spare[3 * legs : 4 * legs], desk.spare[4 * legs : 8 * legs]
    first, last = math.inf, -math.inf
    first_short, last_short = math.inf, -math.inf
    for leg in range(legs):
        contract = desk.contract[leg]
        expires = float(market.groups[market.contracts[contract, C_GROUP], G_EXPIRES])
        first, last = min(first, expires), max(last, expires)
        if desk.qty[leg] < 0.0:
            first_short, last_short = min(first_short, expires), max(last_short, expires)
        strike[leg], price[leg], qty[leg] = market.strike[contract], desk.open_price[leg], desk.qty[leg]
        is_call[leg] = rules[S_LEG + leg * LEG_WIDTH + L_CALL]
    for leg in range(legs):
        expires = float(market.groups[market.contracts[desk.contract[leg], C_GROUP], G_EXPIRES])
        if qty[leg] > 0.0 and expires < first_short:
            qty[leg] = 0.0
    if first_short == last_short or first == last:
        need: float = _least_margin(strike, price, 0, qty, is_call, stock, spot, naked_rate, rest)
        return need
    return _two_margins(market, desk, legs, strike, price, qty, is_call, stock, spot, naked_rate, first_short, rest)


@kernel(**PLAIN)
def _two_margins(
    market: Any, desk: Any, legs: int, strike: Any, price: Any, qty: Any, is_call: Any, stock: float, spot: float,
    naked_rate: float, near: float, work: Any,
) -> float:  # fmt: skip
    # Sold options of two expiries: all ways to leave them naked or covered by shares (work[j], work[legs + j]), and to
    # lend bought ones of the later expiry to the spread of the earlier one (work[j]).
    best = 1e300
    for j in range(4 * legs):
        work[j] = 0.0
    for j in range(legs):
        expires = float(market.groups[market.contracts[desk.contract[j], C_GROUP], G_EXPIRES])
        work[2 * legs + j] = 0.0 if expires <= near else 1.0
    while True:
        best = min(best, _need_of_two(legs, strike, price, qty, is_call, stock, spot, naked_rate, work))
        if not _next_way(legs, qty, is_call, stock, work):
            return _STOCK_RATE * abs(stock) * spot + best


@kernel(**PLAIN)
def _next_way(legs: int, qty: Any, is_call: Any, stock: float, work: Any) -> bool:
    for j in range(legs):
        if qty[j] > 0.0 and work[2 * legs + j] == 0.0:
            continue
        work[j] += 1.0
        if work[j] + work[legs + j] <= abs(qty[j]) + _NOTHING:
            return True
        work[j] = 0.0
        if qty[j] < 0.0 and stock != 0.0 and (is_call[j] != 0.0) == (stock > 0.0):
            work[legs + j] += 1.0
            if work[legs + j] <= -qty[j] + _NOTHING:
                return True
            work[legs + j] = 0.0
    return False


@kernel(**PLAIN)
def _need_of_two(
    legs: int, strike: Any, price: Any, qty: Any, is_call: Any, stock: float, spot: float, rate: float, work: Any
) -> float:  # fmt: skip
    covered = premium = call_need = put_need = loss = 0.0
    for j in range(legs):
        if qty[j] < 0.0:
            covered += work[legs + j]
            premium += work[j] * price[j]
            naked = work[j] * _naked_need(int(is_call[j]), strike[j], spot, rate)
            if is_call[j] != 0.0:
                call_need += naked
            else:
                put_need += naked
    if covered > abs(stock) + _NOTHING:
        return 1e300
    for later in range(2):
        calls = puts = 0.0
        for j in range(legs):
            left = _left(legs, j, float(later), qty, work)
            if is_call[j] != 0.0:
                calls += left
            else:
                puts += left
        if calls < -_NOTHING or puts < -_NOTHING:
            return 1e300
        worst = 0.0
        for k in range(legs):
            value = 0.0
            for j in range(legs):
                move = strike[k] - strike[j] if is_call[j] != 0.0 else strike[j] - strike[k]
                value += _left(legs, j, float(later), qty, work) * max(move, 0.0)
            worst = min(worst, value)
        loss -= worst
    return max(call_need, put_need) + premium + loss


@kernel(**PLAIN)
def _left(legs: int, j: int, later: float, qty: Any, work: Any) -> float:
    # What of a leg is in the spread of the earlier (0) or later (1) expiry.
    is_later: float = work[2 * legs + j]
    if qty[j] > 0.0:
        lent: float = work[j] if is_later == 1.0 else qty[j]
        return lent if later == 0.0 else float(qty[j] - lent)
    left: float = qty[j] + work[j] + work[legs + j]
    return left if is_later == later else 0.0
