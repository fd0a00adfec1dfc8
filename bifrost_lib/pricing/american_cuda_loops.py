"""One American option a thread: the processor's loops over blocks, narrowed to a single lane, on a GPU.

A block of one lane is all that a thread has room for beside its registers, and threads next to each other then read
numbers next to each other. Every offset into a block is a multiple of `LANES`, so dividing by it gives the offsets of a
single lane.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bifrost_lib.core.cuda import cuda, gpu_loop, thread, with_constants
from bifrost_lib.pricing import american_boundary_loops, american_layout, american_value_loops
from bifrost_lib.pricing.american_double_loops import solve_double
from bifrost_lib.pricing.american_layout import LANE, LANES, SINGLES
from bifrost_lib.pricing.american_presets import PRESETS
from bifrost_lib.pricing.american_solve_loops import solve_group

_OFFSETS = {
    american_boundary_loops: "A C W INV_W START FLOOR G N D DN DD",
    american_layout: "LANES PAR PAR_SIZE ACC ACC_SIZE CON CON_SIZE ASK ASK_SIZE OUT OUT_SIZE LANE",
    american_value_loops: "X LIFE V VX VXX",
}
_ONE_LANE = {name: getattr(module, name) // LANES for module, names in _OFFSETS.items() for name in names.split()}
_WORK = LANE // LANES + SINGLES
_BOUNDARY = (max(preset.nodes for levels in PRESETS.values() for preset in vars(levels).values()), 1)

_solve_one = with_constants(solve_group, _ONE_LANE)
_solve_one_double = with_constants(solve_double, _ONE_LANE)


@gpu_loop
def solve_each(
    data: Any, chosen: Any, kind: Any, z: Any, root: Any, weight: Any, rows: Any, value_root: Any, value_weight: Any,
    value_rows: Any, sweeps: Any, settled: Any,
) -> None:  # fmt: skip
    """Solve each of the options whose positions are `chosen`, all of one `kind` with one boundary."""
    i = thread()
    if i >= chosen.size:
        return
    work = cuda.local.array(_WORK, np.float64)
    g, h = cuda.local.array(_BOUNDARY, np.float64), cuda.local.array(_BOUNDARY, np.float64)
    _solve_one(
        chosen[i : i + 1], data, kind, z, root, weight, rows, value_root, value_weight, value_rows, sweeps, settled,
        work, g, h,
    )  # fmt: skip


@gpu_loop
def solve_double_each(
    data: Any, chosen: Any, z: Any, root: Any, weight: Any, rows: Any, value_root: Any, value_weight: Any,
    value_rows: Any, sweeps: Any,
) -> None:  # fmt: skip
    """Solve each of the options whose positions are `chosen`, all with two boundaries."""
    i = thread()
    if i >= chosen.size:
        return
    work = cuda.local.array(_WORK, np.float64)
    g, h = cuda.local.array(_BOUNDARY, np.float64), cuda.local.array(_BOUNDARY, np.float64)
    g_low, h_low = cuda.local.array(_BOUNDARY, np.float64), cuda.local.array(_BOUNDARY, np.float64)
    _solve_one_double(
        chosen[i : i + 1], data, z, root, weight, rows, value_root, value_weight, value_rows, sweeps, work, g, h,
        g_low, h_low,
    )  # fmt: skip
