"""One option a thread: the scalar functions of the processor's loops, on a GPU.

A column of one element serves every option, hence the remainders.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.cuda import gpu_loop, thread
from bifrost_lib.core.quality import Quality
from bifrost_lib.pricing.elementary import exponential
from bifrost_lib.pricing.first_guess import guess_total_vol
from bifrost_lib.pricing.implied_loops import LARGEST_STEP, SHORT, implied_one, improve_short, model_price, reduce_one
from bifrost_lib.pricing.implied_loops import step_to as step_towards
from bifrost_lib.pricing.normal_form import distances, exercised, log_moneyness, present_values, slopes
from bifrost_lib.pricing.normal_form import value as value_of

_OK, _NO_IV, _NO_SPOT = int(Quality.OK), int(Quality.NO_IV), int(Quality.NO_SPOT)


@gpu_loop
def greeks_each(
    spot: Any, strike: Any, tau: Any, vol: Any, is_call: Any, rate: Any, div_yield: Any, price: Any, delta: Any,
    gamma: Any, vega: Any, theta: Any, rho: Any, vanna: Any, volga: Any, charm: Any, speed: Any, zomma: Any, color: Any,
) -> None:  # fmt: skip
    """Write the price and all greeks of each option."""
    i = thread()
    if i >= price.size:
        return
    s0, k, t, v = spot[i % spot.size], strike[i % strike.size], tau[i % tau.size], vol[i % vol.size]
    r, q, sign = rate[i % rate.size], div_yield[i % div_yield.size], 2.0 * is_call[i % is_call.size] - 1.0
    root, d1, d2 = distances(s0, k, t, v, r, q)
    asset, cash, shared = present_values(s0, k, t, r, q, d2)
    held, owed = exercised(sign, d1, d2, asset, cash, shared)
    price[i] = value_of(sign, asset, cash, held, owed)
    found = slopes(s0, t, v, sign, r, q, root, d1, d2, held, owed, shared)
    delta[i], gamma[i], vega[i], theta[i], rho[i], vanna[i] = found[0], found[1], found[2], found[3], found[4], found[5]
    volga[i], charm[i], speed[i], zomma[i], color[i] = found[6], found[7], found[8], found[9], found[10]


@gpu_loop
def price_each(spot: Any, strike: Any, tau: Any, vol: Any, is_call: Any, rate: Any, div_yield: Any, out: Any) -> None:
    """Write the price of each option."""
    i = thread()
    if i >= out.size:
        return
    s0, k, t, v = spot[i % spot.size], strike[i % strike.size], tau[i % tau.size], vol[i % vol.size]
    r, q, sign = rate[i % rate.size], div_yield[i % div_yield.size], 2.0 * is_call[i % is_call.size] - 1.0
    _, d1, d2 = distances(s0, k, t, v, r, q)
    asset, cash, shared = present_values(s0, k, t, r, q, d2)
    held, owed = exercised(sign, d1, d2, asset, cash, shared)
    out[i] = value_of(sign, asset, cash, held, owed)


@gpu_loop
def implied_each(
    value: Any, spot: Any, strike: Any, tau: Any, is_call: Any, rate: Any, div_yield: Any, iv: Any, status: Any
) -> None:
    """Write the implied volatility of each option and why there is none."""
    i = thread()
    if i >= iv.size:
        return
    price, s0, k, t = value[i % value.size], spot[i % spot.size], strike[i % strike.size], tau[i % tau.size]
    r, q, call = rate[i % rate.size], div_yield[i % div_yield.size], is_call[i % is_call.size] > 0
    asset, cash = s0 * exponential(-q * t), k * exponential(-r * t)
    moneyness = log_moneyness(s0, k, t, r, q)
    x, b, fast = reduce_one(price, asset, cash, 1.0 if call else -1.0, moneyness, t)
    total = math.nan
    if fast > 0.0:
        guess, inverse = guess_total_vol(x, b)
        if guess < SHORT:
            total = improve_short(x, b, guess)
        else:
            density, model = model_price(x, guess, inverse)
            total = guess + step_towards(b, x, guess, inverse, density, model)
        if not math.fabs(total - guess) < LARGEST_STEP * guess:
            total = math.nan
    if math.isnan(total):
        iv[i], found = implied_one(price, asset, cash, moneyness, t, call)
        status[i] = _NO_SPOT if found == _NO_IV and math.isnan(s0) else found
    else:
        iv[i], status[i] = total / math.sqrt(t), _OK
