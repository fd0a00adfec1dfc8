"""American puts with div_yield < rate < 0, which are exercised between two boundaries.

Above the upper boundary B the option waits for the spot to fall, below the lower one Y for it to rise, because there
the negative rate costs more than the negative yield. A path reaches the region through one of them only, so each can be
found as if the other were not there: B solves the usual equation, Y its mirror image, in which the option would be
exercised everywhere above Y. Exercise between the two earns the difference of the two premiums. Where volatility is
large, B and Y meet at some time to expiry; before that the option is never exercised, which `horizon` remembers.

References
----------
Andersen, Lake (2021), "Fast American option pricing: the double-boundary case", Wilmott 2021(116).
Battauz, De Donno, Sbuelz (2015), "Real options and American derivatives: the double continuation region",
Management Science 61(5).
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Floats, Table
from bifrost_lib.pricing.american_boundary_loops import (
    BLOCK,
    DD,
    DN,
    FLOOR,
    INV_W,
    SEED_ROUNDS,
    START,
    A,
    C,
    D,
    G,
    N,
    W,
    paste,
    recall,
    seed,
)
from bifrost_lib.pricing.american_layout import (
    ACC,
    ACC_SIZE,
    ASK,
    ASK_SIZE,
    CON,
    CON_SIZE,
    LANE,
    LANES,
    OUT,
    OUT_SIZE,
    PAR,
    PAR_SIZE,
)
from bifrost_lib.pricing.american_value_loops import LIFE, VX, VXX, V, X, add_premium, european
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio, mills_ratio
from bifrost_lib.pricing.normal_form import INV_SQRT_2PI

_TRIALS = 14  # of the horizon
_CLOSED = 1e-4  # gap of the boundaries, in ln(spot), at which they have met


@kernel(**SCALAR)
def _step_up(n: float, d: float, dn: float, dd: float, start: float, g: float) -> float:
    good = n > 1e-290 and d > 1e-290
    top, bottom = (n, d) if good else (1.0, 1.0)
    y = start + g
    step = (log_ratio(top, bottom) - y) / (dn / top - dd / bottom - 1.0)
    moved = y - step if good and not math.isnan(step) else y
    moved = start if moved < start else moved
    return (0.0 if moved > 0.0 else moved) - start


@kernel(**BLOCK)
def paste_lower(par: Any, g: Any, h: Any, z: Any, root: Any, weight: Any, rows: Any, acc: Any, u: Any) -> None:
    """Improve the lower boundary start + g by one sweep of Newton steps on its smooth-pasting equation."""
    for i in range(z.size):
        for j in range(LANES):
            par[G + j] = g[i, j]
            acc[N + j], acc[D + j], acc[DN + j], acc[DD + j] = 0.0, 0.0, 0.0, 0.0
        for k in range(root.size):
            zk = z[i] * root[k]
            s = zk * zk
            wk = 2.0 * weight[k] * z[i] * zk
            row = rows[i * root.size + k]
            own = row[i]
            recall(h, row, u)
            for j in range(LANES):
                a, c, v, inv_v = par[A + j], par[C + j], par[W + j] * zk, par[INV_W + j] / zk
                gu = math.sqrt(u[j] if u[j] > 1e-30 else 1e-30)
                low = (par[G + j] - gu + (a - c) * s) * inv_v - 0.5 * v
                high = low + v
                asset = -c * wk * exponential(-c * s)
                fl = -a * wk * INV_SQRT_2PI * exponential(-a * s - 0.5 * low * low)
                fh = asset * INV_SQRT_2PI * exponential(-0.5 * high * high)
                part = fh * mills_ratio(math.fabs(high))
                rest = 1.0 - own * par[G + j] / gu
                rest = 0.0 if rest < 0.0 else (2.0 if rest > 2.0 else rest)
                acc[N + j] += fl * inv_v
                acc[D + j] += fh * inv_v - (part if high > 0.0 else asset - part)
                acc[DN + j] -= rest * fl * low * inv_v * inv_v
                acc[DD + j] -= rest * fh * (high * inv_v - 1.0) * inv_v
        for j in range(LANES):
            x = _step_up(acc[N + j], acc[D + j], acc[DN + j], acc[DD + j], par[START + j], par[G + j])
            g[i, j] = x
            h[i, j] = x * x


@kernel(**BLOCK)
def _load(chosen: Any, first: int, data: Any, horizon: Any, par: Any, ask: Any) -> None:
    end = chosen.size - 1
    for j in range(LANES):
        i = chosen[first + j if first + j < end else end]
        span = horizon[j]
        a, c, w = data[1, i] * span, data[2, i] * span, data[3, i] * math.sqrt(span)
        ask[X + j], ask[LIFE + j] = data[0, i], 1.0 / span
        par[A + j], par[C + j], par[W + j], par[INV_W + j] = a, c, w, 1.0 / w
        par[START + j], par[FLOOR + j] = 0.0, log_ratio(-a, -c)


@kernel(**BLOCK)
def _both(
    par: Any, z: Any, root: Any, weight: Any, rows: Any, sweeps: int, acc: Any, con: Any, u: Any, g: Any, h: Any,
    g_low: Any, h_low: Any,
) -> None:  # fmt: skip
    """Solve for the upper boundary into `g`, and for the lower one into `g_low`."""
    for j in range(LANES):
        par[START + j] = 0.0
    seed(par, g, h, z, SEED_ROUNDS, con)
    for _ in range(sweeps):
        paste(par, g, h, z, root, weight, rows, acc, u)
    for j in range(LANES):
        par[START + j] = par[FLOOR + j]
    for i in range(z.size):
        for j in range(LANES):
            middle = -0.5 * par[FLOOR + j]
            guess = 0.5 * par[W + j] * z[i]
            guess = middle if middle < guess else guess
            g_low[i, j] = guess
            h_low[i, j] = guess * guess
    for _ in range(sweeps):
        paste_lower(par, g_low, h_low, z, root, weight, rows, acc, u)


def solve_double(
    chosen: Counts, data: Table, z: Floats, root: Floats, weight: Floats, rows: Table, value_root: Floats,
    value_weight: Floats, value_rows: Table, sweeps: int, work: Floats, g: Table, h: Table, g_low: Table, h_low: Table,
) -> int:  # fmt: skip
    """Solve the options whose positions are `chosen` and store their results; return how many there were.

    The last five arguments are the workspace and tables for two boundaries.
    """
    par, ask, out = work[PAR : PAR + PAR_SIZE], work[ASK : ASK + ASK_SIZE], work[OUT : OUT + OUT_SIZE]
    acc, con, u = work[ACC : ACC + ACC_SIZE], work[CON : CON + CON_SIZE], work[LANE : LANE + LANES]
    basis, horizon = work[LANE + LANES : LANE + 2 * LANES], work[LANE + 2 * LANES : LANE + 3 * LANES]
    low, high = work[LANE + 3 * LANES : LANE + 4 * LANES], work[LANE + 4 * LANES : LANE + 5 * LANES]
    for first in range(0, chosen.size, LANES):
        for j in range(LANES):
            horizon[j], low[j], high[j] = 1.0, 0.0, 1.0
        for trial in range(_TRIALS):
            _load(chosen, first, data, horizon, par, ask)
            _both(par, z, root, weight, rows, sweeps, acc, con, u, g, h, g_low, h_low)
            if not _narrow(par, g, g_low, z, horizon, low, high, trial == _TRIALS - 1):
                break
        european(par, ask, out)
        for j in range(LANES):
            basis[j] = out[V + j]
        add_premium(par, ask, h_low, value_root, value_weight, value_rows, -1.0, u, out)
        for j in range(LANES):
            par[START + j] = 0.0
        add_premium(par, ask, h, value_root, value_weight, value_rows, 1.0, u, out)
        _store(chosen, first, par, ask, g, g_low, z.size - 1, horizon, basis, out, data)
    return chosen.size


@kernel(**BLOCK)
def _store(
    chosen: Any, first: int, par: Any, ask: Any, g: Any, g_low: Any, last: int, horizon: Any, basis: Any, out: Any,
    data: Any,
) -> None:  # fmt: skip
    left = chosen.size - first
    for j in range(left if left < LANES else LANES):
        i = chosen[first + j]
        x, spot = ask[X + j], exponential(ask[X + j])
        value, slope, bend = out[V + j], out[VX + j], out[VXX + j]
        value = basis[j] if value < basis[j] else value
        alive = horizon[j] >= 1.0
        if (alive and par[FLOOR + j] + g_low[last, j] <= x <= -g[last, j]) or value < 1.0 - spot:
            value, slope, bend = 1.0 - spot, -spot, -spot
        data[4, i], data[5, i], data[6, i], data[8, i] = value, slope, bend, value - basis[j]
        data[7, i] = -g[last, j] if alive else -math.inf


@kernel(error_model="numpy")
def _narrow(par: Any, g: Any, g_low: Any, z: Any, horizon: Any, low: Any, high: Any, final: bool) -> bool:
    """Move the horizons towards where the boundaries meet; return whether any has to be tried again."""
    again = False
    for j in range(LANES):
        if low[j] == high[j]:
            continue
        gap, meeting = _meeting(par, g, g_low, z, j)
        if gap >= 0.0:
            low[j] = horizon[j]
            if horizon[j] == 1.0:
                high[j] = 1.0
                continue
        else:
            high[j] = horizon[j]
        if final or 0.0 <= gap < _CLOSED:
            # the region has all but closed: what lies beyond is worth nothing
            low[j] = high[j] = horizon[j]
            continue
        guess = horizon[j] * meeting * meeting
        horizon[j] = guess if low[j] < guess < high[j] else 0.5 * (low[j] + high[j])
        again = True
    return again


@kernel(error_model="numpy")
def _meeting(par: Any, g: Any, g_low: Any, z: Any, j: int) -> tuple[float, float]:
    """Return the last gap between the boundaries, or the first negative one, and the z at which they nearly meet.

    Behind the first node with a negative gap both boundaries are fiction, and may even part again.
    """
    gap, at, falls = -par[FLOOR + j], 0.0, 0.0
    for i in range(z.size):
        following = -g[i, j] - par[FLOOR + j] - g_low[i, j]
        falls = (gap - following) / (z[i] - at)
        if following < 0.0:
            return following, at + (gap - 0.5 * _CLOSED) / falls
        gap, at = following, z[i]
    return gap, at + (gap - 0.5 * _CLOSED) / falls if falls > 0.0 else math.inf
