"""The loop behind American options with cash dividends: option by option, from payment to payment back to now."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Flags, Floats, Table
from bifrost_lib.pricing.american_grid_loops import GRID, drop, fill_payoff, lay_grid, march, soften
from bifrost_lib.pricing.american_reduce_loops import still_value
from bifrost_lib.pricing.elementary import log_ratio

_NUDGE = 1e-7  # of the spot, where its path is certain and the value therefore linear
_STILL = 1e-6  # vol sqrt(tau) below which the underlying is taken not to fluctuate


def value_all(
    s0: Floats, k: Floats, tau: Floats, vol: Floats, call: Flags, rate: Floats, q: Floats, width: Floats, when: Floats,
    paid: Floats, escrowed: int, steps: int, halvings: int, work: Table, out: Table,
) -> int:  # fmt: skip
    """Fill the rows of `out` with values, their slopes, and the slopes of those; return how many options there are.

    Slopes are by the logarithm of what is lognormal: the spot, or the spot less its escrow. `width` is the standard
    deviation by which grids are laid; the columns of `work` (GRID_ROWS, nodes) stand for the grid.
    """
    y, value, pay, pair = work[0], work[1], work[2], work[3:5]
    for i in range(s0.size):
        sign = 1.0 if call[i] != 0 else -1.0
        if not math.isfinite(s0[i] + k[i] + tau[i] + vol[i] + rate[i] + q[i]):
            out[0, i], out[1, i], out[2, i] = math.nan, math.nan, math.nan
        elif vol[i] * math.sqrt(tau[i]) < _STILL:
            out[0, i] = _still(s0[i], k[i], tau[i], sign, rate[i], q[i], when, paid)
            up = _still(s0[i] * (1.0 + _NUDGE), k[i], tau[i], sign, rate[i], q[i], when, paid)
            down = _still(s0[i] * (1.0 - _NUDGE), k[i], tau[i], sign, rate[i], q[i], when, paid)
            start = s0[i] - (_escrow(0.0, tau[i], rate[i] - q[i], when, paid) if escrowed != 0 else 0.0)
            out[1, i] = out[2, i] = 0.5 * (up - down) / (_NUDGE * s0[i]) * start
        else:
            node = _roll_home(
                s0[i],
                k[i],
                tau[i],
                vol[i],
                sign,
                rate[i],
                q[i],
                width[i],
                when,
                paid,
                escrowed != 0,
                steps,
                halvings,
                y,
                value,
                pay,
                pair,
            )
            h = y[1] - y[0]
            out[0, i] = value[node]
            out[1, i] = 0.5 * (value[node + 1] - value[node - 1]) / h
            out[2, i] = (value[node + 1] - 2.0 * value[node] + value[node - 1]) / (h * h)
    return s0.size


@kernel(**GRID)
def _escrow(at: float, tau: float, carry: float, when: Any, paid: Any) -> float:
    """Return the worth at `at` of the payments after it and up to `tau`."""
    worth = 0.0
    for m in range(when.size):
        if at < when[m] <= tau:
            worth += paid[m] * math.exp(-carry * (when[m] - at))
    return worth


@kernel(**GRID)
def _roll_home(
    s: float,
    k: float,
    tau: float,
    vol: float,
    sign: float,
    rate: float,
    q: float,
    width: float,
    when: Any,
    paid: Any,
    escrowed: bool,
    steps: int,
    halvings: int,
    y: Any,
    value: Any,
    pay: Any,
    work: Any,
) -> int:
    """Fill `value` with what the option is worth now on each node, and return today's."""
    carry = rate - q
    start = s - _escrow(0.0, tau, carry, when, paid) if escrowed else s
    node = lay_grid(start, k, width, halvings, y)
    fill_payoff(sign, k, 0.0, y, pay)
    for i in range(y.size):
        value[i] = pay[i]
    soften(sign, k, y, value)
    at = tau
    for m in range(when.size - 1, -2, -1):
        moment = when[m] if m >= 0 else 0.0
        if moment > tau:
            continue
        span = at - moment
        if span > 0.0:
            parts = max(math.ceil(steps * span / tau), 4) << halvings
            _roll_back(value, pay, sign, moment, span, parts, tau, k, vol, carry, rate, when, paid, escrowed, y, work)
        at = moment
        if m < 0:
            break
        if not escrowed:
            drop(value, paid[m], y, work)
        held_back = _escrow(at, tau, carry, when, paid) + paid[m] if escrowed else 0.0
        fill_payoff(sign, k, held_back, y, pay)
        for i in range(y.size):
            value[i] = max(value[i], pay[i])
        fill_payoff(sign, k, held_back - paid[m] if escrowed else 0.0, y, pay)
    return int(node)


@kernel(**GRID)
def _roll_back(
    value: Any,
    pay: Any,
    sign: float,
    moment: float,
    span: float,
    parts: int,
    tau: float,
    k: float,
    vol: float,
    carry: float,
    rate: float,
    when: Any,
    paid: Any,
    escrowed: bool,
    y: Any,
    work: Any,
) -> None:
    """Take `value` back to `moment`, over `span` in `parts` steps, the first two of them damped."""
    dt = span / parts
    for i in range(parts):
        if escrowed:  # what is held back for later payments grows, and with it the value of exercise on each node
            fill_payoff(sign, k, _escrow(moment + (parts - 1 - i) * dt, tau, carry, when, paid), y, pay)
        if i < 2:
            march(value, pay, sign, 0.5 * dt, 1.0, vol, carry, rate, y, work)
            march(value, pay, sign, 0.5 * dt, 1.0, vol, carry, rate, y, work)
        else:
            march(value, pay, sign, dt, 0.5, vol, carry, rate, y, work)


@kernel(**GRID)
def _still(s: float, k: float, tau: float, sign: float, rate: float, q: float, when: Any, paid: Any) -> float:
    """Return the best discounted exercise value on the only path there is."""
    best, at = max(sign * (s - k), 0.0), 0.0
    for m in range(when.size + 1):
        moment = min(when[m], tau) if m < when.size else tau
        span = moment - at
        if sign < 0.0:
            here, _ = still_value(log_ratio(s, k), rate * span, q * span)
            best = max(best, math.exp(-rate * at) * k * here)
        else:
            here, _ = still_value(log_ratio(k, s), q * span, rate * span)
            best = max(best, math.exp(-rate * at) * s * here)
        s *= math.exp((rate - q) * span)
        at = moment
        if m < when.size and when[m] <= tau:
            s = max(s - paid[m], 1e-300)
    return best
