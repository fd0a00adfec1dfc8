"""The loop that solves American puts with one exercise boundary, block by block."""

from __future__ import annotations

import math
from typing import Any

from bifrost_lib.core.kernels import kernel
from bifrost_lib.core.native import Counts, Floats, Table
from bifrost_lib.pricing.american_boundary_loops import (
    BLOCK,
    FLOOR,
    INV_W,
    SEED_ROUNDS,
    START,
    A,
    C,
    W,
    paste,
    perpetual_log_boundary,
    seed,
)
from bifrost_lib.pricing.american_layout import (
    ACC,
    ACC_SIZE,
    ASK,
    ASK_SIZE,
    CON,
    CON_SIZE,
    EUROPEAN,
    LANE,
    LANES,
    OUT,
    OUT_SIZE,
    PAR,
    PAR_SIZE,
)
from bifrost_lib.pricing.american_value_loops import (
    LIFE,
    VX,
    VXX,
    V,
    X,
    add_bent_premium,
    add_flat_premium,
    european,
)
from bifrost_lib.pricing.elementary import SCALAR, exponential, log_ratio


@kernel(**SCALAR)
def settling_life(a: float, c: float, w: float, settled: float) -> float:
    """Return the life in units of the time after which the boundary is as good as perpetual; at least 1."""
    drift = (a - c) / w - 0.5 * w
    pace = (a + 0.5 * drift * drift) / settled
    return pace if pace > 1.0 else 1.0


@kernel(**BLOCK)
def load(chosen: Any, first: int, data: Any, settled: float, par: Any, ask: Any) -> None:
    """Gather a block of options, repeating the last where fewer are left."""
    last = chosen.size - 1
    for j in range(LANES):
        i = chosen[first + j if first + j < last else last]
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
    left = chosen.size - first
    for j in range(left if left < LANES else LANES):
        i = chosen[first + j]
        x = ask[X + j]
        spot = exponential(x)
        value, slope, bend = out[V + j], out[VX + j], out[VXX + j]
        value = value if value > basis[j] else basis[j]
        if x <= edge[j] or value < 1.0 - spot:
            value, slope, bend = 1.0 - spot, -spot, -spot
        data[4, i], data[5, i], data[6, i], data[7, i], data[8, i] = value, slope, bend, edge[j], value - basis[j]


def solve_group(
    chosen: Counts, data: Table, kind: int, z: Floats, root: Floats, weight: Floats, rows: Table, value_root: Floats,
    value_weight: Floats, value_rows: Table, sweeps: int, settled: float, work: Floats, g: Table, h: Table,
) -> int:  # fmt: skip
    """Solve the options whose positions are `chosen`, all of one `kind`, and return how many there were.

    The last three arguments are the workspace and tables for one boundary.
    """
    par, ask, out = work[PAR : PAR + PAR_SIZE], work[ASK : ASK + ASK_SIZE], work[OUT : OUT + OUT_SIZE]
    acc, con, u = work[ACC : ACC + ACC_SIZE], work[CON : CON + CON_SIZE], work[LANE : LANE + LANES]
    edge, basis = work[LANE + LANES : LANE + 2 * LANES], work[LANE + 2 * LANES : LANE + 3 * LANES]
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
            add_flat_premium(par, ask, edge, out)
            add_bent_premium(par, ask, h, edge, value_root, value_weight, value_rows, u, out)
        store(chosen, first, ask, edge, basis, out, data)
    return chosen.size
