"""How scalar functions become code for a GPU: the same functions that `core.kernels` compiles for the processor.

A kernel of scalars may be called from a GPU loop as it is; the compiler translates it for the device. Import this
module only where a GPU is wanted: it loads the compiler.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import cuda as _cuda

from bifrost_lib.core.errors import EnvironmentProblem

cuda: Any = _cuda  # the compiler's words for the device are made at run time, so no type checker knows them
_THREADS = 128


@cuda.jit(device=True)  # type: ignore[untyped-decorator, unused-ignore]
def thread() -> int:
    """Return the number of the running thread, counted over the whole grid."""
    return int(cuda.grid(1))


def gpu_loop(function: Callable[..., None]) -> Callable[..., None]:
    """Decorate a function of arrays whose every thread does one element, so that it is compiled for the GPU."""
    compiled: Callable[..., None] = cuda.jit(function)
    return compiled


def has_gpu() -> bool:
    """Tell whether a GPU can be used, or the simulator (``NUMBA_ENABLE_CUDASIM=1``) stands in for one."""
    return bool(cuda.is_available())


def run_on_gpu(
    loop: Any, columns: Sequence[npt.NDArray[Any]], size: int, results: Sequence[npt.DTypeLike]
) -> list[npt.NDArray[Any]]:
    """Run `loop` with one thread for each of `size` elements and return its results.

    Parameters
    ----------
    loop
        Made by `gpu_loop`; takes `columns`, then one array for each of `results`.
    columns : sequence of arrays
        Of `size` elements, or of one that serves all; they are copied to the device.
    size : int
    results : sequence of dtypes

    Raises
    ------
    EnvironmentProblem
        If there is no GPU.
    """
    if not has_gpu():
        raise EnvironmentProblem("no CUDA GPU answers", "check nvidia-smi, or leave out device='cuda'")
    given = [cuda.to_device(column) for column in columns]
    found = [cuda.device_array(size, dtype=np.dtype(kind)) for kind in results]
    if size:
        loop[math.ceil(size / _THREADS), _THREADS](*given, *found)
    return [one.copy_to_host() for one in found]
