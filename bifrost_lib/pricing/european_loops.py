"""The loops behind `price` and `greeks`, block by block."""

from __future__ import annotations

from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats
from bifrost_lib.pricing.blocks import load, load_sign, outside, store, store_wanted
from bifrost_lib.pricing.elementary import SCALAR
from bifrost_lib.pricing.normal_form import distances, exercised, present_values, slopes, value
from bifrost_lib.pricing.workspace import BLOCK, ROW

# rows of the workspace: what is given, and what every result is made of
SPOT, STRIKE, TAU, VOL, SIGN, RATE, DIV_YIELD = range(7)
ROOT, D1, D2, HELD, OWED, SHARED = range(7, 13)
RESULT = 13


@kernel(**SCALAR)
def _load_all(
    spot: Any, strike: Any, tau: Any, vol: Any, is_call: Any, rate: Any, div_yield: Any, steps: Any, start: int,
    size: int, work: Any,
) -> int:  # fmt: skip
    load(work, SPOT, spot, steps[0], start, size)
    load(work, STRIKE, strike, steps[1], start, size)
    load(work, TAU, tau, steps[2], start, size)
    load(work, VOL, vol, steps[3], start, size)
    load_sign(work, SIGN, is_call, steps[4], start, size)
    load(work, RATE, rate, steps[5], start, size)
    load(work, DIV_YIELD, div_yield, steps[6], start, size)
    flags = outside(work, SPOT, size, True, 1) | outside(work, STRIKE, size, True, 2)
    return flags | outside(work, TAU, size, False, 4) | outside(work, VOL, size, False, 8)


@kernel(**SCALAR)
def _prepare_block(work: Any) -> None:
    # three short loops instead of a long one: the processor then works on several steps of each at a time
    for j in range(BLOCK):
        work[ROOT * ROW + j], work[D1 * ROW + j], work[D2 * ROW + j] = distances(
            work[SPOT * ROW + j],
            work[STRIKE * ROW + j],
            work[TAU * ROW + j],
            work[VOL * ROW + j],
            work[RATE * ROW + j],
            work[DIV_YIELD * ROW + j],
        )
    for j in range(BLOCK):
        work[HELD * ROW + j], work[OWED * ROW + j], work[SHARED * ROW + j] = present_values(
            work[SPOT * ROW + j],
            work[STRIKE * ROW + j],
            work[TAU * ROW + j],
            work[RATE * ROW + j],
            work[DIV_YIELD * ROW + j],
            work[D2 * ROW + j],
        )
    for j in range(BLOCK):
        sign = work[SIGN * ROW + j]
        asset, cash, shared = work[HELD * ROW + j], work[OWED * ROW + j], work[SHARED * ROW + j]
        held, owed = exercised(sign, work[D1 * ROW + j], work[D2 * ROW + j], asset, cash, shared)
        work[HELD * ROW + j] = held
        work[OWED * ROW + j] = owed
        work[RESULT * ROW + j] = value(sign, asset, cash, held, owed)


@kernel(**SCALAR)
def _slopes_at(work: Any, j: int) -> Any:
    return slopes(
        work[SPOT * ROW + j],
        work[TAU * ROW + j],
        work[VOL * ROW + j],
        work[SIGN * ROW + j],
        work[RATE * ROW + j],
        work[DIV_YIELD * ROW + j],
        work[ROOT * ROW + j],
        work[D1 * ROW + j],
        work[D2 * ROW + j],
        work[HELD * ROW + j],
        work[OWED * ROW + j],
        work[SHARED * ROW + j],
    )


@kernel(**SCALAR)
def _differentiate_block(work: Any) -> None:
    # What a loop does not store, the compiler does not compute: hence two loops over the same slopes.
    for j in range(BLOCK):
        found = _slopes_at(work, j)
        work[(RESULT + 1) * ROW + j] = found[0]
        work[(RESULT + 2) * ROW + j] = found[1]
        work[(RESULT + 3) * ROW + j] = found[2]
        work[(RESULT + 4) * ROW + j] = found[3]
        work[(RESULT + 5) * ROW + j] = found[4]
        work[(RESULT + 6) * ROW + j] = found[5]
        work[(RESULT + 7) * ROW + j] = found[6]


@kernel(**SCALAR)
def _differentiate_again_block(work: Any) -> None:
    for j in range(BLOCK):
        found = _slopes_at(work, j)
        work[(RESULT + 8) * ROW + j] = found[7]
        work[(RESULT + 9) * ROW + j] = found[8]
        work[(RESULT + 10) * ROW + j] = found[9]
        work[(RESULT + 11) * ROW + j] = found[10]


def price_all(
    spot: Floats, strike: Floats, tau: Floats, vol: Floats, is_call: Flags, rate: Floats, div_yield: Floats,
    steps: Counts, out: Floats, work: Floats,
) -> int:  # fmt: skip
    """Fill `out` with prices; return which of spot (1), strike (2), tau (4) and vol (8) left their domain."""
    flags = 0
    for start in range(0, out.size, BLOCK):
        size = min(BLOCK, out.size - start)
        flags |= _load_all(spot, strike, tau, vol, is_call, rate, div_yield, steps, start, size, work)
        _prepare_block(work)
        store(work, RESULT, out, start, size)
    return flags


def greeks_all(
    spot: Floats, strike: Floats, tau: Floats, vol: Floats, is_call: Flags, rate: Floats, div_yield: Floats,
    steps: Counts, size: int, price: Floats, delta: Floats, gamma: Floats, vega: Floats, theta: Floats, rho: Floats,
    vanna: Floats, volga: Floats, charm: Floats, speed: Floats, zomma: Floats, color: Floats, work: Floats,
) -> int:  # fmt: skip
    """Fill the arrays of results that are not empty, each of length `size`; return flags as `price_all` does."""
    flags = 0
    again = charm.size + speed.size + zomma.size + color.size > 0
    for start in range(0, size, BLOCK):
        count = min(BLOCK, size - start)
        flags |= _load_all(spot, strike, tau, vol, is_call, rate, div_yield, steps, start, count, work)
        _prepare_block(work)
        _differentiate_block(work)
        if again:
            _differentiate_again_block(work)
        store_wanted(work, RESULT, price, start, count)
        store_wanted(work, RESULT + 1, delta, start, count)
        store_wanted(work, RESULT + 2, gamma, start, count)
        store_wanted(work, RESULT + 3, vega, start, count)
        store_wanted(work, RESULT + 4, theta, start, count)
        store_wanted(work, RESULT + 5, rho, start, count)
        store_wanted(work, RESULT + 6, vanna, start, count)
        store_wanted(work, RESULT + 7, volga, start, count)
        store_wanted(work, RESULT + 8, charm, start, count)
        store_wanted(work, RESULT + 9, speed, start, count)
        store_wanted(work, RESULT + 10, zomma, start, count)
        store_wanted(work, RESULT + 11, color, start, count)
    return flags
