"""Sweeps on a GPU: the processor's simulation, one set a thread."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bifrost_lib.backtest.engine.layout import DESK_COUNTS, DESK_FLOATS, M_REFUSED, S_MAX_ACTIVE
from bifrost_lib.backtest.engine.market import Cubes, Stage
from bifrost_lib.backtest.engine.simulation import Plan, Simulated, plan
from bifrost_lib.backtest.replay import Replay
from bifrost_lib.backtest.sweeping import chunk_arrays, follow
from bifrost_lib.core.errors import InputError
from bifrost_lib.strategies import StrategyDocument

Array = npt.NDArray[Any]
_THREADS = 64
_MOST = 16_384  # sets at once: their scratch stays below a gigabyte over ten years of days


def gpu_sweep_chunk(documents: Sequence[StrategyDocument], cubes: Cubes, **options: Any) -> dict[str, Array]:
    """Replay documents on the GPU; arguments, arrays and errors as for `sweep_chunk`.

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    from bifrost_lib.core.cuda import require_gpu

    require_gpu()
    if not len(documents):
        raise InputError("documents", documents, "at least one document")
    replay = Replay(**options)
    stage = replay.stage(cubes)
    allowed = replay.allowed(cubes)
    found = _run(stage, plan(stage, documents, replay.terms, allowed))
    follow(found, stage, documents, replay.terms, allowed)
    return chunk_arrays(documents, found, replay)


def gpu_bytes(cubes: Cubes, sets: int, *, max_active: int = 1) -> int:
    """Return about how many bytes of the GPU's memory `gpu_sweep_chunk` takes."""
    given = [cubes] if not hasattr(cubes, "values") else list(cubes.values())
    days = sum(cube.sessions for cube in given)
    scratch = 8 * (DESK_FLOATS + 3 * max_active + DESK_COUNTS + 4 * days)
    results = 8 * (2 * days + M_REFUSED)
    return sum(3 * cube.nbytes for cube in given) // 2 + min(sets, _MOST) * scratch + sets * results


def _run(stage: Stage, planned: Plan) -> Simulated:
    from bifrost_lib.backtest.engine.cuda_loops import simulate_each
    from bifrost_lib.core.cuda import cuda

    admissions, days, sets = planned.admissions, len(stage.days), len(planned.rows)
    most = int(planned.rows[:, S_MAX_ACTIVE].max())
    market = [cuda.to_device(one) for one in stage.market]
    entries = [cuda.to_device(one) for one in (stage.entry_session, stage.entry_moment)]
    rows = cuda.to_device(admissions.rows.reshape(-1, len(stage.entry_session)))
    nothing, no_log = cuda.to_device(np.zeros(0, dtype=np.int64)), cuda.to_device(np.zeros(0))
    told = np.zeros((sets, M_REFUSED + len(admissions.names)))
    equity = np.empty((sets, days))
    for first in range(0, sets, _MOST):
        part = slice(first, min(first + _MOST, sets))
        count = part.stop - part.start
        results = cuda.to_device(told[part]), cuda.to_device(equity[part])
        launch: Any = simulate_each
        launch[math.ceil(count / _THREADS), _THREADS](
            cuda.to_device(planned.rows[part]), cuda.to_device(admissions.row_of[part]), rows, *entries,
            cuda.to_device(np.zeros((count, DESK_FLOATS + 3 * most))),
            cuda.to_device(np.zeros((count, DESK_COUNTS), dtype=np.int64)),
            cuda.to_device(np.zeros((count, 4, days))), nothing, no_log, *results, *market,
        )  # fmt: skip
        told[part], equity[part] = (one.copy_to_host() for one in results)
    return Simulated(told, equity, tuple(admissions.names), np.empty(0), np.empty(0), np.empty(0), np.empty(0))
