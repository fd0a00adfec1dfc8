"""The value of American puts and its slopes, given their exercise boundary, for blocks of options at once.

With x = ln(spot / strike), the value in units of the strike is the European one plus what exercising earns: interest on
the strike, less the dividends given up, for as long as the option will have been exercised (Kim 1990; Carr, Jarrow and
Myneni 1992). Two slopes in x, from the same integrals, give delta and gamma exactly as the value gives the price.

The integral over a boundary that stays where it is now is closed; what is left to quadrature is the difference that the
boundary's way makes. Next to the boundary that difference is smooth, while either integrand changes between two nodes,
so that gamma and theta hold all the way to exercise.

Time is measured in units of the horizon over which the boundary was solved. An option may live longer than that: its
boundary has then settled at the perpetual level, and before the horizon no difference remains.
"""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.american_boundary_loops import BLOCK, INV_W, START, A, C, W, distribution, recall
from bifrost_lib.pricing.american_layout import LANES
from bifrost_lib.pricing.elementary import SCALAR, exponential, mills_ratio
from bifrost_lib.pricing.normal_form import INV_SQRT_2PI

# rows of `ask`: log-moneyness, and the life in units of the boundary's horizon
X, LIFE = (row * LANES for row in range(2))
# rows of `out`: the value in units of the strike, and its first two derivatives in x
V, VX, VXX = (row * LANES for row in range(3))


@kernel(**BLOCK)
def european(par: Any, ask: Any, out: Any) -> None:
    """Set `out` to the European put."""
    for j in range(LANES):
        x, life = ask[X + j], ask[LIFE + j]
        a, c, v = par[A + j] * life, par[C + j] * life, par[W + j] * math.sqrt(life)
        inv_v = 1.0 / v
        low = (x + a - c) * inv_v - 0.5 * v
        high = low + v
        asset = exponential(x - c)
        density = asset * INV_SQRT_2PI * exponential(-0.5 * high * high)
        # both terms share their density, so that their difference keeps its digits far out of the money
        held = density * mills_ratio(math.fabs(high))
        owed = density * mills_ratio(math.fabs(low))
        held = held if high > 0.0 else asset - held
        owed = owed if low > 0.0 else exponential(-a) - owed
        out[V + j] = owed - held
        out[VX + j] = -held
        out[VXX + j] = density * inv_v - held


@kernel(**SCALAR)
def _earned(y: float, a: float, c: float, s: float, v: float, inv_v: float, cash: float, asset: float) -> Any:
    """Return what exercise earns at the time s from now, and its two slopes, y above the boundary of then."""
    low = (y + (a - c) * s) * inv_v - 0.5 * v
    high = low + v
    fl = cash * INV_SQRT_2PI * exponential(-0.5 * low * low)
    fh = asset * INV_SQRT_2PI * exponential(-0.5 * high * high)
    held = distribution(-high, asset, fh)
    earned = distribution(-low, cash, fl) - held
    return earned, (fh - fl) * inv_v - held, (fl * low - fh * high) * inv_v * inv_v + 2.0 * fh * inv_v - held


@kernel(**BLOCK)
def add_premium(par: Any, ask: Any, h: Any, root: Any, weight: Any, rows: Any, side: float, u: Any, out: Any) -> None:
    """Add `side` times what exercise earns late in the life, where the boundary is start - side sqrt(h)."""
    for k in range(root.size):
        square = root[k] * root[k]
        wk = side * 2.0 * weight[k] * root[k]
        recall(h, rows[k], u)
        for j in range(LANES):
            s = (ask[LIFE + j] - 1.0) + square
            rs = math.sqrt(s)
            a, c, v, inv_v = par[A + j], par[C + j], par[W + j] * rs, par[INV_W + j] / rs
            x = ask[X + j]
            gu = math.sqrt(u[j] if u[j] > 0.0 else 0.0)
            cash, asset = a * wk * exponential(-a * s), c * wk * exponential(x - c * s)
            value, slope, bend = _earned(x - par[START + j] + side * gu, a, c, s, v, inv_v, cash, asset)
            out[V + j] += value
            out[VX + j] += slope
            out[VXX + j] += bend


@kernel(**BLOCK)
def add_flat_premium(par: Any, ask: Any, boundary: Any, out: Any) -> None:
    """Add what exercise would earn if ln B stayed at `boundary` for life."""
    for j in range(LANES):
        s = ask[LIFE + j]
        a, c, w = par[A + j], par[C + j], par[W + j]
        x, b = ask[X + j], boundary[j]
        y = x - b if x > b else 0.0
        v = w * math.sqrt(s)
        square = w * w
        m = a - c - 0.5 * square
        r = math.sqrt(m * m + 2.0 * a * square)
        least = 1e-6 * w  # below it only the limit of gap / r counts
        r = r if r > least else least
        fast = 2.0 * a / (r - m) if m < 0.0 else (m + r) / square  # (m + r) / w^2 without cancellation
        slow = -2.0 * a / (r + m) if m > 0.0 else (m - r) / square
        low = (y + m * s) / v
        high = low + v
        cash, asset = exponential(-a * s), exponential(x - c * s)
        fl = cash * INV_SQRT_2PI * exponential(-0.5 * low * low)
        fh = asset * INV_SQRT_2PI * exponential(-0.5 * high * high)
        far, near = (y + r * s) / v, (y - r * s) / v
        upper = fl * mills_ratio(math.fabs(far))
        lower = fl * mills_ratio(math.fabs(near))
        lower = lower if near > 0.0 else exponential(-y * fast) - lower
        both, gap = 0.5 * (upper + lower), lower - upper
        held_now = exponential(b)
        held = held_now * (both - 0.5 * (m + square) / r * gap) - distribution(-high, asset, fh)
        owed = both - 0.5 * m / r * gap - distribution(-low, cash, fl)
        net = (c * held_now - a) / r
        turn = slow * upper - fast * lower
        out[V + j] += owed - held
        out[VX + j] += net * gap - held
        out[VXX + j] += net * turn - held + c * held_now / r * gap


@kernel(**BLOCK)
def add_bent_premium(
    par: Any, ask: Any, h: Any, boundary: Any, root: Any, weight: Any, rows: Any, u: Any, out: Any
) -> None:
    """Add what exercise earns more because the boundary rises from `boundary` to start - sqrt(h) late in the life.

    Near the boundary either integrand is all but singular and the difference is smooth.
    """
    for k in range(root.size):
        square = root[k] * root[k]
        wk = 2.0 * weight[k] * root[k]
        recall(h, rows[k], u)
        for j in range(LANES):
            s = (ask[LIFE + j] - 1.0) + square
            rs = math.sqrt(s)
            a, c, v, inv_v = par[A + j], par[C + j], par[W + j] * rs, par[INV_W + j] / rs
            x = ask[X + j]
            gu = math.sqrt(u[j] if u[j] > 0.0 else 0.0)
            cash, asset = a * wk * exponential(-a * s), c * wk * exponential(x - c * s)
            value, slope, bend = _earned(x - par[START + j] + gu, a, c, s, v, inv_v, cash, asset)
            flat_value, flat_slope, flat_bend = _earned(x - boundary[j], a, c, s, v, inv_v, cash, asset)
            out[V + j] += value - flat_value
            out[VX + j] += slope - flat_slope
            out[VXX + j] += bend - flat_bend
