"""From arrays of options to American values: reduce each to a put, sort by difficulty, solve in blocks.

A call on (spot, strike, rate, div_yield) is worth a put on (strike, spot, div_yield, rate), so only puts are solved.
Most options need few nodes; those with a large vol sqrt(tau), or whose carry dwarfs their volatility, get more, and the
others have a closed answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.core.kernels import kernel
from bifrost_lib.pricing.american_boundary import (
    ACC_SIZE,
    BLOCK,
    FLOOR,
    INV_W,
    LANES,
    PAR_SIZE,
    SEED_ROUNDS,
    START,
    A,
    C,
    W,
    paste,
    perpetual_log_boundary,
    seed,
)
from bifrost_lib.pricing.american_double import solve_double
from bifrost_lib.pricing.american_presets import Pair, tables
from bifrost_lib.pricing.american_value import (
    ASK_SIZE,
    LIFE,
    OUT_SIZE,
    VX,
    VXX,
    V,
    X,
    add_premium,
    add_settled_premium,
    european,
)
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio

Floats = npt.NDArray[np.float64]

#: How an option is solved; SOLVED has its answer already.
SOLVED, EUROPEAN, USUAL, HARD, DOUBLE = range(5)

ROWS = 9  # of the data: x, a, c, w, then what `Reduced` names

_LONG_W = 1.25  # vol sqrt(tau) beyond which the boundary needs more nodes
_STIFF_CARRY = 1.25  # |rate - div_yield| sqrt(tau) / vol beyond which the boundary settles within the life
_STILL = 1e-12  # vol sqrt(tau) below which nothing moves
_NO_INTEREST = 1e-16  # rate tau below which the right to exercise a put early is worth less than rounding


@dataclass(frozen=True)
class Reduced:
    """Options as puts in units of their strike: x = ln(spot / strike), a = rate tau, c = div_yield tau, w."""

    kind: npt.NDArray[np.int8]
    x: Floats
    a: Floats
    c: Floats
    w: Floats
    value: Floats  # in units of the put's strike
    slope: Floats  # d value / d x
    bend: Floats  # d slope / d x
    edge: Floats  # x at which the boundary lies now; -inf where exercise is never right
    premium: Floats  # value less that of the European put


@kernel(**SCALAR)
def still_value(x: float, a: float, c: float) -> Any:
    """Return the value, and its slope in x, of a put whose underlying does not fluctuate: exercise at the best time."""
    now = 1.0 - exponential(x)
    best, slope = (now, now - 1.0) if now > 0.0 else (0.0, 0.0)
    end = exponential(-a) - exponential(x - c)
    if end > best:
        best, slope = end, -exponential(x - c)
    if a * c > 0.0 and a != c:
        s = (log_ratio(a, c) - x) / (a - c)
        if 0.0 < s < 1.0:
            between = exponential(-a * s) - exponential(x - c * s)
            if between > best:
                best, slope = between, -exponential(x - c * s)
    return best, slope


@kernel(**SCALAR)
def still_edge(a: float, c: float, expired: bool) -> float:
    """Return the boundary of a put whose underlying does not fluctuate, or that expires now."""
    if expired:
        return 0.0
    if a > 0.0:
        return log_ratio(a, c) if c > a else 0.0
    return 0.0 if a == 0.0 and c < 0.0 else -math.inf


@kernel(**SCALAR)
def kind_of(a: float, c: float, w: float) -> int:
    """Return how a put is solved."""
    if w < _STILL:
        return SOLVED
    if a < 0.0 and c < a:
        return DOUBLE
    if (a <= 0.0 and c >= a) or (a < _NO_INTEREST and c >= 0.0):
        return EUROPEAN
    return HARD if w > _LONG_W or math.fabs(a - c) > _STIFF_CARRY * w else USUAL


@kernel(error_model="numpy", nogil=True)
def reduce_all(s0: Any, k: Any, tau: Any, vol: Any, call: Any, rate: Any, q: Any, steps: Any, data: Any) -> None:
    """Fill the first four rows of `data` (x, a, c, w) for every option."""
    i0, i1, i2, i3, i4, i5, i6 = steps[0], steps[1], steps[2], steps[3], steps[4], steps[5], steps[6]
    for i in range(data.shape[1]):
        ss, kk, t, r, y = s0[i * i0], k[i * i1], tau[i * i2], rate[i * i5], q[i * i6]
        if call[i * i4] != 0:
            ss, kk, r, y = kk, ss, y, r
        x = log_ratio(ss, kk) if ss < math.inf and kk < math.inf else math.nan
        data[0, i], data[1, i], data[2, i], data[3, i] = x, r * t, y * t, vol[i * i3] * math.sqrt(t)


@kernel(error_model="numpy", nogil=True)
def sort_all(data: Any, kind: Any) -> None:
    """Fill `kind`."""
    for i in range(kind.size):
        x, a, c, w = data[0, i], data[1, i], data[2, i], data[3, i]
        kind[i] = kind_of(a, c, w) if math.isfinite(x + a + c + w) else SOLVED


@kernel(error_model="numpy", nogil=True)
def settle(data: Any, kind: Any) -> None:
    """Value the options that do not fluctuate; those that cannot be valued become NaN."""
    for i in range(kind.size):
        if kind[i] != SOLVED:
            continue
        x, a, c, w = data[0, i], data[1, i], data[2, i], data[3, i]
        if not math.isfinite(x + a + c + w):
            for row in range(4, ROWS):
                data[row, i] = math.nan
            continue
        value, slope = still_value(x, a, c)
        data[4, i], data[5, i], data[6, i] = value, slope, slope
        data[7, i] = still_edge(a, c, a == 0.0 and c == 0.0)
        data[8, i] = value - max(exponential(-a) - exponential(x - c), 0.0)


@kernel(**SCALAR)
def settling_life(a: float, c: float, w: float, settled: float) -> float:
    """Return the life in units of the time after which the boundary is as good as perpetual; at least 1."""
    drift = (a - c) / w - 0.5 * w
    pace = (a + 0.5 * drift * drift) / settled
    return pace if pace > 1.0 else 1.0


@kernel(**BLOCK)
def load(chosen: Any, first: int, data: Any, settled: float, par: Any, ask: Any) -> None:
    """Gather a block of options, repeating the last where fewer are left."""
    for j in range(LANES):
        i = chosen[min(first + j, chosen.size - 1)]
        x, a, c, w = data[0, i], data[1, i], data[2, i], data[3, i]
        life = settling_life(a, c, w, settled)
        a, c, w = a / life, c / life, w / math.sqrt(life)
        ask[X + j], ask[LIFE + j] = x, life
        par[A + j], par[C + j], par[W + j], par[INV_W + j] = a, c, w, 1.0 / w
        start = log_ratio(a, c) if c > a else 0.0
        floor = perpetual_log_boundary(a, c, w)
        par[START + j], par[FLOOR + j] = start, floor if floor < start else start


@kernel(**BLOCK)
def store(chosen: Any, first: int, ask: Any, edge: Any, basis: Any, out: Any, data: Any) -> None:
    """Scatter a block's results; at or below the boundary the option is exercised."""
    for j in range(min(LANES, chosen.size - first)):
        i = chosen[first + j]
        x = ask[X + j]
        spot = exponential(x)
        value, slope, bend = out[V + j], out[VX + j], out[VXX + j]
        value = value if value > basis[j] else basis[j]
        if x <= edge[j] or value < 1.0 - spot:
            value, slope, bend = 1.0 - spot, -spot, -spot
        data[4, i], data[5, i], data[6, i], data[7, i], data[8, i] = value, slope, bend, edge[j], value - basis[j]


@kernel(error_model="numpy", nogil=True)
def solve_group(
    chosen: Any,
    data: Any,
    kind: int,
    z: Any,
    root: Any,
    weight: Any,
    rows: Any,
    value_root: Any,
    value_weight: Any,
    value_rows: Any,
    sweeps: int,
    settled: float,
) -> None:
    """Solve the options whose positions are `chosen`, all of one `kind`."""
    par, ask, out = np.empty(PAR_SIZE), np.empty(ASK_SIZE), np.empty(OUT_SIZE)
    acc, con, u = np.empty(ACC_SIZE), np.empty(5 * LANES), np.empty(LANES)
    edge, basis = np.empty(LANES), np.empty(LANES)
    g, h = np.empty((z.size, LANES)), np.empty((z.size, LANES))
    for first in range(0, chosen.size, LANES):
        load(chosen, first, data, settled, par, ask)
        european(par, ask, out)
        for j in range(LANES):
            basis[j], edge[j] = out[V + j], -math.inf
        if kind != EUROPEAN:
            seed(par, g, h, z, SEED_ROUNDS, con)
            for _ in range(sweeps):
                paste(par, g, h, z, root, weight, rows, acc, u)
            for j in range(LANES):
                edge[j] = par[START + j] - g[z.size - 1, j]
            add_premium(par, ask, h, value_root, value_weight, value_rows, 1.0, u, out)
            if kind != USUAL:
                add_settled_premium(par, ask, edge, out)
        store(chosen, first, ask, edge, basis, out, data)


def solve(data: Floats, pair: Pair, kind: npt.NDArray[np.int8] | None = None) -> Reduced:
    """Value the options in `data`, whose first four rows are set; `kind` forces how each is solved."""
    if kind is None:
        kind = np.empty(data.shape[1], dtype=np.int8)
        sort_all(data, kind)
    settle(data, kind)
    for group in (EUROPEAN, USUAL, HARD):
        chosen = np.flatnonzero(kind == group)
        if chosen.size:
            preset = pair.hard if group == HARD else pair.usual
            solve_group(chosen, data, group, *tables(preset).columns())
    chosen = np.flatnonzero(kind == DOUBLE)
    if chosen.size:
        solve_double(chosen, data, *tables(pair.hard).columns()[:-1])
    return Reduced(kind, *data)
