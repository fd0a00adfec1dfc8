"""The loops behind `implied_vol`.

Nearly all options go through SIMD: a polynomial guess and one step of fifth order. Options of very short total
volatility are gathered and take the same step with a price formula that suits them. What is left (prices beyond the
guess's limits, prices without a solution, missing values) is handled one by one.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Flags, Floats
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.blocks import load, load_sign, outside
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_given, mills_ratios
from bifrost_lib.pricing.first_guess import FARTHEST, LEAST_PRICE, MOST_PRICE, guess_total_vol
from bifrost_lib.pricing.normal_form import density, log_moneyness
from bifrost_lib.pricing.total_vol import short_multiple, solve_total_vol
from bifrost_lib.pricing.workspace import BLOCK, ROW

_OK = int(Quality.OK)
_NO_QUOTE = int(Quality.NO_QUOTE)
_NO_SPOT = int(Quality.NO_SPOT)
_EXPIRED = int(Quality.EXPIRED)
_BELOW = int(Quality.BELOW_INTRINSIC)
_ABOVE = int(Quality.ABOVE_MAXIMUM)
_NO_IV = int(Quality.NO_IV)
_ROUNDING = 4.0 * 2.220446049250313e-16

# rows of the workspace: what is given, what it reduces to, and what is found
VALUE, SPOT, STRIKE, TAU, SIGN, RATE, DIV_YIELD = range(7)
ASSET, CASH, X, B, S, FAST, SHORT_X, SHORT_B, SHORT_S = range(7, 16)
INV_S, DENSITY, MODEL, PLACE = SHORT_X, SHORT_B, 16, 16  # rows serve twice: the short ones come last
SOLVER_ROWS = 17

SHORT = 0.03  # below it the difference of two Mills ratios has lost more digits than can be spared
_LANES = 16
LARGEST_STEP = 0.0022  # of the guess; a longer one means that the guess was outside its limits


@kernel(**SCALAR)
def reduce_one(value: float, asset: float, cash: float, sign: float, x: float, tau: float) -> Any:
    """Return |x|, the normalised out-of-the-money price, and 1 where the guess is good for them, else 0."""
    difference = sign * (asset - cash)
    intrinsic = difference if difference > 0.0 else 0.0
    least, most = (asset, cash) if asset < cash else (cash, asset)
    extra = value - intrinsic
    b, x = extra / least, math.fabs(x)
    noise = _ROUNDING * most if difference > 0.0 else 0.0
    fast = extra > noise and b > LEAST_PRICE and b < MOST_PRICE and x < FARTHEST and tau > 0.0
    return x, b, 1.0 if fast else 0.0


@kernel(**SCALAR)
def fifth_order(s: float, inv: float, h: float, slope: float, inv_slope: float, gap: float) -> float:
    """Return Householder's step of fifth order towards ln b(s) = target.

    `inv` = 1 / s, `h` = -x / s, `slope` = d ln b / d s and its inverse, `gap` = target - ln b(s). Every derivative of
    b is b' times a polynomial in h and s, which is why the order is nearly free.
    """
    v = h * h * inv
    a1 = v - 0.25 * s  # b'' / b'
    a2 = -3.0 * v * inv - 0.25  # its derivatives
    a3 = 12.0 * v * inv * inv
    g2 = a1 - slope  # f'' / f' of f = ln b
    g2_1 = a2 - slope * g2
    g2_2 = a3 - slope * (g2 * g2 + g2_1)
    g3 = g2 * g2 + g2_1
    g4 = g2 * (g2 * g2 + 3.0 * g2_1) + g2_2
    newton = gap * inv_slope
    top = 1.0 + newton * (g2 + newton * (g3 * 0.16666666666666666))
    cubic = 0.25 * g2 * g2 + 0.3333333333333333 * g3 + newton * g4 * 0.041666666666666664
    return newton * top / (1.0 + newton * (1.5 * g2 + newton * cubic))


@kernel(**SCALAR)
def model_price(x: float, s: float, inv: float) -> tuple[float, float]:
    """Return n(d1) and the normalised price b of total volatility `s` = 1 / `inv`, at x = |ln(forward / strike)|."""
    h = -x * inv
    d1 = h + 0.5 * s
    m1, m2 = mills_ratios(math.fabs(d1), 0.5 * s - h)
    n = density(d1)
    return n, (0.0 if d1 <= 0.0 else 1.0) + n * ((m1 if d1 <= 0.0 else -m1) - m2)


@kernel(**SCALAR)
def step_to(b: float, x: float, s: float, inv: float, n: float, model: float) -> float:
    """Return the step from `s`, whose `model_price` is (`n`, `model`), towards the volatility of price `b`."""
    total = b + model
    inverse = 1.0 / (n * model * total)  # one division for three
    gap = log_given(((b - model) * n) * (model * inverse))
    return fifth_order(s, inv, -x * inv, n * (n * total * inverse), model * (model * total * inverse), gap)


@kernel(**SCALAR)
def _improve_block(work: Any) -> None:
    # one step for all, from the guesses in S and INV_S; where it is longer than a guess can be wrong: NaN
    for j in range(BLOCK):
        work[DENSITY * ROW + j], work[MODEL * ROW + j] = model_price(
            work[X * ROW + j], work[S * ROW + j], work[INV_S * ROW + j]
        )
    for j in range(BLOCK):
        s = work[S * ROW + j]
        step = step_to(
            work[B * ROW + j],
            work[X * ROW + j],
            s,
            work[INV_S * ROW + j],
            work[DENSITY * ROW + j],
            work[MODEL * ROW + j],
        )
        good = math.fabs(step) < LARGEST_STEP * s and work[FAST * ROW + j] > 0.0
        work[S * ROW + j] = s + step if good else math.nan


@kernel(**SCALAR)
def improve_short(x: float, b: float, s: float) -> float:
    """Return total volatility from a good guess `s` < 0.1."""
    inv = 1.0 / s
    h = -x * inv
    multiple = short_multiple(h, 0.5 * s)
    model = density(h + 0.5 * s) * multiple
    gap = log_given((b - model) / (b + model))
    return s + fifth_order(s, inv, h, 1.0 / multiple, multiple, gap)


@kernel(**SCALAR)
def solve_block(work: Any, size: int) -> int:
    """Fill row S from rows X and B, NaN where only the one-by-one solver will do; return how many those are."""
    for j in range(BLOCK):
        s, inv = guess_total_vol(work[X * ROW + j], work[B * ROW + j])
        work[S * ROW + j] = s
        work[INV_S * ROW + j] = inv
        work[SHORT_S * ROW + j] = s  # kept for the short ones, which the step for all is not for
    short = 0
    for j in range(size):
        short += 1 if work[SHORT_S * ROW + j] < SHORT and work[FAST * ROW + j] > 0.0 else 0
    if short < size:
        _improve_block(work)
    if short > 0:
        _solve_short(work, size)
    left = 0
    for j in range(size):
        left += 1 if math.isnan(work[S * ROW + j]) else 0
    return left


@kernel(**SCALAR)
def _improve_short(work: Any, lanes: int) -> None:
    for i in range(lanes):
        guess = work[SHORT_S * ROW + i]
        s = improve_short(work[SHORT_X * ROW + i], work[SHORT_B * ROW + i], guess)
        work[SHORT_S * ROW + i] = s if math.fabs(s - guess) < LARGEST_STEP * guess else math.nan


@kernel(error_model="numpy", fastmath={"contract"})
def _solve_short(work: Any, size: int) -> None:
    # gather them, solve them side by side, scatter them
    short = 0
    for j in range(size):  # without a branch, which no processor would foresee
        work[PLACE * ROW + short] = j
        short += 1 if work[SHORT_S * ROW + j] < SHORT and work[FAST * ROW + j] > 0.0 else 0
    for i in range(short):
        j = int(work[PLACE * ROW + i])
        work[SHORT_X * ROW + i] = work[X * ROW + j]
        work[SHORT_B * ROW + i] = work[B * ROW + j]
        work[SHORT_S * ROW + i] = work[SHORT_S * ROW + j]
    if short <= _LANES:  # a number of turns that the compiler knows becomes SIMD
        _improve_short(work, _LANES)
    else:
        _improve_short(work, BLOCK)
    for i in range(short):
        work[S * ROW + int(work[PLACE * ROW + i])] = work[SHORT_S * ROW + i]


@kernel(error_model="numpy", fastmath={"contract"})
def implied_one(value: float, asset: float, cash: float, log_ratio: float, tau: float, call: bool) -> tuple[float, int]:
    """Return (iv, status), given the present values of the forward and of the strike and the log of their ratio."""
    if math.isnan(value + asset + cash + log_ratio + tau):
        return math.nan, _NO_QUOTE if math.isnan(value) else _NO_IV
    if tau <= 0.0:
        return math.nan, _EXPIRED
    intrinsic = max(asset - cash if call else cash - asset, 0.0)
    least, noise = min(asset, cash), _ROUNDING * max(asset, cash)
    extra, rest = value - intrinsic, (asset if call else cash) - value
    if extra <= (noise if intrinsic > 0.0 else 0.0):
        return math.nan, _BELOW if extra < -noise or value < 0.0 else _NO_IV
    if rest <= 0.0:
        return math.nan, _ABOVE
    s = solve_total_vol(-math.fabs(log_ratio), math.log(extra / least), math.log(rest / least))
    return (s / math.sqrt(tau), _OK) if s > 0.0 else (math.nan, _NO_IV)


@kernel(**SCALAR)
def _load_all(
    value: Any, spot: Any, strike: Any, tau: Any, is_call: Any, rate: Any, div_yield: Any, steps: Any, start: int,
    size: int, work: Any,
) -> int:  # fmt: skip
    load(work, VALUE, value, steps[0], start, size)
    load(work, SPOT, spot, steps[1], start, size)
    load(work, STRIKE, strike, steps[2], start, size)
    load(work, TAU, tau, steps[3], start, size)
    load_sign(work, SIGN, is_call, steps[4], start, size)
    load(work, RATE, rate, steps[5], start, size)
    load(work, DIV_YIELD, div_yield, steps[6], start, size)
    flags = outside(work, SPOT, size, True, 1) | outside(work, STRIKE, size, True, 2)
    return flags | outside(work, TAU, size, False, 4)


@kernel(**SCALAR)
def _reduce_block(work: Any) -> None:
    for j in range(BLOCK):
        s0, k, t = work[SPOT * ROW + j], work[STRIKE * ROW + j], work[TAU * ROW + j]
        rate, q = work[RATE * ROW + j], work[DIV_YIELD * ROW + j]
        asset, cash = s0 * exponential(-q * t), k * exponential(-rate * t)
        x, b, fast = reduce_one(
            work[VALUE * ROW + j], asset, cash, work[SIGN * ROW + j], log_moneyness(s0, k, t, rate, q), t
        )
        work[ASSET * ROW + j] = asset
        work[CASH * ROW + j] = cash
        work[X * ROW + j] = x
        work[B * ROW + j] = b
        work[FAST * ROW + j] = fast


def implied_all(
    value: Floats, spot: Floats, strike: Floats, tau: Floats, is_call: Flags, rate: Floats, div_yield: Floats,
    steps: Counts, iv: Floats, status: Flags, work: Floats,
) -> int:  # fmt: skip
    """Fill `iv` and `status`; return which of spot (1), strike (2) and tau (4) left their domain."""
    flags = 0
    for start in range(0, iv.size, BLOCK):
        size = min(BLOCK, iv.size - start)
        flags |= _load_all(value, spot, strike, tau, is_call, rate, div_yield, steps, start, size, work)
        _reduce_block(work)
        left = solve_block(work, size)
        for j in range(size):
            iv[start + j] = work[S * ROW + j] / math.sqrt(work[TAU * ROW + j])
        for j in range(size):
            status[start + j] = _OK
        if left == 0:
            continue
        for j in range(size):
            if not math.isnan(work[S * ROW + j]):
                continue
            s0, k, t = work[SPOT * ROW + j], work[STRIKE * ROW + j], work[TAU * ROW + j]
            x = log_moneyness(s0, k, t, work[RATE * ROW + j], work[DIV_YIELD * ROW + j])
            iv[start + j], found = implied_one(
                work[VALUE * ROW + j],
                work[ASSET * ROW + j],
                work[CASH * ROW + j],
                x,
                t,
                work[SIGN * ROW + j] > 0.0,
            )
            status[start + j] = _NO_SPOT if found == _NO_IV and math.isnan(s0) else found
    return flags
