"""The loops behind `price` and `greeks`, block by block."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats
from bifrost_lib.pricing.blocks import load, load_sign, outside, store, store_wanted
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio
from bifrost_lib.pricing.normal_form import d_one, density, exercised, tails
from bifrost_lib.pricing.workspace import BLOCK, ROW

# rows of the workspace: what is given, and what every result is made of
SPOT, STRIKE, TAU, VOL, SIGN, RATE, DIV_YIELD = range(7)
ROOT, D1, D2, HELD, OWED, SHARED = range(7, 13)
RESULT = 13

_LEAST = 1e-100  # stands for zero where zero would be divided by, and its square can still be


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
        tau = work[TAU * ROW + j]
        root = math.sqrt(tau)
        s = work[VOL * ROW + j] * root
        carry = (work[RATE * ROW + j] - work[DIV_YIELD * ROW + j]) * tau
        d1 = d_one(log_ratio(work[SPOT * ROW + j], work[STRIKE * ROW + j]) + carry, s)
        work[ROOT * ROW + j] = root
        work[D1 * ROW + j] = d1
        work[D2 * ROW + j] = d1 - s
    for j in range(BLOCK):
        tau, d2 = work[TAU * ROW + j], work[D2 * ROW + j]
        cash = work[STRIKE * ROW + j] * exponential(-work[RATE * ROW + j] * tau)
        work[HELD * ROW + j] = work[SPOT * ROW + j] * exponential(-work[DIV_YIELD * ROW + j] * tau)
        work[OWED * ROW + j] = cash
        work[SHARED * ROW + j] = cash * density(d2)
    for j in range(BLOCK):
        sign = work[SIGN * ROW + j]
        d1, d2 = sign * work[D1 * ROW + j], sign * work[D2 * ROW + j]
        part1, part2 = tails(d1, d2, work[SHARED * ROW + j])
        held, owed = exercised(work[HELD * ROW + j], d1, part1), exercised(work[OWED * ROW + j], d2, part2)
        work[HELD * ROW + j] = held
        work[OWED * ROW + j] = owed
        work[RESULT * ROW + j] = sign * (held - owed)


@kernel(**SCALAR)
def _differentiate_block(work: Any) -> None:
    for j in range(BLOCK):
        s0, tau, vol, sign = (
            work[SPOT * ROW + j],
            work[TAU * ROW + j],
            work[VOL * ROW + j],
            work[SIGN * ROW + j],
        )
        rate, q, root = work[RATE * ROW + j], work[DIV_YIELD * ROW + j], work[ROOT * ROW + j]
        d1, d2, shared = work[D1 * ROW + j], work[D2 * ROW + j], work[SHARED * ROW + j]
        held, owed = work[HELD * ROW + j], work[OWED * ROW + j]
        s = vol * root
        s = s if s > _LEAST else _LEAST
        both = 1.0 / (s * s0)  # one division, which costs as much as ten products
        inv_s, inv_s0 = both * s0, both * s
        inv_vol, inv_root = inv_s * root, inv_s * vol
        drift = (rate - q) * inv_s - 0.5 * d2 * inv_root * inv_root  # d d1 / d tau
        delta = sign * held * inv_s0
        gamma = shared * inv_s * inv_s0 * inv_s0
        vega = shared * root
        work[(RESULT + 1) * ROW + j] = delta
        work[(RESULT + 2) * ROW + j] = gamma
        work[(RESULT + 3) * ROW + j] = vega
        work[(RESULT + 4) * ROW + j] = sign * (q * held - rate * owed) - 0.5 * shared * vol * inv_root
        work[(RESULT + 5) * ROW + j] = sign * tau * owed
        work[(RESULT + 6) * ROW + j] = -shared * d2 * inv_vol * inv_s0
        work[(RESULT + 7) * ROW + j] = vega * d1 * d2 * inv_vol
        work[(RESULT + 8) * ROW + j] = q * delta - shared * drift * inv_s0
        work[(RESULT + 9) * ROW + j] = -gamma * inv_s0 * (d1 * inv_s + 1.0)
        work[(RESULT + 10) * ROW + j] = gamma * (d1 * d2 - 1.0) * inv_vol
        work[(RESULT + 11) * ROW + j] = gamma * (q + 0.5 * inv_root * inv_root + d1 * drift)


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
    for start in range(0, size, BLOCK):
        count = min(BLOCK, size - start)
        flags |= _load_all(spot, strike, tau, vol, is_call, rate, div_yield, steps, start, count, work)
        _prepare_block(work)
        _differentiate_block(work)
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
