"""Initial margin under Regulation T and the exchanges' rules for options, for any legs of one expiry.

Shares cover short options; what is left uncovered needs its premium plus a share of the underlying less the amount
out of the money; everything else is a set of spreads and needs its largest loss at expiry before premiums. Premium
that is paid comes on top of the requirement, which is how brokers show it. References: FINRA Rule 4210(f)(2); Cboe,
"Strategy-based Margin".
"""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.contracts import INDEX_CLASSES
from bifrost_lib.core.kernels import kernel

STOCK_RATE = 0.50  # half of a purchase, and half on top of the proceeds of a short sale
EQUITY_RATE, INDEX_RATE, FLOOR_RATE = 0.20, 0.15, 0.10
_NOTHING = 1e-12


def naked_rate(symbol: str) -> float:
    """Return the share of the underlying that an uncovered option needs: 15 % for broad indices, else 20 %."""
    return INDEX_RATE if symbol in {convention.symbol for convention in INDEX_CLASSES.values()} else EQUITY_RATE


@kernel(error_model="numpy")
def naked_requirement(is_call: bool, strike: float, price: float, spot: float, rate: float) -> float:
    """Return the margin per share of one uncovered short option, its premium included."""
    out_of_money = max(strike - spot, 0.0) if is_call else max(spot - strike, 0.0)
    return price + max(rate * spot - out_of_money, FLOOR_RATE * (spot if is_call else strike))


@kernel(error_model="numpy")
def reg_t_margin(
    strikes: Any, prices: Any, weights: Any, calls: Any, stock: float, spot: float, rate: float
) -> float:  # fmt: skip
    """Return the initial margin of a structure whose options share an expiry.

    Parameters
    ----------
    strikes, prices : float64 (n,)
        Currency per share.
    weights : float64 (n,)
        Quantity times multiplier, signed.
    calls : bool (n,)
    stock : float
        Shares held, signed.
    spot, rate : float
        Price of the underlying, and `naked_rate` of its symbol.

    Returns
    -------
    float
        Currency, >= 0.
    """
    held = weights.copy()
    _take_shorts(strikes, prices, held, calls, stock > 0.0, abs(stock), False, spot, rate)
    call_need, call_premium = _take_shorts(
        strikes, prices, held, calls, True, -_net(held, calls, True), True, spot, rate
    )
    put_need, put_premium = _take_shorts(
        strikes, prices, held, calls, False, -_net(held, calls, False), True, spot, rate
    )
    # Of a naked call and a naked put only one can lose: the greater need, and the premium of the other.
    naked = max(call_need + put_premium, put_need + call_premium)
    return STOCK_RATE * abs(stock) * spot + naked + _spread_loss(strikes, held, calls)


@kernel(error_model="numpy")
def _net(held: Any, calls: Any, side: bool) -> float:
    total = 0.0
    for i in range(held.size):
        total += held[i] if calls[i] == side else 0.0
    return total


@kernel(error_model="numpy")
def _take_shorts(
    strikes: Any, prices: Any, held: Any, calls: Any, side: bool, amount: float, from_far: bool,
    spot: float, rate: float,
) -> tuple[float, float]:  # fmt: skip
    # Take up to `amount` of the short calls (or puts) out of `held`: those furthest out of the money first, the
    # cheapest to leave naked, or those furthest in the money first, the best use of shares. Returns their naked
    # margin and their premium.
    margin = premium = 0.0
    upwards = side == from_far
    while amount > _NOTHING:
        pick = -1
        for i in range(held.size):
            if calls[i] == side and held[i] < 0.0:
                beyond = pick >= 0 and (strikes[i] > strikes[pick]) == upwards and strikes[i] != strikes[pick]
                if pick < 0 or beyond:
                    pick = i
        if pick < 0:
            break
        part = min(amount, -held[pick])
        held[pick] += part
        amount -= part
        margin += part * naked_requirement(side, strikes[pick], prices[pick], spot, rate)
        premium += part * prices[pick]
    return margin, premium


@kernel(error_model="numpy")
def _spread_loss(strikes: Any, held: Any, calls: Any) -> float:
    # Neither side is net short here, so the largest loss lies at a strike.
    worst = 0.0
    for j in range(strikes.size):
        value = 0.0
        for i in range(strikes.size):
            move = strikes[j] - strikes[i] if calls[i] else strikes[i] - strikes[j]
            value += held[i] * max(move, 0.0)
        worst = min(worst, value)
    return -worst


def cash_margin(strikes: Any, weights: Any, calls: Any) -> float:
    """Return the cash that secures all short puts at their whole strikes."""
    return float(sum(-w * k for k, w, call in zip(strikes, weights, calls, strict=True) if w < 0 and not call))
