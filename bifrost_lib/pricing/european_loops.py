"""The loops behind `price` and `greeks`, block by block."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats, Table
from bifrost_lib.pricing.blocks import load, load_sign, outside, store
from bifrost_lib.pricing.elementary import SCALAR, exponential
from bifrost_lib.pricing.normal_form import d_one, density, exercised, log_moneyness, tail
from bifrost_lib.pricing.workspace import BLOCK

# rows of the workspace
SPOT, STRIKE, TAU, VOL, SIGN, RATE, DIV_YIELD = range(7)
RESULT = 7

_LEAST = 1e-100  # stands for zero where zero would be divided by, and its square can still be


@kernel(**SCALAR)
def price_one(s0: float, k: float, tau: float, vol: float, sign: float, rate: float, q: float) -> float:
    """Return the value of one option."""
    s = vol * math.sqrt(tau)
    d1 = d_one(log_moneyness(s0, k, tau, rate, q), s)
    d2 = d1 - s
    asset, cash = s0 * exponential(-q * tau), k * exponential(-rate * tau)
    shared = cash * density(d2)
    part = tail(sign * d1, shared) - tail(sign * d2, shared)
    whole = (asset if sign * d1 > 0.0 else 0.0) - (cash if sign * d2 > 0.0 else 0.0)
    return sign * (whole + part)


@kernel(**SCALAR)
def greeks_one(s0: float, k: float, tau: float, vol: float, sign: float, rate: float, q: float) -> Any:
    """Return the greeks of one option, in the order of `bifrost_lib.pricing.european.GREEKS`."""
    root = math.sqrt(tau)
    s = vol * root
    d1 = d_one(log_moneyness(s0, k, tau, rate, q), s)
    d2 = d1 - s
    asset, cash = s0 * exponential(-q * tau), k * exponential(-rate * tau)
    shared = cash * density(d2)
    held = exercised(asset, sign * d1, tail(sign * d1, shared))
    owed = exercised(cash, sign * d2, tail(sign * d2, shared))
    inv_s0 = 1.0 / s0
    inv_vol = 1.0 / (vol if vol > _LEAST else _LEAST)
    inv_root = 1.0 / (root if root > _LEAST else _LEAST)
    inv_tau, inv_s = inv_root * inv_root, inv_vol * inv_root
    drift = (rate - q) * inv_s - 0.5 * d2 * inv_tau  # d d1 / d tau
    delta = sign * held * inv_s0
    gamma = shared * inv_s * inv_s0 * inv_s0
    vega = shared * root
    theta = sign * (q * held - rate * owed) - 0.5 * shared * vol * inv_root
    rho = sign * tau * owed
    vanna = -shared * d2 * inv_vol * inv_s0
    volga = vega * d1 * d2 * inv_vol
    charm = q * delta - shared * drift * inv_s0
    speed = -gamma * inv_s0 * (d1 * inv_s + 1.0)
    zomma = gamma * (d1 * d2 - 1.0) * inv_vol
    color = gamma * (q + 0.5 * inv_tau + d1 * drift)
    return delta, gamma, vega, theta, rho, vanna, volga, charm, speed, zomma, color


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


def price_all(
    spot: Floats, strike: Floats, tau: Floats, vol: Floats, is_call: Flags, rate: Floats, div_yield: Floats,
    steps: Counts, out: Floats, work: Floats,
) -> int:  # fmt: skip
    """Fill `out` with prices; return which of spot (1), strike (2), tau (4) and vol (8) left their domain."""
    flags = 0
    for start in range(0, out.size, BLOCK):
        size = min(BLOCK, out.size - start)
        flags |= _load_all(spot, strike, tau, vol, is_call, rate, div_yield, steps, start, size, work)
        for j in range(size):
            work[RESULT * BLOCK + j] = price_one(
                work[SPOT * BLOCK + j],
                work[STRIKE * BLOCK + j],
                work[TAU * BLOCK + j],
                work[VOL * BLOCK + j],
                work[SIGN * BLOCK + j],
                work[RATE * BLOCK + j],
                work[DIV_YIELD * BLOCK + j],
            )
        store(work, RESULT, out, start, size)
    return flags


def greeks_all(
    spot: Floats, strike: Floats, tau: Floats, vol: Floats, is_call: Flags, rate: Floats, div_yield: Floats,
    steps: Counts, out: Table, work: Floats,
) -> int:  # fmt: skip
    """Fill the rows of `out` with greeks; return flags as `price_all` does."""
    flags = 0
    for start in range(0, out.shape[1], BLOCK):
        size = min(BLOCK, out.shape[1] - start)
        flags |= _load_all(spot, strike, tau, vol, is_call, rate, div_yield, steps, start, size, work)
        for j in range(size):
            found = greeks_one(
                work[SPOT * BLOCK + j],
                work[STRIKE * BLOCK + j],
                work[TAU * BLOCK + j],
                work[VOL * BLOCK + j],
                work[SIGN * BLOCK + j],
                work[RATE * BLOCK + j],
                work[DIV_YIELD * BLOCK + j],
            )
            at = RESULT * BLOCK + j
            work[at] = found[0]
            work[at + BLOCK] = found[1]
            work[at + 2 * BLOCK] = found[2]
            work[at + 3 * BLOCK] = found[3]
            work[at + 4 * BLOCK] = found[4]
            work[at + 5 * BLOCK] = found[5]
            work[at + 6 * BLOCK] = found[6]
            work[at + 7 * BLOCK] = found[7]
            work[at + 8 * BLOCK] = found[8]
            work[at + 9 * BLOCK] = found[9]
            work[at + 10 * BLOCK] = found[10]
        for row in range(out.shape[0]):
            store(work, RESULT + row, out[row], start, size)
    return flags
