"""The loop behind `reg_t_margin`: the cheapest way of all to group the options of one expiry."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Flags, Floats

_SCALAR = {"forceinline": True, "error_model": "numpy"}
_NOTHING = 1e-9
STOCK_RATE, FLOOR_RATE = 0.50, 0.10


@kernel(**_SCALAR)
def naked_need(is_call: int, strike: float, spot: float, rate: float) -> float:
    """Return what an uncovered short option needs per share, beside its premium."""
    out_of_money = max(strike - spot, 0.0) if is_call else max(spot - strike, 0.0)
    return max(rate * spot - out_of_money, FLOOR_RATE * (spot if is_call else strike))


@kernel(error_model="numpy")
def least_margin(
    strike: Any, price: Any, at: int, qty: Any, is_call: Any, stock: float, spot: float, rate: float, work: Any
) -> float:  # fmt: skip
    """Return the initial margin, per share of a contract, of options of one expiry and `stock` contracts of shares.

    Every short contract is left naked, covered by shares, or put with all the bought ones into one spread: all ways
    of doing that are tried. `strike` and `price` hold the legs from `at` on; `work` has room for 4 numbers a leg.
    """
    legs = qty.size
    best = 1e300
    for j in range(2 * legs):
        work[j] = 0.0
    while True:
        best = min(best, _need(strike, price, at, qty, is_call, stock, spot, rate, work))
        if not _next_grouping(qty, is_call, stock, work):
            return STOCK_RATE * abs(stock) * spot + best


@kernel(error_model="numpy")
def _next_grouping(qty: Any, is_call: Any, stock: float, work: Any) -> bool:
    # An odometer: work[j] contracts of leg j are naked, work[legs + j] are covered by shares.
    legs = qty.size
    for j in range(legs):
        if qty[j] >= 0.0:
            continue
        work[j] += 1.0
        if work[j] + work[legs + j] <= -qty[j] + _NOTHING:
            return True
        work[j] = 0.0
        if stock != 0.0 and (is_call[j] != 0) == (stock > 0.0):
            work[legs + j] += 1.0
            if work[legs + j] <= -qty[j] + _NOTHING:
                return True
            work[legs + j] = 0.0
    return False


@kernel(error_model="numpy")
def _need(
    strike: Any, price: Any, at: int, qty: Any, is_call: Any, stock: float, spot: float, rate: float, work: Any
) -> float:  # fmt: skip
    # What one grouping needs: 1e300 where shares or bought options do not cover what they should.
    legs = qty.size
    calls = puts = shares = 0.0
    call_need = call_premium = put_need = put_premium = 0.0
    for j in range(legs):
        left = qty[j]
        if left < 0.0:
            left += work[j] + work[legs + j]
            shares += work[legs + j]
            naked = work[j] * naked_need(is_call[j], strike[at + j], spot, rate)
            premium = work[j] * price[at + j]
            if is_call[j]:
                call_need += naked
                call_premium += premium
            else:
                put_need += naked
                put_premium += premium
        if is_call[j]:
            calls += left
        else:
            puts += left
    if calls < -_NOTHING or puts < -_NOTHING or shares > abs(stock) + _NOTHING:
        return 1e300
    # Of a naked call and a naked put only one can lose: the greater need, and the premiums of both.
    return max(call_need, put_need) + call_premium + put_premium + _spread_loss(strike, at, qty, is_call, work)


@kernel(error_model="numpy")
def _spread_loss(strike: Any, at: int, qty: Any, is_call: Any, work: Any) -> float:
    # Neither side is net short here, so the largest loss lies at a strike.
    legs = qty.size
    worst = 0.0
    for k in range(legs):
        value = 0.0
        for j in range(legs):
            left = qty[j] + (work[j] + work[legs + j] if qty[j] < 0.0 else 0.0)
            move = strike[at + k] - strike[at + j] if is_call[j] else strike[at + j] - strike[at + k]
            value += left * max(move, 0.0)
        worst = min(worst, value)
    return -worst


def least_margins(
    strike: Floats, price: Floats, qty: Floats, is_call: Flags, stock: float, spot: float, rate: float,
    work: Floats, out: Floats,
) -> int:  # fmt: skip
    """Fill `out` (n,) with the margins of n structures of the same legs; `strike` and `price` are (n * legs,)."""
    for row in range(out.size):
        out[row] = least_margin(strike, price, row * qty.size, qty, is_call, stock, spot, rate, work)
    return 0
