"""One American option on an underlying that pays cash, by finite differences: the scalar part.

The grid is uniform in y = ln(spot), with today's spot and the strike on nodes unless these are too close. Time runs
backwards in Crank-Nicolson steps, the first two after expiry and after each payment replaced by four half steps of
implicit Euler, which damp the kink that is then in the value. Each step solves the linear complementarity problem
exactly, by eliminating towards the side where the option is exercised (Brennan and Schwartz 1977).
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel

GRID = {"error_model": "numpy", "fastmath": False}
_REACH = 6.0  # half the width of the grid, in standard deviations beyond today's spot and the strike
_TOO_CLOSE = 0.75  # of a step: nearer strikes get no node, since steps as short as that would not reach far enough


@kernel(**GRID)
def lay_grid(s: float, k: float, width: float, halvings: int, y: Any) -> int:
    """Fill `y` with ln(spot) and return the node of the spot `s`; a node lies at the strike `k` unless it is too close.

    Each of the `halvings` puts a node between any two of the grid that is half as long.
    """
    parts = (y.size - 1) >> halvings
    here = math.log(s)
    gap = math.log(k) - here
    reach = _REACH * width
    step = (abs(gap) + 2.0 * reach) / parts
    if abs(gap) > _TOO_CLOSE * step:
        step = abs(gap) / math.floor(abs(gap) / step + 0.5)
    # a step that was rounded moves both ends alike, so that neither comes near the spot or the strike
    beyond = 0.5 * (parts * step - abs(gap))
    node = min(max(int((beyond - min(gap, 0.0)) / step + 0.5), 2), parts - 2) << halvings
    step = step / (1 << halvings)
    for i in range(y.size):
        y[i] = here + (i - node) * step
    return int(node)


@kernel(**GRID)
def fill_payoff(sign: float, k: float, extra: float, y: Any, pay: Any) -> None:
    """Set `pay` to the value of exercise where the spot is exp(y) + extra."""
    for i in range(y.size):
        pay[i] = max(sign * (math.exp(y[i]) + extra - k), 0.0)


@kernel(**GRID)
def soften(sign: float, k: float, y: Any, value: Any) -> None:
    """Give the node nearest to the strike `k` the mean of the payoff around it, unless the strike is on it.

    What a kink between two nodes costs then falls with the square of the step wherever it lies, as extrapolation needs.
    """
    h = y[1] - y[0]
    node = int((math.log(k) - y[0]) / h + 0.5)
    off = math.log(k) - y[node]
    if math.fabs(off) < 1e-9 * h:
        return
    low, high = (off, 0.5 * h) if sign > 0.0 else (-0.5 * h, off)
    asset = math.exp(y[node]) * (math.exp(high) - math.exp(low))
    value[node] = sign * (asset - k * (high - low)) / h


@kernel(**GRID)
def march(
    value: Any,
    pay: Any,
    sign: float,
    dt: float,
    blend: float,
    vol: float,
    drift: float,
    rate: float,
    y: Any,
    work: Any,
) -> None:
    """Take one step `dt` back in time; `blend` is 1 for implicit Euler and 0.5 for Crank-Nicolson."""
    n = y.size
    h = y[1] - y[0]
    half = 0.5 * vol * vol / (h * h)
    tilt = 0.5 * (drift - 0.5 * vol * vol) / h
    down, up = half - tilt, half + tilt
    centre = -2.0 * half - rate
    e, f = blend * dt, (1.0 - blend) * dt
    diagonal, right = work[0], work[1]
    lo, hi, on = -e * down, -e * up, 1.0 - e * centre
    for i in range(1, n - 1):
        right[i] = value[i] + f * (down * value[i - 1] + centre * value[i] + up * value[i + 1])
    # at both ends the value is linear in the spot, so that only drift and interest move it
    fade, ride = math.exp(-rate * dt), math.exp(drift * dt) - 1.0
    first = max(pay[0], fade * (value[0] + (value[1] - value[0]) / (math.exp(h) - 1.0) * ride))
    last = max(pay[n - 1], fade * (value[n - 1] + (value[n - 1] - value[n - 2]) / (1.0 - math.exp(-h)) * ride))
    right[1] -= lo * first
    right[n - 2] -= hi * last
    value[0], value[n - 1] = first, last
    if sign < 0.0:
        diagonal[n - 2] = on
        for i in range(n - 3, 0, -1):
            m = hi / diagonal[i + 1]
            diagonal[i] = on - m * lo
            right[i] -= m * right[i + 1]
        for i in range(1, n - 1):
            below = lo * value[i - 1] if i > 1 else 0.0
            value[i] = max((right[i] - below) / diagonal[i], pay[i])
    else:
        diagonal[1] = on
        for i in range(2, n - 1):
            m = lo / diagonal[i - 1]
            diagonal[i] = on - m * hi
            right[i] -= m * right[i - 1]
        for i in range(n - 2, 0, -1):
            above = hi * value[i + 1] if i < n - 2 else 0.0
            value[i] = max((right[i] - above) / diagonal[i], pay[i])


@kernel(**GRID)
def drop(value: Any, paid: float, y: Any, work: Any) -> None:
    """Replace `value` by that before a payment of `paid`: V(S) becomes V(S - paid), or V of the lowest node."""
    n = y.size
    h = y[1] - y[0]
    before = work[0]
    for i in range(n):
        before[i] = value[i]
    for i in range(n):
        left = math.exp(y[i]) - paid
        at = (math.log(left) - y[0]) / h if left > 0.0 else -1.0
        if at <= 0.0:
            value[i] = before[0]
            continue
        j = min(max(int(at), 1), n - 3)
        t = at - j
        value[i] = (
            -t * (t - 1.0) * (t - 2.0) / 6.0 * before[j - 1]
            + (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0 * before[j]
            - (t + 1.0) * t * (t - 2.0) / 2.0 * before[j + 1]
            + (t + 1.0) * t * (t - 1.0) / 6.0 * before[j + 2]
        )
