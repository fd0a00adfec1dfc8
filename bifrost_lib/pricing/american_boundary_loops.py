"""The exercise boundary of American puts, for blocks of options at once.

An option is reduced to a = rate tau, c = div_yield tau, w = vol sqrt(tau); time runs from 0 to 1 and the strike is 1.
The boundary b(t) = ln B(t), t being the time to expiry, starts at `start` = ln min(1, rate / div_yield) and falls. At
each node t = z^2 the unknown is g = start - b >= 0; g^2 is smooth in z and is what gets interpolated.

`seed` takes Li's QD+ approximation. `paste` makes the boundary satisfy the smooth-pasting form of Kim's integral
equation (formulation A of Andersen, Lake and Offengenden), node after node from expiry on, each by one Newton step that
counts how the node itself bends the interpolated past: two such sweeps do what takes five or more of the fixed-point
iterations, and they converge where those diverge, with many nodes and a carry that dwarfs the volatility.

Everything is an array of `LANES` options, so that the innermost loops are SIMD code. `par` and `acc` are flat with
constant offsets because the vectoriser can then tell their rows apart.

References
----------
Andersen, Lake, Offengenden (2016), "High-performance American option pricing", J. Computational Finance 20(1).
Li (2010), "Analytical approximations of the critical stock prices of American options: a performance comparison",
Review of Derivatives Research 13.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.american_layout import LANES
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio, mills_ratio
from bifrost_lib.pricing.normal_form import INV_SQRT_2PI

SEED_ROUNDS = 3
BLOCK = {"error_model": "numpy", "fastmath": {"contract"}}

# rows of `par`
A, C, W, INV_W, START, FLOOR, G = (row * LANES for row in range(7))
# rows of `acc`: numerator and denominator of the fixed point exp(b) = N / D, and their derivatives in b
N, D, DN, DD = (row * LANES for row in range(4))


@kernel(**SCALAR)
def distribution(d: float, scale: float, density: float) -> float:
    """Return scale * N(d), given ``density = scale * n(d)``."""
    part = density * mills_ratio(math.fabs(d))
    return scale - part if d > 0.0 else part


@kernel(**SCALAR)
def perpetual_log_boundary(a: float, c: float, w: float) -> float:
    """Return the logarithm of the boundary of a put that never expires; -700 stands for none."""
    v = w * w
    n = 2.0 * (a - c) / v
    square = (n - 1.0) * (n - 1.0) + 8.0 * a / v
    # the root written so that nothing cancels where the drift dominates
    rooted = math.sqrt(square if square > 0.0 else 0.0)
    low = 0.5 * (1.0 - n - rooted) if n > 1.0 else -4.0 * a / v / (1.0 - n + rooted)
    return log_ratio(-low, 1.0 - low) if low < -1e-300 else -700.0


@kernel(**SCALAR)
def qd_constants(a: float, c: float, w: float) -> Any:
    """Return what QD+ needs of one time to expiry: two discount factors and the factors of its equation."""
    v = w * w
    cash, asset = exponential(-a), exponential(-c)
    # 1 - exp(-a) loses digits where a is small, but only (1 - cash) / a enters, and there the series serves
    kept = (1.0 - cash) / a if math.fabs(a) > 1e-3 else 1.0 - a * (0.5 - a * (1.0 / 6.0 - a * (1.0 / 24.0)))
    n = 2.0 * (a - c) / v
    m = 2.0 / (v * kept)
    square = (n - 1.0) * (n - 1.0) + 4.0 * m
    rooted = math.sqrt(square)
    low = 0.5 * (1.0 - n - rooted) if n > 1.0 else -2.0 * m / (1.0 - n + rooted)
    speed = 2.0 / (v * rooted)
    return cash, asset, low + speed * cash / kept * (1.0 - m / square), speed


@kernel(**SCALAR)
def qd_step(
    b: float, a: float, c: float, w: float, inv_w: float, cash: float, asset: float, k: float, e: float
) -> float:
    """Return the Newton step in b = ln S for the boundary equation of QD+."""
    s = exponential(b)
    d1 = (b + a - c) * inv_w + 0.5 * w
    d2 = d1 - w
    held = s * asset
    density = held * INV_SQRT_2PI * exponential(-0.5 * d1 * d1)
    up = distribution(-d1, held, density)
    down = distribution(-d2, cash, density)
    decay = a * down - c * up - 0.5 * w * density  # theta of the European put
    slope = density * ((c - a) * inv_w - 0.5 * w + 0.5 * d1) - c * up
    free = s - up
    gap = free + k * (1.0 - s - (down - up)) - e * decay
    return gap / (free + density * inv_w - k * free - e * slope)


@kernel(**BLOCK)
def seed(par: Any, g: Any, h: Any, z: Any, rounds: int, con: Any) -> None:
    """Fill `g` and `h` = g^2, both (nodes, LANES), by QD+."""
    for i in range(z.size):
        zi = z[i]
        t = zi * zi
        for j in range(LANES):
            cash, asset, k, e = qd_constants(par[A + j] * t, par[C + j] * t, par[W + j] * zi)
            con[j] = cash
            con[LANES + j] = asset
            con[2 * LANES + j] = k
            con[3 * LANES + j] = e
        if i == 0:
            for j in range(LANES):
                con[4 * LANES + j] = par[START + j] - 1.2 * par[W + j] * zi
        elif i == 1:
            for j in range(LANES):
                con[4 * LANES + j] = par[START + j] - g[0, j] * zi / z[0]
        else:
            f = (zi - z[i - 1]) / (z[i - 1] - z[i - 2])
            for j in range(LANES):
                con[4 * LANES + j] = par[START + j] - (g[i - 1, j] + f * (g[i - 1, j] - g[i - 2, j]))
        for _ in range(rounds + (2 if i == 0 else 0)):
            for j in range(LANES):
                b = con[4 * LANES + j]
                step = qd_step(
                    b,
                    par[A + j] * t,
                    par[C + j] * t,
                    par[W + j] * zi,
                    par[INV_W + j] / zi,
                    con[j],
                    con[LANES + j],
                    con[2 * LANES + j],
                    con[3 * LANES + j],
                )
                b = b - (0.0 if math.isnan(step) else step)
                b = par[FLOOR + j] if b < par[FLOOR + j] else b
                con[4 * LANES + j] = par[START + j] if b > par[START + j] else b
        for j in range(LANES):
            g[i, j] = par[START + j] - con[4 * LANES + j]
            h[i, j] = g[i, j] * g[i, j]


@kernel(**BLOCK)
def recall(h: Any, row: Any, u: Any) -> None:
    """Interpolate: u = sum over nodes of row times h, per lane."""
    for j in range(LANES):
        u[j] = row[0] * h[0, j]
    for m in range(1, row.size):
        f = row[m]
        for j in range(LANES):
            u[j] += f * h[m, j]


@kernel(**SCALAR)
def newton(n: float, d: float, dn: float, dd: float, start: float, g: float, floor: float) -> float:
    """Return the next g, from one step towards exp(b) = n / d, kept between the perpetual boundary and expiry's."""
    good = n > 1e-290 and d > 1e-290
    top, bottom = (n, d) if good else (1.0, 1.0)
    b = start - g
    step = (log_ratio(top, bottom) - b) / (dn / top - dd / bottom - 1.0)
    moved = b - step if good and not math.isnan(step) else b
    moved = floor if moved < floor else moved
    return start - (start if moved > start else moved)


@kernel(**BLOCK)
def paste(par: Any, g: Any, h: Any, z: Any, root: Any, weight: Any, rows: Any, acc: Any, u: Any) -> None:
    """Improve the boundary by one sweep of Newton steps on the smooth-pasting equation."""
    for i in range(z.size):
        zi = z[i]
        t = zi * zi
        for j in range(LANES):
            par[G + j] = g[i, j]
        for j in range(LANES):  # the option that is never exercised early
            a, c, v, inv_v = par[A + j] * t, par[C + j] * t, par[W + j] * zi, par[INV_W + j] / zi
            low = (par[START + j] - par[G + j] + a - c) * inv_v - 0.5 * v
            high = low + v
            asset = exponential(-c)
            fl = INV_SQRT_2PI * exponential(-a - 0.5 * low * low)
            fh = INV_SQRT_2PI * exponential(-c - 0.5 * high * high)
            acc[N + j] = fl * inv_v
            acc[D + j] = fh * inv_v + distribution(high, asset, fh)
            acc[DN + j] = -fl * low * inv_v * inv_v
            acc[DD + j] = -fh * (high * inv_v - 1.0) * inv_v
        for k in range(root.size):
            zk = zi * root[k]
            s = zk * zk
            wk = 2.0 * weight[k] * t * root[k]
            row = rows[i * root.size + k]
            own = row[i]
            recall(h, row, u)
            for j in range(LANES):  # exercise at the time s from now
                a, c, v, inv_v = par[A + j], par[C + j], par[W + j] * zk, par[INV_W + j] / zk
                gu = math.sqrt(u[j] if u[j] > 1e-30 else 1e-30)
                low = (gu - par[G + j] + (a - c) * s) * inv_v - 0.5 * v
                high = low + v
                asset = exponential(-c * s)
                fl = a * wk * INV_SQRT_2PI * exponential(-a * s - 0.5 * low * low)
                fh = INV_SQRT_2PI * exponential(-c * s - 0.5 * high * high)
                rest = 1.0 - own * par[G + j] / gu  # how the gap between the two boundary points moves with b
                rest = 0.0 if rest < 0.0 else (2.0 if rest > 2.0 else rest)
                acc[N + j] += fl * inv_v
                acc[D + j] += c * wk * (fh * inv_v + distribution(high, asset, fh))
                acc[DN + j] -= rest * fl * low * inv_v * inv_v
                acc[DD + j] -= rest * c * wk * fh * (high * inv_v - 1.0) * inv_v
        for j in range(LANES):
            x = newton(acc[N + j], acc[D + j], acc[DN + j], acc[DD + j], par[START + j], par[G + j], par[FLOOR + j])
            g[i, j] = x
            h[i, j] = x * x
